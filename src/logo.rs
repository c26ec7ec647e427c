//! The logo: from a PNG file to its pixels, once per size.

use std::fmt;
use std::io::{self, Cursor};
use std::ops::Range;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::error::FaceError;
use crate::file;
use crate::shared::{Held, Shared};

/// The longest side of a logo in px: what a camera of the largest size could show, and 256 MiB.
const MAX_SIDE: u32 = 8192;

/// Why a file cannot be the logo.
#[derive(Debug, Error)]
#[error("the logo {path:?} cannot be used: {cause}")]
pub struct LogoError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    #[source]
    pub cause: LogoCause,
}

/// What is wrong with a logo's file.
#[derive(Debug, Error)]
pub enum LogoCause {
    /// It cannot be read.
    #[error(transparent)]
    File(#[from] io::Error),
    /// It is no PNG file, or a broken one.
    #[error("it is no sound PNG file: {0}")]
    Png(#[from] png::DecodingError),
    /// A side is longer than [`MAX_SIDE`].
    #[error("it has {width}x{height} px, and a side may have {MAX_SIDE} px")]
    Size {
        /// Width in px.
        width: u32,
        /// Height in px.
        height: u32,
    },
}

/// A logo, decoded. Logos of the same file are one in a process, and equal.
#[derive(Clone)]
pub struct Logo(Held<Image>);

impl PartialEq for Logo {
    fn eq(&self, other: &Self) -> bool {
        self.0.is(&other.0)
    }
}

impl Eq for Logo {}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}x{})", self.0.width, self.0.height)
    }
}

impl Logo {
    /// Reads a PNG file of any colour type and depth.
    ///
    /// # Errors
    /// [`LogoError`] when the file cannot be read, is no sound PNG file, or is too large.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, LogoError> {
        let path = path.as_ref();
        let image = file::read(path).map_err(LogoCause::from).and_then(|bytes| {
            static IMAGES: Shared<Vec<u8>, Image> = Shared::new();
            IMAGES.get_or_try_make(bytes.as_slice(), || Image::decode(&bytes))
        });
        image.map(Self).map_err(|cause| LogoError {
            path: path.to_owned(),
            cause,
        })
    }

    /// A logo of one colour.
    #[cfg(test)]
    pub(crate) fn plain(width: usize, height: usize) -> Self {
        static PLAIN: Shared<(usize, usize), Image> = Shared::new();
        let image = Image {
            width,
            height,
            pixels: vec![u32::MAX; width * height],
            scaled: Shared::new(),
        };
        let held = PLAIN.get_or_try_make(&(width, height), || Ok::<_, std::convert::Infallible>(image));
        Self(held.unwrap_or_else(|never| match never {}))
    }

    /// The picture at `width` × `height` px, made once in a process.
    pub(crate) fn at(&self, width: usize, height: usize) -> Result<Held<Image>, FaceError> {
        let size = (width, height);
        let image = &self.0;
        image
            .scaled
            .get_or_try_make(&size, || image.scaled(width, height))
    }

    /// Width and height in px.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.0.width, self.0.height)
    }
}

/// A picture with premultiplied alpha.
pub(crate) struct Image {
    width: usize,
    height: usize,
    /// Row after row, each pixel as in cairo's `ARGB32`: alpha in the highest byte, then red, green, blue.
    pixels: Vec<u32>,
    /// By width and height in px.
    scaled: Shared<(usize, usize), Image>,
}

impl Image {
    fn decode(file: &[u8]) -> Result<Self, LogoCause> {
        let mut decoder = png::Decoder::new(Cursor::new(file));
        decoder
            .set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let mut reader = decoder.read_info()?;
        let (width, height) = reader.info().size();
        let size = LogoCause::Size { width, height };
        if width > MAX_SIDE || height > MAX_SIDE {
            return Err(size);
        }
        let mut bytes = vec![0; reader.output_buffer_size().ok_or(size)?];
        let frame = reader.next_frame(&mut bytes)?;
        let samples = frame.color_type.samples();
        let pixels = bytes[..frame.buffer_size()]
            .chunks_exact(samples)
            .map(premultiplied);
        Ok(Self {
            width: width as usize,
            height: height as usize,
            pixels: pixels.collect(),
            scaled: Shared::new(),
        })
    }

    fn scaled(&self, width: usize, height: usize) -> Result<Self, FaceError> {
        // cairo's own way of making something much smaller takes seconds for what a camera takes.
        let factor = (self.width / width).min(self.height / height).max(1);
        let source = self.reduced(factor).surface()?;
        let mut target = surface_of(width, height)?;
        let painter = cairo::Context::new(&target)?;
        painter.scale(
            px(width * factor) / px(self.width),
            px(height * factor) / px(self.height),
        );
        painter.set_source_surface(&source, 0.0, 0.0)?;
        // Beyond its edges a picture goes on, or they would fade into the background.
        painter.source().set_extend(cairo::Extend::Pad);
        painter.source().set_filter(cairo::Filter::Good);
        painter.set_operator(cairo::Operator::Source);
        painter.paint()?;
        drop(painter);
        let stride = usize::try_from(target.stride()).unwrap_or_default();
        let data = target.data()?;
        let rows = data.chunks(stride.max(1)).take(height);
        let pixels = rows.flat_map(|row| {
            row[..width * 4]
                .as_chunks()
                .0
                .iter()
                .copied()
                .map(u32::from_ne_bytes)
        });
        Ok(Self {
            width,
            height,
            pixels: pixels.collect(),
            scaled: Shared::new(),
        })
    }

    /// The means of blocks of `factor` × `factor` pixels.
    fn reduced(&self, factor: usize) -> Self {
        let block = |index: usize, end: usize| index * factor..((index + 1) * factor).min(end);
        let (width, height) = (self.width.div_ceil(factor), self.height.div_ceil(factor));
        let mut pixels = Vec::with_capacity(width * height);
        for rows in (0..height).map(|row| block(row, self.height)) {
            for columns in (0..width).map(|column| block(column, self.width)) {
                let count = (columns.len() * rows.len()) as u64;
                let sum = self.sum(&columns, &rows);
                let [red, green, blue, alpha] =
                    sum.map(|sum| u8::try_from((sum + count / 2) / count).unwrap_or(u8::MAX));
                pixels.push(u32::from_be_bytes([alpha, red, green, blue]));
            }
        }
        Self {
            width,
            height,
            pixels,
            scaled: Shared::new(),
        }
    }

    fn surface(&self) -> Result<cairo::ImageSurface, FaceError> {
        let mut surface = surface_of(self.width, self.height)?;
        let stride = usize::try_from(surface.stride()).unwrap_or_default();
        let mut data = surface.data()?;
        for (row, pixels) in data
            .chunks_mut(stride.max(1))
            .zip(self.pixels.chunks_exact(self.width))
        {
            for (bytes, pixel) in row.chunks_exact_mut(4).zip(pixels) {
                bytes.copy_from_slice(&pixel.to_ne_bytes());
            }
        }
        drop(data);
        Ok(surface)
    }

    /// The mean of a block of pixels: red, green, blue and alpha, premultiplied, each from 0 to 1.
    pub(crate) fn mean(&self, columns: &Range<usize>, rows: &Range<usize>) -> [f64; 4] {
        let whole = px(columns.len() * rows.len()) * 255.0;
        let sum = self.sum(columns, rows);
        sum.map(|sum| f64::from(u32::try_from(sum).unwrap_or(u32::MAX)) / whole.max(1.0))
    }

    /// The sums of a block's red, green, blue and alpha. What lies outside is clear.
    fn sum(&self, columns: &Range<usize>, rows: &Range<usize>) -> [u64; 4] {
        let mut sum = [0; 4];
        for y in rows.start..rows.end.min(self.height) {
            let row = &self.pixels[y * self.width..][..self.width];
            for pixel in &row[columns.start.min(self.width)..columns.end.min(self.width)] {
                let [alpha, red, green, blue] = pixel.to_be_bytes();
                for (sum, value) in sum.iter_mut().zip([red, green, blue, alpha]) {
                    *sum += u64::from(value);
                }
            }
        }
        sum
    }
}

fn surface_of(width: usize, height: usize) -> Result<cairo::ImageSurface, cairo::Error> {
    let side = |px: usize| i32::try_from(px).unwrap_or(i32::MAX);
    cairo::ImageSurface::create(cairo::Format::ARgb32, side(width), side(height))
}

/// A pixel of grey and alpha, or of red, green, blue and alpha, as cairo has it.
fn premultiplied(samples: &[u8]) -> u32 {
    let (red, green, blue, alpha) = match *samples {
        [grey, alpha] => (grey, grey, grey, alpha),
        [red, green, blue, alpha] => (red, green, blue, alpha),
        // The decoder was asked for alpha.
        _ => (0, 0, 0, 0),
    };
    let times_alpha = |value: u8| ((u32::from(value) * u32::from(alpha) + 127) / 255) & 0xff;
    (u32::from(alpha) << 24) | (times_alpha(red) << 16) | (times_alpha(green) << 8) | times_alpha(blue)
}

fn px(px: usize) -> f64 {
    f64::from(u32::try_from(px).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn png(color: png::ColorType, depth: png::BitDepth, width: u32, data: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        let mut encoder = png::Encoder::new(&mut file, width, 1);
        encoder.set_color(color);
        encoder.set_depth(depth);
        if color == png::ColorType::Indexed {
            encoder.set_palette(vec![0, 0, 0, 255, 128, 0]);
            encoder.set_trns(vec![0, 255]);
        }
        encoder.write_header().unwrap().write_image_data(data).unwrap();
        file
    }

    #[test]
    fn every_kind_of_png_becomes_premultiplied() {
        use png::{BitDepth, ColorType};
        for (color, depth, data, expected) in [
            (
                ColorType::Rgba,
                BitDepth::Eight,
                &[255, 100, 0, 128][..],
                0x8080_3200,
            ),
            (ColorType::Rgb, BitDepth::Eight, &[255, 100, 0], 0xffff_6400),
            (ColorType::Grayscale, BitDepth::Eight, &[77], 0xff4d_4d4d),
            (
                ColorType::GrayscaleAlpha,
                BitDepth::Eight,
                &[255, 51],
                0x3333_3333,
            ),
            (ColorType::Grayscale, BitDepth::One, &[0x80], 0xffff_ffff),
            (
                ColorType::Rgb,
                BitDepth::Sixteen,
                &[255, 9, 100, 9, 0, 9],
                0xffff_6400,
            ),
            (ColorType::Indexed, BitDepth::Eight, &[1], 0xffff_8000),
            (ColorType::Indexed, BitDepth::Eight, &[0], 0),
        ] {
            let image = Image::decode(&png(color, depth, 1, data)).unwrap();
            assert_eq!(image.pixels, [expected], "{color:?} {depth:?} {data:?}");
        }
    }

    #[test]
    fn scaling_keeps_a_plain_colour_to_its_edges() {
        let image = Image {
            width: 301,
            height: 203,
            pixels: vec![0x8080_3200; 301 * 203],
            scaled: Shared::new(),
        };
        for (width, height) in [(1, 1), (2, 2), (7, 5), (300, 200), (700, 300)] {
            let scaled = image.scaled(width, height).unwrap();
            assert_eq!(scaled.pixels.len(), width * height);
            let same = |pixel: &u32| {
                let pairs = pixel.to_be_bytes().into_iter().zip([0x80, 0x80, 0x32, 0]);
                pairs.into_iter().all(|(a, b): (u8, u8)| a.abs_diff(b) <= 1)
            };
            let odd = scaled.pixels.iter().find(|pixel| !same(pixel));
            assert_eq!(odd, None, "{width}x{height}");
        }
    }

    #[test]
    fn a_size_is_made_once_while_somebody_shows_it() {
        let logo = Logo::plain(4, 4);
        let first = logo.at(8, 8).unwrap();
        assert!(first.is(&Logo::plain(4, 4).at(8, 8).unwrap()));
    }

    #[test]
    fn a_file_that_cannot_be_used_is_named_with_the_cause() {
        let folder = std::env::temp_dir().join(format!("clockface-logo-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let whole = png(png::ColorType::Rgb, png::BitDepth::Eight, 2, &[9; 6]);
        let mut broken = whole.clone();
        broken.truncate(whole.len() - 20);
        let zeros = vec![0; MAX_SIDE as usize + 1];
        let wide = png(
            png::ColorType::Grayscale,
            png::BitDepth::Eight,
            MAX_SIDE + 1,
            &zeros,
        );
        for (name, bytes, cause) in [
            ("text.png", &b"not a picture"[..], "no sound PNG"),
            ("empty.png", b"", "no sound PNG"),
            ("broken.png", &broken, "no sound PNG"),
            ("wide.png", &wide, "8193x1 px"),
        ] {
            fs::write(folder.join(name), bytes).unwrap();
            let said = Logo::open(folder.join(name)).unwrap_err().to_string();
            assert!(said.contains(name) && said.contains(cause), "{said}");
        }
        let missing = Logo::open(folder.join("none.png")).unwrap_err().to_string();
        assert!(
            missing.contains("none.png") && missing.contains("No such file"),
            "{missing}"
        );
        let directory = Logo::open(&folder).unwrap_err().to_string();
        assert!(directory.contains("Is a directory"), "{directory}");
        fs::remove_dir_all(&folder).unwrap();
    }
}

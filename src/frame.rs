//! The planes of a pixel format, and how coverage is blended into them.

use std::ops::Range as Span;

use thiserror::Error;

use crate::glyphs::Mask;
use crate::style::Argb;

/// Pixel formats that are painted directly; the names are GStreamer's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names are GStreamer's own")]
pub enum PixelFormat {
    I420,
    Yv12,
    Nv12,
    Nv21,
    Y42b,
    Y444,
    Gray8,
    Rgbx,
    Xrgb,
    Bgrx,
    Xbgr,
    Rgba,
    Bgra,
    Argb,
    Abgr,
    Rgb,
    Bgr,
}

/// One plane: how far apart its samples are, how it is subsampled, and which channel each byte holds.
pub(crate) struct PlaneShape {
    /// Binary logarithm of the horizontal and vertical subsampling.
    subsampling: (u32, u32),
    /// The channel (Y, U, V, or R, G, B, alpha) of each of a sample's bytes. Samples touch.
    channels: &'static [usize],
}

impl PlaneShape {
    const fn full(channels: &'static [usize]) -> Self {
        Self {
            subsampling: (0, 0),
            channels,
        }
    }

    const fn halved(channels: &'static [usize], rows: u32) -> Self {
        Self {
            subsampling: (1, rows),
            channels,
        }
    }

    /// Bytes from one sample to the next.
    fn step(&self) -> usize {
        self.channels.len()
    }

    fn columns(&self, width: usize) -> usize {
        width.div_ceil(1 << self.subsampling.0)
    }

    fn rows(&self, height: usize) -> usize {
        height.div_ceil(1 << self.subsampling.1)
    }

    fn row_bytes(&self, width: usize) -> usize {
        self.columns(width) * self.step()
    }
}

impl PixelFormat {
    /// The planes, in the order in which they lie in memory.
    pub(crate) const fn planes(self) -> &'static [PlaneShape] {
        const LUMA: PlaneShape = PlaneShape::full(&[0]);
        const QUARTER_U: PlaneShape = PlaneShape::halved(&[1], 1);
        const QUARTER_V: PlaneShape = PlaneShape::halved(&[2], 1);
        match self {
            Self::I420 => &[LUMA, QUARTER_U, QUARTER_V],
            Self::Yv12 => &[LUMA, QUARTER_V, QUARTER_U],
            Self::Nv12 => const { &[LUMA, PlaneShape::halved(&[1, 2], 1)] },
            Self::Nv21 => const { &[LUMA, PlaneShape::halved(&[2, 1], 1)] },
            Self::Y42b => const { &[LUMA, PlaneShape::halved(&[1], 0), PlaneShape::halved(&[2], 0)] },
            Self::Y444 => const { &[LUMA, PlaneShape::full(&[1]), PlaneShape::full(&[2])] },
            Self::Gray8 => &[LUMA],
            // A padding byte takes the alpha channel, which is opaque in formats without alpha.
            Self::Rgbx | Self::Rgba => const { &[PlaneShape::full(&[0, 1, 2, 3])] },
            Self::Xrgb | Self::Argb => const { &[PlaneShape::full(&[3, 0, 1, 2])] },
            Self::Bgrx | Self::Bgra => const { &[PlaneShape::full(&[2, 1, 0, 3])] },
            Self::Xbgr | Self::Abgr => const { &[PlaneShape::full(&[3, 2, 1, 0])] },
            Self::Rgb => const { &[PlaneShape::full(&[0, 1, 2])] },
            Self::Bgr => const { &[PlaneShape::full(&[2, 1, 0])] },
        }
    }

    const fn is_rgb(self) -> bool {
        !matches!(
            self,
            Self::I420 | Self::Yv12 | Self::Nv12 | Self::Nv21 | Self::Y42b | Self::Y444 | Self::Gray8
        )
    }

    const fn has_alpha(self) -> bool {
        matches!(self, Self::Rgba | Self::Bgra | Self::Argb | Self::Abgr)
    }
}

/// The luma weights of red and blue; green has the rest (ITU-R BT.601, BT.709 and others).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Matrix {
    /// The weight of red.
    pub kr: f64,
    /// The weight of blue.
    pub kb: f64,
}

impl Matrix {
    /// ITU-R BT.601.
    pub const BT601: Self = Self { kr: 0.299, kb: 0.114 };
    /// ITU-R BT.709.
    pub const BT709: Self = Self {
        kr: 0.2126,
        kb: 0.0722,
    };
}

/// Which 8-bit values stand for black and white.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// Black is 16; white is 235, and chroma spans 16 to 240.
    Limited,
    /// Black is 0 and white is 255.
    Full,
}

/// How colours become the numbers of a frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colorimetry {
    /// Luma weights; of no meaning to RGB.
    pub matrix: Matrix,
    /// The range of the numbers.
    pub range: Range,
}

impl Default for Colorimetry {
    fn default() -> Self {
        Self {
            matrix: Matrix::BT601,
            range: Range::Limited,
        }
    }
}

impl Colorimetry {
    /// Y, Cb and Cr of a colour whose red, green and blue go from 0 to 1.
    fn ycbcr(self, [r, g, b]: [f64; 3]) -> [u8; 3] {
        let Matrix { kr, kb } = self.matrix;
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        let cb = (b - y) / (2.0 * (1.0 - kb));
        let cr = (r - y) / (2.0 * (1.0 - kr));
        let (luma, chroma) = match self.range {
            Range::Limited => (16.0 + 219.0 * y, 224.0),
            Range::Full => (255.0 * y, 255.0),
        };
        [
            to_byte(luma),
            to_byte(128.0 + chroma * cb),
            to_byte(128.0 + chroma * cr),
        ]
    }

    fn rgb(self, color: [f64; 3]) -> [u8; 3] {
        color.map(|value| match self.range {
            Range::Limited => to_byte(16.0 + 219.0 * value),
            Range::Full => to_byte(255.0 * value),
        })
    }
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a byte"
)]
fn to_byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Why a frame cannot be painted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// A frame needs at least one pixel, and no side may be longer than cairo's surfaces.
    #[error("a frame of {width}x{height} px cannot be painted: each side must have 1 to {MAX_SIDE} px")]
    Size {
        /// Width in px.
        width: usize,
        /// Height in px.
        height: usize,
    },
    /// There are more or fewer planes than the format has.
    #[error("{format:?} has {expected} planes, not {given}")]
    Planes {
        /// The format.
        format: PixelFormat,
        /// How many planes it has.
        expected: usize,
        /// How many there were.
        given: usize,
    },
    /// A plane's bytes do not hold its rows.
    #[error("plane {plane} has {given} bytes with a stride of {stride}, which is too little for its picture")]
    PlaneTooSmall {
        /// The plane's index.
        plane: usize,
        /// Its bytes.
        given: usize,
        /// Bytes from one row to the next.
        stride: usize,
    },
}

/// The longest side of a frame in px (cairo's limit for a surface).
pub const MAX_SIDE: usize = 32_767;

/// The shape of a frame and the meaning of its numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameSpec {
    pub(crate) format: PixelFormat,
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) colorimetry: Colorimetry,
}

impl FrameSpec {
    /// A frame of `width` × `height` px.
    ///
    /// # Errors
    /// [`FrameError::Size`] when a side is 0 or longer than [`MAX_SIDE`].
    pub fn new(
        format: PixelFormat,
        width: usize,
        height: usize,
        colorimetry: Colorimetry,
    ) -> Result<Self, FrameError> {
        let sides = 1..=MAX_SIDE;
        if !sides.contains(&width) || !sides.contains(&height) {
            return Err(FrameError::Size { width, height });
        }
        Ok(Self {
            format,
            width,
            height,
            colorimetry,
        })
    }
}

/// The bytes of one plane.
#[derive(Debug, Default)]
pub struct Plane<'a> {
    /// Rows from top to bottom, `stride` bytes from one to the next.
    pub data: &'a mut [u8],
    /// Bytes from one row to the next; the last row may end early.
    pub stride: usize,
}

/// A frame's memory, open for painting.
#[derive(Debug)]
pub struct Picture<'a> {
    format: PixelFormat,
    width: usize,
    height: usize,
    planes: [Plane<'a>; 3],
}

impl<'a> Picture<'a> {
    /// Takes the planes of a frame in the order in which they lie in memory.
    ///
    /// # Errors
    /// [`FrameError`] when there are more or fewer than the format has, or one is too small.
    pub fn new(spec: &FrameSpec, planes: impl IntoIterator<Item = Plane<'a>>) -> Result<Self, FrameError> {
        let shapes = spec.format.planes();
        let mut taken: [Plane<'a>; 3] = Default::default();
        let mut given = 0;
        for (index, plane) in planes.into_iter().enumerate() {
            given = index + 1;
            if let Some(shape) = shapes.get(index) {
                check_plane(spec, shape, index, &plane)?;
                taken[index] = plane;
            }
        }
        if given != shapes.len() {
            return Err(FrameError::Planes {
                format: spec.format,
                expected: shapes.len(),
                given,
            });
        }
        Ok(Self {
            format: spec.format,
            width: spec.width,
            height: spec.height,
            planes: taken,
        })
    }

    fn planes_mut(&mut self) -> impl Iterator<Item = (&'static PlaneShape, &mut Plane<'a>)> {
        self.format.planes().iter().zip(&mut self.planes)
    }

    /// Paints everything in the background's colour.
    pub(crate) fn clear(&mut self, palette: &Palette) {
        let (width, height) = (self.width, self.height);
        for (shape, plane) in self.planes_mut() {
            let columns = shape.columns(width);
            let row: Vec<u8> = palette.bytes(shape, 0).collect::<Vec<_>>().repeat(columns);
            for y in 0..shape.rows(height) {
                plane.data[y * plane.stride..][..row.len()].copy_from_slice(&row);
            }
        }
    }

    /// Paints a mask with its top left corner at (`x`, `y`), both even; what lies outside is cut off.
    pub(crate) fn blend(&mut self, mask: &Mask, x: usize, y: usize, palette: &Palette) {
        let (width, height) = (self.width, self.height);
        for (shape, plane) in self.planes_mut() {
            let (right, down) = shape.subsampling;
            let columns = shape.columns(mask.width.min(width.saturating_sub(x)));
            let rows = shape.rows(mask.height.min(height.saturating_sub(y)));
            for row in 0..rows {
                let start = ((y >> down) + row) * plane.stride + (x >> right) * shape.step();
                let samples = plane.data[start..][..columns * shape.step()].chunks_exact_mut(shape.step());
                for (column, sample) in samples.enumerate() {
                    let coverage = mask.mean(span(column, right, mask.width), span(row, down, mask.height));
                    for (byte, value) in sample.iter_mut().zip(palette.bytes(shape, coverage)) {
                        *byte = value;
                    }
                }
            }
        }
    }

    /// Copies a tile to (`x`, `y`), both even; what lies outside is cut off.
    pub(crate) fn copy(&mut self, tile: &Tile, x: usize, y: usize) {
        let width = tile.width.min(self.width.saturating_sub(x));
        let height = tile.height.min(self.height.saturating_sub(y));
        for ((shape, plane), source) in self.planes_mut().zip(&tile.planes) {
            let (right, down) = shape.subsampling;
            let (row_bytes, tile_stride) = (shape.row_bytes(width), shape.row_bytes(tile.width));
            let mut start = (y >> down) * plane.stride + (x >> right) * shape.step();
            for row in source.chunks_exact(tile_stride.max(1)).take(shape.rows(height)) {
                plane.data[start..][..row_bytes].copy_from_slice(&row[..row_bytes]);
                start += plane.stride;
            }
        }
    }
}

/// The mask's pixels behind one sample.
fn span(index: usize, subsampling: u32, end: usize) -> Span<usize> {
    (index << subsampling).min(end)..((index + 1) << subsampling).min(end)
}

fn check_plane(
    spec: &FrameSpec,
    shape: &PlaneShape,
    index: usize,
    plane: &Plane<'_>,
) -> Result<(), FrameError> {
    let row_bytes = shape.row_bytes(spec.width);
    let needed = plane.stride * (shape.rows(spec.height) - 1) + row_bytes;
    if plane.stride < row_bytes || plane.data.len() < needed {
        return Err(FrameError::PlaneTooSmall {
            plane: index,
            given: plane.data.len(),
            stride: plane.stride,
        });
    }
    Ok(())
}

/// The bytes of a mask in the colours and the pixel format of a frame, ready to be copied.
pub(crate) struct Tile {
    width: usize,
    height: usize,
    /// Each plane's rows without padding.
    planes: Vec<Vec<u8>>,
}

impl Tile {
    pub(crate) fn new(format: PixelFormat, mask: &Mask, palette: &Palette) -> Self {
        let (width, height) = (mask.width, mask.height);
        let shapes = format.planes();
        let mut planes: Vec<Vec<u8>> = shapes
            .iter()
            .map(|shape| vec![0; shape.row_bytes(width) * shape.rows(height)])
            .collect();
        let mut views: [Plane<'_>; 3] = Default::default();
        for ((view, data), shape) in views.iter_mut().zip(&mut planes).zip(shapes) {
            *view = Plane {
                data,
                stride: shape.row_bytes(width),
            };
        }
        Picture {
            format,
            width,
            height,
            planes: views,
        }
        .blend(mask, 0, 0, palette);
        Self {
            width,
            height,
            planes,
        }
    }
}

/// For each coverage from 0 to 255 the channels' values: what stands between background and foreground.
pub(crate) struct Palette([[u8; 4]; 256]);

impl Palette {
    pub(crate) fn new(spec: &FrameSpec, foreground: Argb, background: Argb) -> Self {
        let mut entries = [[0; 4]; 256];
        for (coverage, entry) in (0_u8..=255).zip(&mut entries) {
            let [red, green, blue, alpha] = over(foreground, f64::from(coverage) / 255.0, background);
            let (color, alpha) = if spec.format.has_alpha() {
                ([red, green, blue], alpha)
            } else {
                ([red, green, blue].map(|value| value * alpha), 1.0)
            };
            let [first, second, third] = if spec.format.is_rgb() {
                spec.colorimetry.rgb(color)
            } else {
                spec.colorimetry.ycbcr(color)
            };
            *entry = [first, second, third, to_byte(255.0 * alpha)];
        }
        Self(entries)
    }

    fn bytes<'a>(&'a self, shape: &'static PlaneShape, coverage: u8) -> impl Iterator<Item = u8> + 'a {
        let entry = &self.0[usize::from(coverage)];
        shape.channels.iter().map(|&channel| entry[channel])
    }
}

/// Foreground at some coverage over background: Porter-Duff's "over" with straight alpha.
fn over(foreground: Argb, coverage: f64, background: Argb) -> [f64; 4] {
    let (fore, back) = (foreground.to_rgba(), background.to_rgba());
    let cover = fore[3] * coverage;
    let rest = back[3] * (1.0 - cover);
    let alpha = cover + rest;
    let mix = |i: usize| {
        if alpha > 0.0 {
            (fore[i] * cover + back[i] * rest) / alpha
        } else {
            back[i]
        }
    };
    [mix(0), mix(1), mix(2), alpha]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn palette(format: PixelFormat, matrix: Matrix, range: Range, color: u32) -> [u8; 4] {
        let spec = FrameSpec::new(format, 64, 64, Colorimetry { matrix, range }).unwrap();
        Palette::new(&spec, Argb(color), Argb::BLACK).0[255]
    }

    #[test]
    fn colours_follow_matrix_and_range() {
        // Pure red: the figures of BT.601 and BT.709 as tabled by the ITU for 8 bits.
        let red = |matrix, range| palette(PixelFormat::I420, matrix, range, 0xffff_0000);
        assert_eq!(red(Matrix::BT601, Range::Limited)[..3], [81, 90, 240]);
        assert_eq!(red(Matrix::BT709, Range::Limited)[..3], [63, 102, 240]);
        assert_eq!(red(Matrix::BT601, Range::Full)[..3], [76, 85, 255]);
        let white = |range| palette(PixelFormat::I420, Matrix::BT709, range, 0xffff_ffff);
        assert_eq!(white(Range::Limited)[..3], [235, 128, 128]);
        assert_eq!(white(Range::Full)[..3], [255, 128, 128]);
        assert_eq!(
            palette(PixelFormat::Rgb, Matrix::BT601, Range::Full, 0xff12_3456)[..3],
            [0x12, 0x34, 0x56]
        );
    }

    #[test]
    fn alpha_is_kept_where_the_format_has_it_and_shown_over_black_elsewhere() {
        let spec = |format| {
            FrameSpec::new(
                format,
                8,
                8,
                Colorimetry {
                    range: Range::Full,
                    ..Colorimetry::default()
                },
            )
        };
        let clear = Argb(0x0000_0000);
        let with = Palette::new(&spec(PixelFormat::Bgra).unwrap(), Argb(0x80ff_ffff), clear);
        assert_eq!((with.0[0], with.0[255]), ([0, 0, 0, 0], [255, 255, 255, 128]));
        let without = Palette::new(&spec(PixelFormat::Bgrx).unwrap(), Argb(0x80ff_ffff), clear);
        assert_eq!(
            (without.0[0], without.0[255]),
            ([0, 0, 0, 255], [128, 128, 128, 255])
        );
    }

    #[test]
    fn planes_that_cannot_hold_the_picture_are_refused() {
        let spec = FrameSpec::new(PixelFormat::Gray8, 9, 3, Colorimetry::default()).unwrap();
        let mut data = [0; 29];
        assert!(
            Picture::new(
                &spec,
                [Plane {
                    data: &mut data,
                    stride: 10
                }]
            )
            .is_ok()
        );
        let small = Picture::new(
            &spec,
            [Plane {
                data: &mut data[..28],
                stride: 10,
            }],
        )
        .unwrap_err();
        assert_eq!(
            small,
            FrameError::PlaneTooSmall {
                plane: 0,
                given: 28,
                stride: 10
            }
        );
        let narrow = Picture::new(
            &spec,
            [Plane {
                data: &mut data,
                stride: 8,
            }],
        )
        .unwrap_err();
        assert_eq!(
            narrow,
            FrameError::PlaneTooSmall {
                plane: 0,
                given: 29,
                stride: 8
            }
        );
        let none = Picture::new(&spec, []).unwrap_err();
        assert_eq!(
            none,
            FrameError::Planes {
                format: PixelFormat::Gray8,
                expected: 1,
                given: 0
            }
        );
    }
}

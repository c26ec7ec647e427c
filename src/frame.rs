//! A frame's memory, and how coverage is blended into its planes.

use std::ops::Range as Span;

use thiserror::Error;

use crate::color::{Colorimetry, Palette};
use crate::format::{PixelFormat, PlaneShape};
use crate::mask::{MAX_SIDE, Mask};
use crate::rect::Rect;
use crate::stamp::Modules;

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

    /// The width in px.
    #[must_use]
    pub fn width(&self) -> usize {
        self.width
    }

    /// The height in px.
    #[must_use]
    pub fn height(&self) -> usize {
        self.height
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
        let whole = Rect {
            width,
            height,
            ..Rect::default()
        };
        self.fill(&whole, palette);
    }

    /// Paints a rectangle inside the picture, its left and top edges even, in the background's colour.
    pub(crate) fn fill(&mut self, rect: &Rect, palette: &Palette) {
        for (shape, plane) in self.planes_mut() {
            let columns = shape.columns(rect.width);
            let row: Vec<u8> = shape.bytes(palette.entry(0)).collect::<Vec<_>>().repeat(columns);
            let (right, down) = shape.subsampling;
            let mut start = (rect.y >> down) * plane.stride + (rect.x >> right) * shape.step();
            for _ in 0..shape.rows(rect.height) {
                plane.data[start..][..row.len()].copy_from_slice(&row);
                start += plane.stride;
            }
        }
    }

    /// Paints a stamp's modules of `size` px inside the picture, dark ones in the foreground's colour, with the top left
    /// one at (`x`, `y`). Neither colour has a hue, so that chroma is left as it is.
    pub(crate) fn paint_modules(
        &mut self,
        modules: &Modules,
        size: usize,
        (x, y): (usize, usize),
        palette: &Palette,
    ) {
        let Some((shape, plane)) = self.planes_mut().next() else {
            return;
        };
        let step = shape.step();
        let mut colors = [0, u8::MAX].map(|coverage| {
            let mut bytes = [0; 4];
            for (byte, value) in bytes.iter_mut().zip(shape.bytes(palette.entry(coverage))) {
                *byte = value;
            }
            bytes
        });
        let [light, dark] = colors.each_mut().map(|bytes| &bytes[..step]);
        for (row, top) in modules.iter().zip((y..).step_by(size)) {
            let start = top * plane.stride + x * step;
            let end = start + row.len() * size * step;
            for (block, &is_dark) in plane.data[start..end].chunks_exact_mut(size * step).zip(row) {
                let color = if is_dark { dark } else { light };
                for pixel in block.chunks_exact_mut(step) {
                    pixel.copy_from_slice(color);
                }
            }
            for below in 1..size {
                plane.data.copy_within(start..end, start + below * plane.stride);
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
                let put = |sample: &mut [u8], coverage: u8| {
                    for (byte, value) in sample.iter_mut().zip(shape.bytes(palette.entry(coverage))) {
                        *byte = value;
                    }
                };
                if shape.subsampling == (0, 0) {
                    // A sample is a pixel: most of a picture's samples are, and there is nothing to average.
                    let pixels = mask.row(row);
                    samples
                        .zip(pixels)
                        .for_each(|(sample, &coverage)| put(sample, coverage));
                } else {
                    let means = mask.means(span(row, down, mask.height), 1 << right);
                    samples
                        .zip(means)
                        .for_each(|(sample, coverage)| put(sample, coverage));
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
        let mut tile = Self::blank(format, (mask.width, mask.height));
        tile.picture(format).blend(mask, 0, 0, palette);
        tile
    }

    /// A tile by the channels' values of each sample, which `channels` answers for the columns and rows of pixels
    /// behind it.
    pub(crate) fn of_samples(
        format: PixelFormat,
        (width, height): (usize, usize),
        channels: impl Fn(Span<usize>, Span<usize>) -> [u8; 4],
    ) -> Self {
        let mut tile = Self::blank(format, (width, height));
        for (shape, plane) in format.planes().iter().zip(&mut tile.planes) {
            let (right, down) = shape.subsampling;
            let columns = shape.columns(width);
            for (index, sample) in plane.chunks_exact_mut(shape.step()).enumerate() {
                let (row, column) = (index / columns, index % columns);
                let channels = channels(span(column, right, width), span(row, down, height));
                for (byte, value) in sample.iter_mut().zip(shape.bytes(&channels)) {
                    *byte = value;
                }
            }
        }
        tile
    }

    fn blank(format: PixelFormat, (width, height): (usize, usize)) -> Self {
        let bytes = |shape: &PlaneShape| vec![0; shape.row_bytes(width) * shape.rows(height)];
        Self {
            width,
            height,
            planes: format.planes().iter().map(bytes).collect(),
        }
    }

    fn picture(&mut self, format: PixelFormat) -> Picture<'_> {
        let mut planes: [Plane<'_>; 3] = Default::default();
        for ((plane, data), shape) in planes.iter_mut().zip(&mut self.planes).zip(format.planes()) {
            *plane = Plane {
                data,
                stride: shape.row_bytes(self.width),
            };
        }
        Picture {
            format,
            width: self.width,
            height: self.height,
            planes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

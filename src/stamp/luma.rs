//! Brightness, read between pixels too, and pictures of half the size.

/// The brightness of a picture: one byte a pixel, or any one byte of a wider pixel.
#[derive(Debug, Clone, Copy)]
pub struct Luma<'a> {
    /// Rows from top to bottom, `stride` bytes from one to the next; the first byte is the first pixel's.
    pub data: &'a [u8],
    /// Bytes from one row to the next.
    pub stride: usize,
    /// Bytes from one pixel to the next: 1 for planar formats.
    pub step: usize,
    /// Width in px.
    pub width: usize,
    /// Height in px.
    pub height: usize,
}

impl<'a> Luma<'a> {
    /// Whether there are bytes for all pixels.
    pub(super) fn is_whole(&self) -> bool {
        let last = |count: usize, distance: usize| count.checked_sub(1)?.checked_mul(distance);
        last(self.height, self.stride)
            .zip(last(self.width, self.step))
            .and_then(|(row, pixel)| row.checked_add(pixel))
            .is_some_and(|end| end < self.data.len())
    }

    /// The brightness of a pixel; 0 outside of the bytes.
    pub(super) fn at(&self, x: usize, y: usize) -> u8 {
        self.data
            .get(y * self.stride + x * self.step)
            .copied()
            .unwrap_or_default()
    }

    /// The brightness at a point, in px from the picture's corner: the first pixel's middle is at (0.5, 0.5).
    /// Linear between the four pixels around it; outside of the picture that of the nearest pixel.
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "px of a frame are far below 2^23, and clamped to be in it"
    )]
    pub(super) fn sample(&self, x: f32, y: f32) -> f32 {
        let last = (self.width - 1, self.height - 1);
        let x = (x - 0.5).clamp(0.0, last.0 as f32);
        let y = (y - 0.5).clamp(0.0, last.1 as f32);
        // By way of u32, which takes the processor one instruction.
        let (left, top) = (x as u32 as usize, y as u32 as usize);
        let (across, down) = (x - left as f32, y - top as f32);
        let right = if left < last.0 { self.step } else { 0 };
        let below = if top < last.1 { self.stride } else { 0 };
        let start = top * self.stride + left * self.step;
        let byte = |at: usize| f32::from(self.data.get(start + at).copied().unwrap_or_default());
        let mix = |a: f32, b: f32, part: f32| a + (b - a) * part;
        let upper = mix(byte(0), byte(right), across);
        let lower = mix(byte(below), byte(below + right), across);
        mix(upper, lower, down)
    }

    /// Puts the pixels of row `y` from `x` on into `line`: as many as fit.
    pub(super) fn copy_row(&self, x: usize, y: usize, line: &mut [u8]) {
        let start = y * self.stride + x * self.step;
        if self.step == 1
            && let Some(row) = self.data.get(start..start + line.len())
        {
            line.copy_from_slice(row);
        } else {
            for (pixel, x) in line.iter_mut().zip(x..) {
                *pixel = self.at(x, y);
            }
        }
    }

    /// A part of the picture, cut off at the picture's edges.
    pub(super) fn part(&self, x: usize, y: usize, width: usize, height: usize) -> Luma<'a> {
        let (x, y) = (x.min(self.width), y.min(self.height));
        let start = (y * self.stride + x * self.step).min(self.data.len());
        Luma {
            data: &self.data[start..],
            width: width.min(self.width - x),
            height: height.min(self.height - y),
            ..*self
        }
    }
}

/// A picture of its own memory.
#[derive(Debug, Default)]
pub(super) struct Grey {
    data: Vec<u8>,
    width: usize,
    height: usize,
}

impl Grey {
    /// Becomes half the size of a picture: each pixel the mean of four. An odd row or column is left out.
    #[allow(clippy::cast_possible_truncation, reason = "the mean of bytes is a byte")]
    pub(super) fn halve(&mut self, picture: &Luma<'_>) {
        (self.width, self.height) = (picture.width / 2, picture.height / 2);
        self.data.resize(self.width * self.height, 0);
        let mut rows = [vec![0_u8; 2 * self.width], vec![0_u8; 2 * self.width]];
        for (y, line) in self.data.chunks_exact_mut(self.width.max(1)).enumerate() {
            for (row, y) in rows.iter_mut().zip(2 * y..) {
                picture.copy_row(0, y, row);
            }
            let pairs = rows[0].chunks_exact(2).zip(rows[1].chunks_exact(2));
            for (pixel, (upper, lower)) in line.iter_mut().zip(pairs) {
                let sum: u16 = upper.iter().chain(lower).copied().map(u16::from).sum();
                *pixel = ((sum + 2) / 4) as u8;
            }
        }
    }

    pub(super) fn luma(&self) -> Luma<'_> {
        Luma {
            data: &self.data,
            stride: self.width,
            step: 1,
            width: self.width,
            height: self.height,
        }
    }
}

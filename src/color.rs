//! How colours become the numbers of a frame.

use crate::format::PixelFormat;
use crate::style::Argb;

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

    /// The channels' values of a colour with straight alpha, each from 0 to 1. Formats without alpha show it over black.
    pub(crate) fn channels(self, format: PixelFormat, [red, green, blue, alpha]: [f64; 4]) -> [u8; 4] {
        let (color, alpha) = if format.has_alpha() {
            ([red, green, blue], alpha)
        } else {
            ([red, green, blue].map(|value| value * alpha), 1.0)
        };
        let [first, second, third] = if format.is_rgb() {
            self.rgb(color)
        } else {
            self.ycbcr(color)
        };
        [first, second, third, to_byte(255.0 * alpha)]
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

/// For each coverage from 0 to 255 the channels' values: what stands between background and foreground.
pub(crate) struct Palette([[u8; 4]; 256]);

impl Palette {
    pub(crate) fn new(
        format: PixelFormat,
        colorimetry: Colorimetry,
        foreground: Argb,
        background: Argb,
    ) -> Self {
        let mut entries = [[0; 4]; 256];
        for (coverage, entry) in (0_u8..=255).zip(&mut entries) {
            let color = over(foreground, f64::from(coverage) / 255.0, background);
            *entry = colorimetry.channels(format, color);
        }
        Self(entries)
    }

    /// The channels' values at that coverage.
    pub(crate) fn entry(&self, coverage: u8) -> &[u8; 4] {
        &self.0[usize::from(coverage)]
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
        Palette::new(format, Colorimetry { matrix, range }, Argb(color), Argb::BLACK).0[255]
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
        let full = Colorimetry {
            range: Range::Full,
            ..Colorimetry::default()
        };
        let clear = Argb(0x0000_0000);
        let with = Palette::new(PixelFormat::Bgra, full, Argb(0x80ff_ffff), clear);
        assert_eq!((with.0[0], with.0[255]), ([0, 0, 0, 0], [255, 255, 255, 128]));
        let without = Palette::new(PixelFormat::Bgrx, full, Argb(0x80ff_ffff), clear);
        assert_eq!(
            (without.0[0], without.0[255]),
            ([0, 0, 0, 255], [128, 128, 128, 255])
        );
    }
}

//! What a face looks like.

use strum::{Display, EnumIter};

use crate::logo::Logo;

/// A colour as in GStreamer's `textoverlay`: alpha, red, green, blue from the highest byte to the lowest,
/// not premultiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Argb(pub u32);

impl Argb {
    /// Opaque black.
    pub const BLACK: Self = Self(0xff00_0000);
    /// Opaque white.
    pub const WHITE: Self = Self(0xffff_ffff);

    /// Red, green, blue and alpha, each from 0 to 1.
    pub(crate) fn to_rgba(self) -> [f64; 4] {
        let [a, r, g, b] = self.0.to_be_bytes().map(|byte| f64::from(byte) / 255.0);
        [r, g, b, a]
    }
}

/// A corner of the frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Display, EnumIter)]
#[strum(serialize_all = "kebab-case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Corner {
    TopLeft,
    #[default]
    TopRight,
    BottomLeft,
    BottomRight,
}

impl Corner {
    pub(crate) fn is_right(self) -> bool {
        matches!(self, Self::TopRight | Self::BottomRight)
    }

    pub(crate) fn is_bottom(self) -> bool {
        matches!(self, Self::BottomLeft | Self::BottomRight)
    }
}

/// A part of a whole, from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share(u64);

impl Share {
    /// The whole.
    pub const WHOLE: Self = Self(1.0_f64.to_bits());

    /// That part; what is no number from 0 to 1 becomes the nearest that is.
    #[must_use]
    pub fn new(part: f64) -> Self {
        // Of a number and NaN, max() takes the number.
        Self(part.max(0.0).clamp(0.0, 1.0).to_bits())
    }

    /// The part, from 0 to 1.
    #[must_use]
    pub fn value(self) -> f64 {
        f64::from_bits(self.0)
    }
}

impl std::fmt::Debug for Share {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Share({})", self.value())
    }
}

/// Where text stands from left to right.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Display, EnumIter)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum HorizontalAlignment {
    Left,
    #[default]
    Center,
    Right,
}

/// Where text stands from top to bottom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Display, EnumIter)]
#[strum(serialize_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum VerticalAlignment {
    Top,
    #[default]
    Center,
    Bottom,
}

/// Where text stands between two edges, whichever they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Align {
    /// At the left or the top edge.
    Start,
    Middle,
    /// At the right or the bottom edge.
    End,
}

impl From<HorizontalAlignment> for Align {
    fn from(alignment: HorizontalAlignment) -> Self {
        match alignment {
            HorizontalAlignment::Left => Self::Start,
            HorizontalAlignment::Center => Self::Middle,
            HorizontalAlignment::Right => Self::End,
        }
    }
}

impl From<VerticalAlignment> for Align {
    fn from(alignment: VerticalAlignment) -> Self {
        match alignment {
            VerticalAlignment::Top => Self::Start,
            VerticalAlignment::Center => Self::Middle,
            VerticalAlignment::Bottom => Self::End,
        }
    }
}

/// A logo in a corner of the frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoStyle {
    /// The picture.
    pub logo: Logo,
    /// The corner; where a mark is in the way, as close to it as there is room.
    pub corner: Corner,
    /// Its height as a share of the frame's. It becomes smaller where the frame is too narrow, and never takes more
    /// than half of the height that the marks leave.
    pub scale: Share,
}

/// What a face looks like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Style {
    /// A Pango font description. One without a size is fitted to the frame; a size is that of the time, the
    /// other lines stand in proportion to it, and it is reduced where the lines would not fit.
    pub font: String,
    /// The colour of the text.
    pub foreground: Argb,
    /// The colour of the rest. Formats with alpha keep its alpha, others show it over black.
    pub background: Argb,
    /// The size of the text, as a share of what it has without: of the largest that fits, or of the one in
    /// [`Style::font`].
    pub text_scale: Share,
    /// Where the text stands from left to right, and each of its lines among the others.
    pub horizontal: HorizontalAlignment,
    /// Where the text stands from top to bottom.
    pub vertical: VerticalAlignment,
    /// A logo.
    pub logo: Option<LogoStyle>,
    /// Whether the frame carries a [`Stamp`](crate::Stamp), if it has room for one:
    /// see [`module_size`](crate::stamp::module_size).
    pub stamp: bool,
    /// Whether the frame has a disc that is lit in the text's colour for the first 100 ms of each second.
    pub flash: bool,
    /// Where the stamp stands; the flash stands in the corner horizontally opposite.
    pub corner: Corner,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            font: "monospace bold".to_owned(),
            foreground: Argb::WHITE,
            background: Argb::BLACK,
            text_scale: Share::WHOLE,
            horizontal: HorizontalAlignment::default(),
            vertical: VerticalAlignment::default(),
            logo: None,
            stamp: false,
            flash: false,
            corner: Corner::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_keeps_its_number_and_stays_within_the_whole() {
        for (part, kept) in [(0.3, 0.3), (-1.0, 0.0), (7.0, 1.0), (f64::NAN, 0.0)] {
            assert_eq!(Share::new(part).value().to_bits(), f64::to_bits(kept), "{part}");
        }
        assert_eq!(Share::new(1.0), Share::WHOLE);
    }
}

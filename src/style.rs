//! What a face looks like.

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

/// What a face looks like.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Style {
    /// A Pango font description. One without a size is fitted to the frame; a size is that of the time, the
    /// other lines stand in proportion to it, and it is reduced where the lines would not fit.
    pub font: String,
    /// The colour of the text.
    pub foreground: Argb,
    /// The colour of the rest. Formats without alpha show it over black.
    pub background: Argb,
}

impl Default for Style {
    fn default() -> Self {
        Self {
            font: "monospace bold".to_owned(),
            foreground: Argb::WHITE,
            background: Argb::BLACK,
        }
    }
}

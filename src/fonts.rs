//! Which characters no installed font has, and what to install for them.

use std::collections::BTreeSet;
use std::fmt;

use crate::error::FaceError;
use crate::glyphs::{Font, Typesetter};

/// So many characters are named.
const NAMED: usize = 8;
/// Any size would do: 16 px.
const SIZE: i32 = 16 * pango::SCALE;

/// Characters that would be boxes with digits in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing(BTreeSet<char>);

/// The fonts that are installed.
pub struct Fonts(Typesetter);

impl Fonts {
    /// # Errors
    /// [`FaceError`] when there is no font at all.
    pub fn new() -> Result<Self, FaceError> {
        Typesetter::new().map(Self)
    }

    /// What neither the font of this description nor any other has of the texts' characters; `None` where all can be
    /// shown.
    #[must_use]
    pub fn missing(&self, description: &str, texts: &[&str]) -> Option<Missing> {
        let characters = texts.iter().flat_map(|text| text.chars());
        // Every font has these.
        let unusual: BTreeSet<char> = characters.filter(|c| !c.is_ascii() && !c.is_control()).collect();
        let font = Font {
            description: description.to_owned(),
            size: SIZE,
        };
        let lacks = |c: &char| self.0.lacks(&font, *c);
        let missing: BTreeSet<char> = unusual.into_iter().filter(lacks).collect();
        (!missing.is_empty()).then_some(Missing(missing))
    }
}

impl fmt::Display for Missing {
    /// `no installed font has 停 (U+505C): a box stands in its place; Debian's package fonts-noto-cjk has a font for it`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.0.iter().take(NAMED);
        let mut names: Vec<String> = first.map(|c| format!("{c} (U+{:04X})", u32::from(*c))).collect();
        if let Some(more) = self.0.len().checked_sub(NAMED).filter(|more| *more > 0) {
            names.push(format!("{more} more"));
        }
        write!(
            f,
            "no installed font has {}: boxes stand in their place",
            names.join(", ")
        )?;
        let packages: BTreeSet<&str> = self.0.iter().filter_map(|c| package(*c)).collect();
        if packages.is_empty() {
            return f.write_str("; install a font that has them");
        }
        let packages: Vec<&str> = packages.into_iter().collect();
        write!(
            f,
            "; install a font that has them, on Debian: {}",
            packages.join(" ")
        )
    }
}

/// The Debian package with a font for the character; none for those whose meaning is up to the font.
fn package(c: char) -> Option<&'static str> {
    Some(match u32::from(c) {
        0xE000..=0xF8FF | 0xF_0000.. => return None,
        // The latest emoji, which Symbola lacks.
        0x1F6D6..=0x1F6DF | 0x1FA70..=0x1FAFF => "fonts-noto-color-emoji",
        // Arrows, technical signs, shapes, symbols and dingbats, and the emoji.
        0x2190..=0x2BFF | 0x1F000..=0x1FAFF => "fonts-symbola",
        // Jamo, the blocks of CJK's radicals, signs, kana and ideographs, Hangul, and the wide forms.
        0x1100..=0x11FF
        | 0x2E80..=0x9FFF
        | 0xA960..=0xA97F
        | 0xAC00..=0xD7FF
        | 0xF900..=0xFAFF
        | 0xFE30..=0xFE4F
        | 0xFF00..=0xFFEF
        | 0x1AFF0..=0x1B16F
        | 0x20000..=0x3FFFF => "fonts-noto-cjk",
        _ => "fonts-noto-core",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No font has what Unicode leaves to whoever uses it.
    const NOBODYS: &str = "\u{10FFFD}\u{F0F0F}";

    fn missing(texts: &[&str]) -> Option<Missing> {
        Fonts::new().expect("a font").missing("monospace bold", texts)
    }

    #[test]
    fn what_can_be_shown_is_not_missing() {
        assert_eq!(
            missing(&["Yard 7\n", "Größe Ёж Ωµ", "é\u{301}\u{200d}\u{fe0f}\u{200f}"]),
            None
        );
    }

    #[test]
    fn what_no_font_has_is_named_once() {
        let missing = missing(&["Yard", NOBODYS, NOBODYS]).expect("they are missing");
        assert_eq!(
            missing.to_string(),
            "no installed font has \u{F0F0F} (U+F0F0F), \u{10FFFD} (U+10FFFD): boxes stand in their place; install a font \
             that has them"
        );
    }

    #[test]
    fn the_package_that_has_the_script_is_named() {
        for (text, package) in [
            ("停车场", "fonts-noto-cjk"),
            ("駐車ゲート", "fonts-noto-cjk"),
            ("주차장", "fonts-noto-cjk"),
            ("🚗★", "fonts-symbola"),
            ("🫶🛝", "fonts-noto-color-emoji"),
            ("ที่จอดรถ", "fonts-noto-core"),
            ("पार्किंग", "fonts-noto-core"),
        ] {
            let said = Missing(text.chars().collect()).to_string();
            assert!(said.ends_with(&format!("on Debian: {package}")), "{said}");
        }
        let all = Missing("停🚗ท".chars().collect()).to_string();
        assert!(
            all.ends_with("on Debian: fonts-noto-cjk fonts-noto-core fonts-symbola"),
            "{all}"
        );
    }

    #[test]
    fn of_many_the_first_are_named() {
        let said = Missing(('a'..='j').collect()).to_string();
        assert!(said.contains("h (U+0068), 2 more: boxes stand"), "{said}");
    }
}

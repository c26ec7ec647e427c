//! The machine-readable stamp: what a frame says, as a QR code in its picture.
//!
//! # The payload, version 1
//! 57 decimal digits, which any QR reader gives back as they are (ISO/IEC 18004 version 2, level M, numeric
//! mode has room for 63). Every field has a fixed width and leading zeros:
//!
//! | digits | field |
//! | --- | --- |
//! | 1 | the payload's version: `1` |
//! | 16 | the instant shown, in µs since the Unix epoch |
//! | 10 | the frame's number, modulo 10^10; skipped frames use theirs up |
//! | 5 | viewers, 99999 at most |
//! | 5 | the stream's id |
//! | 10 | the run of the source, a random number of 32 bits: numbers of frames compare within a run only |
//! | 10 | CRC-32 (ISO-HDLC, as in zlib) of the 47 digits before it as ASCII |

use jiff::Timestamp;
use qrcode::bits::Bits;
use qrcode::canvas::{Canvas, MaskPattern};
use qrcode::ec::construct_codewords;
use qrcode::types::{Color, EcLevel, QrResult, Version};

mod finder;
mod grid;
mod luma;
mod placement;
pub mod reader;
mod search;
pub mod wall;

/// Modules along a side of the code, without its quiet zone.
pub const SIDE: usize = 25;
/// White modules that stand around the code.
pub const QUIET_ZONE: usize = 4;
/// Modules along a side with the quiet zone on both ends.
pub(crate) const QUIET_SIDE: usize = SIDE + 2 * QUIET_ZONE;
/// The smallest picture that has room for a stamp, in px: its width and its height.
pub const SMALLEST_PICTURE: (usize, usize) = (66, 165);
/// The highest stream id that a payload can carry.
pub const MAX_STREAM: u32 = 99_999;

const CODE: Version = Version::Normal(2);
const LEVEL: EcLevel = EcLevel::M;
/// The part of a picture's height that a stamp may take, in percent.
const MOST_OF_HEIGHT: usize = 40;
const VERSION: char = '1';
const MAX_VIEWERS: u32 = 99_999;
const FRAME_NUMBERS: u64 = 10_000_000_000;
/// Where each field behind the version ends: instant, frame, viewers, stream, run, check.
const ENDS: [usize; 6] = [17, 27, 32, 37, 47, 57];
/// 2000-01-01 to 2200-01-01 in µs since the Unix epoch: no clock that anybody measures by shows another time.
const PLAUSIBLE: std::ops::Range<i64> = 946_684_800_000_000..7_258_118_400_000_000;

/// What a frame says to a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// The instant shown, in µs since the Unix epoch.
    pub instant: i64,
    /// The frame's number, less than 10^10.
    pub frame: u64,
    /// How many viewers are playing the stream, 99999 at most.
    pub viewers: u32,
    /// The stream, [`MAX_STREAM`] at most.
    pub stream: u32,
    /// The run of the source: a source that starts anew has another.
    pub run: u32,
}

/// The modules of a code, row by row from the top; `true` is dark.
pub type Modules = [[bool; SIDE]; SIDE];

impl Stamp {
    /// The payload's digits. What does not fit is cut: see the fields.
    #[must_use]
    pub(crate) fn to_payload(self) -> String {
        let digits = format!(
            "{VERSION}{:016}{:010}{:05}{:05}{:010}",
            self.instant.clamp(0, 9_999_999_999_999_999),
            self.frame % FRAME_NUMBERS,
            self.viewers.min(MAX_VIEWERS),
            self.stream.min(MAX_STREAM),
            self.run,
        );
        let check = crc32fast::hash(digits.as_bytes());
        format!("{digits}{check:010}")
    }

    /// The stamp of a payload; `None` for anything else, a damaged one included.
    #[must_use]
    pub fn parse(payload: &str) -> Option<Self> {
        let whole = payload.len() == ENDS[5] && payload.bytes().all(|byte| byte.is_ascii_digit());
        if !whole || !payload.starts_with(VERSION) {
            return None;
        }
        let check: u64 = payload[ENDS[4]..].parse().ok()?;
        if check != u64::from(crc32fast::hash(&payload.as_bytes()[..ENDS[4]])) {
            return None;
        }
        let stamp = Self {
            instant: payload[1..ENDS[0]].parse().ok()?,
            frame: payload[ENDS[0]..ENDS[1]].parse().ok()?,
            viewers: payload[ENDS[1]..ENDS[2]].parse().ok()?,
            stream: payload[ENDS[2]..ENDS[3]].parse().ok()?,
            run: payload[ENDS[3]..ENDS[4]].parse().ok()?,
        };
        PLAUSIBLE.contains(&stamp.instant).then_some(stamp)
    }

    /// The instant shown.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        Timestamp::from_microsecond(self.instant).unwrap_or_default()
    }

    /// The code's modules, always under mask 7 of ISO/IEC 18004, whose pattern is fine in places and coarse
    /// in others: of the masks tried, those of plain checks among them, encoders wear it down least where the
    /// digits are zeros. A reader takes any mask: the code says which it is. To choose one, all eight would
    /// have to be drawn and judged for each frame, which is most of the work.
    #[must_use]
    pub fn modules(&self) -> Modules {
        // 57 digits always fit; a blank code would be no worse than a panic on a streaming thread.
        self.masked_modules(MaskPattern::Meadow).unwrap_or_default()
    }

    fn masked_modules(&self, mask: MaskPattern) -> QrResult<Modules> {
        let mut bits = Bits::new(CODE);
        bits.push_numeric_data(self.to_payload().as_bytes())?;
        bits.push_terminator(LEVEL)?;
        let (data, correction) = construct_codewords(&bits.into_bytes(), CODE, LEVEL)?;
        let mut canvas = Canvas::new(CODE, LEVEL);
        canvas.draw_all_functional_patterns();
        canvas.draw_data(&data, &correction);
        canvas.apply_mask(mask);
        let mut modules = Modules::default();
        for (module, color) in modules.iter_mut().flatten().zip(canvas.into_colors()) {
            *module = color == Color::Dark;
        }
        Ok(modules)
    }
}

/// The side of a module in px in a picture of that size: the largest of 8, 4 and 2 with which the code and
/// its quiet zone take at most 40 % of the height, and fit in the width. `None` where even 2 px are too many.
///
/// ```
/// use clockface::stamp::module_size;
///
/// assert_eq!(module_size(1920, 1080), Some(8));
/// assert_eq!(module_size(320, 240), Some(2));
/// assert_eq!(module_size(160, 120), None);
/// ```
#[must_use]
pub fn module_size(width: usize, height: usize) -> Option<usize> {
    // 8 px fall on the blocks of H.264 and JPEG.
    let fits = |module: &usize| {
        let side = module * QUIET_SIDE;
        side * 100 <= height * MOST_OF_HEIGHT && side <= width
    };
    [8, 4, 2].into_iter().find(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp {
        instant: 1_767_225_600_040_000,
        frame: 12_345,
        viewers: 3,
        stream: 7,
        run: u32::MAX,
    };

    #[test]
    fn a_payload_comes_back_as_it_was() {
        let payload = STAMP.to_payload();
        assert_eq!(&payload[..47], "11767225600040000000001234500003000074294967295");
        assert_eq!(Stamp::parse(&payload), Some(STAMP));
    }

    #[test]
    fn what_does_not_fit_is_cut_and_still_read() {
        let stamp = Stamp {
            frame: FRAME_NUMBERS + 5,
            viewers: u32::MAX,
            stream: u32::MAX,
            ..STAMP
        };
        let read = Stamp::parse(&stamp.to_payload()).unwrap();
        assert_eq!((read.frame, read.viewers, read.stream), (5, 99_999, 99_999));
    }

    #[test]
    fn a_payload_with_any_digit_changed_is_refused() {
        let payload = STAMP.to_payload();
        for at in 0..payload.len() {
            for digit in '0'..='9' {
                let mut other = payload.clone();
                other.replace_range(at..=at, &digit.to_string());
                assert_eq!(Stamp::parse(&other).is_some(), other == payload, "{other}");
            }
        }
        for other in ["", "1", &payload[..56], &format!("{payload}0"), "ä"] {
            assert_eq!(Stamp::parse(other), None, "{other}");
        }
    }

    #[test]
    fn an_instant_that_no_clock_shows_is_refused() {
        for instant in [0, PLAUSIBLE.start - 1, PLAUSIBLE.end] {
            assert_eq!(Stamp::parse(&Stamp { instant, ..STAMP }.to_payload()), None);
        }
    }

    #[test]
    fn the_code_has_its_three_finders() {
        let modules = STAMP.modules();
        for (row, column) in [(0, 0), (0, SIDE - 7), (SIDE - 7, 0)] {
            assert!(modules[row][column..column + 7].iter().all(|&dark| dark));
            assert!(!modules[row + 1][column + 1] && modules[row + 3][column + 3]);
        }
    }

    #[test]
    fn modules_are_as_large_as_two_fifths_of_the_height_and_the_width_allow() {
        for (height, expected) in [
            (164, None),
            (165, Some(2)),
            (329, Some(2)),
            (330, Some(4)),
            (659, Some(4)),
            (660, Some(8)),
            (4320, Some(8)),
        ] {
            assert_eq!(module_size(1280, height), expected, "{height} px high");
        }
        for (width, expected) in [(65, None), (66, Some(2)), (132, Some(4)), (264, Some(8))] {
            assert_eq!(module_size(width, 720), expected, "{width} px wide");
        }
        let (width, height) = SMALLEST_PICTURE;
        assert_eq!(module_size(width, height), Some(2));
        assert!(module_size(width - 1, height).is_none() && module_size(width, height - 1).is_none());
    }
}

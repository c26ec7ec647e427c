//! How many pictures a second.

use std::fmt;

/// Nanoseconds a second.
const NANOSECONDS: u64 = 1_000_000_000;

/// The rates of NTSC's heirs, as people write them, and what is meant by them: how many thousand pictures in 1001 s.
const OF_NTSC: [(&str, u32); 4] = [
    ("23.976", 24_000),
    ("29.97", 30_000),
    ("59.94", 60_000),
    ("119.88", 120_000),
];

/// How many digits a decimal number has at most behind its point.
pub(crate) const MOST_PLACES: usize = 6;
/// The largest denominator of a fraction.
const LARGEST_PART: u32 = 1_000_000;

/// Pictures a second, as a fraction in its lowest terms. It is more than 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrameRate {
    numerator: u32,
    denominator: u32,
}

impl FrameRate {
    /// `numerator` pictures in `denominator` seconds; `None` where one of them is 0.
    #[must_use]
    pub fn new(numerator: u32, denominator: u32) -> Option<Self> {
        let divisor = greatest_common_divisor(numerator, denominator);
        (numerator > 0 && denominator > 0).then(|| Self {
            numerator: numerator / divisor,
            denominator: denominator / divisor,
        })
    }

    /// `rate` pictures a second; a rate of 0 becomes 1.
    #[must_use]
    pub const fn whole(rate: u32) -> Self {
        Self {
            numerator: if rate == 0 { 1 } else { rate },
            denominator: 1,
        }
    }

    /// Pictures in [`FrameRate::denominator`] seconds.
    #[must_use]
    pub(crate) fn numerator(self) -> u32 {
        self.numerator
    }

    /// Seconds in which there are [`FrameRate::numerator`] pictures.
    #[must_use]
    pub(crate) fn denominator(self) -> u32 {
        self.denominator
    }

    /// Pictures a second.
    #[must_use]
    pub fn per_second(self) -> f64 {
        f64::from(self.numerator) / f64::from(self.denominator)
    }

    /// The time from one picture to the next in ns, rounded down.
    #[must_use]
    pub fn period(self) -> u64 {
        NANOSECONDS * u64::from(self.denominator) / u64::from(self.numerator)
    }

    /// The rate as caps have it: `25/1`.
    #[must_use]
    pub(crate) fn fraction(self) -> String {
        format!("{}/{}", self.numerator, self.denominator)
    }

    /// The rate that a decimal number means, such as `25` and `29.97`.
    pub(crate) fn of_decimal(text: &str) -> Option<Self> {
        if let Some((_, numerator)) = OF_NTSC.iter().find(|(decimal, _)| *decimal == text) {
            return Self::new(*numerator, 1001);
        }
        let (whole, places) = text.split_once('.').unwrap_or((text, ""));
        // A number with more digits than that, or with an exponent, is not written by anybody who means it.
        let digits: u32 = format!("{whole}{places}").parse().ok()?;
        let places = u32::try_from(places.len())
            .ok()
            .filter(|_| places.len() <= MOST_PLACES)?;
        Self::new(digits, 10_u32.pow(places))
    }

    /// The rate that a fraction means, such as `30000/1001`.
    pub(crate) fn of_fraction(text: &str) -> Option<Self> {
        let (numerator, denominator) = text.split_once('/')?;
        let part = |text: &str| {
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let number: u32 = text.parse().ok().filter(|_| is_number)?;
            Some(number)
        };
        let denominator = part(denominator).filter(|part| *part <= LARGEST_PART)?;
        Self::new(part(numerator)?, denominator)
    }
}

impl fmt::Display for FrameRate {
    /// For people: `25`, `30000/1001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(f, "{}", self.numerator),
            _ => f.write_str(&self.fraction()),
        }
    }
}

fn greatest_common_divisor(a: u32, b: u32) -> u32 {
    if b == 0 {
        a.max(1)
    } else {
        greatest_common_divisor(b, a % b)
    }
}

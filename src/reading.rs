//! What the clock says for one frame, and the lines of text that this makes.

use std::fmt::Write as _;

use jiff::fmt::strtime::BrokenDownTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::error::WordingError;
use crate::stamp::Stamp;
use crate::zone::machine_zone;

/// What the clock says for one frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reading {
    /// The wall-clock time that the frame shows.
    pub instant: Timestamp,
    /// How many viewers are playing the stream.
    pub viewers: u32,
    /// The frame's number; skipped frames use theirs up.
    pub frame: u64,
    /// The stream's id, which only the stamp shows.
    pub stream: u32,
    /// The run of the source, which only the stamp shows: frame numbers compare within a run.
    pub run: u32,
}

impl Reading {
    /// What a frame's stamp says: the instant cut off at µs.
    pub(crate) fn stamp(&self) -> Stamp {
        Stamp {
            instant: self.instant.as_microsecond(),
            frame: self.frame,
            viewers: self.viewers,
            stream: self.stream,
            run: self.run,
        }
    }
}

/// A strftime-like format of a time, known to be usable. An empty one shows no time.
///
/// Directives are those of [`jiff::fmt::strtime`]; `%.3f` is a point and milliseconds. Fractions are cut off,
/// not rounded: a clock must not show a second before it has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimeFormat(String);

impl TimeFormat {
    /// Takes a format after having formatted a time with it.
    ///
    /// # Errors
    /// [`WordingError::TimeFormat`] when a directive does not exist or a date and time cannot fill it in.
    pub fn new(format: &str) -> Result<Self, WordingError> {
        let sample = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
        let result = BrokenDownTime::from(&sample).format(format, &mut String::new());
        match result {
            Ok(()) => Ok(Self(format.to_owned())),
            Err(cause) => Err(WordingError::TimeFormat {
                format: format.to_owned(),
                cause,
            }),
        }
    }

    /// The format as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TimeFormat {
    fn default() -> Self {
        Self("%H:%M:%S%.3f".to_owned())
    }
}

/// How a reading is put into words.
#[derive(Debug, Clone)]
pub struct Wording {
    /// The format of the time line; an empty one hides the line.
    pub time_format: TimeFormat,
    /// The zone in which the time is told; by default the machine's, and UTC where that cannot be told.
    pub time_zone: TimeZone,
    /// The line that tells the viewers, `{}` standing for their number; an empty one hides the line.
    pub clients_format: String,
    /// A line above the time, such as a camera's name; an empty one hides the line.
    pub label: String,
}

impl Default for Wording {
    fn default() -> Self {
        Self {
            time_format: TimeFormat::default(),
            time_zone: machine_zone().unwrap_or(TimeZone::UTC),
            clients_format: "Connected Clients: {}".to_owned(),
            label: String::new(),
        }
    }
}

impl Wording {
    /// Appends the time line.
    pub(crate) fn write_time(&self, instant: Timestamp, line: &mut String) -> Result<(), WordingError> {
        let zoned: Zoned = instant.to_zoned(self.time_zone.clone());
        BrokenDownTime::from(&zoned)
            .format(&self.time_format.0, line)
            .map_err(|cause| WordingError::TimeFormat {
                format: self.time_format.0.clone(),
                cause,
            })
    }

    /// Appends the viewers line.
    pub(crate) fn write_clients(&self, viewers: u32, line: &mut String) {
        let mut parts = self.clients_format.split("{}");
        line.push_str(parts.next().unwrap_or_default());
        for part in parts {
            // Writing to a String cannot fail.
            let _ = write!(line, "{viewers}");
            line.push_str(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::time_zone;

    fn time(format: &str, zone: &str, instant: &str) -> String {
        let wording = Wording {
            time_format: TimeFormat::new(format).unwrap(),
            time_zone: time_zone(zone).unwrap(),
            ..Wording::default()
        };
        let mut line = String::new();
        wording.write_time(instant.parse().unwrap(), &mut line).unwrap();
        line
    }

    #[test]
    fn milliseconds_are_cut_off_not_rounded() {
        assert_eq!(
            time("%H:%M:%S%.3f", "UTC", "2026-03-01T23:59:59.999999999Z"),
            "23:59:59.999"
        );
        assert_eq!(
            time("%H:%M:%S%.6f", "UTC", "2026-03-01T00:00:00.000001999Z"),
            "00:00:00.000001"
        );
    }

    #[test]
    fn a_clock_follows_its_zone_through_daylight_saving() {
        let berlin = |instant| time("%H:%M:%S %Z", "Europe/Berlin", instant);
        assert_eq!(berlin("2026-03-29T00:59:59Z"), "01:59:59 CET");
        assert_eq!(berlin("2026-03-29T01:00:00Z"), "03:00:00 CEST");
        assert_eq!(berlin("2026-10-25T00:59:59Z"), "02:59:59 CEST");
        assert_eq!(berlin("2026-10-25T01:00:00Z"), "02:00:00 CET");
        assert_eq!(
            time("%H:%M", "Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
            "01:30"
        );
    }

    #[test]
    fn a_directive_that_does_not_exist_is_named() {
        let error = TimeFormat::new("%H:%E").unwrap_err().to_string();
        assert!(error.contains("%H:%E"), "{error}");
        assert!(TimeFormat::new("%").is_err());
    }

    #[test]
    fn the_number_of_viewers_stands_wherever_the_format_puts_it() {
        let clients = |format: &str| {
            let mut line = String::new();
            let wording = Wording {
                clients_format: format.to_owned(),
                ..Wording::default()
            };
            wording.write_clients(12, &mut line);
            line
        };
        assert_eq!(clients("Connected Clients: {}"), "Connected Clients: 12");
        assert_eq!(clients("{} of {}"), "12 of 12");
        assert_eq!(clients("nobody counts"), "nobody counts");
        assert_eq!(clients(""), "");
    }
}

//! Which times a PLAY may ask for (RFC 2326, section 12.29): a live camera has no others than now.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};

/// How far apart the clocks of a client and of this machine may be, in s.
const NEARLY_NOW: i64 = 10;

/// Whether what `range` asks for can be had `now`. Any NPT can be had: its zero is the begin of the session.
pub(super) fn is_live(range: &str, now: Timestamp) -> bool {
    let range = range.split(';').next().unwrap_or_default().trim();
    let Some((unit, times)) = range.split_once('=') else {
        return true;
    };
    let begin = times.split('-').next().unwrap_or_default().trim();
    let unit = unit.trim().to_ascii_lowercase();
    match unit.as_str() {
        "clock" => {
            instant(begin).is_some_and(|instant| (instant.as_second() - now.as_second()).abs() <= NEARLY_NOW)
        }
        // Hours, minutes, seconds and frames of a tape; its begin is as good as any.
        _ if unit.starts_with("smpte") => begin.chars().all(|character| "0:.".contains(character)),
        _ => true,
    }
}

/// ISO 8601 as RFC 2326 writes it, such as `20261129T231500.25Z`.
fn instant(text: &str) -> Option<Timestamp> {
    let text = text.strip_suffix('Z')?;
    let civil = DateTime::strptime("%Y%m%dT%H%M%S%.f", text).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_now_can_be_had() {
        let now: Timestamp = "2026-11-29T23:15:00Z".parse().unwrap();
        for (range, expected) in [
            ("npt=0.000-", true),
            ("npt=now-", true),
            ("npt=3600-7200", true),
            ("clock=20261129T231500Z-", true),
            ("clock=20261129T231455.75Z-20261129T231600Z", true),
            ("CLOCK = 20261129T231500Z-", true),
            ("clock=20201129T231500Z-", false),
            ("clock=20261129T231600Z-", false),
            ("clock=now-", false),
            ("clock=-", false),
            ("smpte=0:00:00-", true),
            ("smpte-25=10:07:00-10:07:33:05.01", false),
            ("nonsense", true),
            ("clock=20201129T231500Z-;time=19970123T143720Z", false),
        ] {
            assert_eq!(is_live(range, now), expected, "{range}");
        }
    }
}

//! How `framesPerSecond` is read.

use serde_json::{Value, json};

use super::{json::Json, limits::FRAME_RATES};
use crate::config::{FrameRate, frame_rate::MOST_PLACES};

/// The values that may stand in the configuration.
fn expected() -> String {
    format!(
        "a number from {} to {} of at most {MOST_PLACES} places, or a fraction within these such as \"30000/1001\"",
        FRAME_RATES.start(),
        FRAME_RATES.end()
    )
}

/// Reads `framesPerSecond`.
pub(super) fn read(json: &Json) -> Result<FrameRate, String> {
    let rate = match json {
        Json::Number(number) => FrameRate::of_decimal(&number.to_string()),
        Json::Text(text) => FrameRate::of_fraction(text),
        _ => None,
    };
    rate.filter(|rate| FRAME_RATES.contains(&rate.per_second()))
        .ok_or_else(expected)
}

/// Writes a rate so that it is read as the same.
pub(super) fn show(rate: FrameRate) -> Value {
    match rate.denominator() {
        1 => json!(rate.numerator()),
        _ => json!(rate.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(json: &str) -> Option<(u32, u32)> {
        let json = Json::parse(json.as_bytes()).expect("JSON");
        let rate = read(&json).ok()?;
        Some((rate.numerator(), rate.denominator()))
    }

    #[test]
    fn a_number_is_what_it_says_and_ntscs_are_what_they_mean() {
        for (json, expected) in [
            ("25", (25, 1)),
            ("25.0", (25, 1)),
            ("0.5", (1, 2)),
            ("12.5", (25, 2)),
            ("0.1", (1, 10)),
            ("240", (240, 1)),
            ("23.976", (24_000, 1001)),
            ("29.97", (30_000, 1001)),
            ("59.94", (60_000, 1001)),
            ("119.88", (120_000, 1001)),
            ("29.98", (1499, 50)),
            ("14.985", (2997, 200)),
            ("23.976024", (2_997_003, 125_000)),
            (r#""30000/1001""#, (30_000, 1001)),
            (r#""1/2""#, (1, 2)),
            (r#""50/2""#, (25, 1)),
        ] {
            assert_eq!(rate(json), Some(expected), "{json}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for json in [
            "0",
            "0.09",
            "240.1",
            "-1",
            "-0.5",
            "1e300",
            "1e-9",
            "25.0000001",
            "null",
            "true",
            r#""25""#,
            r#""29.97""#,
            r#""1/0""#,
            r#""0/1""#,
            r#""/""#,
            r#""1/""#,
            r#""+1/2""#,
            r#""1 / 2""#,
            r#""1/2/3""#,
            r#""241/1""#,
            r#""1/100""#,
            r#""99999999999/1""#,
            r#""1000001/1000001""#,
        ] {
            assert_eq!(rate(json), None, "{json}");
        }
    }

    #[test]
    fn a_period_is_that_of_the_fraction() {
        let period =
            |numerator, denominator| FrameRate::new(numerator, denominator).expect("a rate").period();
        assert_eq!(period(25, 1), 40_000_000);
        assert_eq!(period(30_000, 1001), 33_366_666);
        assert_eq!(period(1, 10), 10_000_000_000);
    }

    #[test]
    fn it_is_shown_as_people_write_it() {
        let shown = |numerator, denominator| {
            FrameRate::new(numerator, denominator)
                .expect("a rate")
                .to_string()
        };
        assert_eq!(
            [shown(25, 1), shown(30_000, 1001), shown(1, 2)],
            ["25", "30000/1001", "1/2"]
        );
    }
}

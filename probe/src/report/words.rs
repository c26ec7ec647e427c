//! Numbers and findings as a person reads them.

use std::time::Duration;

use crate::figures::{
    Absence, Added, Alteration, Basis, ClockCheck, ClockRelation, Counts, Difference, Disagreement,
    Distribution, Estimate, Limit, Loss, Measurement, Sample, Segment, StreamFigures, Times,
};

/// What stands where there is nothing to tell.
pub(super) const NOTHING: &str = "–";

/// A number with as many digits as it is worth: 0.38, 4.1, 41.
pub(super) fn number(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    let digits = match value.abs() {
        size if size < 0.995 => 2,
        size if size < 9.95 => 1,
        _ => 0,
    };
    let text = format!("{:.digits$}", value.abs());
    let zero = text.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if zero {
        "0".into()
    } else if value < 0.0 {
        format!("−{text}")
    } else {
        text
    }
}

/// As [`number`], with a plus sign where it is above zero.
pub(super) fn signed(value: f64) -> String {
    let text = number(value);
    if text.starts_with(|first: char| first.is_ascii_digit()) && text != "0" {
        format!("+{text}")
    } else {
        text
    }
}

/// A time in ms.
pub(super) fn ms(value: f64) -> String {
    format!("{} ms", number(value))
}

/// A long time given in ms: as seconds from one second on.
pub(super) fn duration(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    if value.abs() < 1000.0 {
        return ms(value);
    }
    let seconds = value / 1000.0;
    if seconds.abs() < 120.0 {
        return format!("{seconds:.1} s").replace('-', "−");
    }
    let whole = Duration::try_from_secs_f64(seconds).unwrap_or_default().as_secs();
    let (hours, minutes, seconds) = (whole / 3600, whole / 60 % 60, whole % 60);
    if hours > 0 {
        format!("{hours} h {minutes:02} min")
    } else {
        format!("{minutes} min {seconds:02} s")
    }
}

/// An estimate and its uncertainty, in ms.
pub(super) fn estimate(of: Estimate) -> String {
    format!("{} ± {} ms", signed(of.value), number(of.uncertainty))
}

/// A drift and how far off it may be, in ppm.
pub(super) fn drift(ppm: f64, uncertainty: Option<f64>) -> String {
    let uncertainty = uncertainty.map(|it| format!(" ± {}", number(it)));
    format!("{}{} ppm", signed(ppm), uncertainty.unwrap_or_default())
}

/// Median, 99th percentile and maximum.
pub(super) fn spread(of: &Distribution) -> String {
    format!("{} / {} / {} ms", number(of.p50), number(of.p99), number(of.max))
}

/// Median and maximum of how far a time is from the stamp.
pub(super) fn disagreement(of: Disagreement) -> String {
    let sign = |us: i64| match us {
        1.. => format!("+{us}"),
        0 => "0".into(),
        _ => format!("−{}", us.unsigned_abs()),
    };
    format!("{} / {} µs", sign(of.median_us), sign(of.max_us))
}

/// A number with two digits behind the point, for columns.
pub(super) fn precise(value: f64) -> String {
    if !value.is_finite() {
        return NOTHING.into();
    }
    let text = format!("{value:.2}");
    if text == "-0.00" {
        "0.00".into()
    } else {
        text.replace('-', "−")
    }
}

/// A whole number of ms as [`duration`].
pub(super) fn milliseconds(value: u64) -> String {
    duration(Duration::from_millis(value).as_secs_f64() * 1e3)
}

/// An instant in ns since the Unix epoch, as a time of day.
pub(super) fn instant(ns: u64) -> String {
    jiff::Timestamp::from_nanosecond(ns.into()).map_or_else(
        |_| NOTHING.into(),
        |time| time.strftime("%H:%M:%S.%3f UTC").to_string(),
    )
}

/// The numbers of missing frames.
pub(super) fn numbers(loss: &Loss) -> String {
    match loss.count {
        0 | 1 => loss.first.to_string(),
        count => format!("{}–{}", loss.first, loss.first.saturating_add(count - 1)),
    }
}

/// What was done to the picture.
pub(super) fn alteration(of: Alteration) -> String {
    let turned = format!("turned by {}°", of.turned);
    let done = [
        (of.turned != 0, turned.as_str()),
        (of.mirrored, "mirrored"),
        (of.inverted, "inverted"),
    ];
    let done: Vec<&str> = done.iter().filter(|it| it.0).map(|it| it.1).collect();
    if done.is_empty() {
        "no".into()
    } else {
        done.join(", ")
    }
}

/// The stamps of a stream's pictures that were seen side by side, and how far they are apart: a line each.
pub(super) fn spots(stream: &StreamFigures) -> Vec<String> {
    let spots = stream.spots.iter().map(|spot| {
        let read = counted(spot.pictures, "picture", "pictures");
        let (name, id) = (&spot.name, spot.stream_id);
        let (x, y, instant, frame) = (spot.x, spot.y, instant(spot.instant), spot.frame);
        let altered = Some(alteration(spot.alteration)).filter(|_| spot.alteration != Alteration::default());
        let altered = altered.map(|text| format!(", {text}")).unwrap_or_default();
        format!("{name}: stream {id} at {x},{y}; {instant}, frame {frame}; {read}{altered}")
    });
    spots.chain(stream.differences.iter().map(behind)).collect()
}

fn behind(of: &Difference) -> String {
    let (ahead, behind, latency) = (&of.ahead, &of.behind, &of.latency);
    if latency.count == 1 {
        return format!("{behind} is {} behind {ahead}", duration(latency.p50));
    }
    let pictures = counted(latency.count, "picture", "pictures");
    let latency = spread(latency);
    format!("{behind} is {latency} behind {ahead}: p50 / p99 / max of {pictures}")
}

/// How often and how long the picture stood still.
pub(super) fn freezes(counts: &Counts) -> String {
    if counts.frozen == 0 {
        return "0".into();
    }
    format!("{} ({})", counts.frozen, milliseconds(counts.frozen_time))
}

/// How often and how long the camera was away.
pub(super) fn absences(absences: &[Absence]) -> String {
    if absences.is_empty() {
        return NOTHING.into();
    }
    let time: f64 = absences.iter().map(|absence| absence.time).sum();
    format!("{} ({})", absences.len(), duration(time))
}

/// A count that is told where it is not zero.
pub(super) fn unless_none(count: u64) -> String {
    if count == 0 {
        NOTHING.into()
    } else {
        count.to_string()
    }
}

/// How many files a recording has.
pub(super) fn segments(segments: &[Segment]) -> String {
    if segments.is_empty() {
        return NOTHING.into();
    }
    segments.len().to_string()
}

/// What is missing between the files of a recording.
pub(super) fn gaps_between(segments: &[Segment]) -> String {
    let gaps = || segments.iter().filter(|segment| segment.gap > 0.0);
    match (segments.len(), gaps().count()) {
        (0, _) => NOTHING.into(),
        (_, 0) => "0".into(),
        (_, count) => {
            let time: f64 = gaps().map(|segment| segment.gap).sum();
            let missing: u64 = gaps().map(|segment| segment.missing).sum();
            format!(
                "{count} ({}, {})",
                duration(time),
                counted(missing, "frame", "frames")
            )
        }
    }
}

/// What is in two files of a recording.
pub(super) fn overlaps(segments: &[Segment]) -> String {
    let overlaps = || segments.iter().filter(|segment| segment.overlap > 0);
    match (segments.len(), overlaps().count()) {
        (0, _) => NOTHING.into(),
        (_, 0) => "0".into(),
        (_, count) => {
            let frames: u64 = overlaps().map(|segment| segment.overlap).sum();
            format!("{count} ({})", counted(frames, "frame", "frames"))
        }
    }
}

/// Pictures that a server had in store.
pub(super) fn backlog(pictures: u64) -> String {
    if pictures == 0 {
        return NOTHING.into();
    }
    counted(pictures, "picture", "pictures")
}

/// A count and the noun for it.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// How the camera's clock and this machine's relate, in a few words.
pub(super) fn clocks(relation: &ClockRelation) -> String {
    match relation {
        ClockRelation::Same => "this machine's".into(),
        ClockRelation::Ntp { correction } => format!("NTP, ± {}", ms(correction.uncertainty)),
        ClockRelation::SenderReports { offset } => format!("{} apart", estimate(*offset)),
        ClockRelation::Unknown => "unknown".into(),
    }
}

/// What the latencies are worth by the clocks that they were measured with.
pub(super) fn worth(relation: &ClockRelation) -> String {
    match relation {
        ClockRelation::Same => {
            "Camera and probe have one clock if the camera runs on this machine, as its address says: then the latency \
             has no error of clocks in it."
                .into()
        }
        ClockRelation::Ntp { correction } => format!(
            "Both clocks are held against the NTP server's: {} were taken off each latency, which is good to \
             ± {} if the camera keeps that server's time.",
            signed_ms(correction.value),
            ms(correction.uncertainty),
        ),
        ClockRelation::SenderReports { offset } => format!(
            "By its sender reports this machine's clock is {}, give or take {}: that holds if it sends each report \
             at the time that stands in it, and is as much too high as it sends them later. The latency is as measured \
             and has that difference in it.",
            ahead(offset.value, "the camera's"),
            ms(offset.uncertainty),
        ),
        ClockRelation::Unknown => {
            "Nothing is known of how far the clocks of camera and probe are apart: the latency has \
                                   that difference in it. --ntp asks a time server."
                .into()
        }
    }
}

/// What a time server said of this machine's clock; `None` where none was asked.
pub(super) fn clock_check(check: &ClockCheck) -> Option<String> {
    let server = match &check.ntp_server {
        Some(server) => clean(server),
        None => "a time server".into(),
    };
    match (check.offset, &check.error) {
        (Some(offset), error) => Some(format!(
            "This machine's clock is {}, give or take {}.{}",
            ahead(offset.value, &format!("that of {server}")),
            ms(offset.uncertainty),
            error
                .as_ref()
                .map(|error| format!(" Asked again, it did not tell its time: {}", clean(error)))
                .unwrap_or_default(),
        )),
        (None, Some(error)) => Some(format!("{server} did not tell its time: {}", clean(error))),
        (None, None) => None,
    }
}

/// What a way adds, in a sentence's two parts: the finding, and what stands behind it.
pub(super) fn added(added: &Added) -> (String, String) {
    let Some(latency) = &added.latency else {
        let from = clean(&added.from);
        let detail = match added.both {
            0 => format!("not one frame came both by it and by {from}"),
            _ => format!("a latency takes live streams; {}", both_ways(added)),
        };
        return ("what it adds is not known".into(), detail);
    };
    let finding = if latency.p50 < 0.0 {
        format!("is {} ahead (p50)", ms(-latency.p50))
    } else {
        format!("adds {} (p50)", ms(latency.p50))
    };
    let detail = format!(
        "p99 {}, max {}, by {}, over {}",
        ms(latency.p99),
        ms(latency.max),
        match added.basis {
            Basis::Packets => "last packets",
            Basis::Decoded => "decoded pictures",
        },
        both_ways(added)
    );
    (finding, detail)
}

/// What came both ways, and what did not.
fn both_ways(added: &Added) -> String {
    let unreadable = match added.unreadable {
        0 => String::new(),
        count => format!(", {count} cannot be read"),
    };
    format!(
        "{}; {}{unreadable} on that way",
        counted(
            added.both,
            "frame that came both ways",
            "frames that came both ways"
        ),
        counted(added.missing, "frame is missing", "frames are missing"),
    )
}

/// Whose times the other ways' streams tell; `None` where they tell none.
pub(super) fn restreamed(measurement: &Measurement) -> Option<String> {
    let tells = |times: &Times| times.sender_reports.is_some() || times.ntp_extension.is_some();
    let is_via = |stream: &&StreamFigures| measurement.added.iter().any(|added| added.via == stream.url);
    let mut vias = measurement.streams.iter().filter(is_via);
    vias.any(|via| tells(&via.times)).then(|| {
        "The sender reports and header extensions of another way (--via) are those of the server that hands the stream \
         on, not the camera's."
            .into()
    })
}

/// A limit and what was found.
pub(super) fn limit(limit: &Limit) -> String {
    let [name, allowed, found, url] =
        [&limit.name, &limit.allowed, &limit.found, &limit.url].map(|text| clean(text));
    format!("{name} {allowed}: {found}  ({url})")
}

/// The time when a measurement began, shorter; as it is where it is no time.
pub(super) fn started(text: &str) -> String {
    text.parse::<jiff::Timestamp>().map_or_else(
        |_| clean(text),
        |time| time.strftime("%Y-%m-%d %H:%M:%S UTC").to_string(),
    )
}

/// Text from outside without control characters: what a URL or a peer says must not move a terminal's cursor.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|char| {
            if char.is_control() {
                char::REPLACEMENT_CHARACTER
            } else {
                char
            }
        })
        .collect()
}

/// Arrival minus the instant shown, in ms; as measured, whatever the clocks are apart. `None` for a picture that
/// waited for the decoder to be set up, as in the figures.
pub(super) fn latency(sample: &Sample) -> Option<f64> {
    if sample.joining {
        return None;
    }
    let instant = u64::try_from(sample.stamp?.instant).ok()?.checked_mul(1000)?;
    Some(difference(sample.arrival, instant))
}

/// `from` minus `to`, both in ns, in ms.
pub(super) fn difference(from: u64, to: u64) -> f64 {
    let size = Duration::from_nanos(from.abs_diff(to)).as_secs_f64() * 1e3;
    if from < to { -size } else { size }
}

fn signed_ms(value: f64) -> String {
    format!("{} ms", signed(value))
}

fn ahead(offset: f64, of: &str) -> String {
    match number(offset).as_str() {
        "0" => format!("level with {of}"),
        _ if offset < 0.0 => format!("{} behind {of}", ms(-offset)),
        _ => format!("{} ahead of {of}", ms(offset)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_the_digits_that_it_is_worth() {
        let cases = [
            (0.0, "0"),
            (-0.001, "0"),
            (0.384, "0.38"),
            (0.999, "1.0"),
            (4.13, "4.1"),
            (9.96, "10"),
            (41.4, "41"),
            (-41.4, "−41"),
            (12_345.6, "12346"),
            (f64::NAN, NOTHING),
            (f64::INFINITY, NOTHING),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text, "{value}");
        }
        assert_eq!([0.0, 3.08, -3.08].map(signed), ["0", "+3.1", "−3.1"]);
    }

    #[test]
    fn a_long_time_is_told_in_larger_units() {
        let cases = [
            (640.0, "640 ms"),
            (1240.0, "1.2 s"),
            (754_000.0, "12 min 34 s"),
            (7_500_000.0, "2 h 05 min"),
        ];
        for (value, text) in cases {
            assert_eq!(duration(value), text);
        }
    }

    #[test]
    fn control_characters_do_not_reach_a_terminal() {
        assert_eq!(clean("a\u{1b}[2J\nb"), "a\u{fffd}[2J\u{fffd}b");
    }
}

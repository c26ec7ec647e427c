//! The limits that a measurement is held against, for build servers.

use std::time::Duration;

use crate::figures::{ClockRelation, Distribution, Limit, StreamFigures};

/// What is allowed; `None` is unlimited.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Limits {
    /// The median of the latency.
    pub p50: Option<Duration>,
    /// What 99 % of the latencies keep.
    pub p99: Option<Duration>,
    /// The greatest latency.
    pub latency: Option<Duration>,
    /// Frames that never came.
    pub lost: Option<u64>,
    /// How often the picture stood still.
    pub frozen: Option<u64>,
    /// Pictures whose stamp could not be read.
    pub unreadable: Option<u64>,
    /// The drift, either way, in parts per million.
    pub drift: Option<f64>,
    /// How far sound may be from its picture, either way.
    pub sound_offset: Option<Duration>,
    /// The longest time from one new frame to the next.
    pub gap: Option<Duration>,
    /// Frames a second, at least.
    pub fps: Option<f64>,
}

impl Limits {
    /// Each limit that is set, held against what was found. What was not measured keeps no limit, and neither does a
    /// latency between clocks that may be apart by anything.
    #[must_use]
    pub fn check(&self, figures: &StreamFigures) -> Vec<Limit> {
        let url = &figures.url;
        let latency = |name, allowed: Option<Duration>, of: fn(&Distribution) -> f64| {
            let found = figures.latency.as_ref().map(of);
            allowed.map(|allowed| latency_limit(figures, name, allowed, found))
        };
        let (is_read, is_seen) = (figures.counts.readings > 0, figures.counts.frames > 0);
        let count = |name, allowed: Option<u64>, measured: bool, found: u64| {
            let found = if measured { Ok(found) } else { Err(figures) };
            allowed.map(|allowed| count_limit(url, name, allowed, found))
        };
        [
            latency("--max-p50", self.p50, |latency| latency.p50),
            latency("--max-p99", self.p99, |latency| latency.p99),
            latency("--max-latency", self.latency, |latency| latency.max),
            count("--max-lost", self.lost, is_read, figures.counts.lost),
            count("--max-frozen", self.frozen, is_seen, figures.counts.frozen),
            count(
                "--max-unreadable",
                self.unreadable,
                is_seen,
                figures.counts.unreadable,
            ),
            self.drift.map(|allowed| drift_limit(allowed, figures)),
            self.sound_offset.map(|allowed| {
                let found = figures.sound.and_then(|sound| sound.offset_max).map(f64::abs);
                time_limit(url, "--max-sound-offset", allowed, found)
            }),
            self.gap.map(|allowed| {
                // Without a stamp every picture is a new one.
                let delivery = &figures.delivery;
                let came = if figures.live {
                    delivery.arrivals
                } else {
                    delivery.timestamps
                };
                let interval = figures.interval.or(came.filter(|_| !is_read));
                time_limit(url, "--max-gap", allowed, interval.map(|interval| interval.max))
            }),
            self.fps.map(|allowed| rate_limit(allowed, figures)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

const NOT_MEASURED: &str = "not measured";
const NEEDS_STAMP: &str = "not measured: it needs a stamp";

/// `found` in ms.
fn latency_limit(figures: &StreamFigures, name: &str, allowed: Duration, found: Option<f64>) -> Limit {
    let allowed = allowed.as_secs_f64() * 1000.0;
    let (found, kept) = match (found, &figures.clock) {
        (None, _) => (unmeasured(figures), false),
        (Some(found), ClockRelation::Same) => (format!("{found:.1} ms"), found <= allowed),
        (Some(found), ClockRelation::Ntp { correction }) => within(found, correction.uncertainty, allowed),
        (Some(found), ClockRelation::SenderReports { offset }) => {
            within(found - offset.value, offset.uncertainty, allowed)
        }
        (Some(found), ClockRelation::Unknown) => (
            format!("{found:.1} ms by clocks that may be apart by anything: ask a time server with --ntp"),
            false,
        ),
    };
    Limit {
        url: figures.url.clone(),
        name: name.into(),
        allowed: format!("{allowed} ms"),
        found,
        kept,
    }
}

/// What was found, and whether it is within a limit even if the clocks are apart by all of the uncertainty.
fn within(found: f64, uncertainty: f64, allowed: f64) -> (String, bool) {
    let text = format!("{found:.1} ± {uncertainty:.1} ms");
    (text, found + uncertainty <= allowed)
}

/// A limit that is kept even if the drift is off by all of its uncertainty.
fn drift_limit(allowed: f64, figures: &StreamFigures) -> Limit {
    let uncertainty = figures.drift_uncertainty_ppm.unwrap_or_default();
    let judge = |ppm: f64| {
        (
            format!("{ppm:.1} ± {uncertainty:.1} ppm"),
            ppm.abs() + uncertainty <= allowed,
        )
    };
    let (found, kept) = figures.drift_ppm.map_or_else(not_measured, judge);
    Limit {
        url: figures.url.clone(),
        name: "--max-drift".into(),
        allowed: format!("{allowed} ppm"),
        found,
        kept,
    }
}

/// `found` in ms.
fn time_limit(url: &str, name: &str, allowed: Duration, found: Option<f64>) -> Limit {
    let allowed = allowed.as_secs_f64() * 1000.0;
    let judge = |found: f64| (format!("{found:.1} ms"), found <= allowed);
    let (found, kept) = found.map_or_else(not_measured, judge);
    Limit {
        url: url.into(),
        name: name.into(),
        allowed: format!("{allowed} ms"),
        found,
        kept,
    }
}

fn rate_limit(allowed: f64, figures: &StreamFigures) -> Limit {
    let judge = |fps: f64| (format!("{fps:.2}"), fps >= allowed);
    let (found, kept) = figures.frames_per_second.map_or_else(not_measured, judge);
    Limit {
        url: figures.url.clone(),
        name: "--min-fps".into(),
        allowed: allowed.to_string(),
        found,
        kept,
    }
}

fn not_measured() -> (String, bool) {
    (NOT_MEASURED.into(), false)
}

/// Where there are pictures and no stamp, that is what is missing.
fn unmeasured(figures: &StreamFigures) -> String {
    let is_unstamped = figures.counts.frames > 0 && figures.counts.readings == 0;
    if is_unstamped { NEEDS_STAMP } else { NOT_MEASURED }.into()
}

fn count_limit(url: &str, name: &str, allowed: u64, found: Result<u64, &StreamFigures>) -> Limit {
    Limit {
        url: url.into(),
        name: name.into(),
        allowed: allowed.to_string(),
        kept: found.is_ok_and(|found| found <= allowed),
        found: found.map_or_else(unmeasured, |found| found.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Counts, Estimate, KeyFrames, Sound, Times};

    fn figures() -> StreamFigures {
        StreamFigures {
            url: "rtsp://camera/live".into(),
            live: true,
            transport: None,
            codec: None,
            width: 1280,
            height: 720,
            stream_id: None,
            viewers: None,
            alteration: None,
            frames_per_second: None,
            counts: Counts {
                readings: 100,
                lost: 2,
                ..Counts::default()
            },
            latency: Some(Distribution {
                count: 100,
                min: 10.0,
                mean: 20.0,
                p50: 19.0,
                p90: 60.0,
                p99: 250.0,
                max: 251.5,
            }),
            network: None,
            decoder: None,
            interval: None,
            drift_ppm: None,
            drift_uncertainty_ppm: None,
            first_picture: None,
            key_frames: KeyFrames::default(),
            clock: ClockRelation::Same,
            times: Times::default(),
            sound: None,
            losses: vec![],
            spots: Vec::new(),
            differences: Vec::new(),
            problems: vec![],
            ..StreamFigures::default()
        }
    }

    #[test]
    fn a_recording_is_judged_by_drift_sound_gaps_and_rate() {
        let figures = StreamFigures {
            frames_per_second: Some(24.5),
            drift_ppm: Some(-40.0),
            drift_uncertainty_ppm: Some(5.0),
            interval: Some(Distribution {
                max: 120.0,
                ..figures().latency.expect("one")
            }),
            sound: Some(Sound {
                ticks: 3,
                offset_median: Some(1.0),
                offset_max: Some(-20.0),
                drift_ppm: None,
                drift_uncertainty_ppm: None,
            }),
            ..figures()
        };
        for (allowed, kept) in [(true, true), (false, false)] {
            let [drift, fps, sound, gap] = if allowed {
                [45.0, 24.5, 20.0, 120.0]
            } else {
                [44.9, 24.6, 19.9, 119.0]
            };
            let time = |ms: f64| Some(Duration::from_secs_f64(ms / 1000.0));
            let limits = Limits {
                drift: Some(drift),
                sound_offset: time(sound),
                gap: time(gap),
                fps: Some(fps),
                ..Limits::default()
            };
            let found = outcome(&limits, &figures);
            let names = found.iter().map(|(name, ..)| name.as_str());
            assert_eq!(
                names.collect::<Vec<_>>(),
                ["--max-drift", "--max-sound-offset", "--max-gap", "--min-fps"]
            );
            assert!(found.iter().all(|(.., it)| *it == kept), "{found:?}");
            let nothing = outcome(&limits, &StreamFigures::default());
            assert!(
                nothing
                    .iter()
                    .all(|(_, found, kept)| found == NOT_MEASURED && !kept),
                "{nothing:?}"
            );
        }
    }

    fn outcome(limits: &Limits, figures: &StreamFigures) -> Vec<(String, String, bool)> {
        let checked = limits.check(figures).into_iter();
        checked
            .map(|limit| (limit.name, limit.found, limit.kept))
            .collect()
    }

    #[test]
    fn only_what_was_asked_for_is_checked() {
        assert_eq!(Limits::default().check(&figures()), []);
        let limits = Limits {
            lost: Some(0),
            ..Limits::default()
        };
        assert_eq!(
            outcome(&limits, &figures()),
            [("--max-lost".into(), "2".into(), false)]
        );
    }

    #[test]
    fn a_limit_that_is_just_met_is_kept() {
        let limits = Limits {
            p50: Some(Duration::from_millis(18)),
            p99: Some(Duration::from_millis(250)),
            latency: Some(Duration::from_millis(251)),
            lost: Some(2),
            ..Limits::default()
        };
        let expected = [
            ("--max-p50".into(), "19.0 ms".into(), false),
            ("--max-p99".into(), "250.0 ms".into(), true),
            ("--max-latency".into(), "251.5 ms".into(), false),
            ("--max-lost".into(), "2".into(), true),
        ];
        assert_eq!(outcome(&limits, &figures()), expected);
    }

    #[test]
    fn a_latency_counts_as_far_as_the_clocks_are_known() {
        let limits = Limits {
            p50: Some(Duration::from_millis(30)),
            ..Limits::default()
        };
        let estimate = |value, uncertainty| Estimate { value, uncertainty };
        let found = |clock| {
            let [limit] = limits
                .check(&StreamFigures { clock, ..figures() })
                .try_into()
                .expect("one");
            let Limit { found, kept, .. } = limit;
            (found, kept)
        };
        let ntp = |uncertainty| ClockRelation::Ntp {
            correction: estimate(5.0, uncertainty),
        };
        assert_eq!(found(ntp(11.0)), ("19.0 ± 11.0 ms".into(), true));
        assert_eq!(found(ntp(11.1)), ("19.0 ± 11.1 ms".into(), false));
        // The camera is 300 ms ahead of this machine, which makes its pictures seem early.
        let reports = ClockRelation::SenderReports {
            offset: estimate(-300.0, 2.0),
        };
        assert_eq!(found(reports), ("319.0 ± 2.0 ms".into(), false));
        let (unknown, kept) = found(ClockRelation::Unknown);
        assert!(unknown.contains("--ntp") && !kept, "{unknown}");
    }

    #[test]
    fn what_was_not_measured_keeps_no_limit() {
        let limits = Limits {
            p99: Some(Duration::from_secs(1)),
            frozen: Some(0),
            ..Limits::default()
        };
        let nothing = StreamFigures {
            latency: None,
            counts: Counts::default(),
            ..figures()
        };
        let expected = [
            ("--max-p99".into(), "not measured".into(), false),
            ("--max-frozen".into(), "not measured".into(), false),
        ];
        assert_eq!(outcome(&limits, &nothing), expected);
    }
}

//! Where one segment ends and the next begins. Pure arithmetic.

use clockface::Stamp;

use crate::figures::{Distribution, Sample};

/// The first and the last frame of a segment, and pictures beyond them that could not be read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Ends {
    pub(super) first: Option<Stamp>,
    /// The frame with the latest instant.
    pub(super) last: Option<Stamp>,
    before: u64,
    behind: u64,
}

impl Ends {
    pub(super) fn picture(&mut self, sample: &Sample) {
        let Some(stamp) = sample.stamp else {
            self.before += u64::from(self.first.is_none());
            self.behind += 1;
            return;
        };
        self.first.get_or_insert(stamp);
        self.behind = 0;
        if self.last.is_none_or(|last| last.instant < stamp.instant) {
            self.last = Some(stamp);
        }
    }

    /// Those of this segment and the next: it may lie within this one.
    pub(super) fn and(&self, next: &Self) -> Self {
        let goes_on = next.last.map(|last| last.instant) > self.last.map(|last| last.instant);
        Self {
            first: self.first,
            before: self.before,
            ..if goes_on { *next } else { *self }
        }
    }
}

/// What is between two segments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Seam {
    /// From the last frame to the first one of the next segment, in ms, where frames are missing between them or the camera
    /// began anew; else 0.
    pub(super) gap: f64,
    /// Frames that are missing.
    pub(super) missing: u64,
    /// Frames that are in both.
    pub(super) overlap: u64,
}

impl Seam {
    /// `None` where one of them has no stamp.
    pub(super) fn between(before: &Ends, next: &Ends) -> Option<Self> {
        let (last, first, end) = (before.last?, next.first?, next.last?);
        let apart = Self {
            gap: ms(first.instant.saturating_sub(last.instant)).max(0.0),
            missing: 0,
            overlap: 0,
        };
        if (last.run, last.stream) != (first.run, first.stream) {
            return Some(apart);
        }
        if first.frame <= last.frame {
            let overlap = last
                .frame
                .min(end.frame)
                .saturating_sub(first.frame)
                .saturating_add(1);
            return Some(Self {
                gap: 0.0,
                overlap,
                ..apart
            });
        }
        // Pictures that could not be read may be some of them.
        let missing = (first.frame - last.frame - 1).saturating_sub(before.behind + next.before);
        Some(Self {
            gap: if missing > 0 { apart.gap } else { 0.0 },
            missing,
            ..apart
        })
    }
}

#[expect(clippy::cast_precision_loss, reason = "µs of a recording are far below 2^53")]
fn ms(microseconds: i64) -> f64 {
    microseconds as f64 / 1000.0
}

/// All values of several distributions as one: count, mean and extremes are exact; a percentile is that of the segments'
/// own, weighed by their counts.
#[expect(clippy::cast_precision_loss, reason = "frames are far below 2^53")]
pub(super) fn together(of: &[Distribution]) -> Option<Distribution> {
    let count: u64 = of.iter().map(|it| it.count).sum();
    if count == 0 {
        return None;
    }
    let percentile = |percent: u64, value: fn(&Distribution) -> f64| {
        let mut values: Vec<(f64, u64)> = of.iter().map(|it| (value(it), it.count)).collect();
        values.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let rank = (count * percent).div_ceil(100);
        let mut seen = 0;
        let reached = values.iter().find(|(_, count)| {
            seen += count;
            seen >= rank
        });
        reached.map_or(0.0, |(value, _)| *value)
    };
    Some(Distribution {
        count,
        min: of.iter().map(|it| it.min).fold(f64::INFINITY, f64::min),
        mean: of.iter().map(|it| it.mean * it.count as f64).sum::<f64>() / count as f64,
        p50: percentile(50, |it| it.p50),
        p90: percentile(90, |it| it.p90),
        p99: percentile(99, |it| it.p99),
        max: of.iter().map(|it| it.max).fold(0.0, f64::max),
    })
}

/// The rate of all frames within the segments, of the rate and the number of each.
#[expect(clippy::cast_precision_loss, reason = "frames are far below 2^53")]
pub(super) fn rate(of: &[(f64, u64)]) -> Option<f64> {
    let frames: u64 = of.iter().map(|(_, frames)| frames).sum();
    let seconds: f64 = of.iter().map(|(fps, frames)| *frames as f64 / fps).sum();
    (frames > 0 && seconds > 0.0).then(|| frames as f64 / seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(run: u32, frame: u64) -> Stamp {
        Stamp {
            instant: 1_767_225_600_000_000 + i64::from(run) * 60_000_000 + frame.cast_signed() * 40_000,
            frame,
            viewers: 0,
            stream: 1,
            run,
        }
    }

    fn segment(run: u32, frames: std::ops::RangeInclusive<u64>) -> Ends {
        let mut ends = Ends::default();
        for frame in frames {
            ends.picture(&Sample {
                arrival: 0,
                packet: None,
                pts: None,
                stamp: Some(stamp(run, frame)),
                joining: false,
            });
        }
        ends
    }

    fn unreadable(ends: &mut Ends) {
        ends.picture(&Sample {
            arrival: 0,
            packet: None,
            pts: None,
            stamp: None,
            joining: false,
        });
    }

    #[test]
    fn what_is_between_two_segments_goes_by_their_numbers() {
        let seam = |next: Ends| {
            let seam = Seam::between(&segment(1, 0..=24), &next).expect("stamps");
            (seam.gap, seam.missing, seam.overlap)
        };
        assert_eq!(seam(segment(1, 25..=49)), (0.0, 0, 0));
        assert_eq!(seam(segment(1, 50..=74)), (1040.0, 25, 0));
        assert_eq!(seam(segment(1, 20..=44)), (0.0, 0, 5));
        assert_eq!(seam(segment(1, 10..=12)), (0.0, 0, 3));
        assert_eq!(seam(segment(2, 0..=24)), (60_000.0 - 960.0, 0, 0));
        assert_eq!(Seam::between(&segment(1, 0..=24), &Ends::default()), None);
    }

    #[test]
    fn what_could_not_be_read_at_a_seam_is_not_missing() {
        let mut before = segment(1, 0..=24);
        unreadable(&mut before);
        let mut next = Ends::default();
        unreadable(&mut next);
        next.first = Some(stamp(1, 28));
        next.last = next.first;
        let seam = Seam::between(&before, &next).expect("stamps");
        assert_eq!((seam.missing, seam.overlap), (1, 0));
    }

    #[test]
    fn a_segment_within_another_does_not_end_it() {
        let long = segment(1, 0..=99);
        assert_eq!(long.and(&segment(1, 10..=20)).last, Some(stamp(1, 99)));
        assert_eq!(long.and(&segment(1, 90..=120)).last, Some(stamp(1, 120)));
    }
}

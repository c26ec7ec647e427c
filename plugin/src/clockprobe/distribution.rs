//! Distributions of times and their change. Pure arithmetic.

use hdrhistogram::Histogram;

/// Percentiles are true to a µs, and to one in ten thousand.
const SIGNIFICANT_DIGITS: u8 = 4;
const MICROSECOND: i64 = 1_000;

/// A distribution of times in ns, negative ones included. Least, greatest and mean are exact.
#[derive(Debug)]
pub(crate) struct Distribution {
    /// Both in µs, for a histogram holds no negative values.
    magnitudes_below_zero: Histogram<u64>,
    from_zero: Histogram<u64>,
    min: i64,
    max: i64,
    mean: f64,
    count: u64,
}

impl Default for Distribution {
    fn default() -> Self {
        Self {
            magnitudes_below_zero: histogram(),
            from_zero: histogram(),
            min: i64::MAX,
            max: i64::MIN,
            mean: 0.0,
            count: 0,
        }
    }
}

fn histogram() -> Histogram<u64> {
    // It grows with the values. A number of digits that it does not know would be a slip of this file's.
    Histogram::new(SIGNIFICANT_DIGITS).unwrap_or_else(|error| unreachable!("{error}"))
}

impl Distribution {
    /// Adds a value in ns.
    #[allow(clippy::cast_precision_loss, reason = "a mean needs no more than 53 bits")]
    pub(crate) fn add(&mut self, value: i64) {
        let microseconds = value.saturating_add(MICROSECOND / 2).div_euclid(MICROSECOND);
        let histogram = if microseconds < 0 {
            &mut self.magnitudes_below_zero
        } else {
            &mut self.from_zero
        };
        if histogram.record(microseconds.unsigned_abs()).is_err() {
            // It grows to hold 2^63 ns and more, so it can only be out of memory.
            return;
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.count += 1;
        self.mean += (value as f64 - self.mean) / self.count as f64;
    }

    /// What it comes to in ns; `None` while it is empty.
    pub(crate) fn summary(&self) -> Option<Summary> {
        (self.count > 0).then(|| Summary {
            min: self.min,
            mean: round(self.mean),
            p50: self.percentile(50),
            p90: self.percentile(90),
            p99: self.percentile(99),
            max: self.max,
        })
    }

    /// The value farthest from zero.
    pub(crate) fn extreme(&self) -> Option<i64> {
        let farthest = |a: i64, b: i64| if b.unsigned_abs() > a.unsigned_abs() { b } else { a };
        (self.count > 0).then(|| farthest(self.max, self.min))
    }

    /// The value at or below which that many percent lie, by nearest rank.
    fn percentile(&self, percent: u64) -> i64 {
        let rank = (self.count * percent).div_ceil(100).clamp(1, self.count);
        let below = self.magnitudes_below_zero.len();
        let microseconds = if rank <= below {
            -at_rank(&self.magnitudes_below_zero, below + 1 - rank)
        } else {
            at_rank(&self.from_zero, rank - below)
        };
        microseconds.saturating_mul(MICROSECOND).clamp(self.min, self.max)
    }
}

/// The value that is so many from the least, which is 1.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn at_rank(histogram: &Histogram<u64>, rank: u64) -> i64 {
    // In the middle of the rank's share, so that rounding cannot reach its neighbours.
    let quantile = (rank as f64 - 0.5) / histogram.len() as f64;
    i64::try_from(histogram.value_at_quantile(quantile)).unwrap_or(i64::MAX)
}

#[allow(clippy::cast_possible_truncation, reason = "a cast saturates")]
fn round(value: f64) -> i64 {
    value.round() as i64
}

/// What a distribution comes to, in ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "each name says it")]
pub struct Summary {
    pub min: i64,
    pub mean: i64,
    pub p50: i64,
    pub p90: i64,
    pub p99: i64,
    pub max: i64,
}

/// The slope of values over time, by least squares as they come (Welford's recurrences, so that nothing
/// cancels).
#[derive(Debug, Default)]
pub(crate) struct Drift {
    first: Option<(i64, i64)>,
    count: f64,
    mean_time: f64,
    mean_value: f64,
    time_square: f64,
    product: f64,
}

impl Drift {
    /// Adds a value at a time, both in ns.
    #[allow(clippy::cast_precision_loss, reason = "differences from the first are small")]
    pub(crate) fn add(&mut self, time: i64, value: i64) {
        let (first_time, first_value) = *self.first.get_or_insert((time, value));
        let time = time.saturating_sub(first_time) as f64;
        let value = value.saturating_sub(first_value) as f64;
        self.count += 1.0;
        let from_mean_time = time - self.mean_time;
        self.mean_time += from_mean_time / self.count;
        self.mean_value += (value - self.mean_value) / self.count;
        self.time_square += from_mean_time * (time - self.mean_time);
        self.product += from_mean_time * (value - self.mean_value);
    }

    /// The slope in parts per million; `None` while there is none.
    pub(crate) fn ppm(&self) -> Option<f64> {
        (self.time_square > 0.0).then(|| self.product / self.time_square * 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn distribution(values: impl IntoIterator<Item = i64>) -> Distribution {
        let mut distribution = Distribution::default();
        values.into_iter().for_each(|value| distribution.add(value));
        distribution
    }

    #[test]
    fn nothing_has_no_summary() {
        assert_eq!(Distribution::default().summary(), None);
        assert_eq!(Distribution::default().extreme(), None);
        assert_eq!(Drift::default().ppm(), None);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        for shift in [0, -40 * MS, -100 * MS, -1000 * MS] {
            let summary = distribution((1..=100).map(|ms| ms * MS + shift))
                .summary()
                .unwrap();
            let near = |value: i64, ms: i64| (value - (ms * MS + shift)).abs() <= 100_000;
            assert_eq!((summary.min, summary.max), (MS + shift, 100 * MS + shift));
            assert_eq!(summary.mean, 50_500_000 + shift);
            assert!(near(summary.p50, 50), "{shift}: {summary:?}");
            assert!(near(summary.p90, 90), "{shift}: {summary:?}");
            assert!(near(summary.p99, 99), "{shift}: {summary:?}");
        }
    }

    #[test]
    fn one_value_is_all_of_them() {
        for value in [0, 1, -1, 1_000_000_007, -1_000_000_007, i64::MAX, i64::MIN + 1] {
            let summary = distribution([value]).summary().unwrap();
            assert_eq!((summary.min, summary.max), (value, value));
            assert_eq!([summary.p50, summary.p99], [value; 2]);
        }
    }

    #[test]
    fn the_extreme_is_by_magnitude() {
        assert_eq!(distribution([3, -7, 5]).extreme(), Some(-7));
        assert_eq!(distribution([3, -4, 5]).extreme(), Some(5));
    }

    #[test]
    fn drift_is_the_slope() {
        let mut drift = Drift::default();
        let start = 1_767_225_600_000_000_000;
        for frame in 0..1000_i64 {
            // 40 ms a frame, 50 ppm of it, and a noise that has no slope.
            let noise = if frame % 2 == 0 { 30_000 } else { -30_000 };
            drift.add(start + frame * 40 * MS, -5 * MS + frame * 2_000 + noise);
        }
        let ppm = drift.ppm().unwrap();
        assert!((ppm - 50.0).abs() < 0.1, "{ppm}");
    }

    #[test]
    fn one_moment_has_no_slope() {
        let mut drift = Drift::default();
        drift.add(5, 1);
        drift.add(5, 9);
        assert_eq!(drift.ppm(), None);
    }
}

//! Values of a long measurement in bounded memory.

use crate::figures::{Disagreement, Distribution};

/// How many items are kept at most: what more come are thinned out evenly.
const KEPT: usize = 200_000;
const NS_PER_MS: f64 = 1e6;

/// Items in the order in which they came. A long row is thinned out evenly: of each 2, then of each 4, … one stays.
#[derive(Debug, Clone)]
pub(crate) struct Thinned<T> {
    kept: Vec<T>,
    /// One of so many items is kept.
    stride: u64,
    seen: u64,
    capacity: usize,
}

impl<T> Default for Thinned<T> {
    fn default() -> Self {
        Self::with_capacity(KEPT)
    }
}

impl<T> Thinned<T> {
    fn with_capacity(capacity: usize) -> Self {
        Self {
            kept: Vec::new(),
            stride: 1,
            seen: 0,
            capacity: capacity.max(2),
        }
    }

    pub(crate) fn push(&mut self, item: T) {
        let due = self.seen.is_multiple_of(self.stride);
        self.seen += 1;
        if !due {
            return;
        }
        if self.kept.len() >= self.capacity {
            self.thin_out();
            if !(self.seen - 1).is_multiple_of(self.stride) {
                return;
            }
        }
        self.kept.push(item);
    }

    fn thin_out(&mut self) {
        let mut index = 0_usize;
        self.kept.retain(|_| {
            index += 1;
            index % 2 == 1
        });
        self.stride *= 2;
    }

    pub(crate) fn kept(&self) -> &[T] {
        &self.kept
    }

    pub(crate) fn into_kept(self) -> Vec<T> {
        self.kept
    }
}

/// Durations or differences in ns: count, mean and extremes of all, percentiles of those that are kept.
#[derive(Debug, Clone, Default)]
pub(crate) struct Values {
    count: u64,
    sum: i128,
    extremes: Option<(i64, i64)>,
    kept: Thinned<i64>,
}

impl Values {
    pub(crate) fn push(&mut self, value: i64) {
        self.count += 1;
        self.sum += i128::from(value);
        let (min, max) = self.extremes.unwrap_or((value, value));
        self.extremes = Some((min.min(value), max.max(value)));
        self.kept.push(value);
    }

    /// The same with the other sign.
    pub(crate) fn negated(&self) -> Self {
        let mut negated = self.clone();
        negated.sum = -self.sum;
        negated.extremes = self.extremes.map(|(min, max)| (-max, -min));
        for value in &mut negated.kept.kept {
            *value = -*value;
        }
        negated
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The least and the greatest of all (ns).
    pub(crate) fn extremes(&self) -> Option<(i64, i64)> {
        self.extremes
    }

    /// The value below or at which `percent` of all are (ns), by nearest rank.
    pub(crate) fn percentile(&self, percent: u32) -> Option<i64> {
        ranks(&self.sorted(), [percent]).map(|[value]| value)
    }

    /// The value farthest from zero (ns).
    pub(crate) fn farthest(&self) -> Option<i64> {
        let (min, max) = self.extremes?;
        Some(if min.unsigned_abs() > max.unsigned_abs() {
            min
        } else {
            max
        })
    }

    /// Takes what another one has kept.
    pub(crate) fn append(&mut self, other: &Self) {
        for value in other.kept.kept() {
            self.push(*value);
        }
    }

    /// In ms.
    #[expect(
        clippy::cast_precision_loss,
        reason = "ns of a stream's delays are far below 2^53"
    )]
    pub(crate) fn distribution(&self) -> Option<Distribution> {
        let (min, max) = self.extremes?;
        let [p50, p90, p99] = ranks(&self.sorted(), [50, 90, 99])?;
        Some(Distribution {
            count: self.count,
            min: ms(min),
            mean: self.sum as f64 / self.count as f64 / NS_PER_MS,
            p50: ms(p50),
            p90: ms(p90),
            p99: ms(p99),
            max: ms(max),
        })
    }

    pub(crate) fn disagreement(&self) -> Option<Disagreement> {
        Some(Disagreement {
            count: self.count,
            median_us: self.percentile(50)? / 1000,
            max_us: self.farthest()? / 1000,
        })
    }

    fn sorted(&self) -> Vec<i64> {
        let mut sorted = self.kept.kept().to_vec();
        sorted.sort_unstable();
        sorted
    }
}

fn ranks<const N: usize>(sorted: &[i64], percents: [u32; N]) -> Option<[i64; N]> {
    let last = sorted.len().checked_sub(1)?;
    let rank = |percent: u32| (sorted.len() * percent as usize).div_ceil(100).saturating_sub(1);
    Some(percents.map(|percent| sorted[rank(percent).min(last)]))
}

/// ns to ms.
#[expect(
    clippy::cast_precision_loss,
    reason = "ns of a stream's delays are far below 2^53"
)]
pub(crate) fn ms(ns: i64) -> f64 {
    ns as f64 / NS_PER_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let mut values = Values::default();
        for value in (1..=100).rev() {
            values.push(value * MS);
        }
        let expected = Distribution {
            count: 100,
            min: 1.0,
            mean: 50.5,
            p50: 50.0,
            p90: 90.0,
            p99: 99.0,
            max: 100.0,
        };
        assert_eq!(values.distribution(), Some(expected));
        assert_eq!(Values::default().distribution(), None);
    }

    #[test]
    fn a_disagreement_is_the_median_and_what_is_farthest_from_zero() {
        let mut values = Values::default();
        for value in [-9_000, 1_000, 2_000, 3_000, 8_000] {
            values.push(value);
        }
        let expected = Disagreement {
            count: 5,
            median_us: 2,
            max_us: -9,
        };
        assert_eq!(values.disagreement(), Some(expected));
    }

    #[test]
    fn a_long_row_is_thinned_out_evenly() {
        let mut row = Thinned::with_capacity(8);
        for item in 0..100 {
            row.push(item);
        }
        assert_eq!(row.kept(), [0, 16, 32, 48, 64, 80, 96]);
    }
}

//! Whether a delay grows or shrinks: clocks that run apart, or a buffer that fills.
//!
//! Delays are disturbed to one side only: whatever holds a picture up makes it late, and a busy machine holds up many in a
//! row. So only the least delay of each second counts, which the least has held up.
//!
//! What is left of the disturbances is neither independent nor of any known distribution, so that no standard error can be
//! told of it. Instead the drift is estimated eight times over, by parts of the measurement that have nothing in common:
//! each of them is too high or too low by chance, and that all eight are so is one chance in 128. From the least to the
//! greatest of them is thus a 99 % interval, whatever the noise. It is made twice, by differences over half of the
//! measurement and over a quarter: a step in between moves the one and not the other. Where both contradict each other,
//! the delay does not change evenly, and there is no drift to tell.

use crate::figures::Estimate;

/// The time of which only the least delay counts at first, in ns.
const BLOCK: i64 = 1_000_000_000;
/// When there are more blocks, each two become one.
const MOST_BLOCKS: usize = 4_096;
/// How many times the drift is estimated: two halves to the eighth power is less than one in a hundred, twice.
const PARTS: usize = 8;
/// What each part has two blocks of.
const LEAST_BLOCKS: usize = 2 * PARTS;
/// One picture in so many may be repeated: of more, the delay is that of the repeating, which comes in steps.
const MOST_REPEATED: u64 = 10;
/// An interval that is wider says nothing of clocks (ppm) ...
const MOST_UNCERTAIN: f64 = 1_000.0;
/// ... unless the drift is so many times as large.
const CERTAIN: f64 = 10.0;
/// The 99 % quantile of the normal distribution, to both sides.
const NORMAL_99: f64 = 2.576;

/// The least delay of a block of time, in ns.
#[derive(Debug, Clone, Copy)]
struct Point {
    block: i64,
    time: i64,
    delay: i64,
}

/// Delays over time.
#[derive(Debug)]
pub(crate) struct Drift {
    /// The time and the delay of the first picture: differences from it stay exact.
    first: Option<(i64, i64)>,
    /// The length of a block, in ns.
    block: i64,
    points: Vec<Point>,
    pictures: u64,
    repeated: u64,
}

impl Default for Drift {
    fn default() -> Self {
        Self {
            first: None,
            block: BLOCK,
            points: Vec::new(),
            pictures: 0,
            repeated: 0,
        }
    }
}

impl Drift {
    /// Takes the delay of a picture at a time, both in ns.
    pub(crate) fn push(&mut self, time: i64, delay: i64) {
        self.pictures += 1;
        let (first_time, first_delay) = *self.first.get_or_insert((time, delay));
        let time = time.saturating_sub(first_time);
        let delay = delay.saturating_sub(first_delay);
        let block = time.div_euclid(self.block);
        self.note(Point { block, time, delay });
        if self.points.len() > MOST_BLOCKS {
            self.thin_out();
        }
    }

    /// Takes note that a picture was shown once more.
    pub(crate) fn repeat(&mut self) {
        self.repeated += 1;
    }

    fn note(&mut self, point: Point) {
        match self.points.last_mut().filter(|last| last.block >= point.block) {
            Some(last) if last.delay > point.delay => *last = point,
            Some(_) => {}
            None => self.points.push(point),
        }
    }

    fn thin_out(&mut self) {
        self.block = self.block.saturating_mul(2);
        for point in std::mem::take(&mut self.points) {
            let block = point.time.div_euclid(self.block);
            self.note(Point { block, ..point });
        }
    }

    /// The drift in parts per million, with the uncertainty that has the truth within it 99 times in 100. `None` too soon,
    /// and where the delay does not change evenly.
    pub(crate) fn ppm(&self) -> Option<Estimate> {
        // The last block is not over.
        let (_, points) = self.points.split_last()?;
        if points.len() < LEAST_BLOCKS || self.repeated.saturating_mul(MOST_REPEATED) > self.pictures {
            return None;
        }
        let long = Interval::of(&slopes(points, PARTS));
        let (first, second) = points.split_at(points.len() / 2);
        let short = [first, second].map(|half| slopes(half, PARTS / 2)).concat();
        let estimate = long.united(&Interval::of(&short))?.estimate();
        let is_told = estimate.uncertainty < MOST_UNCERTAIN.max(estimate.value.abs() / CERTAIN);
        is_told.then_some(estimate)
    }
}

/// Estimates of the slope of `points` in ppm, each by another part of them: by differences between points of its first half
/// and those as far on in the second one.
fn slopes(points: &[Point], parts: usize) -> Vec<f64> {
    let half = points.len() / 2;
    let pairs: Vec<f64> = std::iter::zip(points, &points[half..])
        .take(half)
        .map(|(one, other)| slope((one.time, one.delay), (other.time, other.delay)))
        .collect();
    (0..parts)
        .map(|part| median(pairs[half * part / parts..half * (part + 1) / parts].to_vec()))
        .collect()
}

/// In ppm.
#[expect(
    clippy::cast_precision_loss,
    reason = "differences of a measurement's times are below 2^53 ns"
)]
fn slope(one: (i64, i64), other: (i64, i64)) -> f64 {
    other.1.saturating_sub(one.1) as f64 / other.0.saturating_sub(one.0) as f64 * 1e6
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let below = middle.saturating_sub(usize::from(values.len().is_multiple_of(2)));
    let at = |index: usize| values.get(index).copied().unwrap_or(f64::NAN);
    f64::midpoint(at(below), at(middle))
}

/// Where the truth is, and the best guess.
#[derive(Debug, Clone, Copy)]
struct Interval {
    from: f64,
    guess: f64,
    to: f64,
}

impl Interval {
    /// From the least of independent estimates to the greatest.
    fn of(estimates: &[f64]) -> Self {
        Self {
            from: estimates.iter().copied().fold(f64::INFINITY, f64::min),
            guess: median(estimates.to_vec()),
            to: estimates.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }

    /// All that is in either; `None` where they have nothing in common.
    fn united(self, other: &Self) -> Option<Self> {
        (self.from <= other.to && other.from <= self.to).then_some(Self {
            from: self.from.min(other.from),
            to: self.to.max(other.to),
            ..self
        })
    }

    fn estimate(self) -> Estimate {
        Estimate {
            value: self.guess,
            uncertainty: (self.to - self.guess).max(self.guess - self.from),
        }
    }
}

/// How an offset that is measured now and then changes over time, in ppm, with the uncertainty that has the truth within it
/// 99 times in 100: the median of the slopes between any two of the `points` of time and offset (ns), and those as far from
/// it as chance may be (Sen 1968). `None` where these are too few.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a few hundred points"
)]
pub(crate) fn of_offsets(points: &[(i64, i64)]) -> Option<Estimate> {
    /// All pairs of them are held against each other.
    const MOST: usize = 300;
    let stride = points.len().div_ceil(MOST).max(1);
    let points: Vec<(i64, i64)> = points.iter().copied().step_by(stride).collect();
    let pairs = points.iter().enumerate().flat_map(|(at, one)| {
        let later = points[at + 1..].iter().filter(|other| other.0 > one.0);
        later.map(|other| slope(*one, *other))
    });
    let mut slopes: Vec<f64> = pairs.collect();
    slopes.sort_by(f64::total_cmp);
    let count = points.len() as f64;
    // The standard deviation of Kendall's statistic.
    let deviation = (count * (count - 1.0) * (2.0 * count + 5.0) / 18.0).sqrt();
    let beyond = (slopes.len() as f64 - NORMAL_99 * deviation) / 2.0;
    let beyond = (beyond >= 0.0).then_some(beyond.floor() as usize)?;
    let interval = Interval {
        from: *slopes.get(beyond)?,
        guess: median(slopes.clone()),
        to: *slopes.get(slopes.len().checked_sub(beyond + 1)?)?,
    };
    Some(interval.estimate())
}

#[cfg(test)]
mod tests;

//! Whether a delay grows or shrinks: clocks that run apart, or a buffer that fills.
//!
//! Delays are disturbed to one side only: whatever holds a picture up makes it late, and a busy machine holds up many in a
//! row. So the line goes through the least delay of each second, which nothing has held up.

use crate::figures::Estimate;

/// The time of which only the least delay counts, in ns.
const BLOCK: i64 = 1_000_000_000;
/// With fewer points a line says more about jitter than about clocks.
const LEAST_POINTS: f64 = 5.0;
/// A slope of fewer standard errors is not told from none.
const SIGNIFICANT: f64 = 3.0;

/// A straight line through delays over time, by least squares.
#[derive(Debug, Default)]
pub(crate) struct Drift {
    /// Time and delay of the first picture (ns): sums of differences from it stay exact enough.
    first: Option<(i64, i64)>,
    /// The second that is going on: which one it is, and the time and the delay of its quickest picture.
    block: Option<(i64, i64, i64)>,
    count: f64,
    sums: [f64; 2],
    /// Of time and itself, time and delay, delay and itself.
    products: [f64; 3],
}

impl Drift {
    /// Takes the delay of a picture at a time, both in ns.
    pub(crate) fn push(&mut self, time: i64, delay: i64) {
        let (first_time, first_delay) = *self.first.get_or_insert((time, delay));
        let time = time.saturating_sub(first_time);
        let delay = delay.saturating_sub(first_delay);
        let number = time.div_euclid(BLOCK);
        self.block = match self.block {
            Some((current, at, least)) if current == number => {
                let quickest = if delay < least { (time, delay) } else { (at, least) };
                Some((current, quickest.0, quickest.1))
            }
            before => {
                if let Some((_, time, delay)) = before {
                    self.point(time, delay);
                }
                Some((number, time, delay))
            }
        };
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "differences of a measurement's times are below 2^53 ns"
    )]
    fn point(&mut self, time: i64, delay: i64) {
        let (time, delay) = (time as f64, delay as f64);
        self.count += 1.0;
        self.sums[0] += time;
        self.sums[1] += delay;
        self.products[0] += time * time;
        self.products[1] += time * delay;
        self.products[2] += delay * delay;
    }

    /// In parts per million, with two standard errors. `None` where it cannot be told from none, or too soon.
    pub(crate) fn ppm(&self) -> Option<Estimate> {
        let [of_times, of_both, of_delays] = [
            self.products[0] - self.sums[0] * self.sums[0] / self.count,
            self.products[1] - self.sums[0] * self.sums[1] / self.count,
            self.products[2] - self.sums[1] * self.sums[1] / self.count,
        ];
        if self.count < LEAST_POINTS || of_times <= 0.0 {
            return None;
        }
        let slope = of_both / of_times;
        let unexplained = (of_delays - slope * of_both).max(0.0);
        let standard_error = (unexplained / (self.count - 2.0) / of_times).sqrt();
        (slope.abs() >= SIGNIFICANT * standard_error).then_some(Estimate {
            value: slope * 1e6,
            uncertainty: 2.0 * standard_error * 1e6,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;
    const MS: i64 = 1_000_000;

    /// What comes of `seconds` seconds at 25 pictures each, with the delay of each picture in ns.
    fn drift(seconds: i64, delay: impl Fn(i64) -> i64) -> Option<Estimate> {
        let mut drift = Drift::default();
        for picture in 0..seconds * 25 {
            drift.push(picture * 40 * MS, delay(picture));
        }
        drift.ppm()
    }

    #[test]
    fn a_delay_that_grows_is_drift() {
        // 50 µs each second, beside an alternating ms.
        let ppm = drift(100, |picture| picture * 2_000 + (picture / 25 % 2) * MS).expect("100 s");
        assert!((ppm.value - 50.0).abs() < 2.0, "{ppm:?}");
        // Half a ms about the line, spread over 100 s: 2 * 0.5 / (28.9 s * 10).
        assert!((ppm.uncertainty - 3.5).abs() < 0.2, "{ppm:?}");
    }

    #[test]
    fn what_holds_pictures_up_is_no_drift() {
        // The second half of the measurement has a busy machine: most pictures are late, by whole runs of them.
        let ppm = drift(20, |picture| {
            let is_held = picture > 250 && picture % 25 != 7;
            i64::from(is_held) * 8 * MS + picture * 37 % 11 * 1_000
        });
        assert!(ppm.is_none_or(|ppm| ppm.value.abs() < 1.0), "{ppm:?}");
    }

    #[test]
    fn what_may_be_noise_is_no_drift() {
        assert_eq!(drift(100, |picture| picture * 80 + (picture / 25 % 2) * MS), None);
    }

    #[test]
    fn a_few_seconds_say_nothing() {
        assert_eq!(drift(5, |picture| picture * MS), None);
        let mut none = Drift::default();
        assert_eq!(none.ppm(), None);
        none.push(SECOND, MS);
        assert_eq!(none.ppm(), None);
    }
}

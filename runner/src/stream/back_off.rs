//! How long to wait before what has failed is tried again.

use std::time::{Duration, Instant};

/// The second failure in a row waits this long, each further one twice as long as the one before…
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// …up to this.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// Failures that are farther apart have nothing to do with each other.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(1);

/// Failures in a row. After the first one there is nothing to wait for.
#[derive(Debug, Default)]
pub(crate) struct BackOff {
    failures: u32,
    latest: Option<Instant>,
}

impl BackOff {
    /// Notes a failure at `now`.
    pub(crate) fn fail(&mut self, now: Instant) {
        let is_forgotten = self.latest.is_none_or(|latest| now - latest > FORGOTTEN_AFTER);
        self.failures = if is_forgotten {
            1
        } else {
            self.failures.saturating_add(1)
        };
        self.latest = Some(now);
    }

    /// How long there is to wait after the latest failure.
    #[must_use]
    pub(crate) fn wait(&self) -> Duration {
        self.failures.checked_sub(2).map_or(Duration::ZERO, |doublings| {
            let wait = FIRST_WAIT.saturating_mul(1 << doublings.min(16));
            wait.min(LONGEST_WAIT)
        })
    }

    /// How much of that is left at `now`.
    #[must_use]
    pub(crate) fn remaining(&self, now: Instant) -> Duration {
        let end = self.latest.map(|latest| latest + self.wait());
        end.map_or(Duration::ZERO, |end| end.saturating_duration_since(now))
    }

    /// Whether another attempt may be made at `now`.
    #[must_use]
    pub(crate) fn is_over(&self, now: Instant) -> bool {
        self.remaining(now).is_zero()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_in_a_row_waits_longer_than_the_one_before() {
        let now = Instant::now();
        let mut back_off = BackOff::default();
        assert!(back_off.is_over(now));
        let waits = [0, 1, 2, 4, 8, 16, 30, 30].map(Duration::from_secs);
        for wait in waits {
            back_off.fail(now);
            assert_eq!(back_off.remaining(now), wait);
            assert!(back_off.is_over(now + wait));
        }
        back_off.fail(now + Duration::from_secs(61));
        assert!(back_off.is_over(now + Duration::from_secs(61)));
    }
}

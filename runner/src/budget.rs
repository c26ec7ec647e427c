//! How often something may happen.

use std::time::{Duration, Instant};

/// Lets something happen a number of times in a row, and then once in each interval.
#[derive(Debug)]
pub(crate) struct Budget {
    interval: Duration,
    /// How far ahead of its pace the thing may get.
    ahead: Duration,
    /// When the thing would happen next if it kept its pace.
    next: Option<Instant>,
}

impl Budget {
    /// Lets it happen `in_a_row` times at once, and then once in each `interval`.
    #[must_use]
    pub(crate) fn new(in_a_row: u32, interval: Duration) -> Self {
        Self {
            interval,
            ahead: interval * in_a_row.saturating_sub(1),
            next: None,
        }
    }

    /// Whether it may happen `now`; if so, it counts as having happened.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        let next = self.next.map_or(now, |next| next.max(now));
        let may = next.saturating_duration_since(now) <= self.ahead;
        if may {
            self.next = Some(next + self.interval);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_come_in_a_row_and_then_one_in_each_interval() {
        let mut budget = Budget::new(3, Duration::from_millis(100));
        let start = Instant::now();
        let mut takes = |milliseconds| budget.take(start + Duration::from_millis(milliseconds));
        assert_eq!([0, 0, 0, 0, 99].map(&mut takes), [true, true, true, false, false]);
        assert_eq!([100, 150, 200].map(&mut takes), [true, false, true]);
        // Whoever was quiet may come in a row again.
        assert_eq!([900, 900, 900, 900].map(&mut takes), [true, true, true, false]);
    }
}

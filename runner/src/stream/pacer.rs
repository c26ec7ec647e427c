//! How often something may be asked for.

use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Spaces requests: at most one in each interval, and the ones that come too early are put off together to the
/// interval's end, never lost.
#[derive(Debug)]
pub(crate) struct Pacer {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    latest: Option<Instant>,
    waiting: bool,
}

/// When to act upon a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    /// At once.
    Now,
    /// After this time; then call [`Pacer::done`].
    After(Duration),
    /// Never: one that waits already covers it.
    Covered,
}

impl Pacer {
    /// A pacer that grants one request in each `interval` at most.
    #[must_use]
    pub(crate) fn new(interval: Duration) -> Self {
        Self {
            interval,
            state: Mutex::default(),
        }
    }

    /// Answers when to act upon a request that comes at `now`.
    #[must_use]
    pub(crate) fn ask(&self, now: Instant) -> When {
        let mut state = self.state.lock();
        if state.waiting {
            return When::Covered;
        }
        let remaining = state
            .latest
            .and_then(|latest| (latest + self.interval).checked_duration_since(now));
        match remaining {
            Some(remaining) if !remaining.is_zero() => {
                state.waiting = true;
                When::After(remaining)
            }
            _ => {
                state.latest = Some(now);
                When::Now
            }
        }
    }

    /// Notes that the request which had been put off is acted upon at `now`.
    pub(crate) fn done(&self, now: Instant) {
        *self.state.lock() = State {
            latest: Some(now),
            waiting: false,
        };
    }

    /// Forgets when a request was last acted upon, unless one has been put off.
    pub(crate) fn forget(&self) {
        self.state.lock().latest = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn early_requests_are_put_off_together() {
        let pacer = Pacer::new(Duration::from_millis(250));
        let start = Instant::now();
        assert_eq!(pacer.ask(start), When::Now);
        assert_eq!(
            pacer.ask(start + Duration::from_millis(100)),
            When::After(Duration::from_millis(150))
        );
        assert_eq!(pacer.ask(start + Duration::from_millis(200)), When::Covered);
        pacer.done(start + Duration::from_millis(250));
        assert_eq!(
            pacer.ask(start + Duration::from_millis(300)),
            When::After(Duration::from_millis(200))
        );
        pacer.done(start + Duration::from_millis(500));
        assert_eq!(pacer.ask(start + Duration::from_millis(750)), When::Now);
    }
}

//! How often the same thing is told at most.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Lets each place speak once in an interval, and counts what it held back.
///
/// The count comes with the next message that the place may tell.
#[derive(Debug)]
pub(crate) struct Repeats {
    interval: Duration,
    /// How many places are remembered: beyond that a new one stays silent until another's interval is over.
    capacity: usize,
    places: Mutex<HashMap<String, LastMessage>>,
}

#[derive(Debug)]
struct LastMessage {
    at: Instant,
    held_back: u64,
}

impl Repeats {
    pub(crate) fn new(interval: Duration, capacity: usize) -> Self {
        Self {
            interval,
            capacity,
            places: Mutex::default(),
        }
    }

    /// Whether `place` may speak `now`, and if so how many of its messages were held back before.
    pub(crate) fn may_tell(&self, place: &str, now: Instant) -> Option<u64> {
        let mut places = self.places.lock();
        let is_due = |last: &LastMessage| now.saturating_duration_since(last.at) >= self.interval;
        if let Some(last) = places.get_mut(place) {
            if !is_due(last) {
                last.held_back += 1;
                return None;
            }
            last.at = now;
            return Some(std::mem::take(&mut last.held_back));
        }
        if places.len() >= self.capacity {
            places.retain(|_, last| !is_due(last));
        }
        if places.len() >= self.capacity {
            return None;
        }
        let last = LastMessage {
            at: now,
            held_back: 0,
        };
        places.insert(place.to_owned(), last);
        Some(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);

    #[test]
    fn a_place_speaks_once_in_an_interval_and_then_says_what_was_held_back() {
        let repeats = Repeats::new(INTERVAL, 2);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(repeats.may_tell("a", start), Some(0));
        assert_eq!(repeats.may_tell("a", after(1)), None);
        assert_eq!(repeats.may_tell("a", after(9)), None);
        assert_eq!(repeats.may_tell("a", after(10)), Some(2));
        assert_eq!(repeats.may_tell("a", after(19)), None);
        assert_eq!(repeats.may_tell("a", after(30)), Some(1));
        assert_eq!(repeats.may_tell("a", after(40)), Some(0));
    }

    #[test]
    fn places_do_not_hold_each_other_back() {
        let repeats = Repeats::new(INTERVAL, 2);
        let now = Instant::now();
        assert_eq!(repeats.may_tell("a", now), Some(0));
        assert_eq!(repeats.may_tell("b", now), Some(0));
    }

    #[test]
    fn places_without_end_take_no_memory_without_end() {
        let repeats = Repeats::new(INTERVAL, 2);
        let start = Instant::now();
        assert_eq!(repeats.may_tell("a", start), Some(0));
        assert_eq!(repeats.may_tell("b", start), Some(0));
        assert_eq!(repeats.may_tell("c", start), None);
        assert_eq!(repeats.may_tell("c", start + INTERVAL), Some(0));
        assert_eq!(repeats.places.lock().len(), 1);
    }
}

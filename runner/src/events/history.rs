//! The latest events, for those who come later or do not keep up.

use std::{
    collections::VecDeque,
    sync::{Arc, atomic::Ordering},
};

use tokio::sync::watch;

use super::{Event, Events};

/// How many events are kept at most.
const LENGTH: usize = 1000;
/// How many bytes they may have, beside the latest one: another configuration of many streams is an event of megabytes.
const MOST_BYTES: usize = 8 * 1024 * 1024;

/// The latest events, one number after the other.
#[derive(Debug)]
pub(super) struct History {
    latest: VecDeque<Kept>,
    /// How many bytes all of them have.
    bytes: usize,
    /// The number of the latest one.
    number: watch::Sender<u64>,
}

/// An event that is kept.
#[derive(Debug)]
struct Kept {
    event: Arc<Event>,
    /// How many bytes it has.
    size: usize,
}

impl Default for History {
    fn default() -> Self {
        Self {
            latest: VecDeque::new(),
            bytes: 0,
            number: watch::Sender::new(0),
        }
    }
}

impl History {
    /// Keeps `event`, which has so many bytes, in the place of old ones, and wakes those who wait for it.
    pub(super) fn keep(&mut self, event: Arc<Event>, size: usize) {
        let number = event.number;
        while self.latest.len() >= LENGTH || self.bytes > MOST_BYTES.saturating_sub(size) {
            let Some(oldest) = self.latest.pop_front() else {
                break;
            };
            self.bytes -= oldest.size;
        }
        self.bytes += size;
        self.latest.push_back(Kept { event, size });
        self.number.send_replace(number);
    }

    /// The event of that number, or the first one behind it that is still here.
    fn from(&self, number: u64) -> Option<&Arc<Event>> {
        let first = self.latest.front()?.event.number;
        let index = usize::try_from(number.saturating_sub(first)).ok()?;
        self.latest.get(index).map(|kept| &kept.event)
    }
}

/// Somebody who goes through the events one by one, at their own pace.
#[derive(Debug)]
pub(crate) struct Follower {
    events: Arc<Events>,
    /// The number of the event that is next.
    next: u64,
    latest: watch::Receiver<u64>,
}

/// What somebody who follows comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    /// The next event.
    Event(Arc<Event>),
    /// Events that are not here any more: somebody has not kept up.
    Gap(Gap),
}

/// Events that are not here any more, one number after the other. Whose they were is not known either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    /// How many they are.
    pub(crate) length: u64,
    /// The number of the last one; the event behind it comes next.
    pub(crate) last: u64,
}

impl Events {
    /// Follows the events from now on; with `after`, from behind the event of that number on.
    pub(crate) fn follow(self: &Arc<Self>, after: Option<u64>) -> Follower {
        let state = self.state.lock();
        // A number that has not been told yet is another server's.
        let after = match after {
            Some(after) if after > state.number => 0,
            Some(after) => after,
            None => state.number,
        };
        Follower {
            events: Arc::clone(self),
            next: after + 1,
            latest: state.history.number.subscribe(),
        }
    }
}

impl Follower {
    /// The next event, once it is there. Whoever stops to wait for it, and waits again, misses none for that.
    pub(crate) async fn next(&mut self) -> Entry {
        loop {
            let next = self.next;
            // Who tells holds the other end as long as this is held.
            let _latest = self.latest.wait_for(|latest| *latest >= next).await.map(drop);
            if let Some(entry) = self.entry() {
                return entry;
            }
        }
    }

    /// What comes next, where something does.
    fn entry(&mut self) -> Option<Entry> {
        let event = self.events.state.lock().history.from(self.next).cloned()?;
        if event.number == self.next {
            self.next += 1;
            return Some(Entry::Event(event));
        }
        let length = event.number - self.next;
        self.next = event.number;
        let last = event.number - 1;
        self.events.missed.fetch_add(length, Ordering::Relaxed);
        Some(Entry::Gap(Gap { length, last }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        events::{Differences, Happening, tests::skipped},
        stream_id::StreamId,
    };

    fn numbers(follower: &mut Follower, count: usize) -> Vec<Result<u64, (u64, u64)>> {
        let next = || match futures_executor::block_on(follower.next()) {
            Entry::Event(event) => Ok(event.number),
            Entry::Gap(Gap { length, last }) => Err((length, last)),
        };
        std::iter::repeat_with(next).take(count).collect()
    }

    #[test]
    fn who_follows_goes_on_where_they_were() {
        let events = Arc::new(Events::default());
        let mut first = events.follow(None);
        (1..=3).for_each(|number| events.tell(skipped(number)));
        assert_eq!(numbers(&mut first, 3), [Ok(1), Ok(2), Ok(3)]);
        assert_eq!(numbers(&mut events.follow(Some(1)), 2), [Ok(2), Ok(3)]);
        let mut late = events.follow(None);
        events.tell(skipped(4));
        assert_eq!(numbers(&mut late, 1), [Ok(4)]);
        assert_eq!(numbers(&mut first, 1), [Ok(4)]);
        assert_eq!(
            numbers(&mut events.follow(Some(77)), 1),
            [Ok(1)],
            "another server's"
        );
    }

    #[test]
    fn who_does_not_keep_up_learns_how_many_are_gone() {
        let events = Arc::new(Events::default());
        let mut slow = events.follow(None);
        (0..LENGTH as u64 + 5).for_each(|number| events.tell(skipped(number)));
        assert_eq!(numbers(&mut slow, 2), [Err((5, 5)), Ok(6)]);
        assert_eq!(numbers(&mut events.follow(Some(3)), 2), [Err((2, 5)), Ok(6)]);
        assert_eq!(events.state.lock().history.latest.len(), LENGTH);
        assert_eq!(events.missed(), 7);
    }

    #[test]
    fn large_events_are_not_kept_for_long() {
        let large = || {
            let ids = (0..1000).map(|number| StreamId::new(&format!("{number}{}", "x".repeat(196))));
            Happening::Reloaded {
                streams: Differences {
                    replaced: ids.collect(),
                    ..Differences::default()
                },
                needs_login: false,
                reload: None,
            }
        };
        let events = Arc::new(Events::default());
        let mut slow = events.follow(None);
        (0..100).for_each(|_| events.tell(large()));
        let kept = {
            let state = events.state.lock();
            let sizes = state.history.latest.iter().map(|kept| kept.size);
            assert_eq!(sizes.sum::<usize>(), state.history.bytes);
            assert!(state.history.bytes <= MOST_BYTES);
            state.history.latest.len() as u64
        };
        assert!((1..100).contains(&kept), "{kept}");
        let gone = 100 - kept;
        assert_eq!(numbers(&mut slow, 2), [Err((gone, gone)), Ok(gone + 1)]);
        (0..LENGTH).for_each(|_| events.tell(skipped(1)));
        assert!(events.state.lock().history.bytes < MOST_BYTES / 8);
    }

    #[test]
    fn the_latest_event_is_kept_however_large_it_is() {
        let mistakes = vec!["x".repeat(2 * MOST_BYTES)];
        let source = "a file".into();
        let events = Arc::new(Events::default());
        let mut follower = events.follow(None);
        events.tell(skipped(1));
        events.tell(Happening::ReloadRefused { source, mistakes });
        assert_eq!(numbers(&mut follower, 2), [Err((1, 1)), Ok(2)]);
        events.tell(skipped(1));
        assert_eq!(numbers(&mut follower, 1), [Ok(3)]);
        assert_eq!(events.state.lock().history.latest.len(), 1);
    }
}

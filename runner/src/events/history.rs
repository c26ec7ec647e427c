//! The latest events, for those who come later or do not keep up.

use std::{collections::VecDeque, sync::Arc};

use tokio::sync::watch;

use super::{Event, Events};

/// How many events are kept.
const LENGTH: usize = 1000;

/// The latest events, one number after the other.
#[derive(Debug)]
pub(super) struct History {
    latest: VecDeque<Arc<Event>>,
    /// The number of the latest one.
    told: watch::Sender<u64>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            latest: VecDeque::new(),
            told: watch::Sender::new(0),
        }
    }
}

impl History {
    /// Keeps `event`, and wakes those who wait for it.
    pub(super) fn keep(&mut self, event: Arc<Event>) {
        let number = event.number;
        if self.latest.len() == LENGTH {
            self.latest.pop_front();
        }
        self.latest.push_back(event);
        self.told.send_replace(number);
    }

    /// The event of that number, or the first one behind it that is still here.
    fn from(&self, number: u64) -> Option<&Arc<Event>> {
        let first = self.latest.front()?.number;
        let index = usize::try_from(number.saturating_sub(first)).ok()?;
        self.latest.get(index)
    }
}

/// Somebody who goes through the events one by one, at their own pace.
#[derive(Debug)]
pub(crate) struct Follower {
    events: Arc<Events>,
    /// The number of the event that is next.
    next: u64,
    told: watch::Receiver<u64>,
}

/// What somebody who follows comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Followed {
    /// The next event.
    Event(Arc<Event>),
    /// Somebody has not kept up: so many events are not here any more. Those behind them come next.
    Missed(u64),
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
            told: state.history.told.subscribe(),
        }
    }
}

impl Follower {
    /// The next event, once it is there.
    pub(crate) async fn next(&mut self) -> Followed {
        let next = self.next;
        // Who tells holds the other end as long as this is held.
        let _told = self.told.wait_for(|told| *told >= next).await.map(drop);
        let state = self.events.state.lock();
        match state.history.from(self.next) {
            Some(event) if event.number == self.next => {
                self.next += 1;
                Followed::Event(Arc::clone(event))
            }
            Some(event) => {
                let missed = event.number - self.next;
                self.next = event.number;
                Followed::Missed(missed)
            }
            // Nothing is kept any longer than what comes after it.
            None => Followed::Missed(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::skipped;
    use super::*;

    fn numbers(follower: &mut Follower, count: usize) -> Vec<Result<u64, u64>> {
        let next = || match futures_executor::block_on(follower.next()) {
            Followed::Event(event) => Ok(event.number),
            Followed::Missed(missed) => Err(missed),
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
        assert_eq!(numbers(&mut slow, 2), [Err(5), Ok(6)]);
        assert_eq!(numbers(&mut events.follow(Some(3)), 2), [Err(2), Ok(6)]);
        assert_eq!(events.state.lock().history.latest.len(), LENGTH);
    }
}

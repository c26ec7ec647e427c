//! How many viewers a server may have at all.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

/// The seats of a server: a viewer takes one for each stream that it plays.
#[derive(Debug)]
pub(crate) struct Seats {
    most: AtomicUsize,
    taken: AtomicUsize,
}

/// A seat that is taken; it is free again when this is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    of: Arc<Seats>,
}

impl Seats {
    /// A server with `most` seats; `None` for any number.
    #[must_use]
    pub(crate) fn new(most: Option<u32>) -> Self {
        let seats = Self {
            most: AtomicUsize::default(),
            taken: AtomicUsize::default(),
        };
        seats.limit(most);
        seats
    }

    /// Has `most` seats from now on. Those that are taken stay taken.
    pub(crate) fn limit(&self, most: Option<u32>) {
        let most = most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        self.most.store(most, Ordering::Relaxed);
    }

    /// How many seats there are.
    #[must_use]
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Whether a seat is free just now.
    #[must_use]
    pub(crate) fn has_one(&self) -> bool {
        self.taken.load(Ordering::Relaxed) < self.most()
    }

    /// Takes a seat, if one is free.
    #[must_use]
    pub(crate) fn take(self: &Arc<Self>) -> Option<Seat> {
        let one_more = |taken: usize| (taken < self.most()).then_some(taken + 1);
        let taken = self
            .taken
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        taken.ok().map(|_before| Seat { of: Arc::clone(self) })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.of.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seat_is_free_again_once_it_is_left() {
        let seats = Arc::new(Seats::new(Some(2)));
        let (first, second) = (seats.take(), seats.take());
        assert!(first.is_some() && second.is_some());
        assert!(!seats.has_one() && seats.take().is_none());
        drop(first);
        assert!(seats.has_one() && seats.take().is_some());
    }

    #[test]
    fn no_crowd_gets_more_seats_than_there_are() {
        let seats = Arc::new(Seats::new(Some(50)));
        let taken: usize = std::thread::scope(|scope| {
            let take = || (0..40).filter_map(|_| seats.take()).collect::<Vec<_>>();
            let crowd: Vec<_> = (0..8).map(|_| scope.spawn(take)).collect();
            let taken: Vec<_> = crowd
                .into_iter()
                .map(|one| one.join().expect("it takes seats"))
                .collect();
            taken.iter().map(Vec::len).sum()
        });
        assert_eq!(taken, 50);
    }
}

//! How many clients agree upon keys at the same time, and who is next.
//!
//! GLib agrees upon keys in threads that it shares among all, ten to begin with, and waits in each for the client: some
//! dozens who begin and then say nothing would keep all others waiting. So fewer begin at a time than it has threads, none
//! may take long, and some threads are always left for other addresses than the one from which most come.

use std::{net::IpAddr, time::Duration};

use gst::glib;
use gst_rtsp_server::gio::{self, prelude::*};
use parking_lot::{Condvar, Mutex};

use crate::timers;

/// How many agree upon keys at the same time: fewer than the threads that GLib has at once.
const AT_ONCE: usize = 8;
/// How many of these may come from one address.
const OF_AN_ADDRESS: usize = 4;
/// How long a client may take, once it has its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it waits for its turn.
const QUEUE_TIME: Duration = Duration::from_secs(10);

/// The handshakes of a server.
#[derive(Debug, Default)]
pub(in crate::server) struct Handshakes {
    queue: Mutex<Queue>,
    has_changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    /// Where those who have their turn come from.
    running: Vec<Option<IpAddr>>,
    /// Those who wait for their turn, by their tickets, in the order in which they came.
    waiting: Vec<(u64, Option<IpAddr>)>,
    tickets: u64,
    /// Nobody has a turn any more.
    is_over: bool,
}

impl Queue {
    /// The ticket whose turn it is.
    fn next(&self) -> Option<u64> {
        if self.running.len() >= AT_ONCE {
            return None;
        }
        let has_room = |peer| self.running.iter().filter(|running| **running == peer).count() < OF_AN_ADDRESS;
        let mut waiting = self.waiting.iter();
        waiting
            .find(|(_, peer)| has_room(*peer))
            .map(|(ticket, _)| *ticket)
    }
}

/// The right to agree upon keys.
struct Turn<'a> {
    of: &'a Handshakes,
    peer: Option<IpAddr>,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut queue = self.of.queue.lock();
        let place = queue.running.iter().position(|running| *running == self.peer);
        if let Some(place) = place {
            queue.running.swap_remove(place);
        }
        drop(queue);
        self.of.has_changed.notify_all();
    }
}

impl Handshakes {
    /// Has the server and the client of `tls`, who comes from `peer`, agree upon keys; waits for it. Time is measured in
    /// `context`.
    ///
    /// # Errors
    /// When they do not, or it takes too long.
    pub(in crate::server) fn agree(
        &self,
        tls: &gio::TlsConnection,
        peer: Option<IpAddr>,
        context: &glib::MainContext,
    ) -> Result<(), glib::Error> {
        let _turn = self
            .turn(peer, QUEUE_TIME)
            .ok_or_else(|| glib::Error::new(gio::IOErrorEnum::Busy, "too many agree upon keys"))?;
        let cancellable = gio::Cancellable::new();
        let timer = {
            let cancellable = cancellable.clone();
            timers::after(context, glib::Priority::DEFAULT, PATIENCE, move || {
                cancellable.cancel();
            })
        };
        let agreed = tls.handshake(Some(&cancellable));
        timer.destroy();
        agreed
    }

    fn turn(&self, peer: Option<IpAddr>, patience: Duration) -> Option<Turn<'_>> {
        let mut queue = self.queue.lock();
        queue.tickets += 1;
        let ticket = queue.tickets;
        queue.waiting.push((ticket, peer));
        let is_before_its_turn = |queue: &mut Queue| !queue.is_over && queue.next() != Some(ticket);
        self.has_changed
            .wait_while_for(&mut queue, is_before_its_turn, patience);
        let has_turn = !is_before_its_turn(&mut queue) && !queue.is_over;
        queue.waiting.retain(|(waiting, _)| *waiting != ticket);
        if has_turn {
            queue.running.push(peer);
        }
        drop(queue);
        // It may be another one's turn now.
        self.has_changed.notify_all();
        has_turn.then(|| Turn { of: self, peer })
    }

    /// Gives no turn any more: whoever waits for one is refused.
    pub(in crate::server) fn end(&self) {
        self.queue.lock().is_over = true;
        self.has_changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    const AT_ONE_MOMENT: Duration = Duration::ZERO;

    fn peer(number: u8) -> IpAddr {
        [192, 0, 2, number].into()
    }

    #[test]
    fn an_address_has_some_turns_and_all_have_no_more_than_there_are() {
        let handshakes = Handshakes::default();
        let turns = |number, count: usize| {
            let turn = |_| handshakes.turn(Some(peer(number)), AT_ONE_MOMENT);
            (0..count).filter_map(turn).collect::<Vec<_>>()
        };
        let first = turns(1, AT_ONCE);
        assert_eq!(first.len(), OF_AN_ADDRESS);
        let mut second = turns(2, AT_ONCE);
        assert_eq!(second.len(), AT_ONCE - OF_AN_ADDRESS);
        assert_eq!(turns(3, 1).len(), 0);
        second.pop();
        assert_eq!(turns(1, 1).len(), 0);
        assert_eq!(turns(3, 1).len(), 1);
    }

    #[test]
    fn who_waits_is_refused_at_the_end() {
        let handshakes = Handshakes::default();
        let turn = |_| handshakes.turn(Some(peer(1)), AT_ONE_MOMENT);
        let _turns: Vec<_> = (0..OF_AN_ADDRESS).filter_map(turn).collect();
        std::thread::scope(|scope| {
            let asked = Instant::now();
            let waiting = scope.spawn(|| handshakes.turn(Some(peer(1)), Duration::from_mins(1)).is_some());
            while handshakes.queue.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            handshakes.end();
            assert!(!waiting.join().expect("it has an answer"));
            assert!(asked.elapsed() < Duration::from_mins(1), "it had to wait");
        });
        assert!(handshakes.turn(Some(peer(2)), AT_ONE_MOMENT).is_none());
    }

    #[test]
    fn who_waits_has_a_turn_when_another_one_ends() {
        let handshakes = Handshakes::default();
        let turn = |_| handshakes.turn(Some(peer(1)), AT_ONE_MOMENT);
        let mut turns: Vec<_> = (0..OF_AN_ADDRESS).filter_map(turn).collect();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| handshakes.turn(Some(peer(1)), QUEUE_TIME).is_some());
            while handshakes.queue.lock().waiting.is_empty() {
                std::thread::yield_now();
            }
            turns.pop();
            assert!(waiting.join().expect("no panic"));
        });
    }
}

//! How many clients agree upon keys at the same time, and who is next.
//!
//! GLib agrees upon keys in threads that it shares among all, ten to begin with, and waits in each for the client. So no
//! more than it has threads may begin, and none may take long: some dozens of clients who begin and then say nothing would
//! keep all others waiting. Whoever came last goes first: where many stall, it is the one that is still there.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gst::glib;
use gst_rtsp_server::gio::{self, prelude::*};

/// Fewer than the threads that GLib has at once.
const AT_ONCE: usize = 8;
/// How long a client may take, once it has its turn.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long it waits for its turn.
const QUEUE_TIME: Duration = Duration::from_secs(10);

/// The handshakes of a server.
#[derive(Debug, Default)]
pub(super) struct Handshakes {
    queue: Mutex<Queue>,
    has_changed: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    running: usize,
    /// Tickets; the last one is next.
    waiting: Vec<u64>,
    tickets: u64,
}

/// The right to agree upon keys.
struct Turn<'a>(&'a Handshakes);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.has_changed.notify_all();
    }
}

impl Handshakes {
    /// Has the server and the client of `tls` agree upon keys; waits for it. Time is measured in `context`.
    ///
    /// # Errors
    /// When they do not, or it takes too long.
    pub(super) fn agree(
        &self,
        tls: &gio::TlsConnection,
        context: &glib::MainContext,
    ) -> Result<(), glib::Error> {
        let _turn = self
            .turn(QUEUE_TIME)
            .ok_or_else(|| glib::Error::new(gio::IOErrorEnum::Busy, "too many agree upon keys"))?;
        let cancellable = gio::Cancellable::new();
        let timer = {
            let cancellable = cancellable.clone();
            glib::timeout_source_new(PATIENCE, None, glib::Priority::DEFAULT, move || {
                cancellable.cancel();
                glib::ControlFlow::Break
            })
        };
        timer.attach(Some(context));
        let agreed = tls.handshake(Some(&cancellable));
        timer.destroy();
        agreed
    }

    fn turn(&self, patience: Duration) -> Option<Turn<'_>> {
        let mut queue = self.lock();
        queue.tickets += 1;
        let ticket = queue.tickets;
        queue.waiting.push(ticket);
        let is_before_its_turn =
            |queue: &mut Queue| queue.running >= AT_ONCE || queue.waiting.last() != Some(&ticket);
        let (mut queue, result) = self
            .has_changed
            .wait_timeout_while(queue, patience, is_before_its_turn)
            .unwrap_or_else(PoisonError::into_inner);
        queue.waiting.retain(|waiting| *waiting != ticket);
        if !result.timed_out() {
            queue.running += 1;
        }
        drop(queue);
        // There is another last one.
        self.has_changed.notify_all();
        (!result.timed_out()).then(|| Turn(self))
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT_ONE_MOMENT: Duration = Duration::ZERO;

    #[test]
    fn so_many_have_a_turn_and_the_next_one_when_one_of_them_ends() {
        let handshakes = Handshakes::default();
        let mut turns: Vec<_> = (0..AT_ONCE).map(|_| handshakes.turn(AT_ONE_MOMENT)).collect();
        assert!(turns.iter().all(Option::is_some));
        assert!(handshakes.turn(AT_ONE_MOMENT).is_none());
        turns.pop();
        assert!(handshakes.turn(AT_ONE_MOMENT).is_some());
    }

    #[test]
    fn who_came_last_goes_first() {
        let handshakes = Handshakes::default();
        let mut turns: Vec<_> = (0..AT_ONCE).map(|_| handshakes.turn(AT_ONE_MOMENT)).collect();
        let order = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for number in 1..=3 {
                let (handshakes, order) = (&handshakes, &order);
                scope.spawn(move || {
                    let turn = handshakes.turn(QUEUE_TIME);
                    order.lock().expect("no panic").push(number);
                    drop(turn);
                });
                while handshakes.lock().waiting.len() < number {
                    std::thread::yield_now();
                }
            }
            turns.pop();
        });
        assert_eq!(*order.lock().expect("no panic"), [3, 2, 1]);
    }
}

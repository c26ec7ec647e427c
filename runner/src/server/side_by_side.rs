//! Does the same with several streams at a time, as most of it is waiting.

use std::sync::Arc;

use crate::stream::Stream;
use parking_lot::Mutex;

/// Calls `act` with each of the streams, with `at_once` of them at a time.
pub(super) fn side_by_side(streams: &[Arc<Stream>], at_once: usize, act: impl Fn(&Arc<Stream>) + Sync) {
    let waiting = Mutex::new(streams.iter());
    let next = || waiting.lock().next();
    let work = || {
        while let Some(stream) = next() {
            act(stream);
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..at_once.min(streams.len()) {
            scope.spawn(work);
        }
        work();
    });
}

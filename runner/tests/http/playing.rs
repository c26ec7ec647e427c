//! Somebody who plays a stream meanwhile, and misses nothing.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::common::RtspClient;

/// Has `viewer` watch while `act` runs; fails where a packet is missing.
#[track_caller]
pub(super) fn while_somebody_plays<T>(viewer: RtspClient, act: impl FnOnce() -> T) -> T {
    let mut viewer = viewer.watching();
    let mut last = viewer.next_rtp().sequence_number();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watching = scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let next = viewer.next_rtp().sequence_number();
                assert_eq!(next, last.wrapping_add(1), "no packet is missing");
                last = next;
            }
        });
        let over = Over(&is_over);
        let done = act();
        drop(over);
        watching.join().expect("the viewer sees it all");
        done
    })
}

/// Says that it is over when it is dropped, also where something has failed.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

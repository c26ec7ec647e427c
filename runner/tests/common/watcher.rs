//! A viewer that watches in a thread of its own, and misses nothing.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
};

use super::{RtspClient, wait_until};

/// Reads all packets of a stream as they come.
pub struct Watcher {
    is_over: Arc<AtomicBool>,
    packets: Arc<AtomicU64>,
    thread: JoinHandle<RtspClient>,
}

impl Watcher {
    /// Watches what `client` plays. A packet that is missing, or one of another source, ends the test.
    pub fn new(mut client: RtspClient) -> Self {
        let (is_over, packets) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (ends, counted) = (Arc::clone(&is_over), Arc::clone(&packets));
        let thread = std::thread::spawn(move || {
            let mut last = client.next_rtp();
            while !ends.load(Ordering::Relaxed) {
                let next = client.next_rtp();
                let expected = last.sequence_number().wrapping_add(1);
                assert_eq!(next.sequence_number(), expected, "packets are missing");
                assert_eq!(next.data[8..12], last.data[8..12], "that is another source");
                counted.fetch_add(1, Ordering::Relaxed);
                last = next;
            }
            client
        });
        Self {
            is_over,
            packets,
            thread,
        }
    }

    /// Waits for more of it, and ends; answers the client, whose session stands.
    #[track_caller]
    pub fn end(self) -> RtspClient {
        let before = self.packets.load(Ordering::Relaxed);
        wait_until("more packets have come", || {
            self.thread.is_finished() || self.packets.load(Ordering::Relaxed) > before + 25
        });
        self.is_over.store(true, Ordering::Relaxed);
        match self.thread.join() {
            Ok(client) => client,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }
}

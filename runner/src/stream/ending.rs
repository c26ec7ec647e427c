//! The end of a pipeline: with its last client, or for everybody.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use super::{Stream, running::Running};
use crate::events::{Farewell, Happening};

impl Stream {
    /// Ends for good: says so to whoever plays it, closes the connections of all who have asked for it, and waits until
    /// they are gone. Each of the two waits takes no longer than `patience`.
    pub(crate) fn retire(&self, patience: Duration) {
        self.retire_soon(Farewell::Removed);
        let begun = Instant::now();
        self.end(patience);
        self.send_away();
        self.wait_until_deserted((patience * 2).saturating_sub(begun.elapsed()));
    }

    /// No pipeline is made for it any more, and its viewers will leave for that reason.
    pub(crate) fn retire_soon(&self, why: Farewell) {
        self.is_retired.store(true, Ordering::SeqCst);
        self.stills.end();
        self.viewers.will_leave(why);
    }

    /// Closes the connections of all who have asked for it, does not wait for their end, and lets the pipeline go.
    pub(crate) fn send_away(&self) {
        self.attendance.close_connections();
        self.stop();
        self.let_go();
    }

    /// Lets go of a pipeline that sends nothing any more. The last client's end would do so; but gst-rtsp-server holds
    /// the transport by which a client was sent packets until something else is sent, or until its pipeline is gone.
    pub(super) fn let_go(&self) {
        if let Some(running) = self.running() {
            self.take_down(&running);
        }
    }

    /// Ends the stream for everybody who plays it, RTCP's BYE included. Waits for that no longer than `patience`.
    pub(crate) fn end(&self, patience: Duration) {
        if let Some(running) = self.running().filter(|_| self.viewers.count() > 0) {
            running.end(patience);
        }
    }

    /// Waits until the last client has gone, no longer than `patience`.
    pub(crate) fn wait_until_deserted(&self, patience: Duration) {
        let staying = self.attendance.wait_until_deserted(patience);
        if staying > 0 {
            tracing::warn!(target: "stream",
                stream = self.name(),
                staying,
                "clients are not gone yet, and are not waited for"
            );
        }
    }

    pub(super) fn depart(&self, number: u64) {
        self.attendance.depart(number, || {
            // The pipeline's lock goes first: the streaming thread, which is waited for next, may want it.
            let running = self.replace(None);
            if let Some(running) = running {
                self.take_down(&running);
            }
        });
    }

    fn take_down(&self, running: &Running) {
        if running.let_go() {
            self.tell(|streams| Happening::StreamStopped { streams });
        }
    }
}

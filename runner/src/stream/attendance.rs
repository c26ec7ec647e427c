//! Who has asked for a stream and not gone since.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gst::glib::{self, prelude::*};
use gst_rtsp_server::{RTSPClient, prelude::*};

/// Those who have asked for a stream and not gone since, watching or not.
#[derive(Debug, Default)]
pub(super) struct Attendance {
    present: Mutex<Present>,
    is_deserted: Condvar,
}

#[derive(Debug, Default)]
struct Present {
    count: usize,
    clients: Vec<glib::WeakRef<RTSPClient>>,
}

impl Attendance {
    /// `client`, or the stream itself, is there.
    pub(super) fn arrive(&self, client: Option<&RTSPClient>) {
        let mut present = self.lock();
        present.count += 1;
        present.clients.retain(|client| client.upgrade().is_some());
        present.clients.extend(client.map(ObjectExt::downgrade));
    }

    /// One who was there goes. With the last one `take_down` is called, under the lock, so that nobody arrives meanwhile.
    pub(super) fn depart(&self, take_down: impl FnOnce()) {
        let mut present = self.lock();
        present.count -= 1;
        if present.count == 0 {
            take_down();
            self.is_deserted.notify_all();
        }
    }

    /// Waits until the last one has gone, no longer than `patience`.
    pub(super) fn wait_until_deserted(&self, patience: Duration) {
        let present = self.lock();
        let _gone = self
            .is_deserted
            .wait_timeout_while(present, patience, |present| present.count > 0);
    }

    /// Closes the connections of all who are there.
    pub(super) fn close_connections(&self) {
        // Each one's going takes the lock.
        let clients = std::mem::take(&mut self.lock().clients);
        for client in clients.iter().filter_map(glib::WeakRef::upgrade) {
            client.close();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Present> {
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

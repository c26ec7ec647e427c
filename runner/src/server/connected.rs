//! The connections of an endpoint's clients, and the end of all.

use std::{
    collections::HashSet,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gst_rtsp_server::RTSPClient;

use super::reading::Connection;
use crate::rtsp_ffi;

/// Those that there are.
#[derive(Debug, Default)]
pub(super) struct Connected {
    connections: Mutex<HashSet<Connection>>,
    has_ended: Condvar,
}

/// As long as a client lasts.
struct Here {
    all: Arc<Connected>,
    connection: Connection,
}

impl Drop for Here {
    fn drop(&mut self) {
        self.all.lock().remove(&self.connection);
        self.all.has_ended.notify_all();
    }
}

impl Connected {
    /// `client` has come by `connection`.
    pub(super) fn follow(self: &Arc<Self>, client: &RTSPClient, connection: Connection) {
        self.lock().insert(connection);
        rtsp_ffi::accompany(
            client,
            Here {
                all: Arc::clone(self),
                connection,
            },
        );
    }

    /// Ends all connections, and waits until their clients have, no longer than `patience`.
    ///
    /// Each finds the end of its connection on the thread that serves it: gst-rtsp-server reads without end from one that
    /// is closed by another thread meanwhile.
    pub(super) fn end(&self, patience: Duration) {
        let connections = self.lock();
        connections.iter().for_each(Connection::end);
        let (connections, _) = self
            .has_ended
            .wait_timeout_while(connections, patience, |connections| !connections.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        if !connections.is_empty() {
            tracing::debug!(clients = connections.len(), "still there");
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashSet<Connection>> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

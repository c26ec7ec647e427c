//! A client whose connection may have to be closed.

use gst::glib::{self, prelude::*};
use gst_rtsp_server::{RTSPClient, prelude::*};

use crate::timers;

/// A client, which may have gone already, and the main context of the thread that serves it.
///
/// Share it by an `Arc`: to clone a weak reference would be to hold a client for a moment, and whoever holds one may be the
/// last who does.
#[derive(Debug)]
pub(crate) struct ClientHandle {
    weak: glib::WeakRef<RTSPClient>,
    context: Option<glib::MainContext>,
}

impl ClientHandle {
    /// The handle of `client`. This is to be called on the thread that serves it.
    #[must_use]
    pub(crate) fn new(client: &RTSPClient) -> Self {
        Self {
            weak: client.downgrade(),
            context: timers::here(),
        }
    }

    /// Closes its connection on the thread that serves it: gst-rtsp-server reads without end from one that is closed by
    /// another thread meanwhile. To be called without any lock: a client's end takes some.
    pub(crate) fn close(&self) {
        let Some(client) = self.weak.upgrade() else { return };
        let Some(context) = &self.context else {
            return client.close();
        };
        let client = client.downgrade();
        timers::next(context, glib::Priority::HIGH, move || {
            if let Some(client) = client.upgrade() {
                client.close();
            }
        });
    }
}

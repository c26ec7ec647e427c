//! The connection that is being handed over to gst-rtsp-server, which tells of the new client on the thread that hands over.

use std::{
    cell::RefCell,
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use gst_rtsp_server::{RTSPAuth, gio};

use super::{Intakes, channels::CurrentChannels};
use crate::server::connections::{connection::Connection, count::Open};

/// A connection that is being handed over, and what its streams need.
#[derive(Debug, Clone)]
pub(in crate::server) struct Arrival {
    pub(in crate::server) connection: Connection,
    pub(in crate::server) intakes: Arc<Intakes>,
    pub(in crate::server) channels: CurrentChannels,
    /// Holds the certificate, where the endpoint speaks TLS. The bindings do not let a certificate itself go from one thread to
    /// another.
    pub(in crate::server) tls: Option<RTSPAuth>,
    /// The connection counts as open.
    pub(in crate::server) open: Arc<Open>,
}

/// The connection that is being handed over.
struct Handed {
    arrival: Arrival,
    own: TcpStream,
    tls: Option<gio::TlsConnection>,
}

thread_local! {
    static HANDED: RefCell<Option<Handed>> = const { RefCell::new(None) };
}

/// The connection that is being handed over just now on this thread, if one is: that of the client that is being told of.
pub(in crate::server) fn arrival() -> Option<Arrival> {
    HANDED.with_borrow(|handed| handed.as_ref().map(|handed| handed.arrival.clone()))
}

/// Notes that this connection speaks `tls`.
pub(in crate::server) fn speaks(tls: gio::TlsConnection) {
    HANDED.with_borrow_mut(|handed| {
        if let Some(handed) = handed {
            handed.tls = Some(tls);
        }
    });
}

/// What this connection speaks, if it is TLS.
pub(in crate::server) fn tls() -> Option<gio::TlsConnection> {
    HANDED.with_borrow(|handed| handed.as_ref()?.tls.clone())
}

/// Ends this connection: nothing more is read from it or written to it.
pub(in crate::server) fn end() {
    HANDED.with_borrow(|handed| {
        if let Some(handed) = handed {
            // It may have ended by itself.
            let _ended = handed.own.shutdown(Shutdown::Both);
        }
    });
}

/// Runs `hand_over`, which hands over the connection of `arrival` on this thread.
pub(in crate::server) fn during<T>(
    arrival: Arrival,
    connection: TcpStream,
    hand_over: impl FnOnce() -> T,
) -> T {
    HANDED.set(Some(Handed {
        arrival,
        own: connection,
        tls: None,
    }));
    let result = hand_over();
    HANDED.set(None);
    result
}

//! The connection that gst-rtsp-server is being handed. What it tells of a client, it tells on the thread that hands it over.

use std::{
    cell::RefCell,
    net::{Shutdown, TcpStream},
    sync::Arc,
};

use gst_rtsp_server::{RTSPAuth, gio};

use super::{Intakes, channels::CurrentChannels};
use crate::server::connections::connection::Connection;

/// What the connection that is being handed over is to be.
#[derive(Debug, Clone)]
pub(in crate::server) struct Arrival {
    pub(in crate::server) connection: Connection,
    pub(in crate::server) intakes: Arc<Intakes>,
    pub(in crate::server) channels: CurrentChannels,
    /// Holds the certificate, where the endpoint speaks TLS: to the bindings a certificate is no thread's but its own.
    pub(in crate::server) tls: Option<RTSPAuth>,
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

/// What the connection is to be of the client that the server is being handed just now, on this thread.
pub(in crate::server) fn arrival() -> Option<Arrival> {
    HANDED.with_borrow(|handed| handed.as_ref().map(|handed| handed.arrival.clone()))
}

/// That client's connection speaks `tls`.
pub(in crate::server) fn speaks(tls: gio::TlsConnection) {
    HANDED.with_borrow_mut(|handed| {
        if let Some(handed) = handed {
            handed.tls = Some(tls);
        }
    });
}

/// What that client's connection speaks, if it is TLS.
pub(in crate::server) fn tls() -> Option<gio::TlsConnection> {
    HANDED.with_borrow(|handed| handed.as_ref()?.tls.clone())
}

/// Has that client's connection end: nothing more is read from it or written to it.
pub(in crate::server) fn end() {
    HANDED.with_borrow(|handed| {
        if let Some(handed) = handed {
            // It may have ended by itself.
            let _ended = handed.own.shutdown(Shutdown::Both);
        }
    });
}

/// Has `connection` be what is being handed over on this thread while `hand_over` runs.
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

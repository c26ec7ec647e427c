//! An RTSP server at one address and port: its connections, mounts, access and ports.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use gst::glib;
use gst_rtsp_server::{RTSPAuth, RTSPClient, RTSPFilterResult, RTSPServer, RTSPThreadPool, gio, prelude::*};

use super::{
    acceptor::{self, Acceptor, Handover},
    checks::StartError,
    client,
    guard::{Guard, Logins},
    handshakes::Handshakes,
    mounts::Mounts,
    sessions::Sessions,
    transports::Transports,
};
use crate::{addresses::Listener, rtsp_ffi, seats::Seats};

/// The longest body of a request, in bytes. The ones that viewers send are empty or a few lines.
const MAX_BODY: u32 = 64 * 1024;

/// What all endpoints of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) context: glib::MainContext,
    pub(super) sessions: Arc<Sessions>,
    pub(super) seats: Arc<Seats>,
    pub(super) threads: RTSPThreadPool,
    pub(super) transports: Arc<Transports>,
    /// `None`: everybody may watch.
    pub(super) logins: Option<Arc<Logins>>,
}

/// What an RTSP server speaks.
#[derive(Debug, Clone, Copy)]
pub(super) enum Security<'a> {
    /// Plain RTSP.
    None,
    /// RTSP within TLS, with this certificate.
    Tls(&'a gio::TlsCertificate),
}

/// A running RTSP server.
#[derive(Debug)]
pub(super) struct Endpoint {
    listener: Listener,
    rtsp: RTSPServer,
    mounts: Arc<Mounts>,
    acceptor: Arc<Acceptor>,
}

impl Endpoint {
    /// Listens at `address` and serves the streams of `mounts` once [`Endpoint::accept`] says so.
    pub(super) fn new(
        address: SocketAddr,
        security: Security,
        mounts: Mounts,
        shared: &Shared,
    ) -> Result<Self, StartError> {
        let rtsp = RTSPServer::new();
        let socket = listen(address)?;
        let refuse = |reason| StartError::Address { address, reason };
        let port = socket.local_addr().map_err(refuse)?.port();
        equip(&rtsp, &mounts, shared);
        let handover = match security {
            Security::None => Handover::AtOnce,
            Security::Tls(_) => Handover::OnItsThread,
        };
        let (context, patience) = (shared.context.clone(), shared.sessions.patience());
        let acceptor = Acceptor::new(rtsp.clone(), socket, context, handover, patience).map_err(refuse)?;
        let mounts = Arc::new(mounts);
        if let Security::Tls(certificate) = security {
            speak_tls(&rtsp, certificate, &shared.context);
        }
        follow_clients(&rtsp, address, &mounts, shared);
        let listener = Listener {
            address: address.ip(),
            port,
            is_tls: matches!(security, Security::Tls(_)),
        };
        Ok(Self {
            listener,
            rtsp,
            mounts,
            acceptor,
        })
    }

    /// Where it listens.
    pub(super) fn listener(&self) -> Listener {
        self.listener
    }

    /// Takes connections from now on.
    pub(super) fn accept(&self) {
        self.acceptor.accept();
    }

    /// Takes no more connections.
    pub(super) fn refuse(&self) {
        self.acceptor.stop();
    }

    /// Closes all connections.
    pub(super) fn send_away(&self) {
        self.rtsp
            .client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
        self.mounts.clear();
    }
}

/// Gives `server` its limits, its threads and its mounts.
fn equip(server: &RTSPServer, mounts: &Mounts, shared: &Shared) {
    RTSPServerExt::set_content_length_limit(server, MAX_BODY);
    server.set_thread_pool(Some(&shared.threads));
    server.set_mount_points(Some(mounts.points()));
}

/// Port 0 takes any.
fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Address {
            address,
            reason: error,
        },
    })
}

fn follow_clients(server: &RTSPServer, address: SocketAddr, mounts: &Arc<Mounts>, shared: &Shared) {
    let mounts = Arc::clone(mounts);
    let (sessions, transports) = (Arc::clone(&shared.sessions), Arc::clone(&shared.transports));
    let (seats, logins) = (Arc::clone(&shared.seats), shared.logins.clone());
    server.connect_client_connected(move |_, client| {
        let connection = acceptor::connection();
        if let Some(logins) = &logins {
            let peer = connection.map(|connection| connection.peer());
            client.set_auth(Some(&Guard::new(logins, peer, address, &mounts)));
        }
        client::serve(client, connection, &mounts, &sessions, &transports, &seats);
    });
}

/// Has whoever connects to `server` agree upon keys before it is served.
///
/// gst-rtsp-server has TLS for what it accepts itself; from the acceptor it gets connections as they are.
fn speak_tls(server: &RTSPServer, certificate: &gio::TlsCertificate, context: &glib::MainContext) {
    // It only carries the certificate to wherever clients are served: to the bindings a certificate is no thread's but
    // its own.
    let holder = RTSPAuth::new();
    holder.set_tls_certificate(Some(certificate));
    let context = context.clone();
    let handshakes = Handshakes::default();
    server.connect_client_connected(move |_, client: &RTSPClient| {
        let agreed = rtsp_ffi::start_tls(client, &holder).and_then(|tls| handshakes.agree(&tls, &context));
        if let Err(error) = agreed {
            tracing::debug!(connection = ?acceptor::connection(), "it does not speak TLS: {error}");
            // The client itself is not closed: gst-rtsp-server goes on to serve it, and finds the end.
            acceptor::end();
        }
    });
}

//! An RTSP server at one address and port: its connections, mounts, access and ports.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use gst::glib;
use gst_rtsp::RTSPAuthMethod;
use gst_rtsp_server::{
    RTSPAuth, RTSPClient, RTSPFilterResult, RTSPServer, RTSPThreadPool, RTSPToken, gio, prelude::*,
};

use super::{
    acceptor::{self, Acceptor, Handover},
    checks::StartError,
    client,
    handshakes::Handshakes,
    mounts::Mounts,
    sessions::Sessions,
    transports::Transports,
};
use crate::{addresses::Listener, config::Login, rtsp_ffi, stream::Stream};

/// The longest body of a request, in bytes. The ones that viewers send are empty or a few lines.
const MAX_BODY: u32 = 64 * 1024;
/// The permission role of those who have logged in.
const ROLE: &str = "viewer";

/// What all endpoints of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) context: glib::MainContext,
    pub(super) sessions: Arc<Sessions>,
    pub(super) threads: RTSPThreadPool,
    pub(super) transports: Arc<Transports>,
    pub(super) login: Option<Login>,
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
        let acceptor =
            Acceptor::new(rtsp.clone(), socket, shared.context.clone(), handover).map_err(refuse)?;
        let mounts = Arc::new(mounts);
        if let Security::Tls(certificate) = security {
            speak_tls(&rtsp, certificate, &shared.context);
        }
        follow_clients(&rtsp, &mounts, shared);
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

/// Gives `server` its limits, its threads, its log-in and its mounts.
fn equip(server: &RTSPServer, mounts: &Mounts, shared: &Shared) {
    RTSPServerExt::set_content_length_limit(server, MAX_BODY);
    server.set_thread_pool(Some(&shared.threads));
    server.set_mount_points(Some(mounts.points()));
    if let Some(login) = &shared.login {
        server.set_auth(Some(&auth(login)));
    }
}

/// Lets in who has `login`, by Basic or by Digest, as the viewer's software likes.
fn auth(login: &Login) -> RTSPAuth {
    let auth = RTSPAuth::new();
    // The bindings take a set of flags for an enumeration: both have no name there.
    auth.set_supported_methods(RTSPAuthMethod::__Unknown(3));
    let token = RTSPToken::builder().field("media.factory.role", ROLE).build();
    auth.add_basic(&RTSPAuth::make_basic(&login.username, &login.password), &token);
    auth.add_digest(&login.username, &login.password, &token);
    auth
}

/// Lets nobody see anything of `stream` without a log-in.
pub(super) fn require_login(stream: &Stream) {
    stream.factory().add_role_from_structure(
        &gst::Structure::builder(ROLE)
            .field("media.factory.access", true)
            .field("media.factory.construct", true)
            .build(),
    );
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

fn follow_clients(server: &RTSPServer, mounts: &Arc<Mounts>, shared: &Shared) {
    let mounts = Arc::clone(mounts);
    let (sessions, transports) = (Arc::clone(&shared.sessions), Arc::clone(&shared.transports));
    server.connect_client_connected(move |_, client| {
        client::serve(client, acceptor::peer(), &mounts, &sessions, &transports);
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
        let peer = acceptor::peer();
        let agreed = rtsp_ffi::start_tls(client, &holder)
            .and_then(|tls| handshakes.agree(&tls, peer.map(|peer| peer.ip()), &context));
        if let Err(error) = agreed {
            tracing::debug!(?peer, "it does not speak TLS: {error}");
            // The client itself is not closed: gst-rtsp-server goes on to serve it, and finds the end.
            acceptor::end();
        }
    });
}

//! An RTSP server at one address and port: its connections, mounts, access and ports.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
};

use gst::glib;
use gst_rtsp::RTSPAuthMethod;
use gst_rtsp_server::{
    RTSPAddressPool, RTSPAuth, RTSPFilterResult, RTSPServer, RTSPThreadPool, RTSPToken, prelude::*,
};

use super::{
    acceptor::Acceptor,
    checks::StartError,
    client,
    mounts::{Mounts, Paths},
    sessions::Sessions,
};
use crate::{
    addresses::Listener,
    config::{Login, PortRange, StreamConfig},
    stream::Stream,
};

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
    pub(super) login: Option<Login>,
    /// The UDP ports to send from, where the configuration says which.
    pub(super) ports: Option<RTSPAddressPool>,
}

impl Shared {
    /// The camera that `config` describes.
    pub(super) fn stream(&self, config: &StreamConfig) -> Arc<Stream> {
        let stream = Stream::new(config, &self.context, &self.threads);
        if let Some(ports) = &self.ports {
            stream.set_address_pool(ports);
        }
        admit_viewers(&stream);
        stream
    }
}

/// A running RTSP server.
#[derive(Debug)]
pub(super) struct Endpoint {
    /// Where it was told to listen.
    asked: SocketAddr,
    listener: Listener,
    rtsp: RTSPServer,
    mounts: Arc<Mounts>,
    acceptor: Arc<Acceptor>,
}

impl Endpoint {
    /// Listens at `address`, and serves what it is told to [offer](Self::offer) once [`Endpoint::accept`] says so.
    pub(super) fn new(address: SocketAddr, shared: &Shared) -> Result<Self, StartError> {
        let rtsp = RTSPServer::new();
        let socket = listen(address)?;
        let refuse = |reason| StartError::Address { address, reason };
        let port = socket.local_addr().map_err(refuse)?.port();
        let mounts = Arc::<Mounts>::default();
        equip(&rtsp, &mounts, shared);
        let acceptor = Acceptor::new(rtsp.clone(), socket, shared.context.clone()).map_err(refuse)?;
        follow_clients(&rtsp, &mounts, &shared.sessions, &acceptor);
        let listener = Listener {
            address: address.ip(),
            port,
        };
        Ok(Self {
            asked: address,
            listener,
            rtsp,
            mounts,
            acceptor,
        })
    }

    /// Where it was told to listen: port 0 is any.
    pub(super) fn asked(&self) -> SocketAddr {
        self.asked
    }

    /// Serves these streams from now on, and no others.
    pub(super) fn offer(&self, streams: Paths) {
        self.mounts.offer(streams);
    }

    /// Asks for this log-in whoever connects from now on.
    pub(super) fn ask_for(&self, login: Option<&Login>) {
        self.rtsp.set_auth(login.map(auth).as_ref());
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
        self.offer(Paths::default());
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

/// Lets whoever has logged in see `stream`. Where there is no log-in, nobody asks.
fn admit_viewers(stream: &Stream) {
    stream.factory().add_role_from_structure(
        &gst::Structure::builder(ROLE)
            .field("media.factory.access", true)
            .field("media.factory.construct", true)
            .build(),
    );
}

/// The UDP ports to send from, for both IP families.
pub(super) fn address_pool(ports: PortRange) -> Option<RTSPAddressPool> {
    let pool = RTSPAddressPool::new();
    for any in ["0.0.0.0", "::"] {
        if let Err(error) = pool.add_range(any, any, ports.first, ports.last, 0) {
            tracing::error!("cannot use the UDP ports {}-{}: {error}", ports.first, ports.last);
            return None;
        }
    }
    Some(pool)
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

fn follow_clients(
    server: &RTSPServer,
    mounts: &Arc<Mounts>,
    sessions: &Arc<Sessions>,
    acceptor: &Arc<Acceptor>,
) {
    let (mounts, sessions, acceptor) = (Arc::clone(mounts), Arc::clone(sessions), Arc::downgrade(acceptor));
    server.connect_client_connected(move |_, client| {
        let peer = acceptor.upgrade().and_then(|acceptor| acceptor.peer());
        client::serve(client, peer, &mounts, &sessions);
    });
}

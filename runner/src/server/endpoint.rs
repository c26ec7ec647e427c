//! An RTSP server at one address and port: its connections, mounts, access and ports.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use gst::glib;
use gst_rtsp_server::{RTSPAuth, RTSPClient, RTSPServer, RTSPThreadPool, gio, prelude::*};

use super::{
    connections::{
        acceptor::Acceptor,
        connected::Connected,
        handshakes::Handshakes,
        intake::{Intakes, MAX_BODY, handover},
    },
    preflight::StartError,
    requests::{
        guard::Guard,
        mounts::{Mounts, StreamsByPath},
        visit::{Commons, Visit},
    },
};
use crate::{
    config::{ListenAt, StreamConfig},
    events::Events,
    stream::{Stream, seats::Seats},
    time_source::TimeSource,
};

/// What all endpoints of a server share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) events: Arc<Events>,
    pub(super) context: glib::MainContext,
    pub(super) commons: Commons,
    pub(super) intakes: Arc<Intakes>,
    pub(super) threads: RTSPThreadPool,
    /// The places of those who look at streams without playing them.
    pub(super) still_seats: Arc<Seats>,
    /// The clock of the network; `None` where streams go by this machine's.
    pub(super) time: Option<Arc<TimeSource>>,
}

impl Shared {
    /// The camera that `config` describes.
    pub(super) fn stream(&self, config: &StreamConfig) -> Arc<Stream> {
        let stream = Stream::new(
            config,
            &self.context,
            &self.threads,
            &self.events,
            &self.still_seats,
        );
        self.commons.negotiation.allow(&stream, config);
        if let Some(time) = &self.time {
            stream.set_clock(time.clock());
        }
        stream
    }
}

/// An RTSP server at one address and port.
#[derive(Debug)]
pub(super) struct Endpoint {
    configured: ListenAt,
    listens_at: ListenAt,
    acceptor: Arc<Acceptor>,
    clients: Arc<Clients>,
}

impl Endpoint {
    /// Listens at `configured`, with `certificate` if that is with TLS, and serves the streams that it is given to
    /// [offer](Self::offer) from [`Endpoint::accept`] on.
    pub(super) fn new(
        configured: ListenAt,
        certificate: Option<&gio::TlsCertificate>,
        shared: &Shared,
    ) -> Result<Self, StartError> {
        let rtsp = RTSPServer::new();
        let address = configured.address;
        let socket = listen(address)?;
        let refuse = |reason| StartError::Address { address, reason };
        let port = socket.local_addr().map_err(refuse)?.port();
        let mounts = Arc::new(Mounts::new(configured));
        prepare(&rtsp, &mounts, shared);
        let tls = certificate.filter(|_| configured.tls).map(|certificate| {
            let holder = RTSPAuth::new();
            holder.set_tls_certificate(Some(certificate));
            holder
        });
        let (context, patience) = (shared.context.clone(), shared.commons.sessions.patience());
        let acceptor = Acceptor::new(rtsp.clone(), socket, context, &shared.intakes, tls, patience);
        let acceptor = acceptor.map_err(refuse)?;
        let clients = Arc::new(Clients::new(configured.tls, mounts, shared));
        let newcomers = Arc::clone(&clients);
        rtsp.connect_client_connected(move |_, client| newcomers.welcome(client));
        let listens_at = ListenAt {
            address: (address.ip(), port).into(),
            ..configured
        };
        Ok(Self {
            configured,
            listens_at,
            acceptor,
            clients,
        })
    }

    /// Where the configuration has it listen: the port may be 0.
    pub(super) fn configured(&self) -> ListenAt {
        self.configured
    }

    /// Serves these streams from now on, and no others.
    pub(super) fn offer(&self, streams: StreamsByPath) {
        self.clients.mounts.offer(streams);
    }

    /// Where it listens: the port is never 0.
    pub(super) fn listens_at(&self) -> ListenAt {
        self.listens_at
    }

    /// Takes connections from now on.
    pub(super) fn accept(&self) {
        self.acceptor.accept();
    }

    /// Takes no more connections.
    pub(super) fn refuse(&self) {
        self.acceptor.stop();
    }

    /// Ends all connections, and waits until those who came by them have gone, no longer than `patience`.
    pub(super) fn send_away(&self, patience: Duration) {
        self.offer(StreamsByPath::default());
        self.clients.send_away(patience);
    }
}

/// Gives `server` its limits, its threads and its mounts.
fn prepare(server: &RTSPServer, mounts: &Mounts, shared: &Shared) {
    RTSPServerExt::set_content_length_limit(server, MAX_BODY);
    server.set_thread_pool(Some(&shared.threads));
    server.set_mount_points(Some(mounts.points()));
}

/// Listens at `address`; port 0 takes any free port.
fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address).map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse(address),
        _ => StartError::Address {
            address,
            reason: error,
        },
    })
}

/// The clients of an endpoint.
#[derive(Debug)]
struct Clients {
    mounts: Arc<Mounts>,
    connected: Arc<Connected>,
    /// The handshakes of TLS; `None` where TLS is not spoken.
    handshakes: Option<Handshakes>,
    context: glib::MainContext,
    commons: Commons,
}

impl Clients {
    /// An endpoint's clients, of whom none has come yet.
    fn new(is_tls: bool, mounts: Arc<Mounts>, shared: &Shared) -> Self {
        Self {
            mounts,
            connected: Arc::default(),
            handshakes: is_tls.then(Handshakes::default),
            context: shared.context.clone(),
            commons: shared.commons.clone(),
        }
    }

    /// Prepares for `client`, which has come and is served once this returns. Its connection is followed from the first
    /// moment on, for it may be kept waiting before its keys are agreed upon.
    fn welcome(&self, client: &RTSPClient) {
        let arrival = handover::arrival();
        let connection = arrival.as_ref().map(|arrival| arrival.connection);
        if let Some(connection) = connection {
            self.connected.follow(client, connection);
        }
        if let Some(handshakes) = &self.handshakes {
            self.agree(handshakes, connection.map(|connection| connection.peer()));
        }
        let visit = Visit::begin(client, arrival, &self.mounts, &self.commons);
        let guard = Guard::new(&visit);
        client.set_auth(Some(&guard));
    }

    /// Has the client that is being handed over, which comes from `peer`, agree upon keys before it is served.
    fn agree(&self, handshakes: &Handshakes, peer: Option<SocketAddr>) {
        let tls =
            handover::tls().ok_or_else(|| glib::Error::new(gio::IOErrorEnum::Failed, "GLib has no TLS"));
        let agreed = tls.and_then(|tls| handshakes.agree(&tls, peer.map(|peer| peer.ip()), &self.context));
        if let Err(error) = agreed {
            tracing::debug!(target: "server", ?peer, "it does not speak TLS: {error}");
            // The client itself is not closed: gst-rtsp-server goes on to serve it, and finds the end.
            handover::end();
        }
    }

    /// Ends all connections, and waits until those who came by them have gone, no longer than `patience`.
    fn send_away(&self, patience: Duration) {
        if let Some(handshakes) = &self.handshakes {
            handshakes.end();
        }
        self.connected.end(patience);
    }
}

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
        joining::Joining,
        mounts::{Mounts, Paths},
        visit::{self, Commons},
    },
};
use crate::{
    accounts::logins::CurrentLogins,
    config::{ListenAt, StreamConfig},
    events::Events,
    stream::Stream,
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
    pub(super) logins: Arc<CurrentLogins>,
    /// `None`: this machine's clock.
    pub(super) time: Option<Arc<TimeSource>>,
}

impl Shared {
    /// The camera that `config` describes.
    pub(super) fn stream(&self, config: &StreamConfig) -> Arc<Stream> {
        let stream = Stream::new(config, &self.context, &self.threads, &self.events);
        self.commons.transports.equip(&stream, config);
        if let Some(time) = &self.time {
            stream.set_clock(time.clock());
        }
        stream
    }
}

/// A running RTSP server.
#[derive(Debug)]
pub(super) struct Endpoint {
    asked: ListenAt,
    listens_at: ListenAt,
    mounts: Arc<Mounts>,
    acceptor: Arc<Acceptor>,
    connected: Arc<Connected>,
    handshakes: Arc<Handshakes>,
}

impl Endpoint {
    /// Listens where it is `asked` to, with `certificate` if that is with TLS, and serves what it is told to
    /// [offer](Self::offer) once [`Endpoint::accept`] says so.
    pub(super) fn new(
        asked: ListenAt,
        certificate: Option<&gio::TlsCertificate>,
        shared: &Shared,
    ) -> Result<Self, StartError> {
        let rtsp = RTSPServer::new();
        let address = asked.address;
        let socket = listen(address)?;
        let refuse = |reason| StartError::Address { address, reason };
        let port = socket.local_addr().map_err(refuse)?.port();
        let mounts = Arc::new(Mounts::new(address));
        equip(&rtsp, &mounts, shared);
        let tls = certificate.filter(|_| asked.tls).map(|certificate| {
            let holder = RTSPAuth::new();
            holder.set_tls_certificate(Some(certificate));
            holder
        });
        let (context, patience) = (shared.context.clone(), shared.commons.sessions.patience());
        let acceptor = Acceptor::new(rtsp.clone(), socket, context, &shared.intakes, tls, patience);
        let acceptor = acceptor.map_err(refuse)?;
        let (connected, handshakes) = <(Arc<Connected>, Arc<Handshakes>)>::default();
        follow_connections(&rtsp, &connected);
        if asked.tls {
            speak_tls(&rtsp, &handshakes, &shared.context);
        }
        follow_clients(&rtsp, asked, &mounts, shared);
        let listens_at = ListenAt {
            address: (address.ip(), port).into(),
            ..asked
        };
        Ok(Self {
            asked,
            listens_at,
            mounts,
            acceptor,
            connected,
            handshakes,
        })
    }

    /// Where it was told to listen.
    pub(super) fn asked(&self) -> ListenAt {
        self.asked
    }

    /// Serves these streams from now on, and no others.
    pub(super) fn offer(&self, streams: Paths) {
        self.mounts.offer(streams);
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
        self.offer(Paths::default());
        self.handshakes.end();
        self.connected.end(patience);
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

/// From the first moment on: a client may be kept waiting before anything else is done for it.
fn follow_connections(server: &RTSPServer, connected: &Arc<Connected>) {
    let connected = Arc::clone(connected);
    server.connect_client_connected(move |_, client| {
        if let Some(connection) = handover::connection() {
            connected.follow(client, connection);
        }
    });
}

fn follow_clients(server: &RTSPServer, asked: ListenAt, mounts: &Arc<Mounts>, shared: &Shared) {
    let (mounts, commons, logins) = (
        Arc::clone(mounts),
        shared.commons.clone(),
        Arc::clone(&shared.logins),
    );
    server.connect_client_connected(move |_, client| {
        let plan = handover::plan();
        let peer = plan.as_ref().map(|plan| plan.connection.peer());
        let joining = Joining::new(&commons.seats);
        let logins = logins.get();
        let guard = Guard::new(
            logins.as_ref(),
            peer,
            asked,
            &mounts,
            &joining,
            &commons.transports,
        );
        client.set_auth(Some(&guard));
        visit::serve(client, plan.as_ref(), &mounts, &joining, &commons);
    });
}

/// Has whoever connects to `server` agree upon keys before it is served.
fn speak_tls(server: &RTSPServer, handshakes: &Arc<Handshakes>, context: &glib::MainContext) {
    let (context, handshakes) = (context.clone(), Arc::clone(handshakes));
    server.connect_client_connected(move |_, _: &RTSPClient| {
        let peer = handover::connection().map(|connection| connection.peer());
        let tls =
            handover::tls().ok_or_else(|| glib::Error::new(gio::IOErrorEnum::Failed, "GLib has no TLS"));
        let agreed = tls.and_then(|tls| handshakes.agree(&tls, peer.map(|peer| peer.ip()), &context));
        if let Err(error) = agreed {
            tracing::debug!(?peer, "it does not speak TLS: {error}");
            // The client itself is not closed: gst-rtsp-server goes on to serve it, and finds the end.
            handover::end();
        }
    });
}

//! Takes connections, so that each client's address is known and a vanished peer is found out.

use std::{
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use gst::glib;
use gst_rtsp_server::{RTSPServer, gio, prelude::*};

use crate::rtsp_ffi;

/// A peer that takes no data and answers no probe for this long is gone.
const DEAD_AFTER: Duration = Duration::from_secs(10);
/// The pause after a connection that could not be taken: descriptors or memory have run out, and trying again at once
/// would only take the processor too.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// Takes connections from a listening socket and hands them to the RTSP server.
#[derive(Debug)]
pub(crate) struct Acceptor {
    server: RTSPServer,
    listener: TcpListener,
    context: glib::MainContext,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    source: Option<glib::Source>,
    is_stopped: bool,
    /// Whose connection is being handed over.
    peer: Option<SocketAddr>,
}

impl Acceptor {
    /// Hands what knocks at `listener` to `server`, in `context`, once [`Acceptor::accept`] says so.
    ///
    /// # Errors
    /// When the listener cannot be used without blocking.
    pub(crate) fn new(
        server: RTSPServer,
        listener: TcpListener,
        context: glib::MainContext,
    ) -> io::Result<Arc<Self>> {
        listener.set_nonblocking(true)?;
        Ok(Arc::new(Self {
            server,
            listener,
            context,
            state: Mutex::default(),
        }))
    }

    /// Starts to accept.
    pub(crate) fn accept(self: &Arc<Self>) {
        let mut state = self.lock();
        if state.is_stopped {
            return;
        }
        let acceptor = Arc::downgrade(self);
        let source = glib_unix::fd_source_new(
            self.listener.as_raw_fd(),
            glib::IOCondition::IN,
            Some("rtsp-accept"),
            glib::Priority::DEFAULT,
            move |_, _| match acceptor.upgrade() {
                Some(acceptor) => acceptor.take_one(),
                None => glib::ControlFlow::Break,
            },
        );
        source.attach(Some(&self.context));
        state.source = Some(source);
    }

    /// Accepts nobody any more.
    pub(crate) fn stop(&self) {
        let mut state = self.lock();
        state.is_stopped = true;
        if let Some(source) = state.source.take() {
            source.destroy();
        }
    }

    /// The address of the client that the server is being handed just now.
    pub(crate) fn peer(&self) -> Option<SocketAddr> {
        self.lock().peer
    }

    fn take_one(self: &Arc<Self>) -> glib::ControlFlow {
        match self.listener.accept() {
            Ok((connection, peer)) => {
                if let Err(error) = self.hand_over(connection, peer) {
                    tracing::warn!(%peer, "cannot serve a connection: {error}");
                }
                glib::ControlFlow::Continue
            }
            Err(error) if is_passing(&error) => glib::ControlFlow::Continue,
            Err(error) => {
                tracing::warn!("cannot accept a connection: {error}");
                self.accept_later();
                glib::ControlFlow::Break
            }
        }
    }

    fn accept_later(self: &Arc<Self>) {
        let acceptor = Arc::downgrade(self);
        let timer = glib::timeout_source_new(RETRY_AFTER, None, glib::Priority::DEFAULT, move || {
            if let Some(acceptor) = acceptor.upgrade() {
                acceptor.accept();
            }
            glib::ControlFlow::Break
        });
        timer.attach(Some(&self.context));
    }

    fn hand_over(&self, connection: TcpStream, peer: SocketAddr) -> anyhow::Result<()> {
        rtsp_ffi::watch_for_dead_peer(&connection, DEAD_AFTER)?;
        let socket = gio::Socket::from_fd(connection.into())?;
        self.lock().peer = Some(SocketAddr::new(peer.ip().to_canonical(), peer.port()));
        let result =
            self.server
                .transfer_connection(socket, &peer.ip().to_string(), i32::from(peer.port()), None);
        self.lock().peer = None;
        Ok(result?)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether the error is about the one connection, which went before it was accepted, and not about the listener.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted, WouldBlock};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | Interrupted | WouldBlock
    )
}

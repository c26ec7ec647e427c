//! Takes connections, so that each client's address is known, a silent one costs nothing, and a vanished peer is found
//! out.

use std::{
    collections::BTreeMap,
    io,
    net::{SocketAddr, TcpListener, TcpStream},
    os::fd::AsRawFd,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use gst::glib;
use gst_rtsp_server::{RTSPAuth, RTSPServer, gio, prelude::*};
use parking_lot::Mutex;

use super::{
    connection::Connection,
    count::Open,
    intake::{
        Intakes,
        channels::CurrentChannels,
        handover::{self, Arrival},
        take_part,
    },
};
use crate::{ffi::socket, log::Repeats, room};

/// `backlog` gives up a peer that takes nothing, and knows why; the system does so this much later.
const LAST_RESORT: Duration = Duration::from_secs(1);
/// The pause after a connection that could not be taken: descriptors or memory have run out, and trying again at once
/// would only take the processor too.
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// How many connections may wait to be taken.
const BACKLOG: u16 = 4096;
/// How many connections are taken in a row before anything else gets its turn.
const AT_ONCE: usize = 128;
/// How long a connection may say nothing, as gst-rtsp-server has it for those that have no session.
const SILENCE: Duration = Duration::from_mins(1);
/// How many connections may be handed over at a time, each on a thread of its own. Most of a thread's stack is never
/// touched.
const MOST_THREADS: usize = 512;
/// How often the log tells that there is no room for more.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// How often the connections that say nothing are looked through.
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(1);

/// Takes connections from a listening socket and hands them to the RTSP server, each once it says something.
///
/// To gst-rtsp-server a connection is some ten kilobytes, and work for a thread that serves viewers: thousands of silent
/// ones would slow it down.
#[derive(Debug)]
pub(crate) struct Acceptor {
    server: RTSPServer,
    listener: TcpListener,
    context: glib::MainContext,
    intakes: Arc<Intakes>,
    /// Holds the certificate, where clients are to speak TLS. Each connection is then handed over on a thread of its own,
    /// which the client may keep busy as long as a handshake takes.
    tls: Option<RTSPAuth>,
    threads: AtomicUsize,
    /// How long a peer may take no data.
    patience: Duration,
    refused: Repeats,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    sources: Vec<glib::Source>,
    is_stopped: bool,
    /// The connections that have said nothing yet, in the order in which they came.
    silent: BTreeMap<u64, Silent>,
    taken: u64,
}

#[derive(Debug)]
struct Silent {
    connection: TcpStream,
    peer: SocketAddr,
    since: Instant,
    source: glib::Source,
    open: Arc<Open>,
}

impl Acceptor {
    /// Hands the connections that `listener` takes to `server`, in `context`, once [`Acceptor::accept`] is called. A peer that
    /// takes no data and answers no probe for a little longer than `patience` counts as gone.
    ///
    /// # Errors
    /// When the system refuses the listener an option.
    pub(crate) fn new(
        server: RTSPServer,
        listener: TcpListener,
        context: glib::MainContext,
        intakes: &Arc<Intakes>,
        tls: Option<RTSPAuth>,
        patience: Duration,
    ) -> io::Result<Arc<Self>> {
        take_part();
        listener.set_nonblocking(true)?;
        socket::lengthen_backlog(&listener, BACKLOG)?;
        Ok(Arc::new(Self {
            server,
            listener,
            context,
            intakes: Arc::clone(intakes),
            tls,
            threads: AtomicUsize::new(0),
            patience,
            refused: Repeats::new(LOG_INTERVAL, 1),
            state: Mutex::default(),
        }))
    }

    /// Starts to accept.
    pub(crate) fn accept(self: &Arc<Self>) {
        self.listen();
        self.every(CLEAN_UP_INTERVAL, |acceptor| {
            acceptor.send_silent_away();
            glib::ControlFlow::Continue
        });
    }

    /// Accepts no more connections, and drops those that have said nothing.
    pub(crate) fn stop(&self) {
        let mut state = self.state.lock();
        state.is_stopped = true;
        let silent = std::mem::take(&mut state.silent);
        let sources = std::mem::take(&mut state.sources).into_iter();
        for source in sources.chain(silent.into_values().map(|silent| silent.source)) {
            source.destroy();
        }
    }

    fn listen(self: &Arc<Self>) {
        let source = self.when_readable(&self.listener, Self::take_some);
        self.keep(source);
    }

    /// Calls `act` once an interval, until it answers `Break`.
    fn every(
        self: &Arc<Self>,
        interval: Duration,
        act: impl Fn(&Arc<Self>) -> glib::ControlFlow + Send + 'static,
    ) {
        let acceptor = Arc::downgrade(self);
        let timer = glib::timeout_source_new(interval, None, glib::Priority::DEFAULT, move || match acceptor
            .upgrade()
        {
            Some(acceptor) => act(&acceptor),
            None => glib::ControlFlow::Break,
        });
        self.keep(timer);
    }

    fn when_readable(
        self: &Arc<Self>,
        socket: &impl AsRawFd,
        act: impl Fn(&Arc<Self>) -> glib::ControlFlow + Send + 'static,
    ) -> glib::Source {
        let acceptor = Arc::downgrade(self);
        glib_unix::fd_source_new(
            socket.as_raw_fd(),
            glib::IOCondition::IN | glib::IOCondition::HUP | glib::IOCondition::ERR,
            Some("rtsp-accept"),
            glib::Priority::DEFAULT,
            move |_, _| match acceptor.upgrade() {
                Some(acceptor) => act(&acceptor),
                None => glib::ControlFlow::Break,
            },
        )
    }

    /// Attaches `source`, which lasts until the acceptor stops.
    fn keep(&self, source: glib::Source) {
        let mut state = self.state.lock();
        state.sources.retain(|source| !source.is_destroyed());
        if !state.is_stopped {
            source.attach(Some(&self.context));
            state.sources.push(source);
        }
    }

    fn take_some(self: &Arc<Self>) -> glib::ControlFlow {
        for _ in 0..AT_ONCE {
            match self.listener.accept() {
                Ok((connection, peer)) => self.wait_for_word(connection, peer),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if is_passing(&error) => {}
                Err(error) => {
                    tracing::warn!(target: "connections", "cannot accept a connection: {error}");
                    self.every(RETRY_AFTER, |acceptor| {
                        acceptor.listen();
                        glib::ControlFlow::Break
                    });
                    return glib::ControlFlow::Break;
                }
            }
        }
        glib::ControlFlow::Continue
    }

    fn wait_for_word(self: &Arc<Self>, connection: TcpStream, peer: SocketAddr) {
        let mut state = self.state.lock();
        if state.is_stopped {
            return;
        }
        state.taken += 1;
        let number = state.taken;
        let source = self.when_readable(&connection, move |acceptor| {
            acceptor.hand_on(number);
            glib::ControlFlow::Break
        });
        source.attach(Some(&self.context));
        let silent = Silent {
            connection,
            peer,
            since: Instant::now(),
            source,
            open: self.intakes.connections().accept(),
        };
        state.silent.insert(number, silent);
    }

    /// The connection of that number has said something, or has closed.
    fn hand_on(self: &Arc<Self>, number: u64) {
        let Some(silent) = self.state.lock().silent.remove(&number) else {
            return;
        };
        let Silent {
            connection,
            peer,
            open,
            ..
        } = silent;
        if matches!(connection.peek(&mut [0]), Ok(0) | Err(_)) {
            return;
        }
        if let Err(error) = room::for_client() {
            // Without room, gst-rtsp-server would serve nobody any more, or end the process.
            return self.refuse(peer, &error);
        }
        let result = if self.tls.is_some() {
            self.hand_over_elsewhere(connection, peer, open)
        } else {
            self.hand_over(connection, peer, open)
        };
        if let Err(error) = result {
            tracing::warn!(target: "connections", %peer, "cannot serve a connection: {error}");
        }
    }

    fn refuse(&self, peer: SocketAddr, error: &io::Error) {
        if let Some(held_back) = self.refused.may_tell("", Instant::now()) {
            tracing::warn!(target: "connections", %peer, held_back, "this machine has no room for another client: {error}");
        }
    }

    fn hand_over_elsewhere(
        self: &Arc<Self>,
        connection: TcpStream,
        peer: SocketAddr,
        open: Arc<Open>,
    ) -> anyhow::Result<()> {
        if self.threads.load(Ordering::Relaxed) >= MOST_THREADS {
            tracing::debug!(target: "connections", %peer, "refused: too many are being handed over");
            return Ok(());
        }
        let acceptor = Arc::clone(self);
        self.threads.fetch_add(1, Ordering::Relaxed);
        let spawned = std::thread::Builder::new()
            .name("rtsp-handover".to_owned())
            .spawn(move || {
                if let Err(error) = acceptor.hand_over(connection, peer, open) {
                    tracing::warn!(target: "connections", %peer, "cannot serve a connection: {error}");
                }
                acceptor.threads.fetch_sub(1, Ordering::Relaxed);
            });
        if let Err(error) = spawned {
            self.threads.fetch_sub(1, Ordering::Relaxed);
            return Err(error.into());
        }
        Ok(())
    }

    fn send_silent_away(&self) {
        let mut state = self.state.lock();
        while let Some(oldest) = state.silent.first_entry()
            && oldest.get().since.elapsed() > SILENCE
        {
            let silent = oldest.remove();
            silent.source.destroy();
            tracing::debug!(target: "connections", peer = %silent.peer, "it said nothing");
        }
    }

    fn hand_over(&self, connection: TcpStream, peer: SocketAddr, open: Arc<Open>) -> anyhow::Result<()> {
        socket::watch_for_dead_peer(&connection, self.patience + LAST_RESORT)?;
        let arrival = Arrival {
            connection: Connection::new(&connection, peer),
            intakes: Arc::clone(&self.intakes),
            channels: CurrentChannels::default(),
            tls: self.tls.clone(),
            open,
        };
        let own = connection.try_clone()?;
        let socket = gio::Socket::from_fd(connection.into())?;
        let (address, port) = (peer.ip().to_string(), i32::from(peer.port()));
        let server = &self.server;
        Ok(handover::during(arrival, own, || {
            server.transfer_connection(socket, &address, port, None)
        })?)
    }
}

/// Whether the error is about one connection, which ended before it was accepted, and not about the listener.
fn is_passing(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

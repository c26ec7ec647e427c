//! The RTSP servers, their streams, and what all of them share.
//!
//! | module | job |
//! | --- | --- |
//! | `preflight` | what is tried before anybody watches |
//! | `endpoint` | the RTSP server at one address and port |
//! | `connections` | TCP connections, from the first byte to the last |
//! | `requests` | clients' requests, from the first look at one to its answer |
//! | [`roster`](Roster) | the streams that are served now, to be read by anyone |
//! | [`orders`](Orders) | what the server is asked to do, one after the other |
//! | `reload` | another configuration while it runs |
//! | `side_by_side` | does the same with several streams at a time |
//!
//! # Threads
//!
//! | thread | what it owns and does |
//! | --- | --- |
//! | main | signals, the file that is followed (`run`); it gives orders and waits for no answer but the last |
//! | `orders` | the [`Server`]: does one order after the other, and waits for nobody's farewell |
//! | `http` | the HTTP server: reads the roster, gives orders, and waits for their answers |
//! | `http-apart` | three at most: read bodies, and change the configuration. One of them does that, and waits for `orders` |
//! | `farewell` | one a reload: waits until the viewers of streams that are gone have left, then starts those always on |
//! | `rtsp-server` | the context of acceptors, timers and whoever has left |
//! | `rtsp-handover` | hands a connection with TLS over, 512 at most |
//! | GLib's pool | reads files; agrees upon keys, eight at a time |
//! | gst-rtsp-server's pool | clients: each client's requests, sessions and its [`requests::visit::Visit`] on one of them |
//! | one a pipeline | its bus |
//! | `still` | one for those who look at a stream without playing it and want the same: owns the pipeline that makes their pictures |
//! | GStreamer's own | make, encode and send; RTCP. Those that make pictures for a `still` have the lowest priority |
//! | without a name | starts a stream that is always on again; lets go of a client whose thread has ended |
//! | `log`, `stderr` | write the log, and read what others write to stderr |
//!
//! Whoever reads the [`Roster`] or listens to [`Events`] may be any thread: neither waits for one of these.
//!
//! # Locks
//!
//! All others are taken alone, and let go of before anything else is called. While the lock at the left is held, those at the
//! right may be taken, from the left to the right:
//!
//! | held | then |
//! | --- | --- |
//! | `Stream::own` | attendance |
//! | attendance | `Stream::pipeline` |
//! | `life::Trouble` | `Stream::pipeline`, back-off, a `Running`'s state |
//! | `Stream::pipeline` | a `Running`'s state, the source's own, `Stream::frames_before`, viewers |
//! | viewers | the source's own (its `clients`), the log's queue, which waits for nobody, events |
//! | `Stream::changing` | `Stream::config`, the source's and the encoder's own |
//! | receivers | their sources |
//! | `stream::stills` | the seats' count, which is no lock |
//! | what a stream that ends has counted | what that reads: `Stream::pipeline`, tallies, departures |
//! | tallies, destinations | the sinks' own, which call back for neither |
//! | mounts | gst-rtsp-server's mount points |
//! | ties | `Stream::within_connections` |
//! | the sessions of the HTTP server | when one was used |
//! | the configuration's state | what an order takes: while a change lasts, its thread waits for `orders`, which waits for none |
//!
//! No client, session or transport is let go of under any of them: its end takes some.

use std::{
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, Instant},
};

use gst::glib;
use gst_rtsp_server::{RTSPThreadPool, prelude::*};
use jiff::Timestamp;

use crate::{
    accounts::logins::{CurrentLogins, Logins},
    config::{Config, ListenAt},
    events::{Events, Farewell},
    ffi::process,
    stream::{Stream, seats::Seats},
    time_source::TimeSource,
    timers,
};

mod connections;
mod endpoint;
mod orders;
mod preflight;
mod reload;
mod requests;
mod roster;
mod side_by_side;

use connections::ties::Leavers;
use endpoint::{Endpoint, Shared};

pub use orders::{Answer, Done, Gentle, OrderError, Orders, Unknown};
pub use preflight::StartError;
pub use roster::{CurrentRoster, Roster, Served};

pub(crate) use crate::stream::stills::{
    Format, MOST_PICTURES, MOST_PICTURES_OF_A_STREAM, NoStill, Onlooker, Still, Wanted, Width,
};

use requests::{mounts::StreamsByPath, negotiation::Negotiation, sessions::Sessions, visit::Commons};
use side_by_side::side_by_side;

/// How long viewers are waited for when the server, or a stream, stops: for the farewell, which a camera of one frame a
/// second says with its next frame, and then until they have gone. Container engines give a process 10 s for all.
const FAREWELL: Duration = Duration::from_secs(3);
/// The thread that serves a client waits while the client's stream starts: as many streams can start at the same time
/// as there are such threads.
const MOST_CLIENT_THREADS: usize = 16;
/// How many streams say farewell at the same time: all that they do is wait.
const FAREWELLS_AT_ONCE: usize = 64;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    config: Config,
    /// The streams in the configuration's order.
    streams: Vec<Arc<Stream>>,
    endpoints: Vec<Endpoint>,
    /// Threads that wait for viewers of streams that are gone.
    farewells: Vec<JoinHandle<()>>,
    roster: Arc<CurrentRoster>,
    up_since: Timestamp,
    shared: Shared,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve what `config` describes, in threads of its own.
    ///
    /// # Errors
    /// When something is missing on this machine, or an address or port cannot be had.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        prepare_process()?;
        preflight::places(config)?;
        config.streams.iter().try_for_each(preflight::elements)?;
        preflight::painting(preflight::TRIAL)?;
        let shared = share(config)?;
        let streams: Vec<_> = config
            .streams
            .iter()
            .map(|stream| shared.stream(stream))
            .collect();
        let certificate = preflight::certificate(config)?;
        let endpoints = config.listens_at().into_iter();
        let endpoints: Vec<_> = endpoints
            .map(|listen_at| Endpoint::new(listen_at, certificate.as_ref(), &shared))
            .collect::<Result<_, _>>()?;
        preflight::rtp_ports(config)?;
        shared.commons.sessions.tidy_up(&shared.context);
        let main_loop = glib::MainLoop::new(Some(&shared.context), false);
        let thread = spawn(&shared.context, &main_loop)?;
        if let Some(time) = &shared.time {
            time.watch(&shared.context);
        }
        let up_since = Timestamp::now();
        let roster = Roster::new(config, &streams, &endpoints, up_since, shared.time.as_ref());
        let server = Self {
            config: config.clone(),
            streams,
            endpoints,
            farewells: Vec::new(),
            roster: Arc::new(CurrentRoster::new(roster)),
            up_since,
            shared,
            main_loop,
            thread: Some(thread),
        };
        server.offer();
        run_those_always_on(&server.streams);
        server.endpoints.iter().for_each(Endpoint::accept);
        Ok(server)
    }

    /// The configuration that it serves.
    #[must_use]
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The TCP port of the first address that it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.endpoints
            .first()
            .map_or(0, |endpoint| endpoint.listens_at().address.port())
    }

    /// How many clients play a stream.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.streams.iter().map(|stream| stream.viewers().count()).sum()
    }

    /// How many frames the cameras have skipped because they were late.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.streams.iter().map(|stream| stream.skipped()).sum()
    }

    /// The streams' URLs in the configuration's order, one for each address at which a stream can be reached.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        self.roster.get().urls()
    }

    /// The streams that it serves, now and later.
    #[must_use]
    pub fn roster(&self) -> &Arc<CurrentRoster> {
        &self.roster
    }

    /// The events of what happens to it.
    #[must_use]
    pub fn events(&self) -> &Arc<Events> {
        &self.shared.events
    }

    /// Tells viewers that it is over, closes their connections and waits until they are gone.
    pub fn stop(mut self) {
        self.shut_down();
    }

    /// Has each endpoint offer the streams that are to be found there, and publishes them in the roster.
    fn offer(&self) {
        let mut roster = Roster::new(
            &self.config,
            &self.streams,
            &self.endpoints,
            self.up_since,
            self.shared.time.as_ref(),
        );
        self.shared.events.count_for(roster.ids());
        roster.tell_places();
        roster.count_on_from(&self.roster.get());
        for endpoint in &self.endpoints {
            endpoint.offer(paths(&self.streams, endpoint.configured()));
        }
        self.roster.replace(roster);
    }

    fn shut_down(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.endpoints.iter().for_each(Endpoint::refuse);
        for stream in &self.streams {
            stream.retire_soon(Farewell::Stopped);
        }
        let deadline = Instant::now() + FAREWELL;
        side_by_side(&self.streams, FAREWELLS_AT_ONCE, |stream| {
            stream.end(time_until(deadline));
        });
        for stream in &self.streams {
            stream.send_away();
        }
        let deadline = Instant::now() + FAREWELL;
        for stream in &self.streams {
            stream.wait_until_deserted(time_until(deadline));
        }
        // These are the clients who have never asked for a stream.
        for endpoint in &self.endpoints {
            endpoint.send_away(time_until(deadline));
        }
        for farewell in self.farewells.drain(..) {
            // It began before all this, and has no longer to wait.
            let _failed = farewell.join();
        }
        self.quit();
        if thread.join().is_err() {
            tracing::error!(target: "server", "the server's thread had failed");
        }
    }

    /// Quits the main loop from within: one that has not begun to run yet would not notice.
    fn quit(&self) {
        let main_loop = self.main_loop.clone();
        let context = self.main_loop.context();
        timers::next(&context, glib::Priority::DEFAULT, move || main_loop.quit());
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Does what a process needs once, however many servers it runs.
fn prepare_process() -> Result<(), StartError> {
    // gst-rtsp-server prints requests that have an Accept-Ranges header, the log-in in them included.
    glib::set_print_handler(|_| {});
    gst::init().map_err(StartError::Gstreamer)?;
    gstclocksrc::register_static().map_err(StartError::Plugin)?;
    // A viewer over UDP takes about ten descriptors.
    match process::raise_descriptor_limit() {
        Ok(limit) => tracing::debug!(target: "server", limit, "file descriptors"),
        Err(error) => tracing::warn!(target: "server", "cannot raise the limit of open files: {error}"),
    }
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn share(config: &Config) -> Result<Shared, StartError> {
    let time = TimeSource::start(&config.clock)?.map(Arc::new);
    let threads = RTSPThreadPool::new();
    threads.set_max_threads(client_threads(config.streams.len()));
    let logins = Logins::new(config).map_err(StartError::Random)?;
    let context = glib::MainContext::new();
    let events = Arc::<Events>::default();
    let commons = Commons {
        logins: Arc::new(CurrentLogins::new(logins)),
        events: Arc::clone(&events),
        sessions: Arc::new(Sessions::new(config)),
        seats: Arc::new(Seats::new(config.max_viewers)),
        negotiation: Arc::new(Negotiation::new(config)),
        leavers: Arc::new(Leavers::new(&context)),
    };
    Ok(Shared {
        context,
        events,
        commons,
        intakes: Arc::default(),
        threads,
        still_seats: Arc::new(Seats::new(Some(MOST_PICTURES))),
        time,
    })
}

/// How many threads serve the clients of so many streams.
fn client_threads(streams: usize) -> i32 {
    let most = streams.clamp(cores(), MOST_CLIENT_THREADS.max(cores()));
    i32::try_from(most).unwrap_or(i32::MAX)
}

/// Starts the cameras that run before anybody looks, several at a time, and waits until they do.
fn run_those_always_on(streams: &[Arc<Stream>]) {
    let always_on: Vec<_> = streams
        .iter()
        .filter(|stream| stream.is_always_on())
        .cloned()
        .collect();
    side_by_side(&always_on, cores(), Stream::run);
}

/// How long it is until `deadline`.
fn time_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

/// The streams that are to be found `at` an endpoint, by their paths.
fn paths(streams: &[Arc<Stream>], at: ListenAt) -> StreamsByPath {
    let mut paths = StreamsByPath::new();
    for stream in streams {
        let config = stream.config();
        let mounts = config.mounts.iter().filter(|mount| mount.listen_at() == at);
        paths.extend(mounts.map(|mount| (mount.path.clone(), Arc::clone(stream))));
    }
    paths
}

fn spawn(context: &glib::MainContext, main_loop: &glib::MainLoop) -> Result<JoinHandle<()>, StartError> {
    let (context, main_loop) = (context.clone(), main_loop.clone());
    std::thread::Builder::new()
        .name("rtsp-server".to_owned())
        .spawn(move || {
            if context.with_thread_default(|| main_loop.run()).is_err() {
                tracing::error!(target: "server", "the server's main context belongs to another thread");
            }
        })
        .map_err(StartError::Thread)
}

#[cfg(test)]
mod tests;

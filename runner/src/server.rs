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

pub use orders::{Answer, Done, Orders, Refusal, Unknown};
pub use preflight::StartError;
pub use roster::{CurrentRoster, Roster, Served};

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
        let roster = Roster::new(
            &self.config,
            &self.streams,
            &self.endpoints,
            self.up_since,
            self.shared.time.as_ref(),
        );
        roster.tell_ids();
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
mod tests {
    use std::{
        io::{self, Read as _, Write as _},
        net::{Ipv4Addr, TcpStream},
        time::Instant,
    };

    use super::*;
    use crate::{
        config::{Mount, StreamConfig, VideoCodec},
        stream::life::Life,
    };

    fn config() -> Config {
        let stream = StreamConfig {
            mounts: vec![Mount {
                address: Ipv4Addr::LOCALHOST.into(),
                port: 0,
                tls: false,
                path: "/live".to_owned(),
            }],
            codec: VideoCodec::Mjpeg,
            width: 160,
            height: 120,
            frames_per_second: crate::config::FrameRate::whole(25),
            key_frame_interval: 25,
            ..StreamConfig::default()
        };
        Config {
            rtp_ports: None,
            login: None,
            streams: vec![stream],
            ..Config::default()
        }
    }

    /// Plays until it is dropped.
    struct Player(gst::Element);

    impl Player {
        fn new(server: &Server) -> Self {
            Self::of(&server.urls()[0])
        }

        fn of(url: &str) -> Self {
            let launch = format!("rtspsrc protocols=tcp location={url} ! fakesink");
            let pipeline = gst::parse::launch(&launch).expect("a valid pipeline");
            pipeline.set_state(gst::State::Playing).expect("it plays");
            Self(pipeline)
        }
    }

    impl Drop for Player {
        fn drop(&mut self) {
            let _stopped = self.0.set_state(gst::State::Null);
        }
    }

    #[track_caller]
    fn wait_for_viewers(server: &Server, count: usize) {
        wait_until(&format!("there are {count} viewers"), || {
            server.viewers() == count
        });
    }

    #[track_caller]
    fn wait_until(what: &str, condition: impl Fn() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !condition() {
            assert!(Instant::now() < deadline, "timed out waiting until {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Two cameras, of which the first one runs before anybody looks.
    fn two_cameras() -> Config {
        let Config { streams, .. } = config();
        let camera = |path: &str, always_on| StreamConfig {
            mounts: vec![Mount {
                path: path.to_owned(),
                ..streams[0].mounts[0].clone()
            }],
            always_on,
            ..streams[0].clone()
        };
        Config {
            streams: vec![camera("/1", true), camera("/2", false)],
            ..Config::default()
        }
    }

    #[test]
    fn a_camera_that_is_always_on_runs_again_after_a_failure_and_the_others_do_not_notice() {
        let server = Server::start(&two_cameras()).expect("the server starts");
        let _other = Player::of(&server.urls()[1]);
        wait_until("the other plays", || server.streams[1].viewers().count() == 1);
        for _ in 0..2 {
            let element = server.streams[0].element().expect("it runs before anybody looks");
            gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
            let is_another = || server.streams[0].element().is_some_and(|now| now != element);
            wait_until("a new pipeline runs", is_another);
        }
        assert_eq!(server.streams[1].viewers().count(), 1);
        let _player = Player::new(&server);
        wait_for_viewers(&server, 2);
    }

    #[test]
    fn after_a_pipeline_has_failed_viewers_can_come_back() {
        let server = Server::start(&config()).expect("the server starts");
        let player = Player::new(&server);
        wait_for_viewers(&server, 1);
        let element = server.streams[0].element().expect("a pipeline runs");
        gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
        wait_for_viewers(&server, 0);
        drop(player);
        let _player = Player::new(&server);
        wait_for_viewers(&server, 1);
    }

    #[test]
    fn a_pipeline_that_fails_before_anybody_plays_is_not_kept() {
        let server = Server::start(&config()).expect("the server starts");
        let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("it listens");
        let url = format!("rtsp://127.0.0.1:{}/live", server.port());
        let setup = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
        ask(
            &mut client,
            &format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
        );
        ask(
            &mut client,
            &format!("SETUP {url}/stream=0 RTSP/1.0\r\nCSeq: 2\r\n{setup}\r\n"),
        );
        let element = server.streams[0].element().expect("a pipeline runs");
        gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
        let end = client.read(&mut [0; 1]).map_err(|error| error.kind());
        assert!(
            matches!(end, Ok(0) | Err(io::ErrorKind::ConnectionReset)),
            "the connection must be closed: {end:?}"
        );
        let _player = Player::new(&server);
        wait_for_viewers(&server, 1);
    }

    /// Sends one request, and reads as much of its answer as comes at once.
    #[track_caller]
    fn ask(client: &mut TcpStream, request: &str) {
        client
            .set_read_timeout(Some(Duration::from_secs(10)))
            .expect("a read timeout");
        client
            .write_all(request.as_bytes())
            .expect("the connection stands");
        let mut answer = [0; 4096];
        let length = client.read(&mut answer).expect("an answer");
        assert!(answer[..length].starts_with(b"RTSP/1.0 200 OK"), "{request}");
    }

    #[test]
    fn a_stream_tells_of_its_life_and_keeps_count_of_its_frames() {
        let server = Server::start(&config()).expect("the server starts");
        let stream = &server.streams[0];
        assert_eq!(stream.life(), Life::Idle);
        let player = Player::new(&server);
        wait_until("it runs", || matches!(stream.life(), Life::Running { .. }));
        wait_until("frames leave", || stream.departures().all.frames > 10);
        let late = stream.departures();
        assert!(late.all.frames <= stream.frames().rendered, "{late:?}");
        assert_eq!(late.classes.iter().sum::<u64>(), late.all.frames);
        let element = stream.element().expect("a pipeline runs");
        gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
        let has_failed = || match stream.life() {
            Life::Failed { cause, .. } => cause.contains("made to fail"),
            _ => false,
        };
        wait_until("it has failed", has_failed);
        wait_for_viewers(&server, 0);
        drop((player, element));
        wait_until("its pipeline is gone", || stream.element().is_none());
        assert!(has_failed(), "until the next one runs");
        let before = stream.frames();
        let _player = Player::new(&server);
        wait_until("it runs again", || matches!(stream.life(), Life::Running { .. }));
        let is_more = || stream.frames().rendered > before.rendered;
        wait_until("it counts on", is_more);
    }

    #[test]
    fn a_server_can_be_stopped_at_once() {
        for _ in 0..20 {
            Server::start(&config()).expect("the server starts").stop();
        }
    }
}

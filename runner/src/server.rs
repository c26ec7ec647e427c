//! The RTSP servers, their streams, and what all of them share.
//!
//! | module | job |
//! | --- | --- |
//! | `checks` | what is tried before anybody watches |
//! | `endpoint` | the RTSP server at one address and port |
//! | `acceptor` | takes its connections |
//! | `mounts` | which stream a request is about |
//! | `client` | one client from its connection on |
//! | `handshakes` | how many clients agree upon keys at the same time |
//! | `transports` | by which ways a stream may be played |
//! | `sessions` | the sessions of a connection: hidden from all others, and over with it |

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use gst::glib;
use gst_rtsp_server::{RTSPThreadPool, prelude::*};

use crate::{
    addresses::{self, Listener},
    config::{Config, StreamConfig},
    launch, rtsp_ffi,
    stream::Stream,
};

mod acceptor;
mod checks;
mod client;
mod endpoint;
mod handshakes;
mod mounts;
mod sessions;
mod transports;

pub use checks::StartError;
use endpoint::{Endpoint, Security, Shared};
use mounts::Mounts;
use sessions::Sessions;
use transports::Transports;

/// How long viewers are waited for when the server stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// The thread that serves a client waits while the client's stream starts: with as many, that many streams start at the
/// same time.
const MOST_CLIENT_THREADS: usize = 16;

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    streams: Vec<Arc<Stream>>,
    endpoints: Vec<Endpoint>,
    urls: Vec<String>,
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
        for stream in &config.streams {
            checks::elements(stream)?;
        }
        checks::painting(checks::TRIAL)?;
        let shared = share(config);
        let streams = make_streams(config, &shared);
        let endpoints = listen(config, &streams, &shared)?;
        checks::rtp_ports(config)?;
        let main_loop = glib::MainLoop::new(Some(&shared.context), false);
        let thread = spawn(&shared.context, &main_loop)?;
        let server = Self {
            urls: urls(config, &endpoints),
            streams,
            endpoints,
            main_loop,
            thread: Some(thread),
        };
        server.run_those_always_on();
        server.endpoints.iter().for_each(Endpoint::accept);
        Ok(server)
    }

    /// The TCP port of the first address that it listens at.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.endpoints
            .first()
            .map_or(0, |endpoint| endpoint.listener().port)
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
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Tells viewers that it is over, closes their connections and waits until all is quiet.
    pub fn stop(mut self) {
        self.shut_down();
    }

    /// Starts the cameras that run before anybody looks, several at a time, and waits until they do.
    fn run_those_always_on(&self) {
        let waiting = Mutex::new(self.streams.iter().filter(|stream| stream.is_always_on()));
        let next = || waiting.lock().unwrap_or_else(PoisonError::into_inner).next();
        let start = || {
            while let Some(stream) = next() {
                stream.run();
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..cores() {
                scope.spawn(start);
            }
            start();
        });
    }

    fn shut_down(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.endpoints.iter().for_each(Endpoint::refuse);
        std::thread::scope(|scope| {
            for stream in self.streams.iter().filter(|stream| stream.viewers().count() > 0) {
                scope.spawn(|| stream.end(FAREWELL));
            }
        });
        self.endpoints.iter().for_each(Endpoint::send_away);
        for stream in &self.streams {
            stream.stop();
            stream.wait_until_deserted(FAREWELL);
        }
        self.quit();
        if thread.join().is_err() {
            tracing::error!("the server's thread had failed");
        }
    }

    /// From within the loop: one that has not begun to run yet would not notice.
    fn quit(&self) {
        let main_loop = self.main_loop.clone();
        let quit = glib::idle_source_new(None, glib::Priority::DEFAULT, move || {
            main_loop.quit();
            glib::ControlFlow::Break
        });
        quit.attach(Some(&self.main_loop.context()));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When the server cannot start.
pub fn run(config: &Config) -> anyhow::Result<()> {
    let main_loop = glib::MainLoop::new(None, false);
    for signal in [libc::SIGINT, libc::SIGTERM] {
        let main_loop = main_loop.clone();
        glib_unix::unix_signal_add(signal, move || {
            main_loop.quit();
            glib::ControlFlow::Continue
        });
    }
    let server = Server::start(config)?;
    announce(&server, config);
    main_loop.run();
    tracing::info!("stopping");
    server.stop();
    Ok(())
}

fn announce(server: &Server, config: &Config) {
    for url in server.urls() {
        tracing::info!("{url}");
    }
    let mut descriptions: Vec<String> = config.streams.iter().map(describe).collect();
    descriptions.dedup();
    let log_in = if config.login.is_some() {
        "log-in needed"
    } else {
        "no log-in"
    };
    for description in descriptions {
        tracing::info!("{description}, {log_in}");
    }
}

fn describe(stream: &StreamConfig) -> String {
    let StreamConfig {
        codec,
        width,
        height,
        frames_per_second,
        ..
    } = stream;
    let sound = stream
        .audio
        .map_or("no sound".into(), |codec| format!("{codec:?}"));
    let picture = match launch::encoder(stream) {
        Some(encoder) => {
            format!("{codec:?} by {encoder}, {width}x{height}, {frames_per_second} frames a second")
        }
        None => "a pipeline of its own".into(),
    };
    format!("{picture}, {sound}")
}

/// What a process needs once, however many servers it runs.
fn prepare_process() -> Result<(), StartError> {
    // gst-rtsp-server prints requests that have an Accept-Ranges header, the log-in in them included.
    glib::set_print_handler(|_| {});
    gst::init()?;
    gstclocksrc::register_static()?;
    // A viewer over UDP takes about ten descriptors.
    match rtsp_ffi::raise_descriptor_limit() {
        Ok(limit) => tracing::debug!(limit, "file descriptors"),
        Err(error) => tracing::warn!("cannot raise the limit of open files: {error}"),
    }
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn share(config: &Config) -> Shared {
    let threads = RTSPThreadPool::new();
    let most = config
        .streams
        .len()
        .clamp(cores(), MOST_CLIENT_THREADS.max(cores()));
    threads.set_max_threads(i32::try_from(most).unwrap_or(i32::MAX));
    Shared {
        context: glib::MainContext::new(),
        sessions: Arc::new(Sessions::default()),
        threads,
        transports: Arc::new(Transports::new(config)),
        login: config.login.clone(),
    }
}

fn make_streams(config: &Config, shared: &Shared) -> Vec<Arc<Stream>> {
    let make = |config_of_stream: &StreamConfig| {
        let stream = Stream::new(config_of_stream, &shared.context, &shared.threads);
        shared.transports.equip(&stream, config_of_stream);
        if config.login.is_some() {
            endpoint::require_login(&stream);
        }
        stream
    };
    config.streams.iter().map(make).collect()
}

/// Listens wherever a stream is to be found.
fn listen(config: &Config, streams: &[Arc<Stream>], shared: &Shared) -> Result<Vec<Endpoint>, StartError> {
    let certificate = checks::certificate(config)?;
    let plain = config.endpoints().into_iter();
    let plain = plain.map(|address| (address, Security::None));
    let tls = certificate.iter().flat_map(|certificate| {
        let endpoints = config.tls_endpoints().into_iter();
        endpoints.map(move |address| (address, Security::Tls(certificate)))
    });
    plain
        .chain(tls)
        .map(|(address, security)| {
            let mounts = mounts(config, streams, address, security);
            Endpoint::new(address, security, mounts, shared)
        })
        .collect()
}

fn mounts(config: &Config, streams: &[Arc<Stream>], address: SocketAddr, security: Security) -> Mounts {
    let mut mounts = Mounts::default();
    for (config, stream) in config.streams.iter().zip(streams) {
        let of_stream = match security {
            Security::None => &config.mounts,
            Security::Tls(_) => &config.tls_mounts,
        };
        for mount in of_stream.iter().filter(|mount| mount.endpoint() == address) {
            mounts.add(&mount.path, stream);
        }
    }
    mounts
}

fn urls(config: &Config, endpoints: &[Endpoint]) -> Vec<String> {
    let public = std::env::var(addresses::PUBLIC_ADDRESSES).ok();
    let asked = config.endpoints().into_iter().chain(config.tls_endpoints());
    let listeners: Vec<_> = asked.zip(endpoints.iter().map(Endpoint::listener)).collect();
    let mounts = config.streams.iter().flat_map(|stream| {
        let plain = stream.mounts.iter().map(|mount| (mount, false));
        plain.chain(stream.tls_mounts.iter().map(|mount| (mount, true)))
    });
    let urls = mounts.filter_map(|(mount, is_tls)| {
        let is_its = |(asked, listener): &&(SocketAddr, Listener)| {
            *asked == mount.endpoint() && listener.is_tls == is_tls
        };
        let (_, listener) = listeners.iter().find(is_its)?;
        Some(addresses::urls(*listener, &mount.path, public.as_deref()))
    });
    urls.flatten().collect()
}

fn spawn(context: &glib::MainContext, main_loop: &glib::MainLoop) -> Result<JoinHandle<()>, StartError> {
    let (context, main_loop) = (context.clone(), main_loop.clone());
    std::thread::Builder::new()
        .name("rtsp-server".to_owned())
        .spawn(move || {
            if context.with_thread_default(|| main_loop.run()).is_err() {
                tracing::error!("the server's main context belongs to another thread");
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
    use crate::config::{Mount, StreamConfig, VideoCodec};

    fn config() -> Config {
        let stream = StreamConfig {
            mounts: vec![Mount {
                address: Ipv4Addr::LOCALHOST.into(),
                port: 0,
                path: "/live".to_owned(),
            }],
            codec: VideoCodec::Mjpeg,
            width: 160,
            height: 120,
            frames_per_second: 25,
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

    /// Sends one request and reads as much of its answer as comes at once.
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
    fn a_server_can_be_stopped_at_once() {
        for _ in 0..20 {
            Server::start(&config()).expect("the server starts").stop();
        }
    }
}

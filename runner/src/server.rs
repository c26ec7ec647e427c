//! The RTSP server, its mounts, access, ports and session clean-up.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket},
    sync::{Arc, Mutex, PoisonError},
    thread::JoinHandle,
    time::Duration,
};

use gst::glib;
use gst_rtsp::{RTSPAuthMethod, RTSPHeaderField, RTSPStatusCode};
use gst_rtsp_server::{
    RTSPAddressPool, RTSPAuth, RTSPClient, RTSPContext, RTSPFilterResult, RTSPServer, RTSPSession,
    RTSPSessionPool, RTSPThreadPool, RTSPToken, prelude::*,
};

use crate::{
    acceptor::Acceptor,
    addresses::{self, Listener},
    config::{Config, Login, PortRange, StreamConfig},
    elements, launch, rtsp_ffi,
    stream::Stream,
    viewers::{Farewell, Transport, Viewer},
};

/// A session whose viewer shows no sign of life ends after this time…
const SESSION_TIMEOUT: Duration = Duration::from_secs(30);
/// …and this grace.
const SESSION_GRACE: Duration = Duration::from_secs(5);
/// How often sessions are looked through for dead ones; gst-rtsp-server never does so by itself.
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(1);
/// A connection may stay this long without a session once it has had one.
const POST_SESSION_TIMEOUT: Duration = Duration::from_secs(10);
/// More sessions than anybody watches, few enough to leave memory for those who do.
const MAX_SESSIONS: u32 = 2000;
/// The longest body of a request, in bytes. The ones that viewers send are empty or a few lines.
const MAX_BODY: u32 = 64 * 1024;
/// How long viewers are waited for when the server stops.
const FAREWELL: Duration = Duration::from_millis(500);
/// Makes one small picture as fast as it can.
const TRIAL: &str = "clocksrc is-live=false num-buffers=1 ! video/x-raw,width=64,height=64 ! fakesink";
/// How long that may take. The first program to use a new set of fonts reads them all.
const TRIAL_PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(10);
/// The permission role of those who have logged in.
const ROLE: &str = "viewer";

/// Why a server could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// GStreamer does not work here.
    #[error("GStreamer cannot start: {0}")]
    Gstreamer(#[from] glib::Error),
    /// GStreamer refused this program's own elements.
    #[error("the element clocksrc cannot be registered: {0}")]
    Plugin(#[from] glib::BoolError),
    /// The stream's launch string is not one.
    #[error("the stream {path} has a pipeline that GStreamer refuses: {reason}")]
    Launch {
        /// The stream's path.
        path: String,
        /// GStreamer's words.
        reason: glib::Error,
    },
    /// Elements are not installed.
    #[error("GStreamer elements are not installed: {}", .0.iter().map(|name| elements::with_package(name)).collect::<Vec<_>>().join(", "))]
    MissingElements(Vec<String>),
    /// This machine cannot make the picture.
    #[error("the clock cannot be painted: {0}")]
    Paint(String),
    /// Somebody else listens there.
    #[error("port {} of {} is in use: another program (or another copy of this server) listens there", .0.port(), .0.ip())]
    PortInUse(SocketAddr),
    /// Somebody else has the UDP ports.
    #[error(
        "no two UDP ports of rtpPortRange {0}, an even one and the next, are free: other programs (or another copy of this server) have them"
    )]
    RtpPortsInUse(PortRange),
    /// The address is not one to listen on.
    #[error("cannot listen on {address}: {reason}")]
    Address {
        /// The address and port.
        address: SocketAddr,
        /// The system's words.
        reason: io::Error,
    },
    /// The system does not give another thread.
    #[error("cannot start the server's thread: {0}")]
    Thread(io::Error),
}

/// A running server. Dropping it stops it.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    stream: Arc<Stream>,
    rtsp: RTSPServer,
    acceptor: Arc<Acceptor>,
    main_loop: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve what `config` describes, in threads of its own.
    ///
    /// # Errors
    /// When something is missing on this machine, or the address or port cannot be had.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        prepare_process()?;
        check_elements(&config.stream)?;
        check_painting(TRIAL)?;
        let address = SocketAddr::new(config.address, config.port);
        let context = glib::MainContext::new();
        let rtsp = RTSPServer::new();
        let stream = Stream::new(&config.stream, &rtsp, &context);
        equip(&rtsp, config, &stream);
        let socket = listen(address)?;
        check_rtp_ports(config)?;
        let refuse = |reason| StartError::Address { address, reason };
        let port = socket.local_addr().map_err(refuse)?.port();
        let acceptor = Acceptor::new(rtsp.clone(), socket, context.clone()).map_err(refuse)?;
        serve_clients(&rtsp, &stream, &acceptor);
        let main_loop = glib::MainLoop::new(Some(&context), false);
        clean_up_sessions(&rtsp, &context);
        acceptor.accept();
        let thread = spawn(&context, &main_loop)?;
        let listener = Listener {
            address: config.address,
            port,
        };
        Ok(Self {
            listener,
            stream,
            rtsp,
            acceptor,
            main_loop,
            thread: Some(thread),
        })
    }

    /// The TCP port that it listens on.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.listener.port
    }

    /// How many clients play the stream.
    #[must_use]
    pub fn viewers(&self) -> usize {
        self.stream.viewers().count()
    }

    /// The stream's URLs, one for each address at which it can be reached.
    #[must_use]
    pub fn urls(&self) -> Vec<String> {
        let public = std::env::var(addresses::PUBLIC_ADDRESSES).ok();
        addresses::urls(self.listener, self.stream.path(), public.as_deref())
    }

    /// Tells viewers that it is over, closes their connections and waits until all is quiet.
    pub fn stop(mut self) {
        self.shut_down();
    }

    fn shut_down(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.acceptor.stop();
        self.stream.end(FAREWELL);
        self.rtsp
            .client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
        if let Some(mounts) = self.rtsp.mount_points() {
            mounts.remove_factory(self.stream.path());
        }
        self.stream.wait_until_deserted(FAREWELL);
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
    let StreamConfig {
        codec,
        width,
        height,
        frames_per_second,
        ..
    } = &config.stream;
    for url in server.urls() {
        tracing::info!("{url}");
    }
    let log_in = if config.login.is_some() {
        "log-in needed"
    } else {
        "no log-in"
    };
    tracing::info!("{codec:?}, {width}x{height}, {frames_per_second} frames a second, {log_in}");
}

/// What a process needs once, however many servers it runs.
fn prepare_process() -> Result<(), StartError> {
    gst::init()?;
    gstclocksrc::plugin_register_static()?;
    // A viewer over UDP takes about ten descriptors.
    match rtsp_ffi::raise_descriptor_limit() {
        Ok(limit) => tracing::debug!(limit, "file descriptors"),
        Err(error) => tracing::warn!("cannot raise the limit of open files: {error}"),
    }
    Ok(())
}

/// A missing encoder is told before anybody watches.
fn check_elements(stream: &StreamConfig) -> Result<(), StartError> {
    let launch = launch::launch_string(stream);
    match elements::missing(&launch) {
        Ok(missing) if missing.is_empty() => Ok(()),
        Ok(missing) => Err(StartError::MissingElements(missing)),
        Err(reason) => Err(StartError::Launch {
            path: stream.path.clone(),
            reason,
        }),
    }
}

/// A missing font is told before anybody watches: runs the pipeline `trial` to its end.
fn check_painting(trial: &str) -> Result<(), StartError> {
    let pipeline = gst::parse::launch(trial)?;
    let bus = pipeline.bus();
    // What it fails at is on the bus, and says more.
    let _started = pipeline.set_state(gst::State::Playing);
    let ends = [gst::MessageType::Error, gst::MessageType::Eos];
    let end = bus.and_then(|bus| bus.timed_pop_filtered(TRIAL_PATIENCE, &ends));
    let _stopped = pipeline.set_state(gst::State::Null);
    match end.as_ref().map(|message| message.view()) {
        Some(gst::MessageView::Error(error)) => Err(StartError::Paint(error.error().to_string())),
        Some(_) => Ok(()),
        None => {
            tracing::warn!("painting a first picture takes long");
            Ok(())
        }
    }
}

/// gst-rtsp-server would refuse viewer after viewer without a word. It takes an even port and the next for each.
fn check_rtp_ports(config: &Config) -> Result<(), StartError> {
    let Some(ports) = config.rtp_ports else {
        return Ok(());
    };
    let any: IpAddr = match config.address {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let bind = |port| UdpSocket::bind((any, port)).ok();
    let is_free = |rtp: u16| bind(rtp).is_some_and(|_rtp| bind(rtp + 1).is_some());
    if (ports.first..ports.last).step_by(2).any(is_free) {
        Ok(())
    } else {
        Err(StartError::RtpPortsInUse(ports))
    }
}

/// Gives `server` its limits, its threads, its log-in and its mount.
fn equip(server: &RTSPServer, config: &Config, stream: &Stream) {
    RTSPServerExt::set_content_length_limit(server, MAX_BODY);

    let sessions = RTSPSessionPool::new();
    sessions.set_max_sessions(MAX_SESSIONS);
    server.set_session_pool(Some(&sessions));

    let threads = RTSPThreadPool::new();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    threads.set_max_threads(i32::try_from(cores).unwrap_or(i32::MAX));
    server.set_thread_pool(Some(&threads));

    if let Some(login) = &config.login {
        require_login(server, stream, login);
    }
    if let Some(pool) = config.rtp_ports.and_then(address_pool) {
        stream.set_address_pool(&pool);
    }
    if let Some(mounts) = server.mount_points() {
        mounts.add_factory(stream.path(), stream.factory().clone());
    }
}

/// Lets nobody see anything without `login`, by Basic or by Digest, as the viewer's software likes.
fn require_login(server: &RTSPServer, stream: &Stream, login: &Login) {
    let auth = RTSPAuth::new();
    // The bindings take a set of flags for an enumeration: both have no name there.
    auth.set_supported_methods(RTSPAuthMethod::__Unknown(3));
    let token = RTSPToken::builder().field("media.factory.role", ROLE).build();
    auth.add_basic(&RTSPAuth::make_basic(&login.username, &login.password), &token);
    auth.add_digest(&login.username, &login.password, &token);
    stream.factory().add_role_from_structure(
        &gst::Structure::builder(ROLE)
            .field("media.factory.access", true)
            .field("media.factory.construct", true)
            .build(),
    );
    server.set_auth(Some(&auth));
}

/// The UDP ports to send from, for both IP families.
fn address_pool(ports: PortRange) -> Option<RTSPAddressPool> {
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

fn clean_up_sessions(server: &RTSPServer, context: &glib::MainContext) {
    let Some(sessions) = server.session_pool() else {
        return;
    };
    let timer = glib::timeout_source_new(CLEAN_UP_INTERVAL, None, glib::Priority::DEFAULT, move || {
        sessions.cleanup();
        glib::ControlFlow::Continue
    });
    timer.attach(Some(context));
}

fn serve_clients(server: &RTSPServer, stream: &Arc<Stream>, acceptor: &Arc<Acceptor>) {
    if let Some(sessions) = server.session_pool() {
        let stream = Arc::clone(stream);
        sessions.connect_session_removed(move |_, session| {
            if let Some(id) = session.sessionid() {
                stream.viewers().leave(&id, farewell(session));
            }
        });
    }
    let (stream, acceptor) = (Arc::clone(stream), Arc::downgrade(acceptor));
    server.connect_client_connected(move |_, client| {
        let peer = acceptor.upgrade().and_then(|acceptor| acceptor.peer());
        serve_client(client, peer, &stream);
    });
}

/// Follows one client from its connection on.
fn serve_client(client: &RTSPClient, peer: Option<SocketAddr>, stream: &Arc<Stream>) {
    tracing::debug!(?peer, "connected");
    client.set_post_session_timeout(i32::try_from(POST_SESSION_TIMEOUT.as_secs()).unwrap_or(i32::MAX));
    rtsp_ffi::accompany(client, stream.arrive());
    follow_sessions(client);
    follow_play(client, peer, stream);
    let stream = Arc::clone(stream);
    client.connect_teardown_request(move |_, context| {
        if let Some(id) = session_id(context) {
            stream.viewers().leave(&id, Farewell::Teardown);
        }
    });
    client.connect("send-message", false, |_| {
        // What gst-rtsp-server fills in describes the packet sent last, or one that the gate has thrown away, never the
        // first one that the viewer gets. The header is optional, and one stream needs none to be put in step.
        RTSPContext::with_current_context(rtsp_ffi::remove_rtp_info);
        None
    });
}

/// Why a session without TEARDOWN is over. One that goes with its connection has time left.
fn farewell(session: &RTSPSession) -> Farewell {
    if session.is_expired_usec(glib::monotonic_time()) {
        Farewell::TimedOut
    } else {
        Farewell::Disconnected
    }
}

/// A client's sessions end with its connection.
fn follow_sessions(client: &RTSPClient) {
    let opened = Arc::new(Mutex::new(Vec::<glib::WeakRef<RTSPSession>>::new()));
    let sessions = Arc::clone(&opened);
    client.connect_new_session(move |_, session| {
        session.set_timeout(u32::try_from(SESSION_TIMEOUT.as_secs()).unwrap_or(u32::MAX));
        session.set_extra_timeout(u32::try_from(SESSION_GRACE.as_secs()).unwrap_or(u32::MAX));
        let mut sessions = sessions.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection may bring any number of sessions, one after the other.
        sessions.retain(|session| session.upgrade().is_some());
        sessions.push(session.downgrade());
    });
    client.connect_closed(move |client| {
        tracing::debug!("connection closed");
        let Some(pool) = client.session_pool() else { return };
        let sessions = std::mem::take(&mut *opened.lock().unwrap_or_else(PoisonError::into_inner));
        for session in sessions.iter().filter_map(glib::WeakRef::upgrade) {
            // Fails only if the session has ended meanwhile.
            let _removed = pool.remove(&session);
        }
    });
}

fn follow_play(client: &RTSPClient, peer: Option<SocketAddr>, stream: &Arc<Stream>) {
    let before = Arc::clone(stream);
    client.connect_pre_play_request(move |_, context| {
        if asks_for_another_speed(context) {
            tracing::warn!(
                ?peer,
                "refused a PLAY that asks for another speed than the live one"
            );
            return RTSPStatusCode::HeaderFieldNotValidForResource;
        }
        before.before_play();
        RTSPStatusCode::Ok
    });
    let after = Arc::clone(stream);
    client.connect_play_request(move |client, context| {
        let Some(id) = session_id(context) else { return };
        let transport = transport(client, context, after.path());
        after.viewers().play(&id, Viewer { peer, transport });
        after.after_play();
    });
}

fn session_id(context: &RTSPContext) -> Option<glib::GString> {
    context.session().and_then(RTSPSession::sessionid)
}

fn transport(client: &RTSPClient, context: &RTSPContext, path: &str) -> Transport {
    if rtsp_ffi::is_tunnelled(client) {
        return Transport::HttpTunnel;
    }
    let transport = context
        .session()
        .and_then(|session| session.media(path).0?.transport(0));
    match transport.as_ref().and_then(rtsp_ffi::lower_transport) {
        Some(lower) if lower.contains(gst_rtsp::RTSPLowerTrans::TCP) => Transport::Tcp,
        _ => Transport::Udp,
    }
}

/// A live camera has one speed, and some values of these headers end the process in gst-rtsp-server before 1.24.10
/// (CVE-2024-44331).
fn asks_for_another_speed(context: &RTSPContext) -> bool {
    let Some(request) = context.request() else {
        return false;
    };
    [RTSPHeaderField::Scale, RTSPHeaderField::Speed]
        .into_iter()
        .filter_map(|field| rtsp_ffi::header(request, field))
        .any(|value| !is_live_speed(&value))
}

fn is_live_speed(value: &str) -> bool {
    value
        .trim()
        .parse()
        .is_ok_and(|speed: f64| (speed - 1.0).abs() < 1e-6)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read as _, Write as _},
        net::TcpStream,
        time::Instant,
    };

    use super::*;
    use crate::config::VideoCodec;

    fn config() -> Config {
        let stream = StreamConfig {
            path: "/live".to_owned(),
            codec: VideoCodec::Mjpeg,
            width: 160,
            height: 120,
            frames_per_second: 25,
            h264_key_frame_interval: 25,
        };
        Config {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            rtp_ports: None,
            login: None,
            stream,
        }
    }

    /// Plays until it is dropped.
    struct Player(gst::Element);

    impl Player {
        fn new(server: &Server) -> Self {
            let launch = format!("rtspsrc protocols=tcp location={} ! fakesink", server.urls()[0]);
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
        let deadline = Instant::now() + Duration::from_secs(10);
        while server.viewers() != count {
            assert!(
                Instant::now() < deadline,
                "expected {count} viewers, there are {}",
                server.viewers()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn after_a_pipeline_has_failed_viewers_can_come_back() {
        let server = Server::start(&config()).expect("the server starts");
        let player = Player::new(&server);
        wait_for_viewers(&server, 1);
        let element = server.stream.element().expect("a pipeline runs");
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
        let element = server.stream.element().expect("a pipeline runs");
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

    #[test]
    fn what_cannot_be_painted_is_said_at_the_start() {
        prepare_process().expect("GStreamer");
        check_painting(TRIAL).expect("this machine has a font");
        let trial = "clocksrc is-live=false num-buffers=2 ! identity error-after=1 ! fakesink";
        let error = check_painting(trial).expect_err("it fails");
        assert!(
            error.to_string().starts_with("the clock cannot be painted: "),
            "{error}"
        );
    }

    #[test]
    fn only_one_is_the_live_speed() {
        for value in ["1", "1.0", " 1.000000 "] {
            assert!(is_live_speed(value), "{value}");
        }
        for value in [
            "", "0", "-1", "2.0", "nan", "inf", "-inf", "1e400", "abc", "1.0.0", "0x1",
        ] {
            assert!(!is_live_speed(value), "{value}");
        }
    }
}

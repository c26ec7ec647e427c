//! A server in the test's own process, and a client that speaks RTSP by hand and sees every packet.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]

pub mod certificate;
pub mod config_rules;
pub mod gst_launch;
pub mod namespace;
pub mod ntp;
pub mod process;
pub mod ptp;
pub mod random;
pub mod watcher;

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use rtsp_clock_probe::{Options, Outcome, target::Target};
use rtsp_clock_server::{
    config::{Config, Login, Mount, StreamConfig, VideoCodec},
    server::Server,
};

/// Longer than anything takes that works.
pub const PATIENCE: Duration = Duration::from_secs(10);

pub fn config() -> Config {
    Config {
        rtp_ports: None,
        login: None,
        streams: vec![StreamConfig {
            mounts: vec![mount("/live")],
            codec: VideoCodec::H264,
            width: 320,
            height: 240,
            frames_per_second: 25,
            key_frame_interval: 1000,
            ..StreamConfig::default()
        }],
        ..Config::default()
    }
}

/// Enough data to fill what the system takes for a viewer who does not read: several MB.
pub fn config_of_large_pictures() -> Config {
    let mut config = config();
    config.streams[0].codec = VideoCodec::Mjpeg;
    (config.streams[0].width, config.streams[0].height) = (1920, 1080);
    config
}

/// At any free port of loopback.
pub fn mount(path: &str) -> Mount {
    Mount {
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        path: path.to_owned(),
    }
}

pub fn login() -> Login {
    Login {
        username: "user".to_owned(),
        password: "s3cret".to_owned(),
    }
}

pub fn start(config: &Config) -> Server {
    Server::start(config).expect("the server starts")
}

pub fn url(server: &Server) -> String {
    format!("rtsp://127.0.0.1:{}/live", server.port())
}

/// What the probe is to play.
#[track_caller]
pub fn target(url: &str) -> Target {
    Target::parse(url, None).expect("a URL")
}

/// What the probe finds.
#[track_caller]
pub fn measure(options: &Options) -> Outcome {
    rtsp_clock_probe::measure(options).expect("GStreamer starts")
}

/// A folder of that name with the plugin in it, as cargo built it for the tests: cargo puts it beside the programs that
/// people run only when it is asked for by itself.
pub fn plugin_folder(name: &str) -> PathBuf {
    let file = format!("{DLL_PREFIX}gstclocksrc{DLL_SUFFIX}");
    let built = std::env::current_exe()
        .expect("a test has a path")
        .with_file_name(&file);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder for the plugin");
    std::fs::copy(&built, folder.join(file)).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    folder
}

/// Waits until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(
        holds_within(PATIENCE, condition),
        "timed out waiting until {what}"
    );
}

#[track_caller]
pub fn wait_for_viewers(server: &Server, count: usize) {
    wait_for_viewers_within(PATIENCE, server, count);
}

/// For what takes longer than [`PATIENCE`] where it works.
#[track_caller]
pub fn wait_for_viewers_within(time: Duration, server: &Server, count: usize) {
    let seen = || server.viewers() == count;
    assert!(
        holds_within(time, seen),
        "expected {count} viewers, there are {}",
        server.viewers()
    );
}

pub fn holds_within(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + time;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// Seconds from NTP's epoch to Unix's.
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// A client that speaks RTSP over one TCP connection, with RTP interleaved.
pub struct RtspClient {
    stream: BufReader<TcpStream>,
    url: String,
    cseq: u32,
    session: Option<String>,
    authorization: Option<String>,
}

pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.headers
            .iter()
            .filter(move |(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// A packet that came in a TCP connection, and when its last byte had come.
pub struct Interleaved {
    pub channel: u8,
    pub data: Vec<u8>,
    pub arrival: SystemTime,
}

impl Interleaved {
    pub fn is_rtp(&self) -> bool {
        self.channel == 0
    }

    pub fn payload_type(&self) -> u8 {
        self.data[1] & 0x7f
    }

    pub fn marker(&self) -> bool {
        self.data[1] & 0x80 != 0
    }

    pub fn sequence_number(&self) -> u16 {
        u16::from_be_bytes([self.data[2], self.data[3]])
    }

    pub fn rtp_time(&self) -> u32 {
        u32::from_be_bytes(self.data[4..8].try_into().expect("four bytes"))
    }

    /// Whether it starts or carries an H.264 parameter set or a key picture (RFC 6184).
    pub fn is_key(&self) -> bool {
        let payload = &self.data[12..];
        let nal_type = match payload[0] & 0x1f {
            28 => payload[1] & 0x1f,
            24 => payload[3] & 0x1f,
            single => single,
        };
        matches!(nal_type, 5..=8)
    }

    /// Whether it holds RTCP's BYE (RFC 3550).
    pub fn is_goodbye(&self) -> bool {
        let mut rest = self.data.as_slice();
        while self.channel == 1 && rest.len() >= 4 {
            if rest[1] == 203 {
                return true;
            }
            let length = 4 * (usize::from(u16::from_be_bytes([rest[2], rest[3]])) + 1);
            rest = rest.get(length..).unwrap_or_default();
        }
        false
    }

    /// The instant and the RTP time that a sender report ties together (RFC 3550).
    pub fn sender_report(&self) -> Option<(SystemTime, u32)> {
        if self.channel != 1 || self.data[1] != 200 {
            return None;
        }
        let word = |at: usize| u32::from_be_bytes(self.data[at..at + 4].try_into().expect("four bytes"));
        let nanoseconds = (u64::from(word(12)) * 1_000_000_000) >> 32;
        let since_epoch =
            Duration::from_secs(u64::from(word(8)) - NTP_TO_UNIX) + Duration::from_nanos(nanoseconds);
        Some((UNIX_EPOCH + since_epoch, word(16)))
    }
}

/// The instant of `rtp_time` as a sender report says, for H.264's and JPEG's clock of 90 kHz.
pub fn instant_of(rtp_time: u32, (instant, at): (SystemTime, u32)) -> SystemTime {
    let ticks = i64::from(rtp_time.wrapping_sub(at).cast_signed());
    let distance = Duration::from_nanos(ticks.unsigned_abs() * 100_000 / 9);
    if ticks < 0 {
        instant - distance
    } else {
        instant + distance
    }
}

/// `later` - `earlier` in milliseconds; negative where they come the other way round.
pub fn milliseconds_between(earlier: SystemTime, later: SystemTime) -> f64 {
    match later.duration_since(earlier) {
        Ok(distance) => distance.as_secs_f64() * 1e3,
        Err(error) => -error.duration().as_secs_f64() * 1e3,
    }
}

impl RtspClient {
    pub fn connect(server: &Server) -> Self {
        Self::connect_port(server.port())
    }

    pub fn connect_port(port: u16) -> Self {
        Self::connect_path(port, "/live")
    }

    pub fn connect_path(port: u16, path: &str) -> Self {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        Self {
            stream: BufReader::new(stream),
            url: format!("rtsp://127.0.0.1:{port}{path}"),
            cseq: 0,
            session: None,
            authorization: None,
        }
    }

    /// Asks for the stream at `path` from now on.
    #[must_use]
    pub fn at(self, path: &str) -> Self {
        let host = self.stream.get_ref().peer_addr().expect("it is connected");
        Self {
            url: format!("rtsp://{host}{path}"),
            ..self
        }
    }

    /// The connection, and what has come and was not looked at.
    pub fn into_connection(self) -> (TcpStream, Vec<u8>) {
        let unread = self.stream.buffer().to_vec();
        (self.stream.into_inner(), unread)
    }

    /// Where it comes from, as the server sees it.
    pub fn address(&self) -> SocketAddr {
        self.stream.get_ref().local_addr().expect("an address")
    }

    /// The session that the server gave.
    pub fn session(&self) -> Option<&str> {
        self.session.as_deref()
    }

    /// Sends this with each request.
    pub fn authorize(&mut self, authorization: String) {
        self.authorization = Some(authorization);
    }

    pub fn send(&mut self, method: &str, url: &str, headers: &[(&str, &str)]) {
        self.cseq += 1;
        let mut request = format!("{method} {url} RTSP/1.0\r\nCSeq: {}\r\n", self.cseq);
        let session = self.session.as_deref().map(|session| ("Session", session));
        let authorization = self
            .authorization
            .as_deref()
            .map(|value| ("Authorization", value));
        for (name, value) in headers.iter().copied().chain(session).chain(authorization) {
            request.extend([name, ": ", value, "\r\n"]);
        }
        self.send_raw(format!("{request}\r\n").as_bytes());
    }

    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream
            .get_mut()
            .write_all(bytes)
            .expect("the connection stands");
    }

    pub fn request(&mut self, method: &str, headers: &[(&str, &str)]) -> Response {
        let url = self.url.clone();
        self.send(method, &url, headers);
        self.response()
    }

    pub fn options(&mut self) -> Response {
        self.request("OPTIONS", &[])
    }

    pub fn describe(&mut self) -> Response {
        self.request("DESCRIBE", &[("Accept", "application/sdp")])
    }

    /// SETUP with RTP in this connection.
    pub fn setup(&mut self) -> Response {
        self.setup_over("RTP/AVP/TCP;unicast;interleaved=0-1")
    }

    pub fn setup_over(&mut self, transport: &str) -> Response {
        self.setup_medium(0, transport)
    }

    /// SETUP of the picture (0) or the sound (1).
    pub fn setup_medium(&mut self, medium: u32, transport: &str) -> Response {
        let control = format!("{}/stream={medium}", self.url);
        self.send("SETUP", &control, &[("Transport", transport)]);
        let response = self.response();
        let session = response
            .header("Session")
            .map(|session| session.split(';').next().unwrap_or_default());
        self.session = session.map(str::to_owned);
        response
    }

    pub fn play(&mut self) -> Response {
        self.request("PLAY", &[("Range", "npt=0.000-")])
    }

    /// Says that it is there; the answer is thrown away with the next packets.
    pub fn show_sign_of_life(&mut self) {
        let url = self.url.clone();
        self.send("GET_PARAMETER", &url, &[]);
    }

    /// Everything from connecting to playing.
    pub fn watch(server: &Server) -> Self {
        Self::watch_port(server.port())
    }

    pub fn watch_port(port: u16) -> Self {
        Self::watch_path(port, "/live")
    }

    pub fn watch_path(port: u16, path: &str) -> Self {
        let mut client = Self::connect_path(port, path);
        assert_eq!(client.describe().status, 200, "DESCRIBE");
        assert_eq!(client.setup().status, 200, "SETUP");
        assert_eq!(client.play().status, 200, "PLAY");
        client
    }

    /// The next response; packets before it are thrown away.
    pub fn response(&mut self) -> Response {
        loop {
            match self.try_response() {
                Ok(Some(response)) => return response,
                Ok(None) => {}
                Err(error) => panic!("no response: {error}"),
            }
        }
    }

    /// A response, or nothing if what came was a packet.
    fn try_response(&mut self) -> io::Result<Option<Response>> {
        if self.peek()? == b'$' {
            self.packet()?;
            return Ok(None);
        }
        let status_line = self.line()?;
        let status = status_line.split(' ').nth(1).and_then(|code| code.parse().ok());
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        let mut response = Response {
            status: status.unwrap_or(0),
            headers,
            body: String::new(),
        };
        let length = response
            .header("Content-Length")
            .and_then(|length| length.parse().ok())
            .unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        response.body = String::from_utf8_lossy(&body).into_owned();
        Ok(Some(response))
    }

    /// The next packet; responses and requests before it are thrown away.
    pub fn next_packet(&mut self) -> io::Result<Interleaved> {
        while self.peek()? != b'$' {
            self.try_response()?;
        }
        self.packet()
    }

    /// The next RTP packet.
    pub fn next_rtp(&mut self) -> Interleaved {
        loop {
            let packet = self.next_packet().expect("packets keep coming");
            if packet.is_rtp() {
                return packet;
            }
        }
    }

    /// The next RTP packet for which `condition` holds.
    #[track_caller]
    pub fn next_rtp_where(
        &mut self,
        what: &str,
        mut condition: impl FnMut(&Interleaved) -> bool,
    ) -> Interleaved {
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let packet = self.next_rtp();
            if condition(&packet) {
                return packet;
            }
        }
        panic!("no packet came {what}");
    }

    /// The next sender report, and the RTP packets that came before it.
    pub fn until_sender_report(&mut self) -> (Vec<Interleaved>, (SystemTime, u32)) {
        let mut packets = Vec::new();
        loop {
            let packet = self.next_packet().expect("packets keep coming");
            if let Some(report) = packet.sender_report() {
                return (packets, report);
            }
            if packet.is_rtp() {
                packets.push(packet);
            }
        }
    }

    /// Reads until the server closes the connection; false if it does not.
    pub fn sees_the_end(&mut self) -> bool {
        loop {
            match self.peek() {
                Ok(_) => self.stream.consume(1),
                Err(error) => {
                    return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                }
            }
        }
    }

    fn packet(&mut self) -> io::Result<Interleaved> {
        let mut head = [0; 4];
        self.stream.read_exact(&mut head)?;
        let mut data = vec![0; usize::from(u16::from_be_bytes([head[2], head[3]]))];
        self.stream.read_exact(&mut data)?;
        Ok(Interleaved {
            channel: head[1],
            data,
            arrival: SystemTime::now(),
        })
    }

    fn peek(&mut self) -> io::Result<u8> {
        let buffer = self.stream.fill_buf()?;
        buffer
            .first()
            .copied()
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        Ok(line.trim_end().to_owned())
    }
}

//! A client that speaks RTSP by hand and sees every packet.

use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{Ipv4Addr, Shutdown, SocketAddr, SocketAddrV4, TcpStream},
    os::fd::AsRawFd as _,
    sync::atomic::{AtomicU32, Ordering},
    time::{Instant, SystemTime},
};

use gst::glib::base64_encode;
use rtsp_clock_server::server::Server;

use super::{PATIENCE, STOPPING, packet::Interleaved};

/// A client that speaks RTSP over one TCP connection, or through an HTTP tunnel, with RTP interleaved.
pub struct RtspClient {
    stream: BufReader<TcpStream>,
    /// The tunnel's way to the server.
    post: Option<TcpStream>,
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

impl RtspClient {
    pub fn connect(server: &Server) -> Self {
        Self::connect_port(server.port())
    }

    pub fn connect_port(port: u16) -> Self {
        Self::connect_path(port, "/live")
    }

    pub fn connect_path(port: u16, path: &str) -> Self {
        Self::connect_at(Ipv4Addr::LOCALHOST, port, path)
    }

    pub fn connect_at(address: Ipv4Addr, port: u16, path: &str) -> Self {
        let stream = TcpStream::connect((address, port)).expect("the server listens");
        Self::over(stream, format!("rtsp://{address}:{port}{path}"))
    }

    /// As [`RtspClient::connect_port`], from an address of loopback's.
    pub fn connect_from(source: Ipv4Addr, port: u16) -> Self {
        use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn, bind, connect, socket};
        let there = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
        let socket = socket(
            AddressFamily::Inet,
            SockType::Stream,
            SockFlag::SOCK_CLOEXEC,
            None,
        );
        let socket = socket.expect("a socket");
        let here = SockaddrIn::from(SocketAddrV4::new(source, 0));
        bind(socket.as_raw_fd(), &here).expect("all of 127.0.0.0/8 is this machine's");
        connect(socket.as_raw_fd(), &SockaddrIn::from(there)).expect("the server listens");
        Self::over(TcpStream::from(socket), format!("rtsp://{there}/live"))
    }

    /// As [`RtspClient::connect_port`], over a connection that stands.
    pub fn over(stream: TcpStream, url: String) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        Self {
            stream: BufReader::new(stream),
            post: None,
            url,
            cseq: 0,
            session: None,
            authorization: None,
        }
    }

    /// Through an HTTP tunnel, of which the way to the server is opened before the way back, or after it. Whichever the
    /// server meets first is the viewer's address to it.
    pub fn tunnel(port: u16, is_post_first: bool) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let cookie = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let open = |method: &str, headers: &str| {
            let mut connection = connect(port);
            let typed = "application/x-rtsp-tunnelled";
            let head = format!("{method} /live HTTP/1.0\r\nx-sessioncookie: {cookie}\r\n");
            let request = format!("{head}Accept: {typed}\r\nContent-Type: {typed}\r\n{headers}\r\n");
            connection
                .write_all(request.as_bytes())
                .expect("the connection stands");
            connection
        };
        let open_post = || open("POST", "Content-Length: 32767\r\n");
        let early = is_post_first.then(open_post);
        let mut client = Self::over(open("GET", ""), format!("rtsp://127.0.0.1:{port}/live"));
        assert_eq!(client.response().status, 200, "GET");
        client.post = Some(early.unwrap_or_else(open_post));
        client
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

    /// Ends the connection by which packets come. A tunnel's way to the server stands.
    pub fn hang_up(&self) {
        self.stream
            .get_ref()
            .shutdown(Shutdown::Both)
            .expect("the connection stands");
    }

    /// Where the requests come from that go through a tunnel.
    pub fn post_address(&self) -> Option<SocketAddr> {
        let post = self.post.as_ref()?;
        Some(post.local_addr().expect("an address"))
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
        let sent = match &mut self.post {
            Some(post) => post.write_all(base64_encode(bytes).as_bytes()),
            None => self.stream.get_mut().write_all(bytes),
        };
        sent.expect("the connection stands");
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
        // A refused one names none.
        self.session = session.map(str::to_owned).or(self.session.take());
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
        Self::connect_path(port, path).watching()
    }

    /// Watches the stream from now on.
    #[track_caller]
    pub fn watching(mut self) -> Self {
        assert_eq!(self.describe().status, 200, "DESCRIBE {}", self.url);
        assert_eq!(self.setup().status, 200, "SETUP {}", self.url);
        assert_eq!(self.play().status, 200, "PLAY {}", self.url);
        self
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

    /// Reads until no packet comes, and answers whether RTCP's BYE was among them.
    pub fn sees_a_goodbye(&mut self) -> bool {
        let deadline = Instant::now() + STOPPING;
        let mut goodbye = false;
        while Instant::now() < deadline
            && let Ok(packet) = self.next_packet()
        {
            goodbye |= packet.is_goodbye();
        }
        goodbye
    }

    /// Reads until the server closes the connection; false if it does not within [`STOPPING`], which is well below the
    /// minute after which gst-rtsp-server by itself closes one that has no session.
    pub fn sees_the_end(&mut self) -> bool {
        let deadline = Instant::now() + STOPPING;
        let stream = self.stream.get_ref();
        stream.set_read_timeout(Some(STOPPING)).expect("a read timeout");
        while Instant::now() < deadline {
            match self.peek() {
                Ok(_) => self.stream.consume(1),
                Err(error) => {
                    return !matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut);
                }
            }
        }
        false
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

fn connect(port: u16) -> TcpStream {
    TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("the server listens")
}

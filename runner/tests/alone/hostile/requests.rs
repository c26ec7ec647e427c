//! Conversations that nobody should hold with a camera: valid ones, damaged in one way each.

use gst::glib::base64_encode;

use super::values::{HEADERS, METHODS, TRANSPORTS};
use crate::common::random::Random;

/// Stands in a request for the session that the server gave to this connection.
pub(crate) const OWN_SESSION: &str = "<own session>";

/// Whom to attack, and what is known of them.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// The stream's URL.
    pub(crate) url: String,
    /// The value of an `Authorization` header that lets in, where one is needed.
    pub(crate) authorization: Option<String>,
    /// The session of somebody who plays.
    pub(crate) victim: String,
}

/// How a conversation is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Valid,
    Flipped,
    Truncated,
    Reordered,
    Repeated,
    Oversized,
    HostileHeader,
    HostileTransport,
    HostileLength,
    HostileLine,
    EmbeddedNul,
    Interleaved,
    Tunnelled,
    StolenSession,
    Garbage,
}

impl Kind {
    pub(crate) const ALL: [Self; 15] = [
        Self::Valid,
        Self::Flipped,
        Self::Truncated,
        Self::Reordered,
        Self::Repeated,
        Self::Oversized,
        Self::HostileHeader,
        Self::HostileTransport,
        Self::HostileLength,
        Self::HostileLine,
        Self::EmbeddedNul,
        Self::Interleaved,
        Self::Tunnelled,
        Self::StolenSession,
        Self::Garbage,
    ];
}

/// What is said in one or two connections (an HTTP tunnel has two), turn by turn.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) kind: Kind,
    /// The connection, and what is sent through it.
    pub(crate) turns: Vec<(usize, Vec<u8>)>,
}

impl Conversation {
    /// The next one.
    pub(crate) fn make(random: &mut Random, target: &Target) -> Self {
        let kind = random.pick(&Kind::ALL);
        let turns = if kind == Kind::Tunnelled {
            tunnel(random, target)
        } else {
            let sent = requests(random, target, kind);
            sent.into_iter().map(|bytes| (0, bytes)).collect()
        };
        Self { kind, turns }
    }
}

/// A request before it is written.
#[derive(Debug, Clone)]
struct Request {
    line: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Request {
    fn new(method: &str, url: &str) -> Self {
        Self {
            line: format!("{method} {url} RTSP/1.0"),
            headers: Vec::new(),
            body: Vec::new(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    fn write(&self) -> Vec<u8> {
        let mut text = format!("{}\r\n", self.line);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        [text.as_bytes(), b"\r\n", &self.body].concat()
    }
}

fn requests(random: &mut Random, target: &Target, kind: Kind) -> Vec<Vec<u8>> {
    let mut requests = conversation(random, target);
    let at = random.below(requests.len());
    match kind {
        Kind::Valid | Kind::Tunnelled | Kind::Flipped | Kind::Truncated | Kind::EmbeddedNul => {}
        Kind::Reordered => random.shuffle(&mut requests),
        Kind::Repeated => repeat(random, &mut requests[at]),
        Kind::Oversized => swell(random, &mut requests[at]),
        Kind::HostileHeader => poison(random, &mut requests),
        Kind::HostileTransport => set(&mut requests, "Transport", random.pick(&TRANSPORTS)),
        Kind::HostileLength => miscount(random, &mut requests[at]),
        Kind::HostileLine => misspell(random, &mut requests[at], target),
        Kind::StolenSession => steal(random, &mut requests, &target.victim),
        Kind::Interleaved => return interleave(random, &requests),
        Kind::Garbage => return garbage(random),
    }
    let mut written: Vec<Vec<u8>> = requests.iter().map(Request::write).collect();
    match kind {
        Kind::Flipped => flip(random, &mut written[at]),
        Kind::EmbeddedNul => {
            let place = random.below(written[at].len());
            written[at].insert(place, 0);
        }
        Kind::Truncated => {
            let length = random.below(written[at].len());
            written[at].truncate(length);
            written.truncate(at + 1);
        }
        _ => {}
    }
    written
}

/// A valid conversation; every fourth stops short of its TEARDOWN.
fn conversation(random: &mut Random, target: &Target) -> Vec<Request> {
    let url = &target.url;
    let transport = random.pick(&[
        "RTP/AVP/TCP;unicast;interleaved=0-1",
        "RTP/AVP;unicast;client_port=9-10",
    ]);
    let mut requests = vec![
        Request::new("OPTIONS", url),
        Request::new("DESCRIBE", url).with("Accept", "application/sdp"),
        Request::new("SETUP", &format!("{url}/stream=0")).with("Transport", transport),
        Request::new("PLAY", url).with("Range", "npt=0.000-"),
        Request::new("GET_PARAMETER", url),
        Request::new("PAUSE", url),
        Request::new("TEARDOWN", url),
    ];
    if random.one_in(4) {
        requests.truncate(1 + random.below(requests.len()));
    }
    // Where a log-in is needed, one in four does not have it.
    let authorization = target.authorization.as_ref().filter(|_| !random.one_in(4));
    for (number, request) in (1..).zip(&mut requests) {
        request.headers.insert(0, ("CSeq".to_owned(), number.to_string()));
        if number > 3 {
            request
                .headers
                .push(("Session".to_owned(), OWN_SESSION.to_owned()));
        }
        if let Some(authorization) = authorization {
            request
                .headers
                .push(("Authorization".to_owned(), authorization.clone()));
        }
    }
    requests
}

/// Sets or adds a header where it is, or in every request.
fn set(requests: &mut [Request], name: &str, value: &str) {
    let has = |request: &Request| request.headers.iter().any(|(key, _)| key == name);
    let is_usual = requests.iter().any(has);
    for request in requests.iter_mut().filter(|request| !is_usual || has(request)) {
        request.headers.retain(|(key, _)| key != name);
        request.headers.push((name.to_owned(), value.to_owned()));
    }
}

fn flip(random: &mut Random, bytes: &mut [u8]) {
    for _ in 0..=random.below(8) {
        let place = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(place) {
            *byte ^= 1 << random.below(8);
        }
    }
}

fn repeat(random: &mut Random, request: &mut Request) {
    let header = request.headers[random.below(request.headers.len())].clone();
    let times = random.pick(&[1, 10, 1000]);
    request.headers.extend(std::iter::repeat_n(header, times));
}

fn swell(random: &mut Random, request: &mut Request) {
    let long = "a".repeat(random.pick(&[1000, 4095, 4096, 4097, 65_536, 200_000]));
    match random.below(5) {
        0 => request.line = request.line.replacen(" RTSP/", &format!("{long} RTSP/"), 1),
        1 => request.line = request.line.replacen(' ', &format!(" {long}"), 1),
        2 => request.headers.push((long, String::new())),
        3 => {
            for (_, value) in &mut request.headers {
                value.push_str(&long);
            }
        }
        _ => {
            let numbered = (0..1000).map(|number| (format!("X-{number}"), number.to_string()));
            request.headers.extend(numbered);
        }
    }
}

fn poison(random: &mut Random, requests: &mut [Request]) {
    let (name, values) = random.pick(&HEADERS);
    set(requests, name, random.pick(values));
}

fn miscount(random: &mut Random, request: &mut Request) {
    let length = random.pick(&[
        "-1",
        "0",
        "1",
        "10",
        "65535",
        "65536",
        "65537",
        "2147483647",
        "2147483648",
        "4294967295",
        "4294967296",
        "9223372036854775807",
        "18446744073709551616",
        "ten",
        "",
        "0x10",
    ]);
    request
        .headers
        .push(("Content-Length".to_owned(), length.to_owned()));
    let there = random.pick(&[0, 1, 10, 70_000]);
    request.body = random.bytes(there);
}

fn misspell(random: &mut Random, request: &mut Request, target: &Target) {
    let method = random.pick(&METHODS);
    let urls = [
        target.url.as_str(),
        "*",
        "/",
        "/live",
        "",
        "rtsp://",
        "rtsp://:@:/",
        "rtsp://[::1/live",
        "rtsp://host:99999999999/live",
        "rtspu://127.0.0.1/live",
        "http://127.0.0.1/live",
        "rtsp://127.0.0.1//live//../..//%00%ff%",
        "rtsp://127.0.0.1/live/stream=99999999999",
        "rtsp://127.0.0.1/live/stream=-1",
        "rtsp://127.0.0.1/live?a=b?c=d&&&",
        "%s%n%x",
    ];
    let url = random.pick(&urls);
    let version = random.pick(&[
        "RTSP/1.0",
        "RTSP/2.0",
        "RTSP/9.9",
        "RTSP/-1.0",
        "RTSP/1",
        "HTTP/1.0",
        "HTTP/1.1",
        "SIP/2.0",
        "",
    ]);
    request.line = match random.below(6) {
        0 => format!("RTSP/1.0 {} {method}", random.pick(&["200", "-1", "99999", "x"])),
        1 => method.to_owned(),
        _ => format!("{method} {url} {version}"),
    };
    let number = random.pick(&["0", "-1", "4294967296", "99999999999999999999", "x", ""]);
    if random.one_in(3) {
        set(std::slice::from_mut(request), "CSeq", number);
    }
}

fn steal(random: &mut Random, requests: &mut Vec<Request>, victim: &str) {
    let mut theft = requests[0].clone();
    theft.line = theft.line.replacen("OPTIONS", random.pick(&METHODS), 1);
    requests.push(theft);
    for request in requests {
        request.headers.retain(|(name, _)| name != "Session");
        request.headers.push(("Session".to_owned(), victim.to_owned()));
    }
}

/// Frames of RTP where requests belong, and requests cut by them.
fn interleave(random: &mut Random, requests: &[Request]) -> Vec<Vec<u8>> {
    let frame = |random: &mut Random| {
        let length = random.pick(&[0, 1, 4, 12, 28, 1400, 65_535]);
        let [high, low] = u16::to_be_bytes(u16::try_from(length).unwrap_or(u16::MAX));
        let channel = random.pick(&[0, 1, 2, 255]);
        let sent = if random.one_in(4) { length / 2 } else { length };
        [vec![b'$', channel, high, low], random.bytes(sent)].concat()
    };
    let mut turns = Vec::new();
    for request in requests {
        let mut bytes = request.write();
        match random.below(4) {
            0 => turns.push(frame(random)),
            1 => {
                let place = random.below(bytes.len());
                bytes.splice(place..place, frame(random));
            }
            _ => {}
        }
        turns.push(bytes);
    }
    turns
}

fn garbage(random: &mut Random) -> Vec<Vec<u8>> {
    let length = random.pick(&[1, 2, 5, 100, 5000, 70_000]);
    let bytes = match random.below(4) {
        0 => vec![b'\n'; length],
        1 => vec![b'\r'; length],
        2 => vec![b' '; length],
        _ => random.bytes(length),
    };
    vec![bytes]
}

/// RTSP over HTTP: the GET brings the answers, the POST takes requests in base64.
fn tunnel(random: &mut Random, target: &Target) -> Vec<(usize, Vec<u8>)> {
    let cookie = format!("{:x}", random.next());
    let open = |method: &str, cookie: &str| {
        let typed = "application/x-rtsp-tunnelled";
        let path = target.url.splitn(4, '/').nth(3).unwrap_or_default();
        let length = if method == "POST" {
            "Content-Length: 32767\r\n"
        } else {
            ""
        };
        format!("{method} /{path} HTTP/1.0\r\nx-sessioncookie: {cookie}\r\nAccept: {typed}\r\nContent-Type: {typed}\r\n{length}\r\n")
            .into_bytes()
    };
    let (get, post) = (open("GET", &cookie), open("POST", &cookie));
    let mut turns = match random.below(7) {
        0 => vec![(0, get.clone()), (1, get)],
        1 => vec![(0, post.clone()), (1, post)],
        2 => vec![(0, get), (0, post)],
        3 => vec![(0, get), (1, open("POST", "of somebody else"))],
        4 => vec![(0, open("GET", "")), (1, open("POST", ""))],
        5 => vec![(0, get.clone()), (1, post), (0, get)],
        _ => vec![(0, get), (1, post)],
    };
    for request in conversation(random, target) {
        let mut bytes = base64_encode(&request.write()).as_bytes().to_vec();
        if random.one_in(4) {
            flip(random, &mut bytes);
        }
        turns.push((1, bytes));
    }
    turns
}

//! Where a message of a client begins and ends, as gst-rtsp-server's connection sees it (`build_next` and `read_line` in
//! gstrtspconnection.c, from 1.22 to 1.28).

use std::ffi::CString;

/// What comes before the data of a packet within RTSP (RFC 2326, section 10.12): `$`, the channel, the length in two bytes.
const HEAD: usize = 4;
/// The bytes of the packet itself that are looked at.
const BEGIN: usize = 2;
/// gst-rtsp-server knows no more of a line, and neither do we.
const LONGEST_LINE: usize = 4095;
/// gst-rtsp-server keeps no more of a tunnel's cookie.
const LONGEST_COOKIE: usize = 255;

/// Whether gst-rtsp-server gets to see a packet.
pub(super) trait PacketFilter {
    /// Whether it gets a packet on `channel` of that length, which begins with these two bytes; zeros where it has fewer.
    fn lets_pass(&mut self, channel: u8, length: usize, begin: [u8; BEGIN]) -> bool;
}

/// What HTTP request has opened a tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Opening {
    /// GET: data goes to the client.
    WayFrom,
    /// POST: requests come from the client.
    WayTo,
}

/// Where in a message the bytes are.
#[derive(Debug, Default)]
pub(super) struct Framing {
    position: Position,
    /// The HTTP request that has just ended.
    opened: Option<(Opening, CString)>,
    /// The connection has had an HTTP request that opens a tunnel: there is one at most.
    has_had_http: bool,
}

#[derive(Debug, Default)]
enum Position {
    /// Before a message.
    #[default]
    Between,
    /// In a packet, before it is judged.
    Head(Vec<u8>),
    /// So many bytes before the end of a message that passes.
    Passing(usize),
    /// So many bytes before the end of a packet that does not pass.
    Dropping(usize),
    /// In the head of a request or a response.
    Lines(Lines),
    /// Behind something for which gst-rtsp-server ends the connection.
    Lost,
}

impl Framing {
    /// How many bytes may be taken next, where `asked` would be read.
    pub(super) fn wants(&self, asked: usize) -> usize {
        match &self.position {
            Position::Between | Position::Passing(_) | Position::Lines(_) => asked,
            Position::Head(head) => HEAD + BEGIN - head.len(),
            Position::Dropping(remaining) => *remaining,
            Position::Lost => LONGEST_LINE,
        }
    }

    /// The tunnel's way and cookie, once, right behind the request that opens it.
    pub(super) fn opened(&mut self) -> Option<(Opening, CString)> {
        self.opened.take()
    }

    /// Takes one byte, and adds to `passed` what may be read by now.
    pub(super) fn take(&mut self, byte: u8, filter: &mut impl PacketFilter, passed: &mut Vec<u8>) {
        match &mut self.position {
            Position::Between => self.begin(byte, passed),
            Position::Head(head) => {
                head.push(byte);
                let head = std::mem::take(head);
                self.position = filtered(head, filter, passed);
            }
            Position::Passing(remaining) => {
                passed.push(byte);
                *remaining -= 1;
                if *remaining == 0 {
                    self.position = Position::Between;
                }
            }
            Position::Dropping(remaining) => {
                *remaining -= 1;
                if *remaining == 0 {
                    self.position = Position::Between;
                }
            }
            Position::Lines(lines) => match lines.take(byte, passed) {
                Head::GoesOn => {}
                Head::Ends => self.end_head(),
                Head::IsStrange => self.position = Position::Lost,
            },
            Position::Lost => {}
        }
    }

    fn begin(&mut self, byte: u8, passed: &mut Vec<u8>) {
        self.position = match byte {
            b'$' => Position::Head(vec![byte]),
            b'\r' | b'\n' => {
                passed.push(byte);
                Position::Between
            }
            _ if is_strange(byte) => Position::Lost,
            _ => {
                passed.push(byte);
                Position::Lines(Lines::new(byte))
            }
        };
    }

    fn end_head(&mut self) {
        let Position::Lines(lines) = std::mem::take(&mut self.position) else {
            return;
        };
        if let Some(opening) = lines.opening().filter(|_| !self.has_had_http)
            && let Some(cookie) = lines.cookie
        {
            self.has_had_http = true;
            self.opened = Some((opening, cookie));
            return;
        }
        self.position = match lines.body {
            Body::Of(0) => Position::Between,
            Body::Of(length) => Position::Passing(length),
            Body::Wrong => Position::Lost,
        };
    }
}

/// Where the bytes are once `head` has come of a packet: whether it passes is decided as soon as enough has come.
fn filtered(head: Vec<u8>, filter: &mut impl PacketFilter, passed: &mut Vec<u8>) -> Position {
    let &[_, channel, high, low, ref begin @ ..] = head.as_slice() else {
        return Position::Head(head);
    };
    let length = usize::from(u16::from_be_bytes([high, low]));
    if begin.len() < length.min(BEGIN) {
        return Position::Head(head);
    }
    let mut first = [0; BEGIN];
    first[..begin.len()].copy_from_slice(begin);
    let remaining = length - begin.len();
    match (filter.lets_pass(channel, length, first), remaining) {
        (true, remaining) => {
            passed.extend(&head);
            if remaining > 0 {
                Position::Passing(remaining)
            } else {
                Position::Between
            }
        }
        (false, 0) => Position::Between,
        (false, remaining) => Position::Dropping(remaining),
    }
}

/// The lines of a request or a response.
#[derive(Debug)]
struct Lines {
    /// The one that is being read.
    line: Vec<u8>,
    count: usize,
    end: End,
    /// What is kept back: gst-rtsp-server loses an end of a line that comes without what follows it.
    kept: Vec<u8>,
    is_http: bool,
    method: Vec<u8>,
    cookie: Option<CString>,
    has_length: bool,
    body: Body,
}

/// How long a body is.
#[derive(Debug, Clone, Copy)]
enum Body {
    Of(usize),
    /// No length, or more than anybody may send.
    Wrong,
}

/// What the last bytes were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Text,
    Cr,
    Lf,
    CrLf,
    CrLfCr,
}

/// Whether a head has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Head {
    GoesOn,
    Ends,
    /// gst-rtsp-server would see another end than we do, and no client writes so.
    IsStrange,
}

/// Text has none of these, and gst-rtsp-server takes them for the end of a text or for blanks.
fn is_strange(byte: u8) -> bool {
    byte.is_ascii_control() && !b"\r\n\t".contains(&byte)
}

/// What a byte behind the end of a line says of it.
enum Verdict {
    /// It goes on here.
    Goes(End),
    /// It is folded: the next line belongs to it.
    Folds,
    /// It is over, and the next one begins with this byte.
    Ends,
    /// It is over, and so are all.
    EndsAll,
}

impl Lines {
    fn new(first: u8) -> Self {
        Self {
            line: vec![first],
            count: 0,
            end: End::Text,
            kept: Vec::new(),
            is_http: false,
            method: Vec::new(),
            cookie: None,
            has_length: false,
            body: Body::Of(0),
        }
    }

    fn take(&mut self, byte: u8, passed: &mut Vec<u8>) -> Head {
        if is_strange(byte) {
            return Head::IsStrange;
        }
        self.kept.push(byte);
        let mut head = Head::GoesOn;
        match self.end.followed_by(byte) {
            Verdict::Goes(end) => {
                if end == End::Text {
                    self.note(byte);
                }
                self.end = end;
            }
            Verdict::Folds => {
                // The end of the line has become a blank.
                self.note(b' ');
                self.note(byte);
                self.end = End::Text;
            }
            // A line that ends with LF, and another one that begins with the end of one: to gst-rtsp-server it is empty.
            Verdict::Ends if byte == b'\r' => return Head::IsStrange,
            Verdict::Ends => {
                self.end_line();
                self.end = End::Text;
                self.note(byte);
            }
            Verdict::EndsAll => {
                self.end_line();
                head = Head::Ends;
            }
        }
        if head == Head::Ends || !matches!(self.end, End::Cr | End::Lf) {
            passed.append(&mut self.kept);
        }
        head
    }

    fn note(&mut self, byte: u8) {
        if self.line.len() < LONGEST_LINE {
            self.line.push(byte);
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        if self.count == 0 {
            let mut words = line
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            self.method = words.next().unwrap_or_default().to_ascii_uppercase();
            let version = words.next_back().and_then(|version| version.first_chunk::<5>());
            self.is_http = version.is_some_and(|version| version.eq_ignore_ascii_case(b"HTTP/"));
        } else {
            self.note_header(&line);
        }
        self.count += 1;
    }

    fn note_header(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            return;
        };
        // What begins with a blank is another name, and what has no value is no header.
        let (name, value) = (line[..colon].trim_ascii_end(), line[colon + 1..].trim_ascii());
        if value.is_empty() {
            return;
        }
        if name.eq_ignore_ascii_case(b"content-length") && !self.has_length {
            self.has_length = true;
            self.body = length(value);
        } else if name.eq_ignore_ascii_case(b"x-sessioncookie") && self.cookie.is_none() {
            let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
            self.cookie = CString::new(&value[..end.min(LONGEST_COOKIE)]).ok();
        }
    }

    /// What tunnel's way the request opens, if it has a cookie.
    fn opening(&self) -> Option<Opening> {
        match self.method.as_slice() {
            b"GET" if self.is_http => Some(Opening::WayFrom),
            b"POST" if self.is_http => Some(Opening::WayTo),
            _ => None,
        }
    }
}

impl End {
    fn followed_by(self, byte: u8) -> Verdict {
        match (self, byte) {
            (Self::Text, b'\r') => Verdict::Goes(Self::Cr),
            (Self::Text, b'\n') => Verdict::Goes(Self::Lf),
            (Self::Text, _) => Verdict::Goes(Self::Text),
            (Self::Cr | Self::Lf | Self::CrLf, b' ' | b'\t') => Verdict::Folds,
            (Self::Cr, b'\n') => Verdict::Goes(Self::CrLf),
            (Self::CrLf, b'\r') => Verdict::Goes(Self::CrLfCr),
            (Self::Cr, b'\r') | (Self::Lf | Self::CrLf, b'\n') | (Self::CrLfCr, b'\r' | b'\n') => {
                Verdict::EndsAll
            }
            _ => Verdict::Ends,
        }
    }
}

/// As C's `strtoll` reads it.
fn length(value: &[u8]) -> Body {
    let digits = value.strip_prefix(b"+").unwrap_or(value);
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if value.starts_with(b"-") && value.get(1).is_some_and(|byte| (b'1'..=b'9').contains(byte)) {
        return Body::Wrong;
    }
    let digits = std::str::from_utf8(&digits[..count]).unwrap_or_default();
    match digits.parse::<usize>() {
        Ok(length) if length <= super::MAX_BODY as usize => Body::Of(length),
        Err(_) if digits.is_empty() => Body::Of(0),
        _ => Body::Wrong,
    }
}

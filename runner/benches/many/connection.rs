//! One RTSP connection with RTP in it, as cheap as it can be.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

/// Longer than what a frame usually takes.
const AT_ONCE: usize = 16 * 1024;
const RTP_HEAD: usize = 12;

/// A connection to an RTSP server.
pub(crate) struct Connection {
    socket: TcpStream,
    /// What has come and is not a whole item yet.
    bytes: Vec<u8>,
    items: VecDeque<Item>,
    cseq: u32,
    session: Option<String>,
}

/// What comes from a server.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Item {
    Answer { status: u16, session: Option<String> },
    Packet(Packet),
}

/// The head of an RTP packet of H.264; all but the channel is zero where it is not one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Packet {
    pub(crate) channel: u8,
    pub(crate) marker: bool,
    pub(crate) sequence_number: u16,
    pub(crate) rtp_time: u32,
    /// Whether it starts or carries a parameter set or a key picture (RFC 6184).
    pub(crate) is_key: bool,
}

impl Connection {
    pub(crate) async fn open(server: SocketAddr) -> Result<Self, String> {
        let socket = TcpStream::connect(server)
            .await
            .map_err(|error| format!("cannot connect: {error}"))?;
        Ok(Self {
            socket,
            bytes: Vec::new(),
            items: VecDeque::new(),
            cseq: 0,
            session: None,
        })
    }

    /// Asks, and waits for the answer; packets before it are kept.
    pub(crate) async fn ask(&mut self, method: &str, url: &str, headers: &str) -> Result<(), String> {
        self.send(method, url, headers).await?;
        loop {
            let answer = self
                .items
                .iter()
                .position(|item| matches!(item, Item::Answer { .. }));
            match answer.and_then(|index| self.items.remove(index)) {
                Some(Item::Answer { status: 200, session }) => {
                    self.session = session.or(self.session.take());
                    return Ok(());
                }
                Some(other) => return Err(format!("{method}: {other:?}")),
                None => self.read().await?,
            }
        }
    }

    pub(crate) async fn send(&mut self, method: &str, url: &str, headers: &str) -> Result<(), String> {
        self.cseq += 1;
        let session = self.session.as_ref().map(|id| format!("Session: {id}\r\n"));
        let request = format!(
            "{method} {url} RTSP/1.0\r\nCSeq: {}\r\n{headers}{}\r\n",
            self.cseq,
            session.unwrap_or_default()
        );
        self.write(request.as_bytes())
            .await
            .map_err(|error| format!("{method}: {error}"))
    }

    async fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            self.socket.writable().await?;
            match self.socket.try_write(bytes) {
                Ok(length) => bytes = &bytes[length..],
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The next answer or packet.
    pub(crate) async fn next(&mut self) -> Result<Item, String> {
        loop {
            match self.items.pop_front() {
                Some(item) => return Ok(item),
                None => self.read().await?,
            }
        }
    }

    async fn read(&mut self) -> Result<(), String> {
        let failed = |error| format!("the connection broke: {error}");
        self.socket.readable().await.map_err(failed)?;
        self.take().map_err(failed)
    }

    fn take(&mut self) -> io::Result<()> {
        let mut chunk = [0; AT_ONCE];
        match self.socket.try_read(&mut chunk) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => self.bytes.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
        let mut rest = self.bytes.as_slice();
        while let Some((item, length)) = first_item(rest) {
            self.items.push_back(item);
            rest = &rest[length..];
        }
        let taken = self.bytes.len() - rest.len();
        self.bytes.drain(..taken);
        Ok(())
    }
}

/// The item that `bytes` begin with, and its length, once it is whole.
fn first_item(bytes: &[u8]) -> Option<(Item, usize)> {
    if bytes.first()? == &b'$' {
        let head = bytes.get(..4)?;
        let length = 4 + usize::from(u16::from_be_bytes([head[2], head[3]]));
        let data = bytes.get(4..length)?;
        return Some((Item::Packet(packet(head[1], data)), length));
    }
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&bytes[..end]);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = end + header(&text, "Content-Length").map_or(0, |value| value.parse().unwrap_or(0));
    let session = header(&text, "Session").and_then(|value| value.split(';').next().map(str::to_owned));
    let answer = Item::Answer {
        status: status.unwrap_or(0),
        session,
    };
    (bytes.len() >= length).then_some((answer, length))
}

fn header<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = text.lines().filter_map(|line| line.split_once(':'));
    pairs
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}

fn packet(channel: u8, data: &[u8]) -> Packet {
    let (Some(head), true) = (data.first_chunk::<RTP_HEAD>(), channel == 0) else {
        return Packet {
            channel,
            ..Packet::default()
        };
    };
    Packet {
        channel,
        marker: head[1] & 0x80 != 0,
        sequence_number: u16::from_be_bytes([head[2], head[3]]),
        rtp_time: u32::from_be_bytes([head[4], head[5], head[6], head[7]]),
        is_key: is_key(&data[RTP_HEAD..]),
    }
}

fn is_key(payload: &[u8]) -> bool {
    let nal_type = |at: usize| payload.get(at).map_or(0, |byte| byte & 0x1f);
    let nal_type = match nal_type(0) {
        28 => nal_type(1),
        24 => nal_type(3),
        single => single,
    };
    matches!(nal_type, 5..=8)
}

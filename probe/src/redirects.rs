//! Asks an RTSP server where it sends those who ask: `rtspsrc` follows a redirect, or fails at it, and does not tell.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::target::Target;

/// How long the server may take for all of it.
const PATIENCE: Duration = Duration::from_secs(1);
/// Bytes of an answer's head that are read at most.
const MOST: usize = 16 << 10;

/// The `Location` of the answer to a DESCRIBE of `url`; `None` where there is none, or no asking, as with TLS.
pub(crate) fn location(url: &str) -> Option<String> {
    let target = Target::parse(url, None).ok()?;
    if target.scheme() != "rtsp" {
        return None;
    }
    let until = Instant::now() + PATIENCE;
    let mut connection = TcpStream::connect_timeout(target.addresses().first()?, PATIENCE).ok()?;
    let request = format!(
        "DESCRIBE {} RTSP/1.0\r\nCSeq: 1\r\nAccept: application/sdp\r\n\r\n",
        target.uri
    );
    connection.write_all(request.as_bytes()).ok()?;
    let head = head(&mut connection, until)?;
    let mut lines = head.lines();
    let status = lines.next()?.split_whitespace().nth(1)?;
    let value = |line: &str| {
        let (name, value) = line.split_once(':')?;
        name.trim()
            .eq_ignore_ascii_case("location")
            .then(|| value.trim().to_owned())
    };
    status.starts_with('3').then(|| lines.find_map(value)).flatten()
}

/// The answer up to its first empty line, or as much of it as comes.
fn head(connection: &mut TcpStream, until: Instant) -> Option<String> {
    let mut bytes = Vec::new();
    let mut block = [0; 1024];
    while bytes.len() < MOST && !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        let left = until
            .checked_duration_since(Instant::now())
            .filter(|left| !left.is_zero())?;
        connection.set_read_timeout(Some(left)).ok()?;
        match connection.read(&mut block).ok()? {
            0 => break,
            count => bytes.extend_from_slice(&block[..count]),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

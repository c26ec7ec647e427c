//! Bytes to the HTTP server, and bytes from it: what no client would send, and what it makes of that.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    os::fd::AsRawFd as _,
};

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, connect, setsockopt, socket, sockopt::RcvBuf,
};

use crate::{Server, common::PATIENCE};

pub(super) fn address(server: &Server) -> &str {
    server.origin.trim_start_matches("http://")
}

pub(super) fn open(server: &Server) -> TcpStream {
    let connection = TcpStream::connect(address(server)).expect("it listens");
    connection.set_read_timeout(Some(PATIENCE)).expect("a time");
    connection
}

/// A connection whose system keeps next to nothing of what comes.
pub(super) fn open_narrow(server: &Server) -> TcpStream {
    let kind = (AddressFamily::Inet, SockType::Stream, SockFlag::SOCK_CLOEXEC);
    let socket = socket(kind.0, kind.1, kind.2, None).expect("a socket");
    setsockopt(&socket, RcvBuf, &2048).expect("an option");
    let there: std::net::SocketAddrV4 = address(server).parse().expect("an address");
    connect(socket.as_raw_fd(), &SockaddrIn::from(there)).expect("it listens");
    TcpStream::from(socket)
}

/// Sends `bytes`, and answers all that comes back until the server closes the connection. It may close it before it has seen
/// all, and takes back some of what it said then.
#[track_caller]
pub(super) fn answer_to(server: &Server, bytes: &[u8]) -> String {
    let mut connection = open(server);
    // The server may have heard enough.
    let _ = connection.write_all(bytes);
    let mut answer = Vec::new();
    if let Err(error) = connection.read_to_end(&mut answer) {
        let is_late = matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        assert!(!is_late, "the connection stands: {}", shortened(bytes));
    }
    String::from_utf8_lossy(&answer).into_owned()
}

/// The status of the first answer; 0 where there is none.
pub(super) fn status(answer: &str) -> u16 {
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.unwrap_or(0)
}

/// Whether the server has closed the connection, whatever it had said before.
pub(super) fn is_closed(connection: &mut TcpStream) -> bool {
    connection.set_nonblocking(true).expect("an option");
    let mut bytes = [0; 4096];
    let read = std::iter::repeat_with(|| connection.read(&mut bytes)).find(|read| !matches!(read, Ok(1..)));
    let is_closed =
        read.is_some_and(|read| read.map_or_else(|e| e.kind() != ErrorKind::WouldBlock, |_| true));
    connection.set_nonblocking(false).expect("an option");
    is_closed
}

/// As much of it as a person reads.
pub(super) fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(&bytes[..bytes.len().min(120)])
        .escape_debug()
        .to_string()
}

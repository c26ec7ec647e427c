//! The connection of a client, as it is seen from beside gst-rtsp-server.

use std::{
    net::{SocketAddr, TcpStream},
    os::fd::{AsRawFd, RawFd},
};

use crate::ffi::socket::{self, Delivery};

/// The connection of a client. It is gst-rtsp-server's, which may close it at any time: so the descriptor is used only
/// while it still has the same two addresses. (Between that check and the use it could come to stand for another connection;
/// but a descriptor of our own would keep the connection open.)
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Connection {
    descriptor: RawFd,
    /// The address on this machine; `None` where the connection had ended before it was handed on.
    local: Option<SocketAddr>,
    peer: SocketAddr,
}

impl Connection {
    /// Notes `connection`, which is about to be handed on.
    pub(crate) fn new(connection: &TcpStream, peer: SocketAddr) -> Self {
        Self {
            descriptor: connection.as_raw_fd(),
            local: connection.local_addr().ok(),
            peer: canonical(peer),
        }
    }

    /// Whether `socket` is this connection's.
    pub(in crate::server) fn is_of(&self, socket: &impl AsRawFd) -> bool {
        socket.as_raw_fd() == self.descriptor
    }

    /// Where the connection comes from.
    pub(in crate::server) fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// What the peer has taken of what it was sent; `None` once the connection has ended.
    pub(super) fn delivery(&self) -> Option<Delivery> {
        let delivery = socket::delivery(self.descriptor)?;
        self.stands().then_some(delivery)
    }

    /// Whether the descriptor still stands for this connection.
    pub(in crate::server) fn stands(&self) -> bool {
        socket::ends(self.descriptor)
            .is_some_and(|(local, peer)| Some(local) == self.local && canonical(peer) == self.peer)
    }

    /// Ends the connection both ways: whoever reads from it finds its end.
    pub(in crate::server) fn end(&self) {
        if self.stands()
            && let Err(error) = socket::shut_down(self.descriptor)
        {
            tracing::debug!(target: "connections", peer = %self.peer, "cannot end the connection: {error}");
        }
    }

    /// Has the system throw away, once the connection is closed, what the peer has not taken: it would keep that for the peer.
    pub(super) fn forget_what_waits(&self) {
        if self.stands()
            && let Err(error) = socket::reset_on_close(self.descriptor)
        {
            tracing::debug!(target: "connections", peer = %self.peer, "cannot forget what waits: {error}");
        }
    }
}

/// The address with an IPv4 address written as one: where the server listens on IPv6 as well, the system writes it as IPv6.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_known_by_its_peer() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let client = TcpStream::connect(address).expect("it listens");
        let (server, peer) = listener.accept().expect("somebody knocks");
        assert!(Connection::new(&server, peer).delivery().is_some());
        let other = Connection::new(&server, address);
        assert!(other.delivery().is_none(), "{client:?} is another one");
    }

    #[test]
    fn what_a_peer_does_not_read_waits() {
        use std::io::Write as _;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let _client = TcpStream::connect(listener.local_addr().expect("it has one")).expect("it listens");
        let (mut server, peer) = listener.accept().expect("somebody knocks");
        server.set_nonblocking(true).expect("it can be");
        let mut written = 0;
        while let Ok(length) = server.write(&[0; 16384]) {
            written += u64::try_from(length).expect("it is few");
        }
        let delivery = Connection::new(&server, peer).delivery().expect("it stands");
        assert!(delivery.waiting > 0, "{delivery:?}");
        // The system may count the connection's begin as a byte.
        assert!(
            delivery.written().abs_diff(written) <= 1,
            "{delivery:?} of {written}"
        );
    }
}

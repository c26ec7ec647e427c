//! The connections of tunnels through HTTP.
//!
//! A tunnel has two connections, one for each direction. gst-rtsp-server goes on with the client of the connection that came
//! first, gives it the other connection as well, and lets the other client end: so data may go by the connection of a client
//! that is gone.

use std::{
    collections::HashMap,
    ffi::{CStr, CString},
};

use super::connection::Connection;
use parking_lot::Mutex;

/// What the ended clients of a server have left to tunnels, by the tunnels' cookies.
#[derive(Debug, Default)]
pub(in crate::server) struct Tunnels(Mutex<HashMap<CString, Vec<Connection>>>);

impl Tunnels {
    /// The client of `connection`, which belongs to the tunnel of that cookie, has ended. Where its connection has not, the
    /// connection is the tunnel's from now on.
    pub(in crate::server) fn inherit(&self, cookie: CString, connection: Connection) {
        let mut all = self.0.lock();
        // Connections of tunnels that are gone are dropped now: nothing here is told when a connection ends.
        all.retain(|_, connections| {
            connections.retain(Connection::stands);
            !connections.is_empty()
        });
        if connection.stands() {
            all.entry(cookie).or_default().push(connection);
        }
    }

    /// The connections that the tunnel of that cookie has got from ended clients.
    pub(in crate::server) fn of(&self, cookie: &CStr) -> Vec<Connection> {
        self.0.lock().get(cookie).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn a_tunnel_has_what_stands_and_no_others() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has one");
        let connect = || {
            let client = TcpStream::connect(address).expect("it listens");
            let (server, peer) = listener.accept().expect("somebody knocks");
            (Connection::new(&server, peer), server, client)
        };
        let (tunnels, first, second) = (Tunnels::default(), connect(), connect());
        tunnels.inherit(c"a".into(), first.0);
        assert_eq!(tunnels.of(c"a"), [first.0]);
        assert_eq!(tunnels.of(c"b"), []);
        // The next one may get its descriptor, and is another one all the same.
        let gone = first.0;
        drop(first);
        tunnels.inherit(c"b".into(), second.0);
        assert_eq!((tunnels.of(c"a"), tunnels.of(c"b")), (vec![], vec![second.0]));
        tunnels.inherit(c"c".into(), gone);
        assert_eq!(tunnels.of(c"c"), []);
    }
}

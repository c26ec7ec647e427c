//! The connections of an endpoint's clients, and how all of them are ended.

use std::{collections::HashSet, sync::Arc, time::Duration};

use gst_rtsp_server::RTSPClient;
use parking_lot::{Condvar, Mutex};

use super::connection::Connection;
use crate::ffi::rtsp;

/// The connections of an endpoint's clients.
#[derive(Debug, Default)]
pub(in crate::server) struct Connected {
    connections: Mutex<Connections>,
    has_ended: Condvar,
}

#[derive(Debug, Default)]
struct Connections {
    of_clients: HashSet<Connection>,
    /// Connections whose clients have gone and left them to other clients, as happens in a tunnel through HTTP.
    left_to_others: HashSet<Connection>,
    /// All connections have been ended, and so is any that comes now.
    are_over: bool,
}

/// Lasts as long as the client of the connection, and tells `all` of its end.
struct ConnectedClient {
    all: Arc<Connected>,
    connection: Connection,
}

impl Drop for ConnectedClient {
    fn drop(&mut self) {
        let mut connections = self.all.connections.lock();
        connections.of_clients.remove(&self.connection);
        if self.connection.stands() {
            connections.left_to_others.retain(Connection::stands);
            connections.left_to_others.insert(self.connection);
        }
        drop(connections);
        self.all.has_ended.notify_all();
    }
}

impl Connected {
    /// `client` has come by `connection`.
    pub(in crate::server) fn follow(self: &Arc<Self>, client: &RTSPClient, connection: Connection) {
        let mut connections = self.connections.lock();
        if connections.are_over {
            connection.end();
        }
        connections.of_clients.insert(connection);
        drop(connections);
        rtsp::accompany(
            client,
            ConnectedClient {
                all: Arc::clone(self),
                connection,
            },
        );
    }

    /// Ends all connections, those to come as well, and waits until their clients have gone, no longer than `patience`.
    ///
    /// Each client finds the end of its connection on the thread that serves it: gst-rtsp-server reads without end from a
    /// connection that another thread closes meanwhile.
    pub(in crate::server) fn end(&self, patience: Duration) {
        let mut connections = self.connections.lock();
        connections.are_over = true;
        let Connections {
            of_clients,
            left_to_others,
            ..
        } = &*connections;
        of_clients.iter().chain(left_to_others).for_each(Connection::end);
        let are_there = |connections: &mut Connections| !connections.of_clients.is_empty();
        self.has_ended
            .wait_while_for(&mut connections, are_there, patience);
        if !connections.of_clients.is_empty() {
            tracing::debug!(target: "connections", clients = connections.of_clients.len(), "still there");
        }
    }
}

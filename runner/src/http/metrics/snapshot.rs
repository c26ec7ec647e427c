//! All counts at one moment.

use jiff::Timestamp;

use super::process::Process;
use crate::{
    events::{Counts, StreamEvents},
    http::App,
    server::Served,
    status::{ServerCounts, StreamCounts},
    stream_id::StreamId,
};

/// The counts of a server and its streams.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The server as a whole.
    pub(super) server: ServerSnapshot,
    /// Each stream, in the configuration's order.
    pub(super) streams: Vec<StreamSnapshot>,
}

/// The counts of a server as a whole.
#[derive(Debug)]
pub(super) struct ServerSnapshot {
    /// Those of RTSP connections and orders.
    pub(super) counts: ServerCounts,
    /// HTTP connections that are served.
    pub(super) http_connections: u64,
    /// HTTP connections that have been accepted.
    pub(super) accepted_http_connections: u64,
    /// How often what has happened.
    pub(super) events: Counts,
    /// Events that were gone before somebody who follows them came to them.
    pub(super) missed_events: u64,
    /// Since when it serves.
    pub(super) up_since: Timestamp,
    /// What the process takes.
    pub(super) process: Process,
}

/// The counts of a stream.
#[derive(Debug)]
pub(super) struct StreamSnapshot {
    /// The stream.
    pub(super) id: StreamId,
    /// Those that it keeps itself.
    pub(super) counts: StreamCounts,
    /// How often what has happened to it.
    pub(super) events: StreamEvents,
}

impl Snapshot {
    /// The counts of now.
    pub(super) fn take(app: &App) -> Self {
        let roster = app.roster().get();
        let events = app.orders.events().counts();
        let of_stream = |served: &Served| StreamSnapshot {
            id: served.id().clone(),
            counts: served.counts(),
            events: events.of(served.id()),
        };
        let streams = roster.streams().iter().map(of_stream).collect();
        let server = ServerSnapshot {
            counts: app.orders.counts(),
            http_connections: app.connections.served() as u64,
            accepted_http_connections: app.connections.accepted(),
            missed_events: app.orders.events().missed(),
            up_since: roster.up_since(),
            process: Process::read(),
            events,
        };
        Self { server, streams }
    }
}

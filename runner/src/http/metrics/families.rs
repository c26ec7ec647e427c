//! The metrics, one row each. `docs/metrics.md` says the same to people, and a test holds the two together.

use prometheus_client::{metrics::MetricType, registry::Unit};
use strum::VariantArray as _;

use super::snapshot::{ServerSnapshot, StreamSnapshot};
use crate::{events::Farewell, status::LatenessStatus, stream::life::Life};

/// A metric, with all its samples.
#[derive(Debug)]
pub(super) struct Family {
    /// Its name, without the prefix, the unit, and `_total`.
    pub(super) name: &'static str,
    /// What it says.
    pub(super) help: &'static str,
    /// Its unit, which is behind its name.
    pub(super) unit: Option<Unit>,
    /// Whether it only grows.
    pub(super) kind: MetricType,
    /// Its samples.
    pub(super) samples: Samples,
}

/// Where the samples of a metric come from, and which labels they have.
#[derive(Debug)]
pub(super) enum Samples {
    /// One of each stream.
    Stream(fn(&StreamSnapshot) -> Number),
    /// One of each stream for each value of that label.
    StreamBy(&'static str, fn(&StreamSnapshot) -> ByLabel),
    /// The classes of how late each stream's frames left.
    StreamLateness(fn(&StreamSnapshot) -> &LatenessStatus),
    /// One, as far as it is known.
    Server(fn(&ServerSnapshot) -> Option<Number>),
    /// One for each value of that label.
    ServerBy(&'static str, fn(&ServerSnapshot) -> ByLabel),
    /// One that says all in its labels.
    Info(fn() -> Vec<(&'static str, String)>),
}

/// Values by what stands in a label.
type ByLabel = Vec<(&'static str, u64)>;

/// The value of a sample.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number {
    /// A count.
    Whole(u64),
    /// A measure.
    Real(f64),
}

/// All metrics, as they are written.
pub(super) static FAMILIES: &[Family] = &[
    Family {
        name: "viewers",
        help: "Viewers who play the stream",
        unit: None,
        kind: MetricType::Gauge,
        samples: Samples::StreamBy("transport", viewers),
    },
    Family {
        name: "viewer_joins",
        help: "Viewers who began to play the stream",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::StreamBy("transport", joins),
    },
    Family {
        name: "viewer_leaves",
        help: "Viewers who play the stream no longer",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::StreamBy("reason", leaves),
    },
    Family {
        name: "viewers_refused",
        help: "Viewers who may see the stream and could not play it",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.events.refusals)),
    },
    Family {
        name: "stream_state",
        help: "1 for the state in which the stream is, and 0 for the others",
        unit: None,
        kind: MetricType::Gauge,
        samples: Samples::StreamBy("state", states),
    },
    Family {
        name: "stream_starts",
        help: "Pipelines that were made for the stream",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.events.starts)),
    },
    Family {
        name: "stream_restarts",
        help: "Pipelines that were made because the one before had failed",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.events.restarts)),
    },
    Family {
        name: "stream_failures",
        help: "Pipelines of the stream that failed or could not be made",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.events.failures)),
    },
    Family {
        name: "frames_made",
        help: "Frames that were painted",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.counts.frames.made)),
    },
    Family {
        name: "frames_skipped",
        help: "Frames that were left out because the machine was late",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.counts.frames.skipped)),
    },
    Family {
        name: "frame_lateness",
        help: "How long after their instant frames left for viewers",
        unit: Some(Unit::Seconds),
        kind: MetricType::Histogram,
        samples: Samples::StreamLateness(|stream| &stream.counts.lateness),
    },
    Family {
        name: "key_frames_forced",
        help: "Key frames that the encoder was asked for",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.counts.key_frames_forced)),
    },
    Family {
        name: "rtp_packets_sent",
        help: "RTP packets that were sent to viewers",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.counts.sent.packets)),
    },
    Family {
        name: "rtp_sent",
        help: "Bytes of RTP that were sent to viewers",
        unit: Some(Unit::Bytes),
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.counts.sent.bytes)),
    },
    Family {
        name: "rtp_packets_reported_lost",
        help: "RTP packets that viewers reported lost",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Stream(|stream| Number::Whole(stream.counts.packets_lost)),
    },
    Family {
        name: "connections",
        help: "Connections that are open",
        unit: None,
        kind: MetricType::Gauge,
        samples: Samples::ServerBy("protocol", |server| {
            vec![
                ("http", server.http_connections),
                ("rtsp", server.counts.connections),
            ]
        }),
    },
    Family {
        name: "connections_accepted",
        help: "Connections that were accepted",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::ServerBy("protocol", |server| {
            vec![
                ("http", server.accepted_http_connections),
                ("rtsp", server.counts.accepted_connections),
            ]
        }),
    },
    Family {
        name: "logins_refused",
        help: "Log-ins over RTSP and HTTP that were refused",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::ServerBy("reason", |server| {
            vec![
                ("wrong", server.events.wrong_logins),
                ("forbidden", server.events.forbidden_logins),
            ]
        }),
    },
    Family {
        name: "orders",
        help: "Orders that the server was given: reloads, changes, key frames",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Server(|server| whole(Some(server.counts.orders))),
    },
    Family {
        name: "reloads",
        help: "Configurations that the server was given while it runs",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::ServerBy("result", |server| {
            vec![
                ("taken", server.events.reloads),
                ("refused", server.events.refused_reloads),
            ]
        }),
    },
    Family {
        name: "events",
        help: "Events that were told",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Server(|server| whole(Some(server.events.all))),
    },
    Family {
        name: "events_missed",
        help: "Events that were gone before somebody who follows them came to them",
        unit: None,
        kind: MetricType::Counter,
        samples: Samples::Server(|server| whole(Some(server.missed_events))),
    },
    Family {
        name: "process_cpu",
        help: "Time that all cores have spent on the server",
        unit: Some(Unit::Seconds),
        kind: MetricType::Counter,
        samples: Samples::Server(|server| server.process.cpu_seconds.map(Number::Real)),
    },
    Family {
        name: "process_resident_memory",
        help: "Memory that the server has",
        unit: Some(Unit::Bytes),
        kind: MetricType::Gauge,
        samples: Samples::Server(|server| whole(server.process.resident_bytes)),
    },
    Family {
        name: "process_open_fds",
        help: "File descriptors that the server has",
        unit: None,
        kind: MetricType::Gauge,
        samples: Samples::Server(|server| whole(server.process.descriptors)),
    },
    Family {
        name: "process_max_fds",
        help: "File descriptors that the server may have",
        unit: None,
        kind: MetricType::Gauge,
        samples: Samples::Server(|server| whole(server.process.most_descriptors)),
    },
    Family {
        name: "process_threads",
        help: "Threads that the server has",
        unit: None,
        kind: MetricType::Gauge,
        samples: Samples::Server(|server| whole(server.process.threads)),
    },
    Family {
        name: "start_time",
        help: "When the server began to serve, since 1970",
        unit: Some(Unit::Seconds),
        kind: MetricType::Gauge,
        samples: Samples::Server(|server| Some(Number::Real(seconds_since_1970(server)))),
    },
    Family {
        name: "build",
        help: "Which program this is",
        unit: None,
        kind: MetricType::Info,
        samples: Samples::Info(build),
    },
];

fn whole(value: Option<u64>) -> Option<Number> {
    value.map(Number::Whole)
}

fn viewers(stream: &StreamSnapshot) -> ByLabel {
    let by_transport = stream.counts.viewers.iter();
    by_transport
        .map(|(transport, count)| ((*transport).into(), *count))
        .collect()
}

/// Of the transports by which it can be played, and of those by which it was.
fn joins(stream: &StreamSnapshot) -> ByLabel {
    let mut by_transport = stream.events.joins.clone();
    for transport in stream.counts.viewers.keys() {
        by_transport.entry(*transport).or_default();
    }
    let by_transport = by_transport.into_iter();
    by_transport
        .map(|(transport, count)| (transport.into(), count))
        .collect()
}

/// All reasons are there from the beginning: a counter that appears with 1 has never grown, to Prometheus.
fn leaves(stream: &StreamSnapshot) -> ByLabel {
    let count = |why| stream.events.leaves.get(why).copied().unwrap_or_default();
    let reasons = Farewell::VARIANTS.iter();
    reasons.map(|why| (why.name(), count(why))).collect()
}

fn states(stream: &StreamSnapshot) -> ByLabel {
    let is_now = |state: &str| u64::from(state == stream.counts.state);
    Life::NAMES.map(|state| (state, is_now(state))).into()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds since 1970 are far below 2^53"
)]
fn seconds_since_1970(server: &ServerSnapshot) -> f64 {
    server.up_since.as_millisecond() as f64 / 1e3
}

fn build() -> Vec<(&'static str, String)> {
    let (major, minor, micro, _) = gst::version();
    vec![
        ("version", env!("CARGO_PKG_VERSION").into()),
        ("revision", env!("COMMIT_ID").into()),
        ("gstreamer", format!("{major}.{minor}.{micro}")),
    ]
}

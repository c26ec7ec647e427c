//! The status of the server, its streams and their viewers, as plain values.
//!
//! Whatever logs, an API, metrics and tests tell of a running server is made of these; `server::Roster` fills them in.
//! In JSON their names are in camelCase, as the configuration's are; instants are RFC 3339 in UTC, and durations have
//! their unit in the name.

use std::{collections::BTreeMap, net::SocketAddr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    config::{Transport, VideoCodec},
    events::Viewer,
    stream::{life::Life, media::Medium},
    stream_id::StreamId,
};

/// A running server.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServerStatus {
    /// The version of this program.
    pub version: String,
    /// The version of GStreamer.
    pub gstreamer: String,
    /// Since when it serves.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub up_since: Timestamp,
    /// Where it listens.
    pub listens_at: Vec<Listening>,
    /// Whose time the cameras show.
    pub clock: ClockStatus,
    /// Whether viewers need a log-in.
    pub needs_login: bool,
    /// How many viewers all streams may have together; `None` for any number.
    pub max_viewers: Option<u32>,
    /// How many streams there may be for another one to be added by HTTP; `None` where that is off.
    pub max_streams: Option<u32>,
    /// After how long without a sign of life a viewer is gone.
    pub session_timeout_seconds: u32,
    /// How many streams there are.
    pub streams: usize,
    /// How many viewers all of them have.
    pub viewers: usize,
}

/// The HTTP server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HttpStatus {
    /// Where it listens.
    pub listens_at: Listening,
    /// How many connections it serves now.
    pub connections: usize,
    /// How many it serves at a time; others are answered 503.
    pub max_connections: usize,
}

/// How many pictures are made for those who look at streams without playing them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureLimits {
    /// How many different ones are made at a time: snapshots and previews, each size and rate for itself.
    pub max: u32,
    /// How many of them are of one stream.
    pub max_of_stream: usize,
    /// How many a second a preview has.
    pub max_frames_per_second: u32,
}

/// An address at which a server listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Listening {
    /// The address and port.
    pub address: SocketAddr,
    /// Whether it speaks TLS there.
    pub tls: bool,
}

/// The clock that cameras go by.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockStatus {
    /// The source, as `clock` in the configuration has it.
    pub source: String,
    /// Whether its time comes: this machine's always does.
    pub is_heard: bool,
    /// How far it is ahead of this machine's; `None` where it is this machine's.
    pub offset_seconds: Option<f64>,
}

/// A stream: a picture at a path.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamStatus {
    /// The stream's id.
    pub id: StreamId,
    /// The text in its picture.
    pub label: String,
    /// Where it can be played.
    pub urls: Vec<String>,
    /// The transports by which it can be played.
    pub transports: Vec<Transport>,
    /// What it is made of.
    pub made_of: MadeOf,
    /// The other streams that show its picture: a change of one is a change of all.
    pub shares_picture_with: Vec<StreamId>,
    /// Whether it runs before anybody looks.
    pub always_on: bool,
    /// How many viewers it may have; `None` for any number.
    pub max_viewers: Option<u32>,
    /// Its life: idle, starting, running, or failed.
    pub life: Life,
    /// The pictures of all its pipelines so far.
    pub frames: FrameCounts,
    /// How late pictures left for viewers, where they did: those that came in time leave at their instant.
    pub lateness: LatenessStatus,
    /// Who plays it.
    pub viewers: Vec<ViewerStatus>,
}

/// How many pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct FrameCounts {
    /// How many were made.
    pub made: u64,
    /// How many were skipped, because this machine was late.
    pub skipped: u64,
}

/// How late pictures left.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatenessStatus {
    /// The lateness of all pictures so far.
    pub all: LatenessSummary,
    /// The lateness of those of the latest ten seconds.
    pub lately: LatenessSummary,
    /// How many of all were late by no more than each bound, and by more than the one before.
    pub classes: Vec<LatenessClass>,
}

/// How late some pictures left.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatenessSummary {
    /// How many pictures these are.
    pub frames: u64,
    /// How many of them were late by more than a millisecond.
    pub late: u64,
    /// The sum of all delays.
    pub total_seconds: f64,
    /// The longest delay.
    pub most_seconds: f64,
}

/// How many pictures were as late as one class says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LatenessClass {
    /// The bound; `None` for those beyond all bounds.
    pub up_to_seconds: Option<f64>,
    /// How many pictures are in this class.
    pub frames: u64,
}

/// What a stream is made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MadeOf {
    /// The picture, where the server makes it; `None` for a pipeline of one's own.
    pub picture: Option<PictureStatus>,
    /// The sound's codec; `None` for none.
    pub audio: Option<String>,
    /// Its pipeline in GStreamer's launch syntax, without what a password stands in.
    pub launch: String,
}

/// A picture that the server makes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PictureStatus {
    /// How it is encoded.
    pub codec: VideoCodec,
    /// The GStreamer element that encodes it.
    pub encoder: String,
    /// The picture's width in px.
    pub width: u32,
    /// The picture's height in px.
    pub height: u32,
    /// Pictures a second, as a number or as a fraction.
    pub frames_per_second: String,
}

/// Somebody who plays a stream.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ViewerStatus {
    /// Who plays it, how, and since when.
    #[serde(flatten)]
    pub viewer: Viewer,
    /// What has been sent of picture and sound, RTP's headers included and RTCP not.
    pub sent: SentStatus,
    /// What it reports of picture and sound, as far as it reports anything.
    pub reports: Vec<ReportStatus>,
}

/// The counts of a server, which never become less but for the connections that are open.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ServerCounts {
    /// RTSP connections that are open.
    pub(crate) connections: u64,
    /// RTSP connections that have been accepted.
    pub(crate) accepted_connections: u64,
    /// Orders that have been given.
    pub(crate) orders: u64,
}

/// The counts of a stream, which never become less but for its viewers. They are cheap to read.
#[derive(Debug, Clone)]
pub(crate) struct StreamCounts {
    /// The name of the state in which it is.
    pub(crate) state: &'static str,
    /// Its viewers, by each transport by which it can be played or is.
    pub(crate) viewers: BTreeMap<Transport, u64>,
    /// The pictures of all its pipelines so far.
    pub(crate) frames: FrameCounts,
    /// How late pictures left for viewers.
    pub(crate) lateness: LatenessStatus,
    /// What has been sent, to viewers who have left as well.
    pub(crate) sent: SentStatus,
    /// How many packets receivers have reported lost, those who have left as well.
    pub(crate) packets_lost: u64,
    /// How many key frames an encoder has been asked for.
    pub(crate) key_frames_forced: u64,
}

/// RTP that was sent.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SentStatus {
    /// How many packets.
    pub packets: u64,
    /// How many bytes.
    pub bytes: u64,
}

/// What a viewer's latest receiver report says of what it gets (RFC 3550, section 6.4).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportStatus {
    /// The medium that it is about.
    pub medium: Medium,
    /// When it came.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// The share of the packets since the report before that is lost, 0 to 1.
    pub fraction_lost: f64,
    /// How many packets are lost so far; fewer than none where some came twice.
    pub packets_lost: i32,
    /// How much the times between packets vary; `None` where the medium's clock rate is not known.
    pub jitter_seconds: Option<f64>,
}

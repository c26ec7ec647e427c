//! What a measurement found. Tables, JSON and the report are made of it.
//!
//! Times are in ms, unless a name says µs. Instants are in ns since the Unix epoch.

use schemars::JsonSchema;
use serde::Serialize;

/// The version of the JSON that [`Measurement`] makes; raised when a reader of the older one would misread it.
pub const SCHEMA_VERSION: u32 = 1;

/// All that was measured in one run of the probe.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Measurement {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The probe's version.
    pub probe: String,
    /// When it began, as in RFC 3339.
    pub started: String,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What is known of this machine's clock.
    pub clock: ClockCheck,
    /// One for each URL, in the order given.
    pub streams: Vec<StreamFigures>,
    /// What each `--via` adds to the first URL.
    pub added: Vec<Added>,
    /// Each limit that was asked for, and whether it was kept.
    pub limits: Vec<Limit>,
}

/// A distribution of values in ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[allow(missing_docs, reason = "each name says it")]
pub struct Distribution {
    pub count: u64,
    pub min: f64,
    pub mean: f64,
    pub p50: f64,
    pub p90: f64,
    pub p99: f64,
    pub max: f64,
}

/// An estimate and how far off it may be, in ms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Estimate {
    /// The estimate.
    pub value: f64,
    /// The truth is within this of it.
    pub uncertainty: f64,
}

/// What is known of this machine's clock.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClockCheck {
    /// The NTP server that was asked.
    pub ntp_server: Option<String>,
    /// This machine's clock minus the server's when the measurement began. It holds for all of the measurement: the
    /// uncertainty covers what later answers differ. How far the server itself is off is not in it.
    pub offset: Option<Estimate>,
    /// Why the server gave no time: at all, or at the end.
    pub error: Option<String>,
}

/// How the camera's clock and this machine's were brought together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ClockRelation {
    /// Both are the same machine's, if the camera runs on this one, as its address says. A server on this machine that
    /// hands on another's stream has this machine's address as well.
    Same,
    /// Both are held against an NTP server's: latencies are corrected by this machine's offset from it.
    Ntp {
        /// What was subtracted from each latency, in ms.
        correction: Estimate,
    },
    /// The camera's sender reports were held against their arrival. Latencies are as measured: this is how far the
    /// clocks may be apart, if the camera sends a report at the time that stands in it. The uncertainty is half a round
    /// trip, and whatever the reports differ among themselves.
    SenderReports {
        /// This machine's clock minus the camera's, in ms.
        offset: Estimate,
    },
    /// Nothing is known: latencies contain whatever the clocks are apart.
    #[default]
    Unknown,
}

impl ClockRelation {
    /// What latencies are corrected by, in ns.
    pub(crate) fn correction(&self) -> i64 {
        match self {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "clocks are less than centuries apart"
            )]
            Self::Ntp { correction } => (correction.value * 1e6) as i64,
            _ => 0,
        }
    }
}

/// What was found out about one URL or file.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamFigures {
    /// The URL without credentials, or the file.
    pub url: String,
    /// Whether it is played as it happens; a file has no latency.
    pub live: bool,
    /// `tcp`, `udp`, `udp-mcast`, `http`, … where RTSP is spoken.
    pub transport: Option<String>,
    /// The codec, such as `H.264`.
    pub codec: Option<String>,
    /// The picture's width in px.
    pub width: u32,
    /// The picture's height in px.
    pub height: u32,
    /// The camera's id in the stamp.
    pub stream_id: Option<u32>,
    /// Viewers in the last stamp.
    pub viewers: Option<u32>,
    /// What was done to the picture as a whole on its way, by the last stamp; `None` before one was read.
    pub alteration: Option<Alteration>,
    /// Frames a second, as they came; without the backlog.
    pub frames_per_second: Option<f64>,
    /// Frames that came before all others, faster than they were made: what a server had in store.
    pub backlog: u64,
    /// What was counted.
    pub counts: Counts,
    /// Instant shown → decoded picture at hand, of each frame as it came first; `None` for a file, or without readings.
    pub latency: Option<Distribution>,
    /// Instant shown → last packet of the frame arrived; where packets can be seen.
    pub network: Option<Distribution>,
    /// Last packet → decoded picture.
    pub decoder: Option<Distribution>,
    /// From one new frame to the next, as they arrived (a file: by PTS).
    pub interval: Option<Distribution>,
    /// How the least latency of each second changes over time, in parts per million: clocks that run apart, or a buffer
    /// that fills. `None` for less than 17 s, where it does not change evenly, and where many pictures are repeated.
    pub drift_ppm: Option<f64>,
    /// The truth is within this of the drift, 99 times in 100.
    pub drift_uncertainty_ppm: Option<f64>,
    /// From asking for the stream to its first decoded picture.
    pub first_picture: Option<f64>,
    /// Key frames.
    pub key_frames: KeyFrames,
    /// How the camera's clock and this machine's relate.
    pub clock: ClockRelation,
    /// Times that the stream tells besides the stamp, held against it.
    pub times: Times,
    /// Sound against picture.
    pub sound: Option<Sound>,
    /// Frames that are missing, where they are.
    pub losses: Vec<Loss>,
    /// Each place in the picture that a stamp was seen in, if all were asked for: that of the latest instants first.
    pub spots: Vec<Spot>,
    /// How far any two of these are apart.
    pub differences: Vec<Difference>,
    /// When the connection had ended and was made anew (`--reconnect`).
    pub absences: Vec<Absence>,
    /// What needs no stamp: how pictures and packets came.
    pub delivery: Delivery,
    /// The files of which it is made, in the order of their stamps (`--join`).
    pub segments: Vec<Segment>,
    /// Whatever went wrong, a sentence each, with what to do about it.
    pub problems: Vec<String>,
}

/// What was done to pictures as a whole. A stamp is read all the same.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Alteration {
    /// Left and right have changed places.
    pub mirrored: bool,
    /// By how many degrees it was turned clockwise before it was mirrored: 0, 90, 180 or 270.
    pub turned: u32,
    /// Light and dark have changed places.
    pub inverted: bool,
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Counts {
    /// Decoded pictures.
    pub frames: u64,
    /// Pictures whose stamp was read.
    pub readings: u64,
    /// Pictures whose stamp could not be read, without those before the first key picture.
    pub unreadable: u64,
    /// Pictures that came out of the decoder before the stream's first key picture and could not be read.
    pub before_key_picture: u64,
    /// Frames that never came.
    pub lost: u64,
    /// Frames that came again.
    pub repeated: u64,
    /// Frames that came after a later one.
    pub out_of_order: u64,
    /// How often the picture stood still for longer than the threshold.
    pub frozen: u64,
    /// How long it stood still altogether, in ms.
    pub frozen_time: u64,
    /// How often the camera began anew.
    pub restarts: u64,
}

impl Counts {
    /// Those of one connection and the next; of restarts, those that each saw.
    pub(crate) fn and(&self, other: &Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            readings: self.readings + other.readings,
            unreadable: self.unreadable + other.unreadable,
            before_key_picture: self.before_key_picture + other.before_key_picture,
            lost: self.lost + other.lost,
            repeated: self.repeated + other.repeated,
            out_of_order: self.out_of_order + other.out_of_order,
            frozen: self.frozen + other.frozen,
            frozen_time: self.frozen_time + other.frozen_time,
            restarts: self.restarts + other.restarts,
        }
    }
}

/// Key frames.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct KeyFrames {
    /// How many came.
    pub count: u64,
    /// From one to the next.
    pub interval: Option<Distribution>,
}

/// Times that a stream tells besides the stamp; `None` where it does not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Times {
    /// RTCP sender reports and RTP time (RFC 3550).
    pub sender_reports: Option<Disagreement>,
    /// The 64-bit NTP time in an RTP header extension (RFC 6051).
    pub ntp_extension: Option<Disagreement>,
    /// The reference clock that the SDP signals (RFC 7273).
    pub reference_clock: Option<Disagreement>,
}

/// How far a time is from the stamp, in µs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Disagreement {
    /// Frames that were compared.
    pub count: u64,
    /// That time minus the stamp: the median.
    pub median_us: i64,
    /// The one farthest from zero.
    pub max_us: i64,
}

/// Sound against picture.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sound {
    /// Ticks that were heard.
    pub ticks: u64,
    /// How much later the sound is presented than the picture: the median.
    pub offset_median: Option<f64>,
    /// The one farthest from zero.
    pub offset_max: Option<f64>,
    /// How the offset changes over time, in parts per million; `None` for fewer than six ticks.
    pub drift_ppm: Option<f64>,
    /// The truth is within this of the drift, 99 times in 100.
    pub drift_uncertainty_ppm: Option<f64>,
}

/// A place in the picture that a stamp was seen in.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Spot {
    /// What it is called: `A`, `B`, ….
    pub name: String,
    /// The stream's id in the stamp.
    pub stream_id: u32,
    /// From the picture's left to the stamp's middle, in px.
    pub x: u32,
    /// From the picture's top to the stamp's middle, in px.
    pub y: u32,
    /// How often it was read.
    pub pictures: u64,
    /// The last instant that it showed.
    pub instant: u64,
    /// The last frame number that it showed.
    pub frame: u64,
    /// What was done to it.
    pub alteration: Alteration,
}

/// How far two stamps in one picture are apart.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// The spot that is ahead, by the median.
    pub ahead: String,
    /// The spot that is behind.
    pub behind: String,
    /// The instant that the one shows less that of the other, in the pictures that have both.
    pub latency: Distribution,
}

/// Frames that are missing between two that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Loss {
    /// The instant of the frame that came after the gap.
    pub instant: u64,
    /// The first number that is missing.
    pub first: u64,
    /// How many are missing.
    pub count: u64,
}

/// How a stream came, whatever its pictures show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// Of the coded pictures, in kbit/s.
    pub bitrate_kbps: Option<f64>,
    /// From picture to picture, as their packets arrived, or the decoded pictures where no packets are seen; `None` for a
    /// file.
    pub arrivals: Option<Distribution>,
    /// From picture to picture, by their timestamps.
    pub timestamps: Option<Distribution>,
    /// Key pictures, in bytes: the mean.
    pub key_frame_bytes: Option<f64>,
    /// The largest one.
    pub key_frame_bytes_max: Option<u64>,
    /// The picture's RTP packets; `None` without RTP.
    pub packets: Option<PacketCounts>,
    /// The picture's RTCP sender reports; `None` where none came.
    pub sender_reports: Option<SenderReports>,
    /// How much later the sound of an instant arrives than its picture, in ms, by the sender reports of both: the medians.
    pub sound_minus_picture: Option<f64>,
}

/// RTP packets, by their sequence numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PacketCounts {
    /// Those that came.
    pub received: u64,
    /// Those that never came.
    pub lost: u64,
    /// Those that came after a later one.
    pub reordered: u64,
    /// Those that had come already.
    pub duplicates: u64,
    /// The interarrival jitter of RFC 3550 at the end, in ms.
    pub jitter: f64,
    /// The highest that it was.
    pub jitter_max: f64,
}

/// RTCP sender reports, and what they tell of clocks. Of less than 10 s they tell nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SenderReports {
    /// How many came.
    pub count: u64,
    /// From one to the next, as they arrived.
    pub interval: Option<Distribution>,
    /// How much faster RTP time runs than the NTP time in the reports, in parts per million.
    pub rtp_time_ppm: Option<f64>,
    /// How much faster the sender's clock runs than this machine's, in parts per million.
    pub clock_ppm: Option<Estimate>,
}

/// One file of a recording in several.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Segment {
    /// The file.
    pub file: String,
    /// The instant of its first frame; `None` without any stamp.
    pub first: Option<u64>,
    /// The latest instant of its frames.
    pub last: Option<u64>,
    /// Its decoded pictures.
    pub frames: u64,
    /// From the last frame of those before it to its first one, in ms, where frames are missing between them or the camera
    /// began anew; else 0.
    pub gap: f64,
    /// Frames that are missing there.
    pub missing: u64,
    /// Its frames that those before it have as well.
    pub overlap: u64,
}

/// A time without a connection.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Absence {
    /// When the last picture before it came.
    pub since: u64,
    /// From then to the first picture behind it, or to the end of the measurement.
    pub time: f64,
    /// Why the connection ended: a sentence.
    pub cause: String,
}

/// What another way to the same camera adds, frame by frame.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Added {
    /// The way it is held against.
    pub from: String,
    /// The other way.
    pub via: String,
    /// Arrival of a frame by the other way minus its arrival by the first; `None` unless both are live.
    pub latency: Option<Distribution>,
    /// What counts as a frame's arrival.
    pub basis: Basis,
    /// Frames that came both ways.
    pub both: u64,
    /// Frames that came by the first way and not by the other, while both played; less those that may be among the
    /// unreadable.
    pub missing: u64,
    /// Pictures of the other way that could not be read, while both played.
    pub unreadable: u64,
}

/// What counts as a frame's arrival by either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Basis {
    /// Its last packet: no decoder's work is in it.
    Packets,
    /// The decoded picture, where packets cannot be seen on both ways: the difference of both decoders is in it.
    Decoded,
}

/// A limit that was asked for.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Limit {
    /// The URL that it was held against.
    pub url: String,
    /// The option, such as `--max-p99`.
    pub name: String,
    /// What was allowed.
    pub allowed: String,
    /// What was found.
    pub found: String,
    /// Whether it was kept.
    pub kept: bool,
}

/// One picture that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sample {
    /// When it was at hand, decoded.
    pub arrival: u64,
    /// When the last packet of it arrived, where packets can be seen.
    pub packet: Option<u64>,
    /// Its PTS in ns.
    pub pts: Option<u64>,
    /// What its stamp said; `None` where it could not be read.
    pub stamp: Option<clockface::Stamp>,
    /// It waited while the decoder was set up, or came out of a server's store: that is part of the time to the first
    /// picture, and no latency of the stream's.
    pub joining: bool,
}

/// A decoded picture to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Still {
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Red, green and blue bytes, row by row without padding.
    pub rgb: Vec<u8>,
}

/// What the report shows beyond the figures of a stream.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Evidence {
    /// Pictures in the order in which they came; long measurements are thinned out evenly.
    pub samples: Vec<Sample>,
    /// One picture of the stream.
    pub still: Option<Still>,
}

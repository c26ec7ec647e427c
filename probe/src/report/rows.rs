//! The figures of a stream, named and put in order: what the table and the page share.

use super::delivery;
use super::words::{self, NOTHING};
use crate::figures::{Distribution, Sound, StreamFigures};

/// How a figure of a stream is told.
type Tell = fn(&StreamFigures) -> String;

/// Figures that belong together.
pub(super) struct Group {
    pub(super) title: &'static str,
    pub(super) rows: &'static [(&'static str, Tell)],
}

/// What not every stream has: a row is shown where one of them has it.
const RARE: [&str; 2] = ["Besides", "Delivery, without the stamp"];

/// The rows of a group that have something to tell of these streams.
pub(super) fn shown<'a>(group: &'a Group, streams: &[&StreamFigures]) -> Vec<&'a (&'static str, Tell)> {
    let tells = |(_, tell): &&(&str, Tell)| streams.iter().any(|stream| tell(stream) != NOTHING);
    group
        .rows
        .iter()
        .filter(|row| !RARE.contains(&group.title) || tells(row))
        .collect()
}

/// All figures that fit into a cell.
pub(super) const GROUPS: &[Group] = &[
    Group {
        title: "Stream",
        rows: &[
            ("picture", picture),
            ("altered", |stream| optional(stream.alteration, words::alteration)),
            ("transport", |stream| {
                optional(stream.transport.as_ref(), |it| words::clean(it))
            }),
            ("frames a second", |stream| {
                optional(stream.frames_per_second, words::precise)
            }),
            ("camera id", |stream| {
                optional(stream.stream_id, |id| id.to_string())
            }),
            ("viewers", |stream| {
                optional(stream.viewers, |viewers| viewers.to_string())
            }),
            ("first picture after", |stream| {
                optional(stream.first_picture, words::duration)
            }),
        ],
    },
    Group {
        title: "Latency: p50 / p99 / max",
        rows: &[
            ("in all", |stream| spread(stream.latency.as_ref())),
            ("network's share", |stream| spread(stream.network.as_ref())),
            ("decoder's share", |stream| spread(stream.decoder.as_ref())),
            ("clocks", clocks),
            ("drift", |stream| {
                optional(stream.drift_ppm, |ppm| {
                    words::drift(ppm, stream.drift_uncertainty_ppm)
                })
            }),
        ],
    },
    Group {
        title: "Frames",
        rows: &[
            ("decoded", |stream| stream.counts.frames.to_string()),
            ("stamp read", |stream| stream.counts.readings.to_string()),
            ("unreadable", |stream| stream.counts.unreadable.to_string()),
            ("lost", |stream| stream.counts.lost.to_string()),
            ("repeated", |stream| stream.counts.repeated.to_string()),
            ("out of order", |stream| stream.counts.out_of_order.to_string()),
            ("frozen", |stream| words::freezes(&stream.counts)),
            ("camera restarts", |stream| stream.counts.restarts.to_string()),
        ],
    },
    Group {
        title: RARE[0],
        rows: &[
            ("in store at first", |stream| words::backlog(stream.backlog)),
            ("before a key picture", |stream| {
                words::unless_none(stream.counts.before_key_picture)
            }),
            ("away", |stream| words::absences(&stream.absences)),
            ("segments", |stream| words::segments(&stream.segments)),
            ("gaps between segments", |stream| {
                words::gaps_between(&stream.segments)
            }),
            ("overlaps of segments", |stream| words::overlaps(&stream.segments)),
        ],
    },
    Group {
        title: "Intervals: p50 / p99 / max",
        rows: &[
            ("frame to frame", |stream| spread(stream.interval.as_ref())),
            ("key frames", |stream| stream.key_frames.count.to_string()),
            ("key to key frame", |stream| {
                spread(stream.key_frames.interval.as_ref())
            }),
        ],
    },
    Group {
        title: RARE[1],
        rows: &[
            ("bitrate", delivery::bitrate),
            ("pictures as they came", delivery::arrivals),
            ("pictures' timestamps", delivery::timestamps),
            ("key picture: mean / max", delivery::key_pictures),
            ("RTP packets", delivery::packets),
            ("lost / late / twice", delivery::losses),
            ("jitter / max", delivery::jitter),
            ("sender reports", delivery::reports),
            ("RTP time against NTP", delivery::rtp_time),
            ("NTP against this clock", delivery::clock),
            ("sound after its picture", delivery::sound),
        ],
    },
    Group {
        title: "Against stamp: p50 / max",
        rows: &[
            ("RTCP sender reports", |stream| {
                optional(stream.times.sender_reports, words::disagreement)
            }),
            ("NTP header extension", |stream| {
                optional(stream.times.ntp_extension, words::disagreement)
            }),
            ("RFC 7273 clock", |stream| {
                optional(stream.times.reference_clock, words::disagreement)
            }),
        ],
    },
    Group {
        title: "Sound minus picture",
        rows: &[
            ("median / max", sound),
            ("drift", |stream| {
                let drift = |sound: Sound| Some(words::drift(sound.drift_ppm?, sound.drift_uncertainty_ppm));
                optional(stream.sound.and_then(drift), |text| text)
            }),
            ("ticks heard", |stream| {
                optional(stream.sound, |sound| sound.ticks.to_string())
            }),
        ],
    },
];

/// The distributions of a stream, named.
pub(super) fn distributions(stream: &StreamFigures) -> [(&'static str, Option<Distribution>); 5] {
    [
        ("Latency", stream.latency),
        ("Network's share", stream.network),
        ("Decoder's share", stream.decoder),
        ("Frame to frame", stream.interval),
        ("Key to key frame", stream.key_frames.interval),
    ]
}

/// Codec and size.
pub(super) fn picture(stream: &StreamFigures) -> String {
    let codec = stream.codec.as_deref().map(words::clean);
    let size = (stream.width > 0).then(|| format!("{}x{}", stream.width, stream.height));
    let known: Vec<_> = codec.into_iter().chain(size).collect();
    if known.is_empty() {
        NOTHING.into()
    } else {
        known.join(" ")
    }
}

fn clocks(stream: &StreamFigures) -> String {
    if stream.latency.is_some() {
        words::clocks(&stream.clock)
    } else {
        NOTHING.into()
    }
}

fn sound(stream: &StreamFigures) -> String {
    let Some(median) = stream.sound.and_then(|sound| sound.offset_median) else {
        return NOTHING.into();
    };
    let max = stream.sound.and_then(|sound| sound.offset_max).unwrap_or(median);
    format!("{} / {} ms", words::signed(median), words::signed(max))
}

fn spread(of: Option<&Distribution>) -> String {
    optional(of, words::spread)
}

fn optional<T>(value: Option<T>, tell: impl FnOnce(T) -> String) -> String {
    value.map_or_else(|| NOTHING.into(), tell)
}

//! The messages that `clockprobe` posts, as types: the element writes them, and whoever listens reads them.
//!
//! What the fields mean stands in the element's documentation.

use clockface::{Sighting, Stamp};

pub use super::tally::Missing;

const NS_PER_US: u64 = 1_000;

/// One of the messages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// The stamp of a frame was read.
    Reading(Reading),
    /// A frame was examined in vain.
    Unreadable(Unreadable),
    /// All stamps of a picture.
    Stamps(Stamps),
    /// A tick was heard.
    Tick(Tick),
}

impl Message {
    /// The message of a structure; `None` for any other structure, and for one that lacks something.
    #[must_use]
    pub fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        match fields.name().as_str() {
            Reading::NAME => Reading::from_structure(fields).map(Self::Reading),
            Unreadable::NAME => Unreadable::from_structure(fields).map(Self::Unreadable),
            Stamps::NAME => Stamps::from_structure(fields).map(Self::Stamps),
            Tick::NAME => Tick::from_structure(fields).map(Self::Tick),
            _ => None,
        }
    }

    /// The structure of the message.
    pub(crate) fn to_structure(&self) -> gst::Structure {
        match self {
            Self::Reading(reading) => reading.to_structure(),
            Self::Unreadable(unreadable) => unreadable.to_structure(),
            Self::Stamps(stamps) => stamps.to_structure(),
            Self::Tick(tick) => tick.to_structure(),
        }
    }
}

/// When a buffer came, and its own times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferTimes {
    /// When it came to the element, in ns since the Unix epoch.
    pub arrival: u64,
    /// `None` where it has none.
    pub pts: Option<gst::ClockTime>,
    /// `None` where it has none.
    pub running_time: Option<gst::ClockTime>,
}

impl BufferTimes {
    fn read(fields: &gst::StructureRef) -> Option<Self> {
        Some(Self {
            arrival: fields.get("arrival").ok()?,
            pts: time(fields.get("pts").ok()?),
            running_time: time(fields.get("running-time").ok()?),
        })
    }

    fn write(&self, builder: gst::structure::Builder) -> gst::structure::Builder {
        builder
            .field("arrival", self.arrival)
            .field("pts", or_none(self.pts))
            .field("running-time", or_none(self.running_time))
    }
}

/// `GST_CLOCK_TIME_NONE` says that there is none.
fn time(ns: u64) -> Option<gst::ClockTime> {
    (ns != u64::MAX).then(|| gst::ClockTime::from_nseconds(ns))
}

fn or_none(time: Option<gst::ClockTime>) -> u64 {
    time.map_or(u64::MAX, gst::ClockTime::nseconds)
}

/// What a stamp says, and how it is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenStamp {
    /// The instant shown, in ns since the Unix epoch.
    pub instant: u64,
    /// The frame's number.
    pub frame: u64,
    /// The run of the source.
    pub run: u32,
    /// The stream's id.
    pub stream: u32,
    /// How many viewers are playing the stream.
    pub viewers: u32,
    /// Whether left and right have changed places.
    pub mirrored: bool,
    /// By how many degrees it was turned clockwise before it was mirrored: 0, 90, 180 or 270.
    pub turned: u32,
    /// Whether light and dark have changed places.
    pub inverted: bool,
}

impl From<&Sighting> for SeenStamp {
    fn from(sighting: &Sighting) -> Self {
        let Stamp {
            instant,
            frame,
            viewers,
            stream,
            run,
        } = sighting.stamp;
        Self {
            instant: instant.max(0).unsigned_abs().saturating_mul(NS_PER_US),
            frame,
            run,
            stream,
            viewers,
            mirrored: sighting.is_mirrored(),
            turned: u32::from(sighting.turned()),
            inverted: sighting.inverted,
        }
    }
}

impl SeenStamp {
    /// The stamp itself.
    #[must_use]
    pub fn stamp(&self) -> Stamp {
        Stamp {
            instant: (self.instant / NS_PER_US).cast_signed(),
            frame: self.frame,
            viewers: self.viewers,
            stream: self.stream,
            run: self.run,
        }
    }

    fn read(fields: &gst::StructureRef) -> Option<Self> {
        Some(Self {
            instant: fields.get("instant").ok()?,
            frame: fields.get("frame").ok()?,
            run: fields.get("run").ok()?,
            stream: fields.get("stream").ok()?,
            viewers: fields.get("viewers").ok()?,
            mirrored: fields.get("mirrored").ok()?,
            turned: fields.get("turned").ok()?,
            inverted: fields.get("inverted").ok()?,
        })
    }

    fn write(&self, builder: gst::structure::Builder) -> gst::structure::Builder {
        builder
            .field("instant", self.instant)
            .field("frame", self.frame)
            .field("run", self.run)
            .field("stream", self.stream)
            .field("viewers", self.viewers)
            .field("mirrored", self.mirrored)
            .field("turned", self.turned)
            .field("inverted", self.inverted)
    }
}

/// What a reading is in the row of those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Kind {
    /// The first of a run, or of a recording that begins anew.
    First,
    /// Newer than all before.
    #[default]
    Next,
    /// It came after a later one.
    Late,
    /// It has come already.
    Repeated,
}

impl Kind {
    /// The kind of that name. An unknown word is a frame like any other.
    #[must_use]
    pub fn of(name: &str) -> Self {
        let all = [Self::First, Self::Late, Self::Repeated];
        all.into_iter()
            .find(|kind| kind.name() == name)
            .unwrap_or_default()
    }

    /// What a message calls it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Next => "next",
            Self::Late => "late",
            Self::Repeated => "repeated",
        }
    }
}

/// A frame whose stamp was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// When it came.
    pub times: BufferTimes,
    /// What it shows.
    pub seen: SeenStamp,
    /// How long it has been on its way, in ns.
    pub latency: i64,
    /// What it is in the row.
    pub kind: Kind,
    /// The frames that are missing before it.
    pub missing: Option<Missing>,
    /// Whether it had been counted as lost.
    pub found: bool,
}

impl Reading {
    /// The name of its structure.
    pub const NAME: &str = "clockprobe-reading";

    fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        let after = fields.get("missing-after").ok();
        Some(Self {
            times: BufferTimes::read(fields)?,
            seen: SeenStamp::read(fields)?,
            latency: fields.get("latency").ok()?,
            kind: Kind::of(fields.get("kind").ok()?),
            missing: match after {
                Some(after) => Some(Missing {
                    after,
                    count: fields.get("missing").ok()?,
                }),
                None => None,
            },
            found: fields.get("found").ok()?,
        })
    }

    fn to_structure(self) -> gst::Structure {
        let builder = self.times.write(gst::Structure::builder(Self::NAME));
        self.seen
            .write(builder)
            .field("latency", self.latency)
            .field("kind", self.kind.name())
            .field("missing", self.missing.map_or(0, |missing| missing.count))
            .field_if_some("missing-after", self.missing.map(|missing| missing.after))
            .field("found", self.found)
            .build()
    }
}

/// A frame that was examined in vain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreadable {
    /// When it came.
    pub times: BufferTimes,
}

impl Unreadable {
    const NAME: &str = "clockprobe-unreadable";

    fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        let times = BufferTimes::read(fields)?;
        Some(Self { times })
    }

    fn to_structure(self) -> gst::Structure {
        self.times.write(gst::Structure::builder(Self::NAME)).build()
    }
}

/// All stamps of a picture, from left to right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamps {
    /// When it came.
    pub times: BufferTimes,
    /// What it shows.
    pub stamps: Vec<PlacedStamp>,
}

/// A stamp in its place in a picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedStamp {
    /// What it says.
    pub seen: SeenStamp,
    /// The middle, in px.
    pub middle: (u32, u32),
    /// The length of a side, in px.
    pub size: u32,
}

impl Stamps {
    const NAME: &str = "clockprobe-stamps";

    fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        let stamps = fields.get::<gst::ArrayRef<'_>>("stamps").ok()?;
        let stamps = stamps
            .iter()
            .filter_map(|stamp| stamp.get::<gst::Structure>().ok());
        Some(Self {
            times: BufferTimes::read(fields)?,
            stamps: stamps.filter_map(|stamp| PlacedStamp::read(&stamp)).collect(),
        })
    }

    fn to_structure(&self) -> gst::Structure {
        let stamps = self.stamps.iter().map(PlacedStamp::write);
        self.times
            .write(gst::Structure::builder(Self::NAME))
            .field("stamps", gst::Array::new(stamps))
            .build()
    }
}

impl PlacedStamp {
    fn read(fields: &gst::StructureRef) -> Option<Self> {
        Some(Self {
            seen: SeenStamp::read(fields)?,
            middle: (fields.get("x").ok()?, fields.get("y").ok()?),
            size: fields.get("size").ok()?,
        })
    }

    fn write(&self) -> gst::Structure {
        self.seen
            .write(gst::Structure::builder("stamp"))
            .field("x", self.middle.0)
            .field("y", self.middle.1)
            .field("size", self.size)
            .build()
    }
}

/// A tick that was heard. Times are in ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tick {
    /// The whole second that it marks, since the Unix epoch; 0 where no stamp was read around it.
    pub second: u64,
    /// The running time of its first sample.
    pub running_time: u64,
    /// When the buffer with it came, since the Unix epoch.
    pub arrival: u64,
    /// How much later than the picture of the same instant it is presented; `None` where no stamp was read around it.
    pub av_offset: Option<i64>,
}

impl Tick {
    const NAME: &str = "clockprobe-tick";

    fn from_structure(fields: &gst::StructureRef) -> Option<Self> {
        Some(Self {
            second: fields.get("second").ok()?,
            running_time: fields.get("running-time").ok()?,
            arrival: fields.get("arrival").ok()?,
            av_offset: fields.get("av-offset").ok(),
        })
    }

    fn to_structure(self) -> gst::Structure {
        gst::Structure::builder(Self::NAME)
            .field("second", self.second)
            .field("running-time", self.running_time)
            .field("arrival", self.arrival)
            .field_if_some("av-offset", self.av_offset)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_comes_back_as_it_was() {
        gst::init().unwrap();
        let times = BufferTimes {
            arrival: 1_767_225_600_050_000_000,
            pts: Some(gst::ClockTime::SECOND),
            running_time: None,
        };
        let seen = SeenStamp {
            instant: 1_767_225_600_040_000_000,
            frame: 9_999_999_999,
            run: u32::MAX,
            stream: 7,
            viewers: 3,
            mirrored: true,
            turned: 270,
            inverted: false,
        };
        let reading = Reading {
            times,
            seen,
            latency: -5,
            kind: Kind::Next,
            missing: Some(Missing { after: 4, count: 2 }),
            found: false,
        };
        let placed = PlacedStamp {
            seen,
            middle: (100, 50),
            size: 66,
        };
        let tick = Tick {
            second: 1_767_225_600_000_000_000,
            running_time: 5,
            arrival: 6,
            av_offset: Some(-7),
        };
        for message in [
            Message::Reading(reading),
            Message::Reading(Reading {
                kind: Kind::Late,
                missing: None,
                found: true,
                ..reading
            }),
            Message::Unreadable(Unreadable { times }),
            Message::Stamps(Stamps {
                times,
                stamps: vec![placed, placed],
            }),
            Message::Tick(tick),
            Message::Tick(Tick {
                second: 0,
                av_offset: None,
                ..tick
            }),
        ] {
            let structure = message.to_structure();
            assert_eq!(Message::from_structure(&structure), Some(message), "{structure}");
        }
        assert_eq!(Message::from_structure(&gst::Structure::new_empty("level")), None);
        assert_eq!(
            Message::from_structure(&gst::Structure::new_empty(Tick::NAME)),
            None
        );
        for kind in [Kind::First, Kind::Next, Kind::Late, Kind::Repeated] {
            assert_eq!(Kind::of(kind.name()), kind);
        }
    }
}

//! What `clockprobe` tells, read.

use clockface::Stamp;

use super::NS_PER_US;
use crate::figures::{Alteration, Counts};
use crate::gaps::{Kind, Place};
use crate::spots::Seen;

const NS_PER_MS: u64 = 1_000_000;

/// The stamp of a reading. Whoever sent the stream filled it in.
pub(super) fn reading(fields: &gst::StructureRef) -> Option<Stamp> {
    Some(Stamp {
        instant: i64::try_from(fields.get::<u64>("instant").ok()? / NS_PER_US).ok()?,
        frame: fields.get("frame").ok()?,
        viewers: fields.get("viewers").ok()?,
        stream: fields.get("stream").ok()?,
        run: fields.get("run").ok()?,
    })
}

/// The stamps of a picture, where all are read.
pub(super) fn stamps(fields: &gst::StructureRef) -> Vec<Seen> {
    let Ok(stamps) = fields.get::<gst::ArrayRef<'_>>("stamps") else {
        return Vec::new();
    };
    let stamps = stamps
        .iter()
        .filter_map(|stamp| stamp.get::<gst::Structure>().ok());
    stamps.filter_map(|stamp| seen(&stamp)).collect()
}

/// One of the stamps of a picture.
fn seen(fields: &gst::StructureRef) -> Option<Seen> {
    Some(Seen {
        stream_id: fields.get("stream").ok()?,
        middle: (fields.get("x").ok()?, fields.get("y").ok()?),
        size: fields.get("size").ok()?,
        instant: fields.get("instant").ok()?,
        frame: fields.get("frame").ok()?,
        alteration: alteration(fields)?,
    })
}

/// How a stamp is seen.
pub(super) fn alteration(fields: &gst::StructureRef) -> Option<Alteration> {
    Some(Alteration {
        mirrored: fields.get("mirrored").ok()?,
        turned: fields.get("turned").ok()?,
        inverted: fields.get("inverted").ok()?,
    })
}

/// What `clockprobe` says of a reading besides.
pub(super) fn place(fields: &gst::StructureRef) -> Place {
    let number = |name: &str| fields.get::<u64>(name).ok();
    Place {
        kind: fields.get::<&str>("kind").map(Kind::of).unwrap_or_default(),
        missing: number("missing-after").zip(number("missing")),
        found: fields.get("found").unwrap_or_default(),
    }
}

pub(super) fn counts(stats: &gst::StructureRef) -> Counts {
    let count = |name: &str| stats.get::<u64>(name).unwrap_or_default();
    Counts {
        frames: count("frames"),
        readings: count("readings"),
        unreadable: count("unreadable"),
        before_key_picture: 0,
        lost: count("lost"),
        repeated: count("repeated"),
        out_of_order: count("out-of-order"),
        frozen: count("frozen"),
        frozen_time: count("frozen-time") / NS_PER_MS,
        restarts: count("runs").saturating_sub(1),
    }
}

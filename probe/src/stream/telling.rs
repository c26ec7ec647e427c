//! What `clockprobe` tells, in the probe's own words.

use gstclocksrc::clockprobe::messages::{PlacedStamp, Reading, SeenStamp};
use gstclocksrc::clockprobe::stats::Stats;

use crate::figures::{Alteration, Counts};
use crate::gaps::Position;
use crate::spots::Seen;

const NS_PER_MS: u64 = 1_000_000;

/// One of the stamps of a picture, where all are read.
pub(super) fn seen(stamp: &PlacedStamp) -> Seen {
    Seen {
        stream_id: stamp.seen.stream,
        middle: stamp.middle,
        size: stamp.size,
        instant: stamp.seen.instant,
        frame: stamp.seen.frame,
        alteration: alteration(&stamp.seen),
    }
}

/// How a stamp is seen.
pub(super) fn alteration(seen: &SeenStamp) -> Alteration {
    Alteration {
        mirrored: seen.mirrored,
        turned: seen.turned,
        inverted: seen.inverted,
    }
}

/// What `clockprobe` says of a reading besides.
pub(super) fn place(reading: &Reading) -> Position {
    Position {
        kind: reading.kind,
        missing: reading.missing.map(|missing| (missing.after, missing.count)),
        found: reading.found,
    }
}

pub(super) fn counts(stats: &Stats) -> Counts {
    Counts {
        frames: stats.frames,
        readings: stats.readings,
        unreadable: stats.unreadable,
        before_key_picture: 0,
        lost: stats.lost,
        repeated: stats.repeated,
        out_of_order: stats.out_of_order,
        frozen: stats.frozen,
        frozen_time: stats.frozen_time / NS_PER_MS,
        restarts: stats.runs.saturating_sub(1),
    }
}

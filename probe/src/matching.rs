//! Finds the same frame in two streams: what another way to a camera adds.

use std::collections::HashMap;

use clockface::Stamp;

use crate::figures::{Added, Basis, Sample};
use crate::values::Values;

/// Frames that are remembered at most; the older half goes first. Minutes of video.
const REMEMBERED: usize = 20_000;

/// A frame of a camera, wherever it is seen.
type Key = (u32, u32, u64);

fn key(stamp: &Stamp) -> Key {
    (stamp.stream, stamp.run, stamp.frame)
}

/// One of the two ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Direct,
    Via,
}

/// How a frame came by one way the first time.
#[derive(Debug, Clone, Copy)]
struct Coming {
    /// When it was decoded, in ns since the Unix epoch; `None` if it had waited for the decoder to be set up.
    decoded: Option<u64>,
    /// When its last packet came; `None` where packets cannot be seen.
    packet: Option<u64>,
}

/// In ns.
fn minus(later: Option<u64>, earlier: Option<u64>) -> Option<i64> {
    let difference = i128::from(later?) - i128::from(earlier?);
    i64::try_from(difference).ok()
}

/// A frame, by whichever way it has come.
#[derive(Debug, Clone, Copy)]
struct Frame {
    /// µs since the Unix epoch.
    instant: i64,
    direct: Option<Coming>,
    via: Option<Coming>,
}

/// Two ways to a camera, frame by frame.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    frames: HashMap<Key, Frame>,
    /// The first and the last instant that came by the other way.
    via_span: Option<(i64, i64)>,
    /// Pictures of the other way that could not be read: between two readings, and since the last one.
    unreadable: u64,
    unreadable_since: u64,
    both: u64,
    /// From decoded picture to decoded picture, and from last packet to last packet.
    decoded: Values,
    packets: Values,
    missing: u64,
}

impl Matching {
    /// A picture came by the first way.
    pub(crate) fn direct(&mut self, sample: &Sample) {
        if let Some(stamp) = &sample.stamp {
            self.note(Way::Direct, stamp, sample);
        }
    }

    /// A picture came by the other way.
    pub(crate) fn via(&mut self, sample: &Sample) {
        let Some(stamp) = &sample.stamp else {
            self.unreadable_since += u64::from(self.via_span.is_some());
            return;
        };
        self.unreadable += std::mem::take(&mut self.unreadable_since);
        let (first, last) = self.via_span.unwrap_or((stamp.instant, stamp.instant));
        self.via_span = Some((first.min(stamp.instant), last.max(stamp.instant)));
        self.note(Way::Via, stamp, sample);
    }

    /// Takes note of a frame that came. One that comes again came when it came first.
    fn note(&mut self, way: Way, stamp: &Stamp, sample: &Sample) {
        if self.frames.len() >= REMEMBERED && !self.frames.contains_key(&key(stamp)) {
            self.forget();
        }
        let frame = self.frames.entry(key(stamp)).or_insert(Frame {
            instant: stamp.instant,
            direct: None,
            via: None,
        });
        let coming = match way {
            Way::Direct => &mut frame.direct,
            Way::Via => &mut frame.via,
        };
        if coming.is_some() {
            return;
        }
        *coming = Some(Coming {
            decoded: (!sample.joining).then_some(sample.arrival),
            packet: sample.packet.filter(|_| !sample.joining),
        });
        if let (Some(direct), Some(via)) = (frame.direct, frame.via) {
            self.both += 1;
            if let Some(added) = minus(via.decoded, direct.decoded) {
                self.decoded.push(added);
            }
            if let Some(added) = minus(via.packet, direct.packet) {
                self.packets.push(added);
            }
        }
    }

    /// What the other way adds; `live` if both are played as it happens: the arrivals of recordings say nothing. Last
    /// packets tell it without any decoder, if they are seen on both ways.
    pub(crate) fn added(&self, from: &str, via: &str, live: bool) -> Added {
        let missing = self.missing + self.missed(self.frames.values());
        let seen = self.packets.count();
        let (basis, values) = if seen > 0 && seen == self.decoded.count() {
            (Basis::Packets, &self.packets)
        } else {
            (Basis::Decoded, &self.decoded)
        };
        Added {
            from: from.into(),
            via: via.into(),
            latency: values.distribution().filter(|_| live),
            basis,
            both: self.both,
            missing: missing.saturating_sub(self.unreadable),
            unreadable: self.unreadable,
        }
    }

    fn forget(&mut self) {
        let forgotten = forget_older_half(&mut self.frames);
        self.missing += self.missed(forgotten.iter());
    }

    /// How many should have come by the other way, while it played, and did not.
    fn missed<'a>(&self, frames: impl Iterator<Item = &'a Frame>) -> u64 {
        let Some((first, last)) = self.via_span else {
            return 0;
        };
        let is_missed = |frame: &&Frame| frame.via.is_none() && (first..=last).contains(&frame.instant);
        frames.filter(is_missed).map(|_| 1).sum()
    }
}

fn forget_older_half(frames: &mut HashMap<Key, Frame>) -> Vec<Frame> {
    let mut instants: Vec<i64> = frames.values().map(|frame| frame.instant).collect();
    let middle = instants.len() / 2;
    let (_, median, _) = instants.select_nth_unstable(middle);
    let median = *median;
    frames
        .extract_if(|_, frame| frame.instant <= median)
        .map(|(_, frame)| frame)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn frame(number: u64) -> Stamp {
        Stamp {
            instant: 1_767_225_600_000_000 + i64::try_from(number).expect("small") * 40_000,
            frame: number,
            viewers: 1,
            stream: 3,
            run: 4,
        }
    }

    fn sample(stamp: Option<Stamp>, arrival: u64) -> Sample {
        Sample {
            arrival,
            packet: None,
            pts: None,
            stamp,
            joining: false,
        }
    }

    fn read(number: u64, arrival: u64) -> Sample {
        sample(Some(frame(number)), arrival)
    }

    fn added(matching: &Matching) -> Added {
        matching.added("a", "b", true)
    }

    #[test]
    fn the_same_frame_is_found_whichever_comes_first() {
        let mut matching = Matching::default();
        matching.direct(&read(1, 100 * MS));
        matching.via(&read(1, 130 * MS));
        matching.via(&read(2, 150 * MS));
        matching.direct(&read(2, 140 * MS));
        let latency = added(&matching).latency.expect("two frames");
        assert_eq!((latency.count, latency.min, latency.max), (2, 10.0, 30.0));
    }

    #[test]
    fn packets_tell_it_without_the_decoders_where_both_ways_have_them() {
        let with = |number, packet: Option<u64>, decoded| Sample {
            packet,
            ..read(number, decoded)
        };
        let mut matching = Matching::default();
        matching.direct(&with(1, Some(100 * MS), 101 * MS));
        matching.via(&with(1, Some(120 * MS), 200 * MS));
        let by_packets = added(&matching);
        assert_eq!(
            (by_packets.basis, by_packets.latency.map(|latency| latency.p50)),
            (Basis::Packets, Some(20.0))
        );
        matching.direct(&with(2, Some(140 * MS), 141 * MS));
        matching.via(&with(2, None, 240 * MS));
        let decoded = added(&matching);
        assert_eq!(
            (decoded.basis, decoded.latency.map(|latency| latency.max)),
            (Basis::Decoded, Some(99.0))
        );
    }

    #[test]
    fn a_frame_that_comes_again_is_neither_missing_nor_late() {
        let mut matching = Matching::default();
        for (number, time) in [(1, 0), (1, 10), (2, 40), (2, 50), (3, 80)] {
            matching.direct(&read(number, time * MS));
        }
        for (number, time) in [(1, 5), (2, 45), (2, 999), (3, 85)] {
            matching.via(&read(number, time * MS));
        }
        matching.direct(&read(2, 90 * MS));
        let added = added(&matching);
        let latency = added.latency.expect("three frames");
        assert_eq!((added.both, added.missing), (3, 0));
        assert_eq!((latency.count, latency.min, latency.max), (3, 5.0, 5.0));
    }

    #[test]
    fn only_frames_from_while_both_played_are_missing() {
        let mut matching = Matching::default();
        for number in 0..10 {
            matching.direct(&read(number, number * MS));
        }
        assert_eq!(added(&matching).missing, 0);
        for number in [3, 4, 6, 7] {
            matching.via(&read(number, number * MS));
        }
        assert_eq!(added(&matching).missing, 1);
    }

    #[test]
    fn a_picture_that_cannot_be_read_is_not_missing() {
        let mut matching = Matching::default();
        for number in 0..10 {
            matching.direct(&read(number, number * MS));
        }
        matching.via(&sample(None, 0));
        for number in [3, 7] {
            matching.via(&read(number, number * MS));
            matching.via(&sample(None, number * MS));
        }
        let added = added(&matching);
        assert_eq!((added.missing, added.unreadable), (2, 1));
    }

    #[test]
    fn what_waited_for_a_decoder_came_without_a_latency() {
        let mut matching = Matching::default();
        let joining = Sample {
            joining: true,
            ..read(1, 400 * MS)
        };
        matching.direct(&joining);
        matching.via(&read(1, 100 * MS));
        let added = added(&matching);
        assert_eq!((added.latency, added.both, added.missing), (None, 1, 0));
    }

    #[test]
    fn recordings_have_no_latency() {
        let mut matching = Matching::default();
        matching.direct(&read(1, 0));
        matching.via(&read(1, 5 * MS));
        let added = matching.added("a", "b", false);
        assert_eq!((added.latency, added.both), (None, 1));
    }

    #[test]
    fn a_frame_of_another_run_or_camera_is_another_frame() {
        let mut matching = Matching::default();
        matching.direct(&read(1, 1));
        for other in [
            Stamp { run: 9, ..frame(1) },
            Stamp {
                stream: 9,
                ..frame(1)
            },
        ] {
            matching.via(&sample(Some(other), 2));
        }
        assert_eq!(added(&matching).both, 0);
    }

    #[test]
    fn what_is_remembered_is_bounded_and_missing_frames_stay_counted() {
        let mut matching = Matching::default();
        let count = 3 * REMEMBERED as u64;
        matching.via(&read(0, 0));
        matching.via(&read(count, 0));
        for number in 1..count {
            matching.direct(&read(number, 0));
        }
        assert!(matching.frames.len() <= REMEMBERED, "{}", matching.frames.len());
        assert_eq!(added(&matching).missing, count - 1);
    }
}

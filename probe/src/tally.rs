//! Collects what came of one stream.

use gstclocksrc::clockprobe::messages::Kind;

use crate::drift::{self, Drift};
use crate::figures::{Estimate, Evidence, Loss, Sample, Sound};
use crate::gaps::{Gaps, Position};
use crate::packets::FramePackets;
use crate::times::Comparison;
use crate::values::{Thinned, Values, ms};

const NS_PER_US: i64 = 1000;

/// One stream's pictures and ticks. Durations are in ns.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    live: bool,
    /// What this machine's clock is ahead of the one that latencies are told by.
    correction: i64,
    /// One in so many pictures is examined.
    every: u32,
    samples: Thinned<Sample>,
    joining: Joining,
    /// When the last new frame came (ns); `None` where the picture before could not be read.
    last: Option<u64>,
    /// Pictures that were examined, read or not.
    examined: u64,
    pub(crate) readings: u64,
    pub(crate) stream_id: Option<u32>,
    pub(crate) viewers: Option<u32>,
    pub(crate) latency: Values,
    pub(crate) latency_now: Option<i64>,
    pub(crate) network: Values,
    pub(crate) decoder: Values,
    pub(crate) interval: Values,
    pub(crate) times: Comparison,
    gaps: Gaps,
    drift: Drift,
    ticks: u64,
    sound: Values,
    /// Running times of ticks, and their offsets.
    offsets: Thinned<(i64, i64)>,
}

impl Tally {
    /// The tally of a stream that is played as it happens, or not, of which one in `every` pictures is examined. `correction`
    /// is in ns.
    pub(crate) fn new(live: bool, correction: i64, every: u32) -> Self {
        Self {
            live,
            correction,
            every: every.max(1),
            ..Self::default()
        }
    }

    /// Whether the stream is played as it happens, known with its first picture; ticks may come before that.
    pub(crate) fn set_live(&mut self, live: bool) {
        self.live = live;
    }

    /// The stream has another source: what comes next may have waited for a decoder, as at the beginning.
    pub(crate) fn join_anew(&mut self) {
        self.joining = Joining::default();
        self.last = None;
    }

    /// How many pictures have been looked at, one in so many of them examined.
    pub(crate) fn pictures(&self) -> u64 {
        self.examined * u64::from(self.every)
    }

    /// Takes a decoded picture and its place in the row; `packets` is what its packets said. Answers the sample, which
    /// now says whether it counts.
    pub(crate) fn picture(
        &mut self,
        mut sample: Sample,
        place: &Position,
        packets: Option<&FramePackets>,
    ) -> Sample {
        self.examined += 1;
        let Some(stamp) = sample.stamp else {
            self.last = None;
            self.samples.push(sample);
            return sample;
        };
        self.readings += 1;
        self.stream_id = Some(stamp.stream);
        self.viewers = Some(stamp.viewers);
        let instant = stamp.instant.saturating_mul(NS_PER_US);
        self.gaps
            .reading(stamp.frame, u64::try_from(instant).unwrap_or_default(), place);
        sample.joining = self.live && self.joining.holds(&sample, instant, place.kind);
        self.samples.push(sample);
        // A frame that is repeated tells how long it stands still, and nothing of its way.
        if place.kind == Kind::Repeated {
            self.drift.repeat();
        } else {
            self.frame(&sample, place.kind, instant, packets);
        }
        sample
    }

    fn frame(&mut self, sample: &Sample, kind: Kind, instant: i64, packets: Option<&FramePackets>) {
        if let Some(packets) = packets {
            self.times.compare(instant, &packets.told);
        }
        if sample.joining {
            return;
        }
        if self.live {
            self.delays(sample, instant);
        }
        self.pace(sample, kind, instant);
    }

    fn delays(&mut self, sample: &Sample, instant: i64) {
        let after = |time: u64| {
            let time = i64::try_from(time).unwrap_or(i64::MAX);
            time.saturating_sub(instant).saturating_sub(self.correction)
        };
        let latency = after(sample.arrival);
        self.latency.push(latency);
        self.latency_now = Some(latency);
        if let Some(packet) = sample.packet {
            self.network.push(after(packet));
            self.decoder.push(latency.saturating_sub(after(packet)));
        }
    }

    /// When a new frame came: by arrival, or by PTS where arrival says nothing.
    fn pace(&mut self, sample: &Sample, kind: Kind, instant: i64) {
        let Some(time) = (if self.live {
            Some(sample.arrival)
        } else {
            sample.pts
        }) else {
            return;
        };
        if kind == Kind::First {
            // PTS may begin anew with the camera.
            self.drift = Drift::default();
            self.last = None;
        }
        if kind == Kind::Late {
            return;
        }
        // Of pictures that were left out nobody knows when they came.
        if let Some(before) = self.last.filter(|_| self.every == 1) {
            self.interval
                .push(time.cast_signed().saturating_sub(before.cast_signed()));
        }
        self.last = Some(time);
        self.drift
            .push(instant, time.cast_signed().saturating_sub(instant));
    }

    /// Takes a tick at a running time, and how much later it is presented than the picture of its instant.
    pub(crate) fn tick(&mut self, running: u64, offset: Option<i64>) {
        self.ticks += 1;
        if let Some(offset) = offset {
            self.sound.push(offset);
            self.offsets.push((running.cast_signed(), offset));
        }
    }

    /// Whether ticks were heard, and none could be held against a picture.
    pub(crate) fn lacks_offsets(&self) -> bool {
        self.ticks > 0 && self.sound.count() == 0
    }

    /// `None` where there was no sound.
    pub(crate) fn sound(&self, has_sound: bool) -> Option<Sound> {
        let drift = drift::of_offsets(self.offsets.kept());
        has_sound.then(|| Sound {
            ticks: self.ticks,
            offset_median: self.sound.percentile(50).map(ms),
            offset_max: self.sound.farthest().map(ms),
            drift_ppm: drift.map(|drift| drift.value),
            drift_uncertainty_ppm: drift.map(|drift| drift.uncertainty),
        })
    }

    /// How delays change, and how far off that may be, in parts per million.
    pub(crate) fn drift_ppm(&self) -> Option<Estimate> {
        self.drift.ppm()
    }

    /// Where frames are missing.
    pub(crate) fn losses(&mut self) -> Vec<Loss> {
        std::mem::take(&mut self.gaps).into_losses()
    }

    pub(crate) fn into_evidence(self) -> Evidence {
        Evidence {
            samples: self.samples.into_kept(),
            still: None,
        }
    }
}

/// Pictures whose packets came before the first one could be decoded waited for a decoder to be set up. Where no packets
/// are seen, those that come faster than they were made are what a server had in store. Both is part of the time to the
/// first picture; the stream's latency it is not.
#[derive(Debug, Default)]
enum Joining {
    #[default]
    Before,
    /// When the first picture was at hand.
    Since(u64),
    /// The arrival and the instant of the last picture, where no packets are seen (ns).
    CatchingUp(u64, i64),
    Over,
}

impl Joining {
    fn holds(&mut self, sample: &Sample, instant: i64, kind: Kind) -> bool {
        *self = match (&*self, sample.packet) {
            (Self::Before, Some(_)) => Self::Since(sample.arrival),
            (Self::CatchingUp(arrival, last), None) if kind == Kind::Repeated => {
                Self::CatchingUp(*arrival, *last)
            }
            (Self::Since(first), Some(packet)) if packet < *first => Self::Since(*first),
            (Self::Before, None) => Self::CatchingUp(sample.arrival, instant),
            (Self::CatchingUp(arrival, last), None)
                if is_burst(
                    sample.arrival.saturating_sub(*arrival),
                    instant.saturating_sub(*last),
                ) =>
            {
                Self::CatchingUp(sample.arrival, instant)
            }
            _ => Self::Over,
        };
        !matches!(self, Self::Over)
    }
}

/// Whether a picture came so soon after another that it had been made long before.
fn is_burst(between_arrivals: u64, between_instants: i64) -> bool {
    between_arrivals.saturating_mul(2) < u64::try_from(between_instants).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use clockface::Stamp;

    use super::*;

    const INSTANT: i64 = 1_767_225_600_000_000;
    const MS: u64 = 1_000_000;

    /// Frame `number` at 25 fps, `latency` ms after its instant.
    fn sample(number: u64, latency: u64) -> Sample {
        let instant = INSTANT + i64::try_from(number).expect("small") * 40_000;
        let arrival = instant.unsigned_abs() * 1000 + latency * MS;
        Sample {
            arrival,
            packet: Some(arrival - 5 * MS),
            pts: Some(number * 41 * MS),
            stamp: Some(Stamp {
                instant,
                frame: number,
                viewers: 2,
                stream: 9,
                run: 1,
            }),
            joining: false,
        }
    }

    const NEXT: Position = Position {
        kind: Kind::Next,
        missing: None,
        found: false,
    };

    fn of(kind: Kind) -> Position {
        Position { kind, ..NEXT }
    }

    fn tally(live: bool, correction: i64) -> Tally {
        let mut tally = Tally::new(live, correction, 1);
        if live {
            // What is decoded next came after the first picture.
            tally.joining = Joining::Over;
        }
        for (number, kind) in [
            (0, Kind::First),
            (1, Kind::Next),
            (1, Kind::Repeated),
            (2, Kind::Next),
            (3, Kind::Next),
        ] {
            let late = if kind == Kind::Repeated { 20 } else { 0 };
            tally.picture(sample(number, 80 + late), &of(kind), None);
        }
        tally
    }

    #[test]
    fn a_live_stream_has_delays_in_its_parts() {
        let tally = tally(true, 0);
        let p50 = |values: &Values| values.percentile(50).map(ms);
        assert_eq!(
            (p50(&tally.latency), p50(&tally.network), p50(&tally.decoder)),
            (Some(80.0), Some(75.0), Some(5.0))
        );
        assert_eq!((p50(&tally.interval), tally.interval.count()), (Some(40.0), 3));
        let latency = tally.latency.distribution().expect("frames");
        assert_eq!((latency.count, latency.max), (4, 80.0));
        assert_eq!(
            (tally.readings, tally.stream_id, tally.viewers),
            (5, Some(9), Some(2))
        );
    }

    #[test]
    fn pictures_that_waited_for_the_decoder_to_be_set_up_have_no_latency() {
        let mut tally = Tally::new(true, 0, 1);
        // Decoded all at once, 400 ms after the first: the packets of 0 to 9 had come by then.
        for number in 0..10 {
            let early = sample(number, 400 - 40 * number);
            let packet = Some(sample(number, 10).arrival);
            let counted = tally.picture(Sample { packet, ..early }, &NEXT, None);
            assert!(counted.joining);
        }
        assert_eq!((tally.readings, tally.latency.count()), (10, 0));
        assert!(!tally.picture(sample(11, 12), &NEXT, None).joining);
        tally.picture(sample(12, 12), &NEXT, None);
        assert_eq!(
            tally.latency.distribution().map(|latency| latency.max),
            Some(12.0)
        );
        assert_eq!((tally.readings, tally.latency.count()), (12, 2));
    }

    #[test]
    fn what_a_server_had_in_store_has_no_latency() {
        let mut tally = Tally::new(true, 0, 1);
        // Ten pictures within 50 ms, the last of them 100 ms old; then one after the other.
        for number in 0..20 {
            let age = 100 + 35 * (9_u64.saturating_sub(number));
            let unseen = Sample {
                packet: None,
                ..sample(number, age)
            };
            tally.picture(unseen, &NEXT, None);
        }
        let latency = tally.latency.distribution().expect("pictures");
        assert_eq!((latency.count, latency.max), (10, 100.0));
    }

    #[test]
    fn a_clock_that_is_ahead_is_corrected_for() {
        let tally = tally(true, 30_000_000);
        let p50 = |values: &Values| values.percentile(50).map(ms);
        assert_eq!(
            (p50(&tally.latency), p50(&tally.network), p50(&tally.decoder)),
            (Some(50.0), Some(45.0), Some(5.0))
        );
    }

    #[test]
    fn a_recording_has_no_delays_and_its_pace_is_that_of_its_pts() {
        let tally = tally(false, 0);
        assert_eq!((tally.latency.count(), tally.network.count()), (0, 0));
        assert_eq!(tally.interval.percentile(50).map(ms), Some(41.0));
    }

    #[test]
    fn no_interval_spans_a_picture_that_could_not_be_read() {
        let mut tally = Tally::new(false, 0, 1);
        tally.picture(sample(0, 0), &of(Kind::First), None);
        let unreadable = Sample {
            stamp: None,
            ..sample(1, 0)
        };
        tally.picture(unreadable, &NEXT, None);
        tally.picture(sample(2, 0), &NEXT, None);
        tally.picture(sample(3, 0), &NEXT, None);
        let interval = tally.interval.distribution().expect("one");
        assert_eq!((interval.count, interval.max), (1, 41.0));
    }

    #[test]
    fn a_tick_before_the_first_picture_does_not_decide_what_is_live() {
        let mut tally = Tally::new(false, 0, 1);
        tally.tick(0, None);
        tally.set_live(true);
        tally.joining = Joining::Over;
        tally.picture(sample(0, 80), &of(Kind::First), None);
        assert_eq!((tally.ticks, tally.latency.count()), (1, 1));
    }

    #[test]
    fn sound_is_none_without_any_and_the_offset_where_ticks_have_one() {
        let mut tally = Tally::new(true, 0, 1);
        assert_eq!(tally.sound(false), None);
        tally.tick(0, None);
        tally.tick(5, Some(-700_000));
        let sound = tally.sound(true).expect("sound");
        assert_eq!(
            (sound.ticks, sound.offset_median, sound.offset_max),
            (2, Some(-0.7), Some(-0.7))
        );
    }
}

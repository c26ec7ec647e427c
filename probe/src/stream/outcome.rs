//! What came of a stream.

use super::Stream;
use crate::failures;
use crate::figures::{ClockRelation, Counts, Delivery, Evidence, StreamFigures};
use crate::spots::Spots;
use crate::values::ms;
use crate::wall_clock;

const NS_PER_MS: u64 = 1_000_000;

impl Stream {
    /// What came of it.
    pub(crate) fn finish(mut self, clock: ClockRelation) -> (StreamFigures, Evidence) {
        self.conclude();
        let counts = self.counts_of_all();
        let delivery = self.delivery();
        let mut tally = std::mem::take(&mut self.tally);
        let (taps, pace) = (self.taps.clone(), self.taps.pace());
        let drift = tally.drift_ppm();
        let (width, height) = taps.size();
        let (spots, differences) = self.spots.as_ref().map(Spots::figures).unwrap_or_default();
        let figures = StreamFigures {
            url: self.target.name.clone(),
            live: self.live,
            transport: self.past.transport.take(),
            codec: taps.codec(),
            width,
            height,
            stream_id: tally.stream_id,
            viewers: tally.viewers,
            alteration: self.alteration,
            frames_per_second: pace.frames_per_second(),
            backlog: if self.live { pace.backlog() } else { 0 },
            counts,
            latency: tally.latency.distribution(),
            network: tally.network.distribution(),
            decoder: tally.decoder.distribution(),
            interval: tally.interval.distribution(),
            drift_ppm: drift.map(|drift| drift.value),
            drift_uncertainty_ppm: drift.map(|drift| drift.uncertainty),
            first_picture: taps.first_picture().map(|first| first.as_secs_f64() * 1000.0),
            key_frames: taps.key_frames(),
            clock,
            times: tally.times.times(),
            sound: tally.sound(self.past.has_sound),
            losses: tally.losses(),
            spots,
            differences,
            absences: std::mem::take(&mut self.absences).into_all(wall_clock::now()),
            delivery,
            problems: std::mem::take(&mut self.problems),
            ..StreamFigures::default()
        };
        let evidence = Evidence {
            still: taps.still(),
            ..tally.into_evidence()
        };
        (figures, evidence)
    }

    /// What was counted: what stood still by the pictures themselves, where no stamp was read.
    fn counts_of_all(&self) -> Counts {
        let counts = self.counts();
        if counts.readings > 0 || counts.frames == 0 {
            return counts;
        }
        let (frozen, time) = self.standstill.unwrap_or_default();
        Counts {
            frozen,
            frozen_time: time / NS_PER_MS,
            ..counts
        }
    }

    fn delivery(&self) -> Delivery {
        Delivery {
            packets: self.packets.counts(),
            sender_reports: self.packets.sender_reports(),
            sound_minus_picture: self.packets.sound_minus_picture().map(ms),
            ..self.taps.delivery(self.live)
        }
    }

    /// Says what can be said at the end only.
    fn conclude(&mut self) {
        let (pictures, asked_for) = (self.taps.pictures(), self.taps.asked_for());
        if let Some(held) = self.taps.held().filter(|_| self.live) {
            self.problems.push(failures::held(&held.decoder, held.pictures));
        }
        let sees_too_few = |spots: &Spots| spots.figures().1.is_empty();
        if self.readings() > 0 && self.spots.as_ref().is_some_and(sees_too_few) {
            self.problems.push(failures::one_stamp());
        }
        if self.target.is_rtsp() && self.past.has_sound && self.tally.lacks_offsets() {
            self.problems.push(failures::not_in_step(asked_for.as_secs_f64()));
        }
        if let Some(cause) = self.absences.cause() {
            self.problems.push(cause.to_owned());
        }
        if pictures == 0 && self.problems.is_empty() {
            self.problems
                .push(failures::no_picture(asked_for.as_secs_f64(), &self.target));
        } else if pictures > 0 && self.readings() == 0 && !self.said_no_stamp {
            self.say_no_stamp();
        }
    }
}

//! What `clockprobe` finds out, and how it tells: messages and statistics.

use clockface::{Sighting, Stamp};

use super::distribution::{Distribution, Drift};
use super::lips::{Lips, Settled, Tick};
use super::listener::Heard;
use super::messages::{self, BufferTimes, Kind, Message, PlacedStamp, Reading, Stamps, Unreadable};
use super::stats::Stats;
use super::stillness::Moment;
use super::tally::{Finding, Seen, Tally};
use super::verdict::Verdict;

/// When a buffer came, and what its time is. In ns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// Since the Unix epoch.
    pub(super) arrival: i64,
    /// The same on the pipeline's clock.
    pub(super) clock: i64,
    pub(super) pts: Option<gst::ClockTime>,
    pub(super) running: Option<gst::ClockTime>,
    /// The running time at which it ends.
    pub(super) end: Option<gst::ClockTime>,
}

/// What a look at a frame found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Look {
    /// Its stamp.
    Stamp(Sighting),
    /// No stamp that can be read.
    Unreadable,
    /// There was no look.
    Unexamined,
}

/// All that was found out since the element left READY.
#[derive(Debug, Default)]
pub(super) struct Figures {
    tally: Tally,
    latency: Distribution,
    drift: Drift,
    lips: Lips,
}

impl Figures {
    /// Takes note of a frame. Where upstream is live, arrival tells of freezes too.
    pub(super) fn frame(&mut self, look: Look, times: &Times, live: bool, freeze_threshold: u64) -> Finding {
        let seen = match look {
            Look::Stamp(Sighting { stamp, .. }) => Seen::Frame {
                run: stamp.run,
                number: stamp.frame,
            },
            Look::Unreadable => Seen::Unreadable,
            Look::Unexamined => Seen::Unexamined,
        };
        let at = Moment {
            arrival: live.then_some(times.clock),
            running: times.running.map(signed),
            end: times.end.map(signed),
        };
        let finding = self.tally.count(seen, at, freeze_threshold);
        if let Some(running) = times.running {
            self.lips.video(signed(running));
        }
        if let (Look::Stamp(sighting), Verdict::First | Verdict::New | Verdict::OutOfOrder) =
            (look, finding.verdict)
        {
            self.first_coming(&sighting.stamp, times);
        }
        finding
    }

    fn first_coming(&mut self, stamp: &Stamp, times: &Times) {
        let latency = latency(stamp, times);
        self.latency.add(latency);
        self.drift.add(times.arrival, latency);
        if let Some(running) = times.running {
            self.lips.picture(nanoseconds(stamp), signed(running));
        }
    }

    /// Takes note of a tick that was heard.
    pub(super) fn tick(&mut self, heard: Heard) {
        self.lips.tick(Tick {
            running: signed(heard.running),
            arrival: heard.arrival,
        });
    }

    /// Takes the ticks that need to wait for no more pictures.
    pub(super) fn settle_ticks(&mut self) -> Vec<Settled> {
        self.lips.settle()
    }

    /// All ticks, for nothing more comes that could tell of them.
    pub(super) fn settle_all_ticks(&mut self) -> Vec<Settled> {
        self.lips.settle_all()
    }

    /// Takes note that no more pictures come.
    pub(super) fn video_ends(&mut self) {
        self.lips.video_ends();
    }

    /// Ends at `now` what came before, for what comes next does not follow it.
    pub(super) fn cut(&mut self, now: Moment, freeze_threshold: u64) {
        self.tally.cut(now, freeze_threshold);
    }

    /// Forgets the pictures, for what comes next is presented by another mapping.
    pub(super) fn forget_pictures(&mut self) {
        self.lips.forget_pictures();
    }

    /// The statistics as they are at `now`.
    pub(super) fn stats(&self, now: Moment, freeze_threshold: u64) -> Stats {
        let counts = self.tally.counts(now, freeze_threshold);
        let offsets = self.lips.offsets();
        Stats {
            frames: counts.frames,
            readings: counts.readings,
            unreadable: counts.unreadable,
            lost: counts.lost,
            repeated: counts.repeated,
            out_of_order: counts.out_of_order,
            frozen: counts.frozen,
            frozen_time: counts.frozen_time,
            runs: counts.runs,
            ticks: self.lips.ticks(),
            latency: self.latency.summary(),
            drift_ppm: self.drift.ppm(),
            av_offset_median: offsets.summary().map(|offset| offset.p50),
            av_offset_max: offsets.extreme(),
        }
    }
}

/// The message of a look and what it found; `None` where there was none.
pub(super) fn look_message(look: Look, times: &Times, finding: Finding) -> Option<Message> {
    match look {
        Look::Stamp(sighting) => Some(Message::Reading(Reading {
            times: times.of_buffer(),
            seen: (&sighting).into(),
            latency: latency(&sighting.stamp, times),
            kind: kind(finding.verdict),
            missing: finding.missing,
            found: finding.is_found,
        })),
        Look::Unreadable => Some(Message::Unreadable(Unreadable {
            times: times.of_buffer(),
        })),
        Look::Unexamined => None,
    }
}

/// The message of all stamps of a picture.
pub(super) fn stamps_message(stamps: &[Sighting], times: &Times) -> Message {
    let stamps = stamps.iter().map(|sighting| {
        let ((x, y), size) = (sighting.middle(), sighting.size());
        let px = |length: f32| {
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a cast saturates"
            )]
            let px = length.round() as u32;
            px
        };
        PlacedStamp {
            seen: sighting.into(),
            middle: (px(x), px(y)),
            size: px(size),
        }
    });
    Message::Stamps(Stamps {
        times: times.of_buffer(),
        stamps: stamps.collect(),
    })
}

impl Times {
    /// As messages tell them.
    fn of_buffer(&self) -> BufferTimes {
        BufferTimes {
            arrival: unsigned(self.arrival),
            pts: self.pts,
            running_time: self.running,
        }
    }
}

/// What a message calls a frame that was read.
fn kind(verdict: Verdict) -> Kind {
    match verdict {
        Verdict::First => Kind::First,
        Verdict::New | Verdict::Unknown => Kind::Next,
        Verdict::Repeated => Kind::Repeated,
        Verdict::OutOfOrder => Kind::Late,
    }
}

/// The message of a tick.
pub(super) fn tick_message((tick, lag): &Settled) -> Message {
    Message::Tick(messages::Tick {
        second: lag.map_or(0, |lag| unsigned(lag.second)),
        running_time: unsigned(tick.running),
        arrival: unsigned(tick.arrival),
        av_offset: lag.map(|lag| lag.offset),
    })
}

/// How long a frame has been on its way, in ns.
fn latency(stamp: &Stamp, times: &Times) -> i64 {
    times.arrival.saturating_sub(nanoseconds(stamp))
}

/// The instant of a stamp in ns since the Unix epoch.
fn nanoseconds(stamp: &Stamp) -> i64 {
    stamp.instant.saturating_mul(1_000)
}

fn signed(time: gst::ClockTime) -> i64 {
    i64::try_from(time.nseconds()).unwrap_or(i64::MAX)
}

fn unsigned(instant: i64) -> u64 {
    instant.max(0).unsigned_abs()
}

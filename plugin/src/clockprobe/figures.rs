//! What `clockprobe` finds out, and how it tells: messages and statistics.

use clockface::{Sighting, Stamp};

use super::distribution::{Distribution, Drift};
use super::lips::{Lips, Settled, Tick};
use super::listener::Heard;
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

    /// The ticks for which no more pictures have to be waited.
    pub(super) fn settle_ticks(&mut self) -> Vec<Settled> {
        self.lips.settle()
    }

    /// All ticks, for nothing more comes that could tell of them.
    pub(super) fn settle_all_ticks(&mut self) -> Vec<Settled> {
        self.lips.settle_all()
    }

    /// No more pictures come.
    pub(super) fn video_ends(&mut self) {
        self.lips.video_ends();
    }

    /// What comes next does not follow what came before; that is over at `now`.
    pub(super) fn cut(&mut self, now: Moment, freeze_threshold: u64) {
        self.tally.cut(now, freeze_threshold);
    }

    /// What comes next is presented by another mapping.
    pub(super) fn forget_pictures(&mut self) {
        self.lips.forget_pictures();
    }

    /// The statistics as they are at `now`.
    pub(super) fn structure(&self, now: Moment, freeze_threshold: u64) -> gst::Structure {
        let counts = self.tally.counts(now, freeze_threshold);
        let mut builder = gst::Structure::builder("clockprobe-stats")
            .field("frames", counts.frames)
            .field("readings", counts.readings)
            .field("unreadable", counts.unreadable)
            .field("lost", counts.lost)
            .field("repeated", counts.repeated)
            .field("out-of-order", counts.out_of_order)
            .field("frozen", counts.frozen)
            .field("frozen-time", counts.frozen_time)
            .field("runs", counts.runs)
            .field("ticks", self.lips.ticks());
        if let Some(latency) = self.latency.summary() {
            builder = builder
                .field("latency-min", latency.min)
                .field("latency-mean", latency.mean)
                .field("latency-p50", latency.p50)
                .field("latency-p90", latency.p90)
                .field("latency-p99", latency.p99)
                .field("latency-max", latency.max);
        }
        let offsets = self.lips.offsets();
        builder
            .field_if_some("drift-ppm", self.drift.ppm())
            .field_if_some("av-offset-median", offsets.summary().map(|offset| offset.p50))
            .field_if_some("av-offset-max", offsets.extreme())
            .build()
    }
}

/// The message of a look and what it found; `None` where there was none.
pub(super) fn look_message(look: Look, times: &Times, finding: Finding) -> Option<gst::Structure> {
    match look {
        Look::Stamp(sighting) => Some(
            with_stamp(timed("clockprobe-reading", times), &sighting)
                .field("latency", latency(&sighting.stamp, times))
                .field("kind", kind(finding.verdict))
                .field("missing", finding.missing.map_or(0, |missing| missing.count))
                .field_if_some("missing-after", finding.missing.map(|missing| missing.after))
                .field("found", finding.is_found)
                .build(),
        ),
        Look::Unreadable => Some(timed("clockprobe-unreadable", times).build()),
        Look::Unexamined => None,
    }
}

/// With what a stamp says, and how it is seen.
fn with_stamp(builder: gst::structure::Builder, sighting: &Sighting) -> gst::structure::Builder {
    let stamp = &sighting.stamp;
    builder
        .field("instant", unsigned(nanoseconds(stamp)))
        .field("frame", stamp.frame)
        .field("run", stamp.run)
        .field("stream", stamp.stream)
        .field("viewers", stamp.viewers)
        .field("mirrored", sighting.is_mirrored())
        .field("turned", u32::from(sighting.turned()))
        .field("inverted", sighting.inverted)
}

/// The message of all stamps of a picture.
pub(super) fn stamps_message(stamps: &[Sighting], times: &Times) -> gst::Structure {
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
        with_stamp(gst::Structure::builder("stamp"), sighting)
            .field("x", px(x))
            .field("y", px(y))
            .field("size", px(size))
            .build()
    });
    timed("clockprobe-stamps", times)
        .field("stamps", gst::Array::new(stamps))
        .build()
}

/// A message of a buffer.
fn timed(name: &str, times: &Times) -> gst::structure::Builder {
    gst::Structure::builder(name)
        .field("arrival", unsigned(times.arrival))
        .field("pts", or_none(times.pts))
        .field("running-time", or_none(times.running))
}

/// What a message calls a frame that was read.
fn kind(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::First => "first",
        Verdict::New | Verdict::Unknown => "next",
        Verdict::Repeated => "repeated",
        Verdict::OutOfOrder => "late",
    }
}

/// The message of a tick.
pub(super) fn tick_message((tick, lag): &Settled) -> gst::Structure {
    gst::Structure::builder("clockprobe-tick")
        .field("second", lag.map_or(0, |lag| unsigned(lag.second)))
        .field("running-time", unsigned(tick.running))
        .field("arrival", unsigned(tick.arrival))
        .field_if_some("av-offset", lag.map(|lag| lag.offset))
        .build()
}

/// How long a frame has been on its way, in ns.
fn latency(stamp: &Stamp, times: &Times) -> i64 {
    times.arrival.saturating_sub(nanoseconds(stamp))
}

/// The instant of a stamp in ns since the Unix epoch.
fn nanoseconds(stamp: &Stamp) -> i64 {
    stamp.instant.saturating_mul(1_000)
}

fn or_none(time: Option<gst::ClockTime>) -> u64 {
    time.map_or(u64::MAX, gst::ClockTime::nseconds)
}

fn signed(time: gst::ClockTime) -> i64 {
    i64::try_from(time.nseconds()).unwrap_or(i64::MAX)
}

fn unsigned(instant: i64) -> u64 {
    instant.max(0).unsigned_abs()
}

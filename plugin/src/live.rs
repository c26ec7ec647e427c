//! What the live sources have in common: a life in real time that a pause does not end, and what they note of it.
//!
//! | module | job |
//! | --- | --- |
//! | `source` | a source's life: what it answers to the base class, and when its next frame leaves |
//! | `stats` | what it tells of its life |
//! | `timing` | the properties that say how it lives in time |

mod source;
mod stats;
pub(crate) mod timing;

use std::sync::LazyLock;
use std::thread::{self, ThreadId};

use clockface::epoch::NTP_TO_UNIX_NS;
use gst::glib;
use parking_lot::Mutex;

use crate::clock::{Flushing, PipelineClock, Wait};
use crate::schedule::Frame;

pub(crate) use source::{Life, Live, LiveSource};
pub use stats::Stats;
pub(crate) use timing::Timing;

static UNIX_CAPS: LazyLock<gst::Caps> = LazyLock::new(|| gst::Caps::new_empty_simple("timestamp/x-unix"));
static NTP_CAPS: LazyLock<gst::Caps> = LazyLock::new(|| gst::Caps::new_empty_simple("timestamp/x-ntp"));

/// The waiting of a live source, which outlives a pause.
#[derive(Debug, Default)]
pub(crate) struct LiveWait {
    wait: Wait,
    /// The thread that takes the element from PLAYING to PAUSED now.
    pausing: Mutex<Option<ThreadId>>,
}

impl LiveWait {
    /// Returns at that running time (ns), or earlier after a pause.
    pub(crate) fn until(&self, running: i64, on: &PipelineClock) -> Result<(), Flushing> {
        self.wait.until(running, on)
    }

    /// Lets `perform` change the element's state.
    pub(crate) fn change_state<T>(&self, transition: gst::StateChange, perform: impl FnOnce() -> T) -> T {
        if transition == gst::StateChange::PausedToPlaying {
            // A wait goes on through a pause (see `unlock`): it may be by the old base time.
            self.wait.restart();
        }
        let is_pausing = transition == gst::StateChange::PlayingToPaused;
        *self.pausing.lock() = is_pausing.then(|| thread::current().id());
        let result = perform();
        *self.pausing.lock() = None;
        result
    }

    /// For the base class's `unlock`.
    pub(crate) fn unlock(&self) {
        // GStreamer 1.26's base class unlocks for a pause, 1.22's does not. Whoever played again before `create`
        // was back would have the stream end, for it would then answer that it flushes: so a pause ends no wait.
        if *self.pausing.lock() != Some(thread::current().id()) {
            self.wait.unlock();
        }
    }

    /// For the base class's `unlock_stop`.
    pub(crate) fn unlock_stop(&self) {
        self.wait.unlock_stop();
    }
}

/// What a stream has done so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Counts {
    /// Buffers that left.
    pub(crate) made: u64,
    pub(crate) dropped: u64,
    /// In ns.
    max_lateness: u64,
    total_lateness: u64,
}

impl Counts {
    /// Notes a buffer that leaves so much after the running time at which it should (ns).
    pub(crate) fn note(&mut self, frame: &Frame, lateness: i64) {
        let lateness = lateness.max(0).unsigned_abs();
        self.made += 1;
        self.dropped += frame.dropped;
        self.max_lateness = self.max_lateness.max(lateness);
        self.total_lateness = self.total_lateness.saturating_add(lateness);
    }

    /// What the element tells of them.
    pub(crate) fn stats(&self) -> Stats {
        Stats {
            rendered: self.made,
            dropped: self.dropped,
            max_lateness: self.max_lateness,
            mean_lateness: self.total_lateness.checked_div(self.made).unwrap_or_default(),
            ticks: None,
        }
    }
}

/// The running time at which a frame should leave, in ns.
pub(crate) fn leaves_at(frame: &Frame, lead_time: u64) -> i64 {
    frame
        .pts
        .saturating_sub(i64::try_from(lead_time).unwrap_or(i64::MAX))
}

/// Writes on a buffer when it is due, and the instant (ns since the Unix epoch) of its PTS.
pub(crate) fn label(buffer: &mut gst::BufferRef, frame: &Frame, instant: i64) {
    buffer.set_pts(clock_time(frame.pts));
    buffer.set_duration(clock_time(frame.duration));
    if frame.discont {
        buffer.set_flags(gst::BufferFlags::DISCONT);
    }
    let ntp = i128::from(instant) + NTP_TO_UNIX_NS;
    for (caps, time) in [(&UNIX_CAPS, clock_time(instant)), (&NTP_CAPS, clock_time(ntp))] {
        gst::ReferenceTimestampMeta::add(buffer, caps, time, gst::ClockTime::NONE);
    }
}

/// The nearest time (ns) that GStreamer can tell.
fn clock_time(time: impl Into<i128>) -> gst::ClockTime {
    let nanoseconds = u64::try_from(time.into().max(0)).unwrap_or(u64::MAX - 1);
    gst::ClockTime::from_nseconds(nanoseconds)
}

/// The value as the type that GObject has already checked it for.
pub(crate) fn take<'a, T: glib::value::FromValue<'a> + Default>(value: &'a glib::Value) -> T
where
    T::Checker: glib::value::ValueTypeChecker<Error = glib::value::ValueTypeMismatchError>,
{
    value.get().unwrap_or_default()
}

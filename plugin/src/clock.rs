//! Reads the pipeline's clock and the wall clock as one, and waits on the former.

use std::time::{SystemTime, UNIX_EPOCH};

use clockface::epoch::{NTP_TO_UNIX_NS, TAI_MINUS_UTC_NS};
use gst::prelude::*;
use parking_lot::Mutex;

use crate::schedule::{Now, held};

/// A thread can be preempted between two readings; within this bracket they count as one (ns).
const NARROW_BRACKET: i64 = 50_000;
/// How often to try for a narrow bracket before taking the narrowest.
const TRIES: usize = 10;

/// What an instant is counted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wall {
    /// The time of day: the pipeline's clock says it if it is a network's, otherwise the machine does.
    TimeOfDay,
    /// Running time, from this instant on (ns since the Unix epoch).
    From(i64),
}

/// The pipeline's clock as an element sees it. The base time changes when a pipeline goes back to PAUSED,
/// so this is made anew for each frame.
pub(crate) struct PipelineClock {
    clock: gst::Clock,
    base_time: gst::ClockTime,
    /// The instant of its zero (ns since the Unix epoch), if it tells the time of day.
    epoch: Option<i128>,
}

impl PipelineClock {
    /// The element's clock; `None` before it has one.
    pub(crate) fn of(element: &impl IsA<gst::Element>) -> Option<Self> {
        let clock = element.clock()?;
        Some(Self {
            epoch: epoch(&clock),
            base_time: element.base_time()?,
            clock,
        })
    }

    /// The running time of now, in ns.
    pub(crate) fn running(&self) -> i64 {
        held(signed(self.clock.time()) - signed(self.base_time))
    }

    /// Running time and wall clock, read as one.
    pub(crate) fn now(&self, wall: Wall) -> Now {
        let offset = match (wall, self.epoch) {
            (Wall::From(instant), _) => instant.into(),
            (Wall::TimeOfDay, Some(epoch)) => epoch + signed(self.base_time),
            (Wall::TimeOfDay, None) => return self.bracketed(),
        };
        Now {
            running: self.running(),
            offset,
            uncertainty: 0,
        }
    }

    /// The instant of now in ns since the Unix epoch, however long it takes to bring the clocks together.
    pub(crate) fn instant(&self, wall: Wall) -> i64 {
        let running = self.running();
        held(self.now(wall).offset + i128::from(running))
    }

    /// Wall–pipeline–wall, again and again until the bracket is narrow.
    fn bracketed(&self) -> Now {
        let mut narrowest = (
            i64::MAX,
            Now {
                running: self.running(),
                offset: 0,
                uncertainty: i64::MAX,
            },
        );
        for _ in 0..TRIES {
            let (before, running, after) = (machine_clock(), self.running(), machine_clock());
            let width = held(after - before);
            // The wall clock may have been stepped back in between.
            if (0..narrowest.0).contains(&width) {
                let now = Now {
                    running,
                    offset: before + i128::from(width / 2) - i128::from(running),
                    uncertainty: width / 2,
                };
                narrowest = (width, now);
            }
            if narrowest.0 <= NARROW_BRACKET {
                break;
            }
        }
        narrowest.1
    }
}

/// The instant of a network clock's zero, in ns since the Unix epoch. `None` for a clock that counts from some moment of
/// its own, or does not know the time yet.
fn epoch(clock: &gst::Clock) -> Option<i128> {
    let epoch = if clock.is::<gst_net::NtpClock>() {
        -NTP_TO_UNIX_NS
    } else if clock.is::<gst_net::PtpClock>() {
        -TAI_MINUS_UTC_NS
    } else {
        return None;
    };
    clock.is_synced().then_some(epoch)
}

/// The machine's wall clock, in ns since the Unix epoch.
pub(crate) fn machine_clock() -> i128 {
    // Of 94 bits at most.
    let nanoseconds = |duration: std::time::Duration| duration.as_nanos().cast_signed();
    match SystemTime::now().duration_since(UNIX_EPOCH) {
        Ok(since) => nanoseconds(since),
        Err(before) => -nanoseconds(before.duration()),
    }
}

fn signed(time: gst::ClockTime) -> i128 {
    time.nseconds().into()
}

/// A wait that another thread can end.
#[derive(Debug, Default)]
pub(crate) struct Wait(Mutex<WaitState>);

#[derive(Debug, Default)]
struct WaitState {
    id: Option<gst::SingleShotClockId>,
    flushing: bool,
}

/// The wait was ended by [`Wait::unlock`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flushing;

impl Wait {
    /// Returns at that running time (ns), at once when it is past, or earlier after [`Wait::restart`].
    pub(crate) fn until(&self, running: i64, on: &PipelineClock) -> Result<(), Flushing> {
        let time = on.base_time.nseconds().saturating_add_signed(running);
        // The greatest number stands for no time at all.
        let time = gst::ClockTime::from_nseconds(time.min(u64::MAX - 1));
        let id = on.clock.new_single_shot_id(time);
        {
            let mut state = self.0.lock();
            if state.flushing {
                return Err(Flushing);
            }
            state.id = Some(id.clone());
        }
        let (_result, _jitter) = id.wait();
        let mut state = self.0.lock();
        state.id = None;
        if state.flushing { Err(Flushing) } else { Ok(()) }
    }

    /// Ends the wait under way as if its time had come: it was for a running time that has moved.
    pub(crate) fn restart(&self) {
        if let Some(id) = self.0.lock().id.take() {
            id.unschedule();
        }
    }

    /// Ends the wait under way, and all to come.
    pub(crate) fn unlock(&self) {
        let mut state = self.0.lock();
        state.flushing = true;
        if let Some(id) = state.id.take() {
            id.unschedule();
        }
    }

    /// Lets waits be waited again.
    pub(crate) fn unlock_stop(&self) {
        self.0.lock().flushing = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Clocks that wait for nobody: what they count from does not depend on whom they ask.
    #[test]
    fn clocks_of_a_network_that_have_the_time_count_from_a_known_instant() {
        gst::init().unwrap();
        let ntp = gst_net::NtpClock::new(None, "127.0.0.1", 1, gst::ClockTime::ZERO);
        let ptp = gst::glib::Object::builder::<gst_net::PtpClock>().build();
        for (clock, expected) in [
            (ntp.upcast::<gst::Clock>(), -2_208_988_800 * 1_000_000_000),
            (ptp.upcast(), -37 * 1_000_000_000),
        ] {
            clock.set_synced(false);
            assert_eq!(epoch(&clock), None, "{clock:?} does not have it yet");
            clock.set_synced(true);
            assert_eq!(epoch(&clock), Some(expected), "{clock:?}");
        }
        assert_eq!(epoch(&gst::SystemClock::obtain()), None);
    }
}

//! How late frames leave for viewers.
//!
//! The streaming thread notes it once a frame: that takes two readings of clocks, and a lock for which nobody else
//! waits but whoever reads the figures. Nothing is allocated.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use gst::ClockTime;
use parking_lot::Mutex;

/// The upper bounds of the histogram's classes; whatever is above the last one is in a class of its own.
pub(crate) const BOUNDS: [Duration; 14] = [
    Duration::from_micros(50),
    Duration::from_micros(100),
    Duration::from_micros(200),
    Duration::from_micros(500),
    Duration::from_millis(1),
    Duration::from_millis(2),
    Duration::from_millis(5),
    Duration::from_millis(10),
    Duration::from_millis(20),
    Duration::from_millis(50),
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
];
/// A frame that leaves later than this after it was due is late.
const LATE: Duration = Duration::from_millis(1);
/// How many of the latest seconds are kept apart from all before.
const SECONDS: usize = 10;

/// How late frames left. A frame that came to its sink before it was due is not late at all: it waits there until then.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Lateness {
    /// How many frames left.
    pub(crate) frames: u64,
    /// How many of them left more than a millisecond late.
    pub(crate) late: u64,
    /// The sum of the delays of all of them.
    pub(crate) sum: Duration,
    /// The longest delay of any of them.
    pub(crate) most: Duration,
}

/// How late frames left, in all pipelines and lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Departures {
    /// All frames so far.
    pub(crate) all: Lateness,
    /// How many of all frames were no later than each of [`BOUNDS`] and later than the bound before it; the last class
    /// has those that were later than every bound.
    pub(crate) classes: [u64; BOUNDS.len() + 1],
    /// The frames of the latest ten seconds, of which the last one is not over.
    pub(crate) lately: Lateness,
}

/// Notes how late frames leave.
#[derive(Debug)]
pub(super) struct Log {
    start: Instant,
    /// When the frame whose packets pass now is due, in ns. The streaming thread alone reads and writes it.
    current: AtomicU64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    all: Lateness,
    classes: [u64; BOUNDS.len() + 1],
    /// How late frames left in each of the latest seconds, and the number of that second, counted from the start.
    seconds: [(usize, Lateness); SECONDS],
}

impl Default for Log {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            current: AtomicU64::new(u64::MAX),
            state: Mutex::default(),
        }
    }
}

impl Log {
    /// Notes that a packet goes on of the frame that was due at `due`; `now` is asked for the running time if the
    /// packet is the frame's first one.
    pub(super) fn note(&self, due: ClockTime, now: impl FnOnce() -> Option<ClockTime>) {
        if self.current.swap(due.nseconds(), Ordering::Relaxed) == due.nseconds() {
            return;
        }
        if let Some(now) = now() {
            self.add(now.saturating_sub(due).into(), Instant::now());
        }
    }

    /// The figures of all frames noted until `now`.
    pub(super) fn read(&self, now: Instant) -> Departures {
        let second = self.second(now);
        let state = self.state.lock();
        let is_of_late = |of: usize| of <= second && second - of < SECONDS;
        let mut lately = Lateness::default();
        for (_, one) in state.seconds.iter().filter(|(of, _)| is_of_late(*of)) {
            lately.frames += one.frames;
            lately.late += one.late;
            lately.sum += one.sum;
            lately.most = lately.most.max(one.most);
        }
        Departures {
            all: state.all,
            classes: state.classes,
            lately,
        }
    }

    fn add(&self, lateness: Duration, at: Instant) {
        let second = self.second(at);
        let class = BOUNDS.partition_point(|bound| *bound < lateness);
        let mut state = self.state.lock();
        state.classes[class] += 1;
        state.all.add(lateness);
        let (of, lately) = &mut state.seconds[second % SECONDS];
        if *of != second {
            (*of, *lately) = (second, Lateness::default());
        }
        lately.add(lateness);
    }

    /// The number of the second since the start in which `at` is.
    fn second(&self, at: Instant) -> usize {
        let seconds = at.saturating_duration_since(self.start).as_secs();
        usize::try_from(seconds).unwrap_or(usize::MAX)
    }
}

impl Lateness {
    fn add(&mut self, lateness: Duration) {
        self.frames += 1;
        self.late += u64::from(lateness > LATE);
        self.sum += lateness;
        self.most = self.most.max(lateness);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> ClockTime {
        ClockTime::from_mseconds(milliseconds)
    }

    #[test]
    fn a_frame_counts_once_and_is_late_from_when_it_was_due() {
        let log = Log::default();
        // Due, and when its packets pass: early, in time, 1 ms, 3 ms and 2 s late.
        let frames = [(100, 90), (140, 140), (180, 181), (220, 223), (260, 2260)];
        for (due, first) in frames {
            log.note(ms(due), || Some(ms(first)));
            log.note(ms(due), || panic!("it has begun to leave"));
        }
        let departures = log.read(Instant::now());
        let expected = Lateness {
            frames: 5,
            late: 2,
            sum: Duration::from_millis(2004),
            most: Duration::from_secs(2),
        };
        assert_eq!((departures.all, departures.lately), (expected, expected));
        let mut classes = [0; BOUNDS.len() + 1];
        // These classes are up to 50 µs, up to 1 ms, up to 5 ms, and later than any bound.
        [classes[0], classes[4], classes[6], classes[14]] = [2, 1, 1, 1];
        assert_eq!(departures.classes, classes);
    }

    #[test]
    fn what_is_ten_seconds_old_is_not_of_late() {
        let log = Log::default();
        let at = |seconds| log.start + Duration::from_secs(seconds);
        for second in 0..25 {
            log.add(Duration::from_millis(100 - second), at(second));
        }
        let lately = |seconds| {
            let Lateness { frames, most, .. } = log.read(at(seconds)).lately;
            (frames, most.as_millis())
        };
        assert_eq!([lately(24), lately(30), lately(33)], [(10, 85), (4, 79), (1, 76)]);
        assert_eq!(lately(34), (0, 0));
        assert_eq!(log.read(at(34)).all.frames, 25);
    }
}

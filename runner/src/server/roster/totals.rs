//! What has been counted of a stream's pictures, by those that stood in its place before as well: a stream that is replaced
//! counts on.

use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::stream::{
    Frames, Stream,
    departures::{Departures, Lateness},
    sent::Sent,
};

/// What has been counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) frames: Frames,
    pub(super) departures: Departures,
    pub(super) sent: Sent,
    pub(super) packets_lost: u64,
    pub(super) key_frames_forced: u64,
}

impl Totals {
    /// What `stream` has counted so far.
    fn of(stream: &Stream) -> Self {
        Self {
            frames: stream.frames(),
            departures: stream.departures(),
            sent: stream.sent(),
            packets_lost: stream.packets_lost(),
            key_frames_forced: stream.key_frames_forced(),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            frames: self.frames + other.frames,
            departures: both(self.departures, other.departures),
            sent: self.sent + other.sent,
            packets_lost: self.packets_lost + other.packets_lost,
            key_frames_forced: self.key_frames_forced + other.key_frames_forced,
        }
    }
}

/// Those of two that came one after the other; `lately` is the second one's.
fn both(before: Departures, after: Departures) -> Departures {
    let mut classes = after.classes;
    for (class, before) in classes.iter_mut().zip(before.classes) {
        *class += before;
    }
    Departures {
        all: Lateness {
            frames: before.all.frames + after.all.frames,
            late: before.all.late + after.all.late,
            sum: before.all.sum + after.all.sum,
            most: before.all.most.max(after.all.most),
        },
        classes,
        lately: after.lately,
    }
}

/// What was counted by those that stood in a stream's place before.
#[derive(Debug, Clone, Default)]
pub(super) struct Before {
    /// By those that are gone, or stand elsewhere.
    settled: Totals,
    /// By those that are ending: they count on meanwhile.
    ending: Vec<Arc<Ending>>,
}

/// A stream that is ending.
#[derive(Debug)]
struct Ending {
    stream: Weak<Stream>,
    /// What it had counted when it was asked last, which stays when it is gone.
    latest: Mutex<Totals>,
}

impl Before {
    /// What `stream` and all before it have counted.
    pub(super) fn totals_with(&self, stream: &Stream) -> Totals {
        self.totals().plus(Totals::of(stream))
    }

    /// What all of them have counted.
    pub(super) fn totals(&self) -> Totals {
        let ending = self.ending.iter().map(|ending| ending.totals());
        ending.fold(self.settled, Totals::plus)
    }

    /// The same for a stream that comes after `stream`, which is ending or, if it `stays`, goes on elsewhere.
    pub(super) fn and(&self, stream: &Arc<Stream>, stays: bool) -> Self {
        let (mut settled, mut ending) = (self.settled, Vec::new());
        for known in &self.ending {
            if known.stream.strong_count() > 0 {
                ending.push(Arc::clone(known));
            } else {
                settled = settled.plus(known.totals());
            }
        }
        let totals = Totals::of(stream);
        if stays {
            settled = settled.plus(totals);
        } else {
            ending.push(Arc::new(Ending {
                stream: Arc::downgrade(stream),
                latest: Mutex::new(totals),
            }));
        }
        Self { settled, ending }
    }
}

impl Ending {
    fn totals(&self) -> Totals {
        // It may go with this reference, which must not happen under the lock.
        let stream = self.stream.upgrade();
        let mut latest = self.latest.lock();
        if let Some(stream) = &stream {
            *latest = Totals::of(stream);
        }
        *latest
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn the_delays_of_two_are_added_and_the_longest_is_that_of_either() {
        let departures = |frames, most, class| {
            let lateness = Lateness {
                frames,
                late: 1,
                sum: Duration::from_secs(frames),
                most: Duration::from_secs(most),
            };
            let mut departures = Departures {
                all: lateness,
                lately: lateness,
                ..Departures::default()
            };
            departures.classes[class] = frames;
            departures
        };
        let (before, after) = (departures(3, 9, 0), departures(4, 2, 1));
        let together = both(before, after);
        let all = Lateness {
            frames: 7,
            late: 2,
            sum: Duration::from_secs(7),
            most: Duration::from_secs(9),
        };
        assert_eq!((together.all, together.lately), (all, after.lately));
        assert_eq!(together.classes[..3], [3, 4, 0]);
    }
}

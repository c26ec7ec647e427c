//! Finds out for how long a picture stood still. Pure arithmetic; times are in ns.
//!
//! A picture stands still from the first buffer of a frame to the first buffer that may show another one.
//! What could not be read may show another one, until a later reading tells that it did not.

use super::verdict::Verdict;

/// When a buffer came, by each clock that tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Moment {
    /// When it arrived, by the pipeline's clock (the wall's may be stepped); `None` where arrival says nothing, as in a
    /// pipeline that is not live.
    pub(crate) arrival: Option<i64>,
    /// The running time that it is presented at.
    pub(crate) running: Option<i64>,
    /// The running time that it is presented until.
    pub(crate) end: Option<i64>,
}

impl Moment {
    /// A moment on the clock of arrival alone.
    pub(crate) fn arrival(time: i64) -> Self {
        Self {
            arrival: Some(time),
            ..Self::default()
        }
    }

    /// A moment on the pipeline's clock alone.
    #[cfg(test)]
    pub(crate) fn running(time: i64) -> Self {
        Self {
            running: Some(time),
            ..Self::default()
        }
    }

    /// How long after `earlier` it is, on the clock on which that is longer.
    fn since(&self, earlier: &Self) -> u64 {
        let between = |later: Option<i64>, earlier: Option<i64>| later?.checked_sub(earlier?);
        let longest = between(self.arrival, earlier.arrival).max(between(self.running, earlier.running));
        longest.unwrap_or_default().max(0).unsigned_abs()
    }
}

/// Freezes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Frozen {
    pub(crate) count: u64,
    /// How long all of them took.
    pub(crate) time: u64,
}

impl Frozen {
    /// The freezes with one more, if the picture stood still for so long that it is one.
    fn and(self, stood: u64, threshold: u64) -> Self {
        if stood <= threshold {
            return self;
        }
        Self {
            count: self.count + 1,
            time: self.time.saturating_add(stood),
        }
    }
}

/// What is known of a picture's standing still.
#[derive(Debug, Default)]
pub(crate) struct Stillness {
    /// What is over and certain.
    past: Frozen,
    now: Option<Picture>,
}

/// The picture that is shown.
#[derive(Debug)]
struct Picture {
    since: Moment,
    /// Since when it may be another one.
    perhaps_since: Moment,
    /// `past`, if what could not be read since did show others.
    perhaps: Frozen,
    last: Moment,
}

impl Stillness {
    /// Takes note of a buffer.
    pub(crate) fn buffer(&mut self, verdict: Verdict, at: Moment, threshold: u64) {
        let Some(picture) = &mut self.now else {
            self.now = Some(Picture::new(at, self.past));
            return;
        };
        picture.last = at;
        match verdict {
            Verdict::First | Verdict::New => {
                self.past = picture.perhaps.and(at.since(&picture.perhaps_since), threshold);
                self.now = Some(Picture::new(at, self.past));
            }
            Verdict::Unknown => {
                picture.perhaps = picture.perhaps.and(at.since(&picture.perhaps_since), threshold);
                picture.perhaps_since = at;
            }
            // An earlier picture in between neither moves it on nor tells what could not be read.
            Verdict::OutOfOrder => {}
            Verdict::Repeated => {
                picture.perhaps = self.past;
                picture.perhaps_since = picture.since;
            }
        }
    }

    /// What came so far is over at `now`.
    pub(crate) fn end(&mut self, now: Moment, threshold: u64) {
        self.past = self.frozen(now, threshold);
        self.now = None;
    }

    /// The freezes until `now`. One that is going on is one of them.
    pub(crate) fn frozen(&self, now: Moment, threshold: u64) -> Frozen {
        let Some(picture) = &self.now else {
            return self.past;
        };
        let last = Moment {
            running: picture.last.end.or(picture.last.running),
            arrival: now.arrival.or(picture.last.arrival),
            end: None,
        };
        picture.perhaps.and(last.since(&picture.perhaps_since), threshold)
    }
}

impl Picture {
    fn new(at: Moment, past: Frozen) -> Self {
        Self {
            since: at,
            perhaps_since: at,
            perhaps: past,
            last: at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const THRESHOLD: u64 = 500_000_000;

    /// Freezes and their time in ms, of verdicts (`n`ew, `r`epeated, `?`) with their running time in ms.
    fn frozen(row: &[(char, i64)]) -> (u64, u64) {
        let mut stillness = Stillness::default();
        for &(verdict, time) in row {
            let verdict = match verdict {
                'n' => Verdict::New,
                'r' => Verdict::Repeated,
                _ => Verdict::Unknown,
            };
            stillness.buffer(verdict, Moment::running(time * MS), THRESHOLD);
        }
        let frozen = stillness.frozen(Moment::default(), THRESHOLD);
        (frozen.count, frozen.time / MS.unsigned_abs())
    }

    #[test]
    fn a_picture_is_frozen_beyond_the_threshold_only() {
        for (row, expected) in [
            (&[('n', 0), ('n', 500), ('n', 1000)][..], (0, 0)),
            (&[('n', 0), ('n', 501), ('n', 1000)], (1, 501)),
            (&[('n', 0), ('r', 400), ('r', 800), ('n', 840)], (1, 840)),
            (&[('n', 0), ('n', 600), ('n', 1200)], (2, 1200)),
            // Going on when asked.
            (&[('n', 0), ('n', 40), ('r', 300), ('r', 640)], (1, 600)),
            // What could not be read may have moved on.
            (&[('n', 0), ('?', 400), ('?', 800), ('n', 1200)], (0, 0)),
            // It did not.
            (
                &[('n', 0), ('?', 400), ('?', 800), ('r', 1200), ('n', 1240)],
                (1, 1240),
            ),
            // It stood until then for certain.
            (
                &[('n', 0), ('r', 800), ('?', 840), ('?', 880), ('n', 920)],
                (1, 840),
            ),
            // Nothing came at all, whatever it showed.
            (&[('n', 0), ('?', 40), ('?', 640), ('n', 680)], (1, 600)),
            (&[('?', 0), ('?', 600)], (1, 600)),
        ] {
            assert_eq!(frozen(row), expected, "{row:?}");
        }
    }

    #[test]
    fn a_live_picture_freezes_while_nothing_comes() {
        let mut stillness = Stillness::default();
        stillness.buffer(Verdict::New, Moment::arrival(0), THRESHOLD);
        let frozen = |stillness: &Stillness, ms| stillness.frozen(Moment::arrival(ms * MS), THRESHOLD);
        assert_eq!(frozen(&stillness, 500).count, 0);
        assert_eq!(frozen(&stillness, 900).time, 900_000_000);
        stillness.end(Moment::arrival(1000 * MS), THRESHOLD);
        assert_eq!(
            frozen(&stillness, 5000),
            Frozen {
                count: 1,
                time: 1_000_000_000
            }
        );
        stillness.buffer(Verdict::New, Moment::arrival(9000 * MS), THRESHOLD);
        stillness.buffer(Verdict::New, Moment::arrival(9040 * MS), THRESHOLD);
        assert_eq!(frozen(&stillness, 9080).count, 1);
    }

    #[test]
    fn the_clock_on_which_it_stands_longer_decides() {
        let mut stillness = Stillness::default();
        let at = |arrival: i64, running: i64| Moment {
            arrival: Some(arrival * MS),
            ..Moment::running(running * MS)
        };
        stillness.buffer(Verdict::New, at(0, 0), THRESHOLD);
        stillness.buffer(Verdict::New, at(700, 40), THRESHOLD);
        stillness.buffer(Verdict::New, at(701, 640), THRESHOLD);
        let frozen = stillness.frozen(Moment::default(), THRESHOLD);
        assert_eq!((frozen.count, frozen.time), (2, 1_300_000_000));
    }

    #[test]
    fn the_last_picture_stands_until_its_end() {
        let mut stillness = Stillness::default();
        let last = Moment {
            end: Some(700 * MS),
            ..Moment::running(0)
        };
        stillness.buffer(Verdict::New, last, THRESHOLD);
        assert_eq!(stillness.frozen(Moment::default(), THRESHOLD).time, 700_000_000);
    }
}

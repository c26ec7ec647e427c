//! When ticks begin, and their samples. No GStreamer in it; all times are in ns.
//!
//! Each sample is the waveform's value at that sample's exact time, so that a tick begins at its instant and not at the
//! sample next to it.

use clockface::tick::{LENGTH, Sound};

use crate::schedule::{Drift, Now, drift, held};

const SECOND: i64 = 1_000_000_000;

/// One tick, settled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Tick {
    /// The instant at which it begins, in ns since the Unix epoch.
    pub(crate) instant: i128,
    /// The running time of it.
    start: i64,
    sound: Sound,
}

impl Tick {
    /// Its values at `count` samples of `rate` a second, from the sample `first` (counted from running time 0) on.
    pub(crate) fn samples(&self, first: i64, count: usize, rate: u32) -> impl Iterator<Item = f64> {
        let (tick, rate) = (*self, i128::from(rate));
        // In units of 1 / rate ns, in which the times of all samples are whole numbers.
        let begin = i128::from(first) * i128::from(SECOND) - i128::from(tick.start) * rate;
        (0_i128..).take(count).map(move |index| {
            #[allow(
                clippy::cast_precision_loss,
                reason = "within a tick it is small enough to be exact"
            )]
            let seconds = (begin + index * i128::from(SECOND)) as f64 / (rate * i128::from(SECOND)) as f64;
            tick.sound.at(seconds)
        })
    }

    /// Whether it begins within that `span`.
    pub(crate) fn begins_in(&self, span: Span) -> bool {
        (span.from..span.to).contains(&self.start)
    }

    fn end(&self) -> i64 {
        self.start.saturating_add(LENGTH)
    }
}

/// A span of running time: that of one buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: i64,
    pub(crate) to: i64,
}

impl Span {
    fn length(self) -> i64 {
        self.to.saturating_sub(self.from)
    }
}

/// The ticks of one stream, in order. They are shorter than the time between them.
///
/// A tick is settled a buffer before it begins, so that a wall clock that is slewed meanwhile cannot move it into
/// samples that have left; and one that sounds is never moved, so that no step of the clock tears it.
#[derive(Debug)]
pub(crate) struct Ticks {
    /// Wall clock minus running time, as the ticks have it.
    offset: i128,
    /// The tick that sounds, or is the next to.
    tick: Option<Tick>,
    /// The instant of the tick settled last, by the clock that goes now.
    last: Option<i128>,
}

impl Ticks {
    pub(crate) fn new(offset: i128) -> Self {
        Self {
            offset,
            tick: None,
            last: None,
        }
    }

    /// The wall clock's instant at a running time.
    pub(crate) fn instant_at(&self, running: i64) -> i128 {
        self.offset + i128::from(running)
    }

    /// What came before the next buffer is not its predecessor: no tick reaches over that.
    pub(crate) fn interrupt(&mut self) {
        self.tick = None;
    }

    /// Follows the wall clock to the buffer of that `span`.
    pub(crate) fn follow(&mut self, now: Now, span: Span) {
        match drift(self.offset, now, span.length()) {
            Drift::Slew(distance) => self.offset += i128::from(distance),
            Drift::Step => {
                self.offset = now.offset;
                self.last = None;
                self.tick = self.tick.filter(|tick| tick.start < span.from);
            }
        }
    }

    /// The tick that sounds in the buffer of that `span`, if any does. Ticks come every `interval`.
    pub(crate) fn tick(&mut self, span: Span, interval: i64, sound: Sound) -> Option<Tick> {
        self.tick = self.tick.filter(|tick| tick.end() > span.from);
        if self.tick.is_none() {
            self.tick = self.next(span, interval, sound);
            self.last = self.tick.map(|tick| tick.instant).or(self.last);
        }
        self.tick.filter(|tick| tick.start < span.to)
    }

    /// The next tick, if it begins in the buffer of that `span` or in the next one.
    fn next(&self, span: Span, interval: i64, sound: Sound) -> Option<Tick> {
        let after_last = self.last.map_or(i128::MIN, |last| last + 1);
        let earliest = self.instant_at(span.from).max(after_last);
        let instant = multiple_at_or_after(earliest, interval.max(1).into());
        let start = held(instant - self.offset);
        (start < span.to.saturating_add(span.length())).then_some(Tick {
            instant,
            start,
            sound,
        })
    }
}

fn multiple_at_or_after(instant: i128, interval: i128) -> i128 {
    match instant.rem_euclid(interval) {
        0 => instant,
        past => instant + interval - past,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    /// 2026-01-01, a whole second.
    const EPOCH: i64 = 1_767_225_600 * SECOND;
    const SOUND: Sound = Sound {
        frequency: 1000.0,
        volume: 0.5,
    };

    fn at(running: i64, offset: i64) -> Now {
        Now {
            running,
            offset: offset.into(),
            uncertainty: 0,
        }
    }

    /// Ticks of buffers of 10 ms, as (instant, start), while `offset` tells the clocks' distance at a running time.
    fn ticks(buffers: i64, offset: impl Fn(i64) -> i64) -> Vec<(i64, i64)> {
        let mut ticks = Ticks::new(offset(0).into());
        let mut heard: Vec<(i64, i64)> = Vec::new();
        for index in 0..buffers {
            let span = Span {
                from: index * 10 * MS,
                to: (index + 1) * 10 * MS,
            };
            ticks.follow(at(span.from, offset(span.from)), span);
            if let Some(tick) = ticks.tick(span, SECOND, SOUND) {
                let found = (held(tick.instant), tick.start);
                if heard.last() != Some(&found) {
                    assert!(tick.start >= span.from, "a tick begins before its buffer");
                    heard.push(found);
                }
            }
        }
        heard
    }

    #[test]
    fn a_tick_begins_at_each_whole_second() {
        let offset = EPOCH - 123_456_789;
        let expected: Vec<_> = (0..10)
            .map(|n| (EPOCH + n * SECOND, 123_456_789 + n * SECOND))
            .collect();
        assert_eq!(ticks(1000, |_| offset), expected);
    }

    /// Frames stop at what 64 bits can tell; a tick tells no more than that a second is over.
    #[test]
    fn ticks_go_on_where_the_clock_is_far_off() {
        for offset in [
            i128::from(i64::MAX) - 500_000_000,
            -400 * 31_556_952 * 1_000_000_000,
        ] {
            let mut ticks = Ticks::new(offset);
            let spans = (0..500).map(|index| Span {
                from: index * 10 * MS,
                to: (index + 1) * 10 * MS,
            });
            let begun = spans.filter(|&span| {
                ticks.follow(
                    Now {
                        running: span.from,
                        offset,
                        uncertainty: 0,
                    },
                    span,
                );
                let tick = ticks.tick(span, SECOND, SOUND);
                tick.is_some_and(|tick| tick.begins_in(span))
            });
            assert_eq!(begun.count(), 5, "at {offset}");
        }
    }

    #[test]
    fn ticks_follow_a_slewed_clock_and_none_is_missed_or_doubled() {
        for ppm in [500, -500, 10_000, -10_000, 50_000, -50_000] {
            let offset = |running: i64| EPOCH - 7_654_321 + running / 1_000_000 * ppm;
            let heard = ticks(6000, offset);
            let expected = 60 + 60 * ppm / 1_000_000;
            assert!((expected - 1..=expected + 1).contains(&i64::try_from(heard.len()).unwrap()));
            for (n, (instant, start)) in (0..).zip(&heard) {
                assert_eq!(*instant, EPOCH + n * SECOND, "at {ppm} ppm");
                let error = start + offset(*start) - instant;
                // Of what the deadband leaves, and two buffers between settling and beginning.
                let allowed = 60_000 + 20 * MS * ppm.abs() / 1_000_000;
                assert!(error.abs() < allowed, "{error} ns at {ppm} ppm");
            }
        }
    }

    #[test]
    fn noise_of_reading_the_clocks_moves_no_tick() {
        let noise = |running: i64| {
            [20_000, -30_000, 5_000, -49_000, 49_000][usize::try_from(running / 10 / MS % 5).unwrap()]
        };
        let heard = ticks(500, |running| {
            EPOCH + if running == 0 { 0 } else { noise(running) }
        });
        assert_eq!(heard[0], (EPOCH, 0));
        assert!(
            heard.windows(2).all(|pair| pair[1].1 - pair[0].1 == SECOND),
            "{heard:?}"
        );
    }

    #[test]
    fn after_a_step_ticks_come_at_the_new_clocks_seconds() {
        for step in [300 * MS, -300 * MS, 3_600_000 * MS, -2 * SECOND] {
            let heard = ticks(500, |running| {
                EPOCH - 500 * MS + if running < 2 * SECOND { 0 } else { step }
            });
            let (before, after): (Vec<_>, Vec<_>) = heard.iter().partition(|tick| tick.1 < 2 * SECOND);
            assert_eq!(before.len(), 2, "{heard:?}");
            assert!((3..=4).contains(&after.len()), "{heard:?}");
            for (instant, start) in after {
                assert_eq!(instant % SECOND, 0);
                assert_eq!(start + EPOCH - 500 * MS + step, instant, "{heard:?}");
            }
        }
    }

    #[test]
    fn a_step_tears_no_tick_that_sounds_and_takes_back_one_that_does_not() {
        let span = |from: i64| Span {
            from,
            to: from + 10 * MS,
        };
        let mut ticks = Ticks::new(EPOCH.into());
        let first = ticks.tick(span(0), SECOND, SOUND).unwrap();
        ticks.follow(at(10 * MS, EPOCH + 400 * MS), span(10 * MS));
        assert_eq!(ticks.tick(span(10 * MS), SECOND, SOUND), Some(first));
        assert_eq!(ticks.tick(span(20 * MS), SECOND, SOUND), None);
        assert_eq!(
            ticks.tick(span(590 * MS), SECOND, SOUND),
            None,
            "settled, not begun"
        );
        ticks.follow(at(600 * MS, EPOCH), span(600 * MS));
        assert_eq!(ticks.tick(span(600 * MS), SECOND, SOUND), None);
    }

    #[test]
    fn samples_are_the_waveform_at_their_exact_times() {
        let tick = Tick {
            instant: EPOCH.into(),
            start: 1_000_007_919,
            sound: SOUND,
        };
        for (rate, first) in [(44_100_u32, 44_100_i64), (8000, 8000), (48_000, 47_990)] {
            for (index, value) in (first..).zip(tick.samples(first, 2000, rate)) {
                #[allow(clippy::cast_precision_loss)]
                let seconds = (index as f64 / f64::from(rate)) - 1.000_007_919;
                assert!(
                    (value - SOUND.at(seconds)).abs() < 1e-8,
                    "sample {index} at {rate}"
                );
            }
        }
    }

    #[test]
    fn no_time_overflows() {
        for (running, offset) in [(i64::MIN, i64::MAX), (i64::MAX, i64::MAX), (i64::MAX, i64::MIN)] {
            let mut ticks = Ticks::new(offset.into());
            let span = Span {
                from: running,
                to: running.saturating_add(10 * MS),
            };
            ticks.follow(at(running, offset), span);
            if let Some(tick) = ticks.tick(span, SECOND, SOUND) {
                assert_eq!(tick.samples(i64::MAX, 480, 48_000).count(), 480);
            }
        }
    }
}

//! How far sound and picture are apart. Pure arithmetic; times are in ns.
//!
//! A tick is held against the pictures around its own running time, be they there before it or come after it: which of
//! the two threads runs ahead, and by how much, changes nothing.

use std::collections::VecDeque;

use super::distribution::Distribution;
use super::slope::line_at;

/// Ticks fall on whole seconds.
const SECOND: i64 = 1_000_000_000;
/// The pictures that are presented so long before a tick, and after it, tell the instant of it ...
const AROUND: i64 = SECOND / 2;
/// ... but so many at least, where a stream has few of them ...
const LEAST: usize = 5;
/// ... and so many at most.
const MOST: usize = 101;
/// So far from all pictures nothing tells a tick's instant.
const REACH: i64 = SECOND;
/// A tick waits for pictures until the video has passed it by so much, read or not, ...
const UNREADABLE: i64 = 5 * SECOND;
/// ... or until the sound has.
const PATIENCE: i64 = 30 * SECOND;
/// Pictures that are remembered, for sound that comes long after them.
const REMEMBERED: usize = 32_768;

/// A tick that was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    /// The running time at which it begins.
    pub(crate) running: i64,
    /// When the buffer with it came, in ns since the Unix epoch.
    pub(crate) arrival: i64,
}

/// A tick, as it is presented beside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lag {
    /// The whole second that the tick marks, in ns since the Unix epoch.
    pub(crate) second: i64,
    /// How much later it is presented than that second: the instant that the picture shows then, less the second.
    pub(crate) offset: i64,
}

/// A tick, and what the pictures tell of it; `None` where there are none around it.
pub(crate) type Settled = (Tick, Option<Lag>);

/// A picture of that instant is presented at that running time.
#[derive(Debug, Clone, Copy)]
struct Picture {
    running: i64,
    instant: i64,
}

/// Holds ticks against pictures.
#[derive(Debug, Default)]
pub(crate) struct Lips {
    pictures: VecDeque<Picture>,
    /// The running time that the video has come to, read or not.
    reached: Option<i64>,
    /// Nothing more comes of the video.
    has_ended: bool,
    waiting: VecDeque<Tick>,
    /// The last tick whose second was known, and its lag.
    last: Option<(Tick, Lag)>,
    ticks: u64,
    offsets: Distribution,
}

impl Lips {
    /// A picture of that instant is presented at that running time.
    pub(crate) fn picture(&mut self, instant: i64, running: i64) {
        if self.pictures.len() == REMEMBERED {
            self.pictures.pop_front();
        }
        self.pictures.push_back(Picture { running, instant });
        self.video(running);
    }

    /// The video has come to that running time.
    pub(crate) fn video(&mut self, running: i64) {
        self.reached = self.reached.max(Some(running));
        self.has_ended = false;
    }

    /// Takes note that no more pictures come.
    pub(crate) fn video_ends(&mut self) {
        self.has_ended = true;
    }

    /// Takes note of a tick that was heard.
    pub(crate) fn tick(&mut self, tick: Tick) {
        self.ticks += 1;
        self.waiting.push_back(tick);
    }

    /// Takes the ticks that need to wait for no more pictures, and what these tell of each.
    pub(crate) fn settle(&mut self) -> Vec<Settled> {
        let ready = self.waiting.iter().take_while(|tick| self.is_settled(tick));
        let ready: Vec<Tick> = self.waiting.drain(..ready.count()).collect();
        ready.into_iter().map(|tick| (tick, self.hold(tick))).collect()
    }

    /// Takes all ticks, and what the pictures tell that there are.
    pub(crate) fn settle_all(&mut self) -> Vec<Settled> {
        let waiting = std::mem::take(&mut self.waiting);
        waiting.into_iter().map(|tick| (tick, self.hold(tick))).collect()
    }

    /// Forgets the pictures, for what comes next is presented by another mapping, as after a seek.
    pub(crate) fn forget_pictures(&mut self) {
        self.pictures.clear();
        (self.reached, self.last) = (None, None);
    }

    /// Ticks that were heard.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The offsets of ticks whose second was known.
    pub(crate) fn offsets(&self) -> &Distribution {
        &self.offsets
    }

    /// Whether no picture is to come that a tick would be held against.
    fn is_settled(&self, tick: &Tick) -> bool {
        let is_past = |now: Option<i64>, by: i64| now >= Some(tick.running.saturating_add(by));
        let read = self.pictures.back().map(|picture| picture.running);
        let heard = self.waiting.back().map(|tick| tick.running);
        self.has_ended
            || is_past(read, AROUND)
            || is_past(self.reached, UNREADABLE)
            || is_past(heard, PATIENCE)
    }

    /// Holds a tick against the pictures around it.
    fn hold(&mut self, tick: Tick) -> Option<Lag> {
        let instant = self.instant_at(tick.running)?;
        let nearest = instant.saturating_add(SECOND / 2).div_euclid(SECOND) * SECOND;
        let nearest = instant.saturating_sub(nearest);
        let offset = nearest.saturating_add(self.seconds_behind(tick, nearest) * SECOND);
        let lag = Lag {
            second: instant.saturating_sub(offset),
            offset,
        };
        self.last = Some((tick, lag));
        self.offsets.add(offset);
        Some(lag)
    }

    /// How many whole seconds a tick is off beside its offset from the `nearest` one: a lag that grows does not turn into
    /// a lead at half a second.
    fn seconds_behind(&self, tick: Tick, nearest: i64) -> i64 {
        let before = self.last.filter(|(before, _)| {
            let since = tick.running.saturating_sub(before.running);
            (0..PATIENCE).contains(&since)
        });
        before.map_or(0, |(_, before)| {
            let change = before.offset.saturating_sub(nearest);
            change.saturating_add(SECOND / 2).div_euclid(SECOND)
        })
    }

    /// The instant that the picture shows at a running time, by the pictures around it.
    fn instant_at(&self, running: i64) -> Option<i64> {
        let mut around: Vec<Picture> = self.pictures.iter().copied().collect();
        around.sort_by_key(|picture| picture.running.abs_diff(running));
        let near = |picture: &&Picture| picture.running.abs_diff(running) <= AROUND.unsigned_abs();
        let count = around.iter().take_while(near).count().clamp(LEAST, MOST);
        around.truncate(count);
        let is_told = around.first()?.running.abs_diff(running) <= REACH.unsigned_abs()
            || around.iter().any(|picture| picture.running < running)
                && around.iter().any(|picture| picture.running > running);
        if !is_told {
            return None;
        }
        // By how far pictures are from this time, and what they show less what these would show that go by it.
        let first = around.first()?.instant;
        let points = around.iter().map(|picture| {
            let since = picture.running.saturating_sub(running);
            (since, picture.instant.saturating_sub(first).saturating_sub(since))
        });
        Some(first.saturating_add(line_at(points.collect())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const START: i64 = 1_767_225_600_000_000_000;

    fn at(running: i64) -> Tick {
        Tick {
            running,
            arrival: START,
        }
    }

    /// Ten seconds of pictures that are presented 300 ms after running time 0 shows `START`.
    fn pictures() -> Lips {
        let mut lips = Lips::default();
        for frame in 0..250 {
            lips.picture(START + frame * 40 * MS, frame * 40 * MS + 300 * MS);
        }
        lips
    }

    /// The offset of one tick, in ns.
    fn offset(lips: &mut Lips, running: i64) -> Option<i64> {
        lips.tick(at(running));
        let settled = lips.settle_all();
        assert_eq!(settled.len(), 1);
        settled[0].1.map(|lag| lag.offset)
    }

    #[test]
    fn a_tick_is_as_late_as_it_is_after_its_second() {
        for late in [0, 20 * MS, -20 * MS, 499 * MS, -499 * MS] {
            let mut lips = pictures();
            lips.tick(at(9_300 * MS + late));
            let second = START + 9 * SECOND;
            let lag = Lag { second, offset: late };
            assert_eq!(lips.settle_all(), [(at(9_300 * MS + late), Some(lag))]);
        }
    }

    #[test]
    fn a_picture_that_is_off_does_not_count() {
        let mut lips = pictures();
        lips.picture(START, 9_310 * MS);
        lips.picture(START + 77 * SECOND, 9_290 * MS);
        let offset = offset(&mut lips, 9_305 * MS).expect("pictures");
        assert!((offset - 5 * MS).abs() < MS / 10, "{offset}");
    }

    #[test]
    fn without_pictures_around_a_tick_is_just_heard() {
        let mut lips = Lips::default();
        assert_eq!(offset(&mut lips, 5), None);
        assert_eq!((lips.ticks(), lips.offsets().summary()), (1, None));
        assert_eq!(offset(&mut pictures(), 12_000 * MS), None);
        assert_eq!(offset(&mut pictures(), 10_300 * MS), Some(0));
    }

    #[test]
    fn between_pictures_far_apart_a_tick_is_held_against_both() {
        let mut lips = Lips::default();
        for picture in 0..8 {
            lips.picture(START + picture * 4 * SECOND, picture * 4 * SECOND + 70 * MS);
        }
        assert_eq!(offset(&mut lips, 14_090 * MS), Some(20 * MS));
    }

    /// What happens in the streams' threads: a picture, or a tick.
    #[derive(Clone, Copy)]
    enum Event {
        Picture(i64, i64),
        Tick(i64),
    }

    /// Sound and a picture that gets slower by `slower` ppm, in the order that comes of the sound being `lead` ns ahead.
    fn events(slower: i64, lead: i64) -> Vec<Event> {
        let stretched = |time: i64| time + time / 1_000_000 * slower;
        let pictures = (0..1000).map(|frame| {
            let time = frame * 40 * MS;
            // As a container has it that counts ms.
            (
                stretched(time),
                Event::Picture(START + time, stretched(time) / MS * MS),
            )
        });
        let ticks = (1..40).map(|tick| (tick * SECOND - lead, Event::Tick(tick * SECOND)));
        let mut events: Vec<_> = pictures.chain(ticks).collect();
        events.sort_by_key(|event| event.0);
        events.into_iter().map(|event| event.1).collect()
    }

    fn offsets(events: &[Event]) -> Vec<i64> {
        let mut lips = Lips::default();
        let mut settled = Vec::new();
        for event in events {
            match *event {
                Event::Picture(instant, running) => lips.picture(instant, running),
                Event::Tick(running) => lips.tick(at(running)),
            }
            settled.extend(lips.settle());
        }
        lips.video_ends();
        settled.extend(lips.settle());
        settled
            .iter()
            .map(|(_, lag)| lag.expect("pictures").offset)
            .collect()
    }

    #[test]
    fn a_growing_offset_is_told_as_it_is_whichever_thread_runs_ahead() {
        for slower in [20_000, -20_000, 500, 0, 60_000] {
            let all = [0, 3 * SECOND, -3 * SECOND, 25 * SECOND, -60 * SECOND]
                .map(|lead| offsets(&events(slower, lead)));
            assert!(
                all.iter().all(|offsets| *offsets == all[0]),
                "{slower} ppm: {all:?}"
            );
            for (tick, offset) in (1..).zip(&all[0]) {
                // The picture of then is of that much before the tick's second.
                let truth = tick * SECOND * 1_000_000 / (1_000_000 + slower) - tick * SECOND;
                assert!(
                    (offset - truth).abs() < MS,
                    "{slower} ppm, {tick}: {offset}, not {truth}"
                );
            }
        }
    }

    #[test]
    fn a_tick_waits_no_longer_than_it_must() {
        let mut lips = Lips::default();
        lips.tick(at(SECOND));
        lips.picture(START, 0);
        lips.picture(START + SECOND, SECOND);
        assert_eq!(lips.settle(), [], "more pictures around it may come");
        lips.picture(START + 1_500 * MS, 1_500 * MS);
        assert_eq!(lips.settle().len(), 1);
        lips.tick(at(3 * SECOND));
        lips.video(8 * SECOND - 1);
        assert_eq!(lips.settle(), [], "pictures are not read for a while");
        lips.video(8 * SECOND);
        assert_eq!(lips.settle().len(), 1);
        lips.tick(at(9 * SECOND));
        lips.tick(at(39 * SECOND));
        assert_eq!(lips.settle().len(), 1, "no video comes");
    }
}

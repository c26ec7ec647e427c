//! When each frame is due: frame number ↔ wall clock ↔ running time.
//!
//! Frames fall on a grid of the wall clock, at whole frame periods since the Unix epoch plus a phase. The
//! instant that a frame shows is the grid's own; its PTS is that instant mapped to running time. All times
//! are in ns.
//!
//! Running time fits 64 bits. Instants are counted in 128: a clock that is set past the year 2262 must not bring frames
//! out of step, though what they show stays at the last instant that [`held`] can tell.

/// How far the two clocks may seem to drift apart before PTS follow. Below it stands the noise of reading them.
const DEADBAND: i64 = 50_000;
/// PTS follow a slewed wall clock by at most this part of a frame period each frame, so that they stay even.
const SLEW_PART: i64 = 16;

/// The wall-clock instants of frames: whole multiples of the frame period, shifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Grid {
    /// Frames in `den` seconds.
    num: i128,
    den: i128,
    /// The instant of index 0.
    origin: i128,
}

impl Grid {
    /// A grid of `num`/`den` frames a second through `origin` (ns since the Unix epoch).
    pub(crate) fn new(num: u32, den: u32, origin: impl Into<i128>) -> Self {
        Self {
            num: i128::from(num.max(1)),
            den: i128::from(den.max(1)),
            origin: origin.into(),
        }
    }

    /// The instant of an index, scaled from the index so that nothing adds up.
    fn instant(&self, index: i64) -> i128 {
        self.origin + (i128::from(index) * self.den * 1_000_000_000).div_euclid(self.num)
    }

    /// The last index whose instant is not after `instant`.
    fn index_at(&self, instant: i128) -> i64 {
        let since_origin = instant - self.origin;
        // An instant is rounded down, so the index of the next ns tells the last one at or before this one.
        held(((since_origin + 1) * self.num - 1).div_euclid(self.den * 1_000_000_000))
    }

    /// The last instant that is not after `instant`.
    pub(crate) fn at_or_before(&self, instant: i128) -> i128 {
        self.instant(self.index_at(instant))
    }

    fn index_at_or_after(&self, instant: i128) -> i64 {
        self.index_at(instant - 1).saturating_add(1)
    }

    /// The length of one frame, rounded down.
    fn period(&self) -> i64 {
        held(self.instant(1) - self.instant(0))
    }
}

/// The value where 64 bits can tell it, else the one nearest to it: instants from 1677-09-21 to 2262-04-11.
#[allow(clippy::cast_possible_truncation, reason = "clamped to the range of i64")]
pub(crate) fn held(value: i128) -> i64 {
    value.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64
}

/// The wall clock and running time, read as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Now {
    /// Running time.
    pub(crate) running: i64,
    /// Wall clock minus running time.
    pub(crate) offset: i128,
    /// How far off `offset` may be.
    pub(crate) uncertainty: i64,
}

/// One frame to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    /// Its number; skipped frames have used theirs up.
    pub(crate) number: u64,
    /// The instant it shows, in ns since the Unix epoch; see [`held`].
    pub(crate) instant: i64,
    /// Its running time.
    pub(crate) pts: i64,
    /// The time until the next frame.
    pub(crate) duration: i64,
    /// Whether what came before it is not its predecessor.
    pub(crate) discont: bool,
    /// How many frames before it were skipped for lateness.
    pub(crate) dropped: u64,
}

/// How the wall clock has moved against running time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drift {
    /// By so little that it is followed evenly, this far for now; 0 where it only seems to have moved.
    Slew(i64),
    /// So far that it was stepped.
    Step,
}

/// How a reading of the clocks differs from the `offset` held so far, for frames of that period.
pub(crate) fn drift(offset: i128, now: Now, period: i64) -> Drift {
    let deviation = held(now.offset - offset);
    if deviation.saturating_abs().saturating_sub(now.uncertainty) > period / 2 {
        return Drift::Step;
    }
    let tolerance = now.uncertainty.saturating_add(DEADBAND);
    let beyond = deviation.saturating_abs().saturating_sub(tolerance).max(0);
    Drift::Slew(deviation.signum() * beyond.min(period / SLEW_PART))
}

/// The frames of one stream, in order.
#[derive(Debug)]
pub(crate) struct Schedule {
    grid: Grid,
    /// Wall clock minus running time, as the PTS have it.
    offset: i128,
    /// The grid's index and the number of the frame to make next.
    next: (i64, u64),
    /// The running time of the last frame made.
    last_pts: Option<i64>,
    /// The next frame does not follow the one before it, for a reason other than lateness.
    broken: bool,
    /// The offset has followed the wall clock for the next frame; what is waited for must not move away.
    followed: bool,
}

impl Schedule {
    /// Begins with the first frame of the grid that is not past.
    pub(crate) fn new(grid: Grid, now: Now) -> Self {
        let mut schedule = Self {
            grid,
            offset: now.offset,
            next: (0, 0),
            last_pts: None,
            broken: true,
            followed: false,
        };
        schedule.begin_at(now.running);
        schedule
    }

    /// Goes on with `num`/`den` frames a second, after the last frame made.
    pub(crate) fn change_rate(&mut self, num: u32, den: u32) {
        self.grid = Grid::new(num, den, self.grid.origin);
        self.begin_at(0);
    }

    /// The clocks for a stream that lives by its own frames: nothing is ever late, nothing moves.
    pub(crate) fn not_live(&self) -> Now {
        Now {
            running: i64::MIN,
            offset: self.offset,
            uncertainty: 0,
        }
    }

    /// What held the last frame back held it back before anybody watched: the frames that were due meanwhile
    /// were never to be made.
    pub(crate) fn forget_what_was_held(&mut self, now: Now) {
        if self.latest_due(now.running) > self.next.0 {
            self.broken = true;
            self.begin_at(now.running);
        }
    }

    /// The frame to make at `now`: the next one, unless its successor is due too. `latency` is what the
    /// pipeline gives each frame on top of its PTS.
    pub(crate) fn frame(&mut self, now: Now, latency: i64) -> Frame {
        self.follow(now);
        let latest = self.latest_due(now.running.saturating_sub(latency));
        let dropped = latest.saturating_sub(self.next.0).max(0);
        let index = self.next.0.saturating_add(dropped);
        let pts = self.pts(index);
        Frame {
            number: self.next.1.saturating_add(dropped.unsigned_abs()),
            instant: held(self.grid.instant(index)),
            pts,
            duration: self.pts(index.saturating_add(1)).saturating_sub(pts),
            discont: self.broken || dropped > 0,
            dropped: dropped.unsigned_abs(),
        }
    }

    /// Notes that the frame was made, and goes on to its successor.
    pub(crate) fn made(&mut self, frame: &Frame) {
        let skipped = i64::try_from(frame.dropped).unwrap_or(i64::MAX);
        self.next = (
            self.next.0.saturating_add(skipped).saturating_add(1),
            frame.number.saturating_add(1),
        );
        self.last_pts = Some(frame.pts);
        self.broken = false;
        self.followed = false;
    }

    /// The running time of an index.
    fn pts(&self, index: i64) -> i64 {
        held(self.grid.instant(index) - self.offset)
    }

    /// The last index whose running time has come.
    fn latest_due(&self, running: i64) -> i64 {
        self.grid.index_at(i128::from(running) + self.offset)
    }

    /// Follows the wall clock: not at all where it only seems to move, evenly where it is slewed, at once
    /// where it was stepped.
    fn follow(&mut self, now: Now) {
        match drift(self.offset, now, self.grid.period()) {
            Drift::Step => {
                self.offset = now.offset;
                if self.broken {
                    // A second step before a frame was made: clocks that run apart so fast leave no time to wait.
                    self.begin_with_latest(now.running);
                } else {
                    self.broken = true;
                    self.begin_at(now.running);
                }
            }
            Drift::Slew(distance) if !self.followed => self.offset += i128::from(distance),
            Drift::Slew(_) => {}
        }
        self.followed = true;
    }

    /// Goes on with the first frame that is not past, half a period after the last one at least.
    fn begin_at(&mut self, running: i64) {
        self.begin_after(self.grid.period() / 2, running);
    }

    /// Goes on with the last frame that is due, if only it is after the last one made.
    fn begin_with_latest(&mut self, running: i64) {
        self.begin_after(0, running.saturating_sub(self.grid.period() - 1));
    }

    fn begin_after(&mut self, gap: i64, running: i64) {
        let after_last = self
            .last_pts
            .map_or(0, |pts| pts.saturating_add(gap).saturating_add(1));
        let earliest = after_last.max(0).max(running);
        self.next.0 = self.grid.index_at_or_after(i128::from(earliest) + self.offset);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    /// 2026-01-01, a time on every grid of whole seconds.
    const EPOCH: i64 = 1_767_225_600 * 1000 * MS;

    fn at(running: i64, offset: impl Into<i128>) -> Now {
        Now {
            running,
            offset: offset.into(),
            uncertainty: 0,
        }
    }

    fn schedule_25fps(offset: i64) -> Schedule {
        Schedule::new(Grid::new(25, 1, 0), at(3 * MS, offset))
    }

    fn make(schedule: &mut Schedule, now: Now) -> Frame {
        let frame = schedule.frame(now, 0);
        schedule.made(&frame);
        frame
    }

    #[test]
    fn instants_are_exactly_those_of_the_grid_and_pts_are_their_running_time() {
        let offset = EPOCH - 17 * MS - 123;
        let mut schedule = schedule_25fps(offset);
        for n in 0..100_u64 {
            let step = i64::try_from(n).unwrap() * 40 * MS;
            let frame = make(&mut schedule, at(17 * MS + 123 + step, offset));
            assert_eq!((frame.number, frame.instant), (n, EPOCH + step));
            assert_eq!((frame.pts, frame.duration), (frame.instant - offset, 40 * MS));
            assert_eq!((frame.discont, frame.dropped), (n == 0, 0));
        }
    }

    #[test]
    fn a_grid_of_29_97_frames_does_not_drift() {
        let grid = Grid::new(30_000, 1001, 0);
        for index in [0, 1, 2, 29_999, 30_000, 53_000_000_000] {
            let instant = grid.instant(index);
            assert_eq!(grid.index_at(instant), index);
            assert_eq!(grid.index_at(instant - 1), index - 1);
            assert_eq!(grid.index_at_or_after(instant), index);
            assert_eq!(grid.index_at_or_after(instant + 1), index + 1);
        }
        assert_eq!(grid.instant(30_000), i128::from(1001 * 1000 * MS));
        assert_eq!(grid.instant(-30_000), i128::from(-1001 * 1000 * MS));
    }

    #[test]
    fn a_late_camera_skips_frames_and_uses_their_numbers_up() {
        let mut schedule = schedule_25fps(EPOCH);
        assert_eq!(make(&mut schedule, at(40 * MS, EPOCH)).number, 0);
        // 79.9 ms late: frame 1 (due at 80 ms) is late, but its successor is not due yet.
        let late = schedule.frame(at(119 * MS, EPOCH), 0);
        assert_eq!((late.number, late.dropped, late.discont), (1, 0, false));
        let skipping = make(&mut schedule, at(200 * MS, EPOCH));
        assert_eq!(
            (skipping.number, skipping.dropped, skipping.discont),
            (4, 3, true)
        );
        assert_eq!(skipping.pts, 200 * MS);
        let next = make(&mut schedule, at(201 * MS, EPOCH));
        assert_eq!((next.number, next.dropped, next.discont), (5, 0, false));
    }

    #[test]
    fn latency_of_the_pipeline_is_time_that_a_frame_has() {
        let mut schedule = schedule_25fps(EPOCH);
        make(&mut schedule, at(40 * MS, EPOCH));
        assert_eq!(schedule.frame(at(200 * MS, EPOCH), 200 * MS).dropped, 0);
        assert_eq!(schedule.frame(at(200 * MS, EPOCH), 100 * MS).dropped, 0);
        assert_eq!(schedule.frame(at(240 * MS, EPOCH), 100 * MS).dropped, 1);
    }

    #[test]
    fn noise_of_reading_the_clocks_does_not_move_pts() {
        let mut schedule = schedule_25fps(EPOCH);
        let mut last = make(&mut schedule, at(40 * MS, EPOCH)).pts;
        for (n, noise) in (2..100).zip([20_000, -30_000, 5_000, -49_000, 49_000].into_iter().cycle()) {
            let frame = make(&mut schedule, at(n * 40 * MS, EPOCH + noise));
            assert_eq!(frame.pts - last, 40 * MS);
            last = frame.pts;
        }
        let rough = Now {
            running: 4000 * MS,
            offset: (EPOCH + 9 * MS).into(),
            uncertainty: 9 * MS,
        };
        assert_eq!(
            make(&mut schedule, rough).pts - last,
            40 * MS,
            "a rough reading proves nothing"
        );
    }

    #[test]
    fn pts_follow_a_slewed_wall_clock_evenly_and_within_a_millisecond() {
        for ppm in [500, -500, 10_000, -10_000] {
            let mut schedule = schedule_25fps(EPOCH);
            let mut last = make(&mut schedule, at(40 * MS, EPOCH));
            for _ in 2..2000 {
                let offset = |running: i64| EPOCH + running * ppm / 1_000_000;
                let planned = schedule.frame(at(last.pts + MS, offset(last.pts + MS)), 0);
                let frame = make(&mut schedule, at(planned.pts, offset(planned.pts)));
                let offset = offset(frame.pts);
                assert_eq!(frame.instant - last.instant, 40 * MS, "at {ppm} ppm");
                assert!(!frame.discont && frame.dropped == 0, "at {ppm} ppm");
                let error = frame.pts + offset - frame.instant;
                assert!(error.abs() < MS, "{error} ns at {ppm} ppm");
                assert!((frame.pts - last.pts - 40 * MS).abs() <= 40 * MS / SLEW_PART);
                last = frame;
            }
        }
    }

    #[test]
    fn a_step_of_the_wall_clock_re_anchors_with_discont_and_pts_go_on() {
        for step in [3_600_000 * MS + 13 * MS, -3_600_000 * MS, 21 * MS, -21 * MS] {
            let mut schedule = schedule_25fps(EPOCH);
            make(&mut schedule, at(40 * MS, EPOCH));
            let before = make(&mut schedule, at(80 * MS, EPOCH));
            let frame = make(&mut schedule, at(81 * MS, EPOCH + step));
            assert!(frame.discont, "after {step} ns");
            assert_eq!((frame.number, frame.dropped), (before.number + 1, 0));
            assert_eq!(
                frame.pts,
                frame.instant - EPOCH - step,
                "the PTS is the new clock's"
            );
            let gap = frame.pts - before.pts;
            assert!(
                (20 * MS..=61 * MS).contains(&gap),
                "{gap} ns after a step of {step} ns"
            );
            assert_eq!(frame.instant % (40 * MS), 0);
        }
    }

    #[test]
    fn what_was_held_back_before_anybody_watched_is_neither_late_nor_numbered() {
        let mut schedule = schedule_25fps(EPOCH);
        make(&mut schedule, at(40 * MS, EPOCH));
        let now = at(8005 * MS, EPOCH);
        schedule.forget_what_was_held(now);
        let frame = make(&mut schedule, now);
        assert_eq!((frame.number, frame.dropped, frame.discont), (1, 0, true));
        assert_eq!(frame.pts, 8040 * MS, "the first frame that is not past");
    }

    #[test]
    fn clocks_that_run_apart_do_not_starve_the_stream() {
        let mut schedule = schedule_25fps(EPOCH);
        let mut last = make(&mut schedule, at(40 * MS, EPOCH));
        // The pipeline's clock runs five times as fast as the wall's, and each wait is for a frame.
        let mut running = 41 * MS;
        for _ in 0..50 {
            let mut waits = 0;
            let frame = loop {
                let now = at(running, EPOCH + running / 5 - running);
                let frame = schedule.frame(now, 0);
                if frame.pts <= running {
                    break frame;
                }
                (running, waits) = (frame.pts, waits + 1);
                assert!(waits < 5, "still waiting at {running}");
            };
            assert!(frame.pts > last.pts);
            schedule.made(&frame);
            last = frame;
        }
    }

    #[test]
    fn another_rate_goes_on_after_the_last_frame() {
        let mut schedule = schedule_25fps(EPOCH);
        let last = make(&mut schedule, at(40 * MS, EPOCH));
        schedule.change_rate(50, 1);
        let frame = make(&mut schedule, at(45 * MS, EPOCH));
        assert_eq!(
            (frame.number, frame.pts, frame.duration),
            (last.number + 1, last.pts + 20 * MS, 20 * MS)
        );
    }

    #[test]
    fn no_reading_of_the_clocks_overflows() {
        let extremes = [i64::MIN, -1, 0, i64::MAX];
        let offsets = extremes.map(|offset| i128::from(offset) * 1_000_000_000);
        for (running, offset) in extremes.into_iter().flat_map(|r| offsets.map(|o| (r, o))) {
            for rough in [0, i64::MAX] {
                let now = Now {
                    running,
                    offset,
                    uncertainty: rough,
                };
                let mut schedule = Schedule::new(Grid::new(1000, 1, i64::MAX), now);
                make(&mut schedule, now);
                make(&mut schedule, at(i64::MAX, i64::MIN));
                schedule.forget_what_was_held(now);
                make(&mut schedule, now);
            }
        }
    }

    #[test]
    fn a_clock_that_is_set_to_any_time_keeps_frames_in_step() {
        const YEAR: i128 = 31_556_952 * 1_000_000_000;
        // Before 1970, before 1677, at the last instant that 64 bits can tell, and long after it.
        for instant in [
            -YEAR,
            -400 * YEAR,
            i128::from(i64::MAX) - 1_000_000_000,
            330 * YEAR,
            8_000 * YEAR,
        ] {
            for begins_there in [true, false] {
                let before = if begins_there { instant } else { EPOCH.into() };
                let mut schedule = Schedule::new(Grid::new(25, 1, 0), at(0, before));
                let mut last = make(&mut schedule, at(40 * MS, before));
                last = make(&mut schedule, at(last.pts, instant));
                for _ in 0..100 {
                    let frame = schedule.frame(at(last.pts + MS, instant), 0);
                    assert_eq!(
                        (frame.pts - last.pts, frame.dropped),
                        (40 * MS, 0),
                        "at {instant}"
                    );
                    assert_eq!((frame.number, frame.duration), (last.number + 1, 40 * MS));
                    assert_eq!(frame.instant, held(i128::from(frame.pts) + instant));
                    schedule.made(&frame);
                    last = frame;
                }
            }
        }
    }
}

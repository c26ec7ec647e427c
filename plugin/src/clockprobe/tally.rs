//! Counts what became of the frames: lost, repeated, out of order, frozen. Pure arithmetic.

use std::collections::{HashSet, VecDeque};
use std::ops::Range;

use super::stillness::{Moment, Stillness};
use super::verdict::Verdict;

/// No network reorders frames over more numbers than this. A step back beyond it is a new beginning: a recording in a loop,
/// or numbers that start again behind 9999999999. It bounds what is remembered, too.
const WINDOW: u64 = 1_000;
/// How many runs are told apart, so that memory stays bounded whatever a stream shows.
const RUNS: usize = 65_536;

/// What was found in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Seen {
    /// A frame of a run.
    Frame { run: u32, number: u64 },
    /// Nothing that could be read.
    Unreadable,
    /// It was not looked at.
    Unexamined,
}

/// What a buffer adds to what is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) verdict: Verdict,
    /// The frames that are missing before it.
    pub(crate) missing: Option<Missing>,
    /// It had been counted as lost.
    pub(crate) is_found: bool,
}

/// Frames that are missing somewhere between two that came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// The number of the frame before them.
    pub after: u64,
    /// How many are counted as lost.
    pub count: u64,
}

impl From<Verdict> for Finding {
    fn from(verdict: Verdict) -> Self {
        Self {
            verdict,
            missing: None,
            is_found: false,
        }
    }
}

/// How many of what. Times are in ns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Buffers that passed.
    pub(crate) frames: u64,
    pub(crate) readings: u64,
    pub(crate) unreadable: u64,
    pub(crate) lost: u64,
    pub(crate) repeated: u64,
    pub(crate) out_of_order: u64,
    /// Freezes, not frames.
    pub(crate) frozen: u64,
    pub(crate) frozen_time: u64,
    /// Different runs.
    pub(crate) runs: u64,
}

/// Counts the buffers of one stream.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    counts: Counts,
    runs: HashSet<u32>,
    row: Option<Row>,
    /// The row before the present one, as long as the present one may be a detour.
    before: Option<Row>,
    stillness: Stillness,
}

impl Tally {
    /// Counts a buffer. The picture counts as frozen once it stood still for more than `threshold` ns.
    pub(crate) fn count(&mut self, seen: Seen, at: Moment, threshold: u64) -> Finding {
        self.counts.frames += 1;
        let finding = match seen {
            Seen::Frame { run, number } => self.frame(run, number),
            Seen::Unreadable => {
                self.counts.unreadable += 1;
                self.unknown()
            }
            Seen::Unexamined => self.unknown(),
        };
        self.stillness.buffer(finding.verdict, at, threshold);
        finding
    }

    fn frame(&mut self, run: u32, number: u64) -> Finding {
        self.counts.readings += 1;
        self.end_detour(run, number);
        if let Some(row) = self.row.as_mut().filter(|row| row.continues(run, number)) {
            return row.frame(number, &mut self.counts);
        }
        if self.runs.len() >= RUNS || self.runs.insert(run) {
            self.counts.runs += 1;
        }
        self.before = self.row.replace(Row::new(run, number));
        Verdict::First.into()
    }

    /// An old picture may flash up between those of now: what came since then was out of order, and the row goes on.
    fn end_detour(&mut self, run: u32, number: u64) {
        let is_detour = |row: &Row| row.run == run && number.saturating_sub(row.highest) > WINDOW;
        let goes_on = |before: &mut Row| before.run == run && number.abs_diff(before.highest) <= WINDOW;
        if let Some(detour) = &self.row
            && is_detour(detour)
            && let Some(before) = self.before.take_if(goes_on)
        {
            self.counts.out_of_order += detour.came;
            self.row = Some(before);
        }
    }

    fn unknown(&mut self) -> Finding {
        if let Some(row) = &mut self.row {
            row.unknown += 1;
        }
        Verdict::Unknown.into()
    }

    /// What comes next does not follow what came before, as after a seek: a gap between them is no loss, and
    /// the time between them no freeze. A freeze that is going on ends here, at `now` if that is known.
    pub(crate) fn cut(&mut self, now: Moment, threshold: u64) {
        self.stillness.end(now, threshold);
        (self.row, self.before) = (None, None);
    }

    /// The counts at `now`, with a freeze that is going on.
    pub(crate) fn counts(&self, now: Moment, threshold: u64) -> Counts {
        let frozen = self.stillness.frozen(now, threshold);
        Counts {
            frozen: frozen.count,
            frozen_time: frozen.time,
            ..self.counts
        }
    }
}

/// Frames of one run, in a row.
#[derive(Debug)]
struct Row {
    run: u32,
    /// How many frames it has.
    came: u64,
    /// The highest number so far.
    highest: u64,
    /// Buffers since then whose number is not known.
    unknown: u64,
    gaps: VecDeque<Gap>,
}

/// Numbers that did not come where they should have.
#[derive(Debug)]
struct Gap {
    absent: Vec<Range<u64>>,
    /// How many of them are counted as lost: the others may have been in buffers that were not read.
    lost: u64,
}

impl Row {
    fn new(run: u32, number: u64) -> Self {
        let mut row = Self {
            run,
            came: 1,
            highest: number,
            unknown: 0,
            gaps: VecDeque::new(),
        };
        // What comes before the first one is late, and was never lost.
        row.miss(0..number, 0);
        row
    }

    fn continues(&self, run: u32, number: u64) -> bool {
        run == self.run && self.highest.saturating_sub(number) <= WINDOW
    }

    fn frame(&mut self, number: u64, counts: &mut Counts) -> Finding {
        self.came += 1;
        if number > self.highest {
            return self.go_on(number, counts);
        }
        let Some(is_found) = self.gaps.iter_mut().find_map(|gap| gap.fill(number)) else {
            counts.repeated += 1;
            return Verdict::Repeated.into();
        };
        counts.lost -= u64::from(is_found);
        counts.out_of_order += 1;
        Finding {
            is_found,
            ..Verdict::OutOfOrder.into()
        }
    }

    fn go_on(&mut self, number: u64, counts: &mut Counts) -> Finding {
        let after = self.highest;
        let count = (number - after - 1).saturating_sub(self.unknown);
        counts.lost += count;
        (self.highest, self.unknown) = (number, 0);
        self.miss(after + 1..number, count);
        Finding {
            missing: (count > 0).then_some(Missing { after, count }),
            ..Verdict::New.into()
        }
    }

    /// Remembers numbers that are absent, as far back as one of them could still come.
    fn miss(&mut self, absent: Range<u64>, lost: u64) {
        let oldest = self.highest.saturating_sub(WINDOW);
        self.gaps.retain_mut(|gap| gap.forget_before(oldest));
        let mut gap = Gap {
            absent: vec![absent],
            lost,
        };
        if gap.forget_before(oldest) {
            self.gaps.push_back(gap);
        }
    }
}

impl Gap {
    /// Takes a number out of the gap, and says whether a lost one is found with it; `None` if it is not in it.
    fn fill(&mut self, number: u64) -> Option<bool> {
        let at = self.absent.iter().position(|range| range.contains(&number))?;
        let range = self.absent.swap_remove(at);
        let halves = [range.start..number, number + 1..range.end];
        self.absent
            .extend(halves.into_iter().filter(|half| !half.is_empty()));
        let is_found = self.lost > 0;
        self.lost -= u64::from(is_found);
        Some(is_found)
    }

    /// Keeps the numbers from `oldest` on; whether there are any.
    fn forget_before(&mut self, oldest: u64) -> bool {
        for range in &mut self.absent {
            range.start = range.start.max(oldest);
        }
        self.absent.retain(|range| !range.is_empty());
        !self.absent.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const THRESHOLD: u64 = 500_000_000;

    /// Counts of one frame each 40 ms: a number, `?` for what cannot be read, `-` for what is not examined,
    /// `|` for a new run, `/` for a cut.
    fn counts(row: &str) -> Counts {
        let (mut tally, mut run, mut time) = (Tally::default(), 1, 0);
        for word in row.split_whitespace() {
            let seen = match word {
                "|" => {
                    run += 1;
                    continue;
                }
                "/" => {
                    tally.cut(Moment::default(), THRESHOLD);
                    continue;
                }
                "?" => Seen::Unreadable,
                "-" => Seen::Unexamined,
                number => Seen::Frame {
                    run,
                    number: number.parse().unwrap(),
                },
            };
            tally.count(seen, Moment::running(time * 40 * MS), THRESHOLD);
            time += 1;
        }
        tally.counts(Moment::default(), THRESHOLD)
    }

    #[test]
    fn each_fault_counts_as_what_it_is() {
        // The row; lost, repeated, out of order, runs.
        for (row, expected) in [
            ("", [0, 0, 0, 0]),
            ("5", [0, 0, 0, 1]),
            ("0 1 2 3", [0, 0, 0, 1]),
            ("1 2 5 6 9", [4, 0, 0, 1]),
            ("1 1 1 2", [0, 2, 0, 1]),
            ("1 1 3", [1, 1, 0, 1]),
            ("1 3 2 4", [0, 0, 1, 1]),
            ("1 3 2 5", [1, 0, 1, 1]),
            ("1 3 2 2 4", [0, 1, 1, 1]),
            ("1 6 3 5 2 7", [1, 0, 3, 1]),
            ("1 2 3 2 4", [0, 1, 0, 1]),
            ("5 4 6 4", [0, 1, 1, 1]),
            ("1 ? 3", [0, 0, 0, 1]),
            ("1 ? 4", [1, 0, 0, 1]),
            ("1 ? ? 3", [0, 0, 0, 1]),
            ("1 ? 3 2 4", [0, 0, 1, 1]),
            ("1 ? 4 2 5", [0, 0, 1, 1]),
            ("? ? 7 8", [0, 0, 0, 1]),
            ("1 - - 4 - - 7", [0, 0, 0, 1]),
            ("1 - - 5 - - 8", [1, 0, 0, 1]),
            ("7 8 | 0 1", [0, 0, 0, 2]),
            ("7 8 | 0 2", [1, 0, 0, 2]),
            ("7 ? | ? 0", [0, 0, 0, 2]),
            ("7 8 / 20 21", [0, 0, 0, 1]),
            ("7 8 / 2 3 5", [1, 0, 0, 1]),
            ("9999999999 0 1", [0, 0, 0, 1]),
            // A recording that begins anew.
            ("5000 5001 10 11 12", [0, 0, 0, 1]),
            // Old pictures that flash up.
            ("5000 3000 5001 5002", [0, 0, 1, 1]),
            ("5000 3000 3001 5001 5003 1000 5004", [1, 0, 3, 1]),
            ("5000 3000 9000", [5999, 0, 0, 1]),
        ] {
            let counts = counts(row);
            assert_eq!(
                [counts.lost, counts.repeated, counts.out_of_order, counts.runs],
                expected,
                "{row}"
            );
        }
    }

    #[test]
    fn whatever_passed_is_a_frame() {
        let counts = counts("1 ? - 4 4 | ? 0");
        assert_eq!([counts.frames, counts.readings, counts.unreadable], [7, 4, 2]);
    }

    #[test]
    fn runs_that_take_turns_are_neither_lost_nor_new_each_time() {
        let mut tally = Tally::default();
        for turn in 0..10 {
            for run in [1, 2] {
                let number = turn * 100;
                tally.count(Seen::Frame { run, number }, Moment::default(), THRESHOLD);
            }
        }
        let counts = tally.counts(Moment::default(), THRESHOLD);
        assert_eq!([counts.lost, counts.out_of_order, counts.runs], [0, 0, 2]);
    }

    #[test]
    fn a_finding_says_what_is_missing_and_what_was_found() {
        let mut tally = Tally::default();
        let mut find = |number| {
            let seen = Seen::Frame { run: 1, number };
            tally.count(seen, Moment::default(), THRESHOLD)
        };
        assert_eq!(find(3), Verdict::First.into());
        let missing = Some(Missing { after: 3, count: 2 });
        let jump = Finding {
            missing,
            ..Verdict::New.into()
        };
        assert_eq!(find(6), jump);
        let late = Finding {
            is_found: true,
            ..Verdict::OutOfOrder.into()
        };
        assert_eq!(find(4), late);
        assert_eq!(find(4), Verdict::Repeated.into());
        // It was never missed: it came before the first one.
        assert_eq!(find(2), Verdict::OutOfOrder.into());
    }

    #[test]
    fn memory_is_bounded() {
        let ranges = |row: &Row| row.gaps.iter().map(|gap| gap.absent.len()).sum::<usize>();
        let mut row = Row::new(1, 0);
        let mut counts = Counts::default();
        for number in 1..10_000 {
            row.frame(number * 2, &mut counts);
        }
        assert_eq!(counts.lost, 9_999);
        assert!(ranges(&row) <= 500, "{}", ranges(&row));
        // Every second number of a large gap, each of which splits what is left of it.
        row.frame(1_000_000, &mut counts);
        for number in (1_000_000 - WINDOW..1_000_000).step_by(2) {
            row.frame(number, &mut counts);
        }
        assert!(ranges(&row) <= 501, "{}", ranges(&row));
    }
}

//! Where frames are missing, as `clockprobe` told with each reading.

use gstclocksrc::clockprobe::messages::Kind;

use crate::figures::Loss;

/// Gaps that are remembered: a stream that loses more often loses everywhere.
const REMEMBERED: usize = 10_000;

/// Where a reading stands in the row of those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// What it is in the row of those before it.
    pub(crate) kind: Kind,
    /// The number of the frame before the gap, and how many in the gap are counted lost.
    pub(crate) missing: Option<(u64, u64)>,
    /// It had been counted lost.
    pub(crate) found: bool,
}

/// Frames that are missing, and the number behind them: some of the frames in between may be pictures that could not be
/// read.
#[derive(Debug, Clone, Copy)]
struct Gap {
    loss: Loss,
    end: u64,
}

/// The gaps of a stream.
#[derive(Debug, Default)]
pub(crate) struct Gaps {
    gaps: Vec<Gap>,
    /// Where those of this run begin: a late frame is of this run.
    of_this_run: usize,
}

impl Gaps {
    /// Takes a reading of that number. `instant` is in ns since the Unix epoch.
    pub(crate) fn reading(&mut self, frame: u64, instant: u64, place: &Position) {
        if place.kind == Kind::First {
            self.of_this_run = self.gaps.len();
        }
        if let Some((after, count)) = place.missing.filter(|(_, count)| *count > 0)
            && self.gaps.len() < REMEMBERED
        {
            let first = after.saturating_add(1);
            let loss = Loss {
                instant,
                first,
                count,
            };
            self.gaps.push(Gap { loss, end: frame });
        }
        if place.found {
            self.find(frame);
        }
    }

    fn find(&mut self, frame: u64) {
        let holds = |gap: &Gap| gap.loss.first <= frame && frame < gap.end;
        let of_this_run = self.gaps.get(self.of_this_run..).unwrap_or_default();
        let Some(at) = of_this_run.iter().rposition(holds) else {
            return;
        };
        let at = self.of_this_run + at;
        let gap = self.gaps[at];
        let left = without(&gap, frame);
        self.gaps.splice(at..=at, left);
    }

    /// In the order in which they were noticed.
    pub(crate) fn into_losses(self) -> Vec<Loss> {
        self.gaps.into_iter().map(|gap| gap.loss).collect()
    }
}

/// What is left of a gap. One without any unreadable picture falls into two; of another nobody knows which of its
/// frames are lost.
fn without(gap: &Gap, frame: u64) -> Vec<Gap> {
    let part = |first: u64, end: u64, count: u64| Gap {
        loss: Loss {
            first,
            count,
            ..gap.loss
        },
        end,
    };
    let (first, end, count) = (gap.loss.first, gap.end, gap.loss.count);
    let left = if end - first == count {
        vec![
            part(first, frame, frame - first),
            part(frame + 1, end, end - frame - 1),
        ]
    } else {
        let first = if first == frame { first + 1 } else { first };
        vec![part(first, end, count.saturating_sub(1))]
    };
    left.into_iter().filter(|gap| gap.loss.count > 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(missing: Option<(u64, u64)>) -> Position {
        Position {
            missing,
            ..Position::default()
        }
    }

    const FOUND: Position = Position {
        kind: Kind::Late,
        missing: None,
        found: true,
    };

    fn losses(readings: &[(u64, Position)]) -> Vec<(u64, u64, u64)> {
        let mut gaps = Gaps::default();
        for (frame, place) in readings {
            gaps.reading(*frame, frame * 1000, place);
        }
        let losses = gaps.into_losses().into_iter();
        losses
            .map(|loss| (loss.instant, loss.first, loss.count))
            .collect()
    }

    #[test]
    fn a_gap_is_known_by_its_first_number_and_the_frame_behind_it() {
        assert_eq!(
            losses(&[(6, next(None)), (9, next(Some((6, 2))))]),
            [(9000, 7, 2)]
        );
    }

    #[test]
    fn a_found_frame_leaves_its_gap() {
        let jump = (4, next(Some((0, 3))));
        assert_eq!(losses(&[jump, (2, FOUND)]), [(4000, 1, 1), (4000, 3, 1)]);
        assert_eq!(losses(&[jump, (2, FOUND), (1, FOUND), (3, FOUND)]), []);
        // One of the three was a picture that could not be read.
        let jump = (4, next(Some((0, 2))));
        assert_eq!(losses(&[jump, (1, FOUND)]), [(4000, 2, 1)]);
        assert_eq!(losses(&[jump, (2, FOUND), (3, FOUND)]), []);
    }

    #[test]
    fn a_late_frame_of_a_new_run_leaves_the_gaps_of_the_old_one() {
        let first = Position {
            kind: Kind::First,
            ..Position::default()
        };
        let row = [(4, next(Some((0, 3)))), (0, first), (2, FOUND)];
        assert_eq!(losses(&row), [(4000, 1, 3)]);
    }
}

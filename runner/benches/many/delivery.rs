//! What became of the frames of one picture on the way to all its viewers.

use std::collections::BTreeSet;
use std::fmt;

use super::crowd::Tally;

pub(crate) struct Delivery {
    delivered: u64,
    lost: usize,
    packets_lost: u64,
    fewest: u64,
    /// Frames that were never made.
    skipped: usize,
    /// What each viewer was to get.
    due: u32,
    /// Each of them came to each viewer once, or is missing.
    adds_up: bool,
}

impl Delivery {
    /// A frame that the camera has skipped came to nobody. There are no more of those than it owns up to, or all of them are
    /// lost.
    pub(crate) fn of(tallies: &[Tally], frame_rate: u32, due: u32, camera_skipped: u64) -> Self {
        let viewers: Vec<Viewer> = tallies
            .iter()
            .map(|tally| Viewer::new(tally, tally.starts_after(&tallies[0], frame_rate), due))
            .collect();
        let all_missing: BTreeSet<i64> = viewers
            .iter()
            .flat_map(|viewer| viewer.missing.iter().copied())
            .collect();
        let came = |number: &i64| viewers.iter().any(|viewer| viewer.has(*number));
        let mut skipped: BTreeSet<i64> = all_missing.into_iter().filter(|number| !came(number)).collect();
        if skipped.len() as u64 > camera_skipped {
            skipped.clear();
        }
        let lost = viewers
            .iter()
            .map(|viewer| viewer.missing.difference(&skipped).count());
        Self {
            delivered: tallies.iter().map(|tally| tally.frames).sum(),
            lost: lost.sum(),
            packets_lost: tallies.iter().map(|tally| tally.packets_lost).sum(),
            fewest: tallies.iter().map(|tally| tally.frames).min().unwrap_or(0),
            skipped: skipped.len(),
            due,
            adds_up: tallies
                .iter()
                .all(|tally| tally.frames + tally.missing.len() as u64 == u64::from(due)),
        }
    }

    pub(crate) fn is_whole(&self) -> bool {
        self.adds_up && self.lost == 0 && self.packets_lost == 0
    }
}

/// The frames of one viewer, by numbers that all viewers share.
struct Viewer {
    first: i64,
    end: i64,
    missing: BTreeSet<i64>,
}

impl Viewer {
    fn new(tally: &Tally, first: i64, due: u32) -> Self {
        Self {
            first,
            end: first + i64::from(due),
            missing: tally
                .missing
                .iter()
                .map(|number| first + i64::from(*number))
                .collect(),
        }
    }

    fn has(&self, number: i64) -> bool {
        (self.first..self.end).contains(&number) && !self.missing.contains(&number)
    }
}

impl fmt::Display for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            delivered,
            lost,
            packets_lost,
            fewest,
            skipped,
            due,
            adds_up,
        } = self;
        write!(
            f,
            "{lost} of {} frames lost ({packets_lost} packets), at least {fewest} of {due} for each",
            delivered + *lost as u64,
        )?;
        if *skipped > 0 {
            write!(f, ", {skipped} not made by the camera")?;
        }
        if !adds_up {
            write!(f, ", some twice")?;
        }
        Ok(())
    }
}

//! How far sound and picture are apart. Pure arithmetic; times are in ns.

use std::collections::VecDeque;

use super::distribution::Distribution;

/// Ticks fall on whole seconds.
const SECOND: i64 = 1_000_000_000;
/// The median of so many pictures tells when an instant is presented.
const PICTURES: usize = 25;

/// A tick, as it is presented beside the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lag {
    /// The whole second that the tick marks, in ns since the Unix epoch.
    pub(crate) second: i64,
    /// How much later than the picture of that second it is presented.
    pub(crate) offset: i64,
}

/// Holds ticks against pictures.
#[derive(Debug, Default)]
pub(crate) struct Lips {
    /// Running time less instant, of the last pictures.
    pictures: VecDeque<i64>,
    ticks: u64,
    offsets: Distribution,
}

impl Lips {
    /// A picture of that instant is presented at that running time.
    pub(crate) fn picture(&mut self, instant: i64, running: i64) {
        if self.pictures.len() == PICTURES {
            self.pictures.pop_front();
        }
        self.pictures.push_back(running.saturating_sub(instant));
    }

    /// A tick begins at that running time. `None` while no picture tells which second it marks.
    pub(crate) fn tick(&mut self, running: i64) -> Option<Lag> {
        self.ticks += 1;
        let picture = self.mapping()?;
        let instant = running.saturating_sub(picture);
        let second = instant.saturating_add(SECOND / 2).div_euclid(SECOND) * SECOND;
        let offset = instant.saturating_sub(second);
        self.offsets.add(offset);
        Some(Lag { second, offset })
    }

    /// What comes next is presented by another mapping, as after a seek.
    pub(crate) fn forget_pictures(&mut self) {
        self.pictures.clear();
    }

    /// Ticks that were heard.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks
    }

    /// The offsets of ticks whose second was known.
    pub(crate) fn offsets(&self) -> &Distribution {
        &self.offsets
    }

    /// The median of running time less instant.
    fn mapping(&self) -> Option<i64> {
        let mut pictures: Vec<i64> = self.pictures.iter().copied().collect();
        let middle = pictures.len() / 2;
        (!pictures.is_empty()).then(|| *pictures.select_nth_unstable(middle).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;
    const START: i64 = 1_767_225_600_000_000_000;

    /// Ten seconds of pictures that are presented 300 ms after running time 0 shows `START`.
    fn pictures() -> Lips {
        let mut lips = Lips::default();
        for frame in 0..250 {
            lips.picture(START + frame * 40 * MS, frame * 40 * MS + 300 * MS);
        }
        lips
    }

    #[test]
    fn a_tick_is_as_late_as_it_is_after_its_second() {
        for offset in [0, 20 * MS, -20 * MS, 499 * MS, -499 * MS] {
            let mut lips = pictures();
            let lag = lips.tick(10_300 * MS + offset);
            let second = START + 10 * SECOND;
            assert_eq!(lag, Some(Lag { second, offset }));
        }
    }

    #[test]
    fn a_picture_that_is_off_does_not_count() {
        let mut lips = pictures();
        lips.picture(START, 77_000 * MS);
        assert_eq!(lips.tick(11_305 * MS).map(|lag| lag.offset), Some(5 * MS));
    }

    #[test]
    fn without_pictures_a_tick_is_just_heard() {
        let mut lips = Lips::default();
        assert_eq!(lips.tick(5), None);
        assert_eq!((lips.ticks(), lips.offsets().summary()), (1, None));
    }
}

//! How fast pictures come, once those that a server had in store are over.

use crate::values::Values;

/// Pictures at the beginning that are looked at for what had been in store: a minute and more.
const BEGINNING: usize = 2048;
/// So many pictures in half of their time or less are out of a store; a single one may come late, as this machine may be.
const STRETCH: usize = 25;

/// A picture: when it came, and when it is to be shown (ns).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shown {
    arrival: u64,
    pts: Option<u64>,
}

/// The pictures of one stream, of one connection after the other.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    beginning: Vec<Shown>,
    last: Option<Shown>,
    pictures: u64,
    /// From picture to picture, as they came and as they are to be shown (ns).
    pub(crate) arrivals: Values,
    pub(crate) timestamps: Values,
    /// Of what was before the connection that there is.
    past: Found,
}

/// What was found out about pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Found {
    /// Pictures that followed another one, and the time that they took (ns).
    intervals: u64,
    time: u64,
    backlog: u64,
}

impl Pace {
    /// A picture came at `arrival`, or its last packet did, to be shown at `pts`.
    pub(crate) fn picture(&mut self, arrival: u64, pts: Option<u64>) {
        let shown = Shown { arrival, pts };
        if let Some(last) = self.last {
            self.arrivals.push(between(last.arrival, arrival));
            let times = last.pts.zip(pts).filter(|(last, pts)| last < pts);
            if let Some((last, pts)) = times {
                self.timestamps.push(between(last, pts));
            }
        }
        if self.beginning.len() < BEGINNING {
            self.beginning.push(shown);
        }
        let latest = self.last.and_then(|last| last.pts).max(pts);
        self.last = Some(Shown { arrival, pts: latest });
        self.pictures += 1;
    }

    /// What comes next is of another connection: the time until then is none of the stream's.
    pub(crate) fn cut(&mut self) {
        *self = Self {
            past: self.found(),
            arrivals: std::mem::take(&mut self.arrivals),
            timestamps: std::mem::take(&mut self.timestamps),
            ..Self::default()
        };
    }

    /// Pictures a second, by the times at which they are to be shown; where they have none, or there was a backlog, as they
    /// came.
    #[expect(clippy::cast_precision_loss, reason = "counts and ns of one measurement")]
    pub(crate) fn frames_per_second(&self) -> Option<f64> {
        let found = self.found();
        (found.time > 0).then(|| found.intervals as f64 / (found.time as f64 / 1e9))
    }

    /// Pictures that came faster than they were made, before all others.
    pub(crate) fn backlog(&self) -> u64 {
        self.found().backlog
    }

    fn found(&self) -> Found {
        let backlog = self.stored();
        let (Some(first), Some(last)) = (self.beginning.get(backlog), self.last) else {
            return self.past;
        };
        // A jitter buffer makes PTS of arrivals: after a burst they are squeezed for a while.
        let pts = first.pts.zip(last.pts).filter(|_| backlog == 0);
        let shown = pts.map(|(first, last)| last.saturating_sub(first));
        let time = shown.unwrap_or_else(|| last.arrival.saturating_sub(first.arrival));
        Found {
            intervals: self.past.intervals + (self.pictures - 1).saturating_sub(backlog as u64),
            time: self.past.time.saturating_add(time),
            backlog: self.past.backlog + backlog as u64,
        }
    }

    /// How many of the beginning came as fast as they could: those before the first one that was waited for. What is
    /// waited for is known by the second half of the time, in which nothing is in store any more.
    fn stored(&self) -> usize {
        let (Some(first), Some(last)) = (self.beginning.first(), self.last) else {
            return 0;
        };
        let middle = u64::midpoint(first.arrival, last.arrival);
        let before = self
            .beginning
            .iter()
            .take_while(|shown| shown.arrival <= middle)
            .count();
        let late = self.pictures.saturating_sub(before as u64).max(1);
        let period = (last.arrival - middle) / late;
        let time_of = |stretch: &[Shown]| {
            let ends = stretch.first().zip(stretch.last());
            ends.map_or(0, |(first, last)| last.arrival.saturating_sub(first.arrival))
        };
        let intervals = STRETCH.min(self.beginning.len() - 1).max(1);
        let takes_its_time = |stretch: &[Shown]| time_of(stretch) > intervals as u64 * period / 2;
        let is_waited_for = |pair: &[Shown]| time_of(pair) > period / 2;
        let Some(over) = self.beginning.windows(intervals + 1).position(takes_its_time) else {
            return 0;
        };
        let fast = self.beginning[over..].windows(2).position(is_waited_for);
        // One that came a moment early was not in store.
        fast.map(|fast| over + fast).filter(|fast| *fast > 1).unwrap_or(0)
    }
}

fn between(earlier: u64, later: u64) -> i64 {
    later.cast_signed().saturating_sub(earlier.cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: u64 = 1_000_000;

    fn fps(pace: &Pace) -> f64 {
        pace.frames_per_second().expect("pictures")
    }

    #[test]
    fn what_was_in_store_does_not_make_a_stream_faster() {
        let mut pace = Pace::default();
        for picture in 0..60 {
            pace.picture(picture * MS, Some(picture * MS));
        }
        for picture in 1..=60 {
            let time = 59 * MS + picture * 1000 * MS / 15;
            pace.picture(time, Some(time));
        }
        assert!((fps(&pace) - 15.0).abs() < 0.3, "{}", fps(&pace));
        assert_eq!(pace.backlog(), 59);
    }

    #[test]
    fn a_store_is_emptied_however_late_this_machine_looked_in_between() {
        let mut pace = Pace::default();
        let hesitates_after = |picture, late| if picture > 20 { late } else { 0 };
        for picture in 0..50 {
            pace.picture((picture + hesitates_after(picture, 300)) * MS, None);
        }
        for picture in 1..=50 {
            pace.picture((349 + picture * 40) * MS, None);
        }
        assert_eq!(pace.backlog(), 49);
        assert!((fps(&pace) - 25.0).abs() < 0.01, "{}", fps(&pace));
    }

    #[test]
    fn a_steady_stream_has_nothing_in_store() {
        let mut pace = Pace::default();
        for picture in 0..100 {
            let noise = if picture % 3 == 0 { 9 } else { 0 };
            pace.picture((picture * 40 + noise) * MS, Some(picture * 40 * MS));
        }
        assert!((fps(&pace) - 25.0).abs() < 0.001, "{}", fps(&pace));
        assert_eq!(pace.backlog(), 0);
    }

    #[test]
    fn without_pts_the_arrivals_count() {
        let mut pace = Pace::default();
        for picture in 0..11 {
            pace.picture(picture * 100 * MS, None);
        }
        assert!((fps(&pace) - 10.0).abs() < 0.001, "{}", fps(&pace));
    }

    #[test]
    fn the_time_between_two_connections_is_not_the_streams() {
        let mut pace = Pace::default();
        for connection in 0..3 {
            for picture in 0..26 {
                pace.picture((connection * 60_000 + picture * 40) * MS, Some(picture * 40 * MS));
            }
            pace.cut();
        }
        assert!((fps(&pace) - 25.0).abs() < 0.001, "{}", fps(&pace));
    }

    #[test]
    fn a_single_picture_has_no_rate() {
        let mut pace = Pace::default();
        assert_eq!(pace.frames_per_second(), None);
        pace.picture(5, Some(7));
        assert_eq!((pace.frames_per_second(), pace.backlog()), (None, 0));
    }
}

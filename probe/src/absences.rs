//! When a camera was away: from the last picture of one connection to the first one of the next.

use std::time::{Duration, Instant};

use crate::figures::Absence;

/// How long after a try the next one is made.
const BETWEEN_TRIES: Duration = Duration::from_secs(1);
/// Absences that are remembered: a camera that is away more often is never there.
const REMEMBERED: usize = 10_000;

/// The absences of one camera.
#[derive(Debug, Default)]
pub(crate) struct Absences {
    over: Vec<Absence>,
    now: Option<Away>,
}

/// An absence that is going on.
#[derive(Debug)]
struct Away {
    /// When the last picture came, in ns since the Unix epoch.
    since: u64,
    cause: String,
    next_try: Instant,
}

impl Absences {
    /// The connection ended, or another try came to nothing. Answers whether the camera was there until now.
    pub(crate) fn ended(&mut self, last_picture: u64, cause: String) -> bool {
        let next_try = Instant::now() + BETWEEN_TRIES;
        if let Some(away) = &mut self.now {
            away.next_try = next_try;
            return false;
        }
        self.now = Some(Away {
            since: last_picture,
            cause,
            next_try,
        });
        true
    }

    /// A picture came. Answers the absence that is over with it.
    pub(crate) fn picture(&mut self, arrival: u64) -> Option<Absence> {
        let away = self.now.take()?;
        let absence = away.until(arrival);
        if self.over.len() < REMEMBERED {
            self.over.push(absence.clone());
        }
        Some(absence)
    }

    /// Whether it is away, and it is time to ask for it again.
    pub(crate) fn is_due(&self) -> bool {
        self.now
            .as_ref()
            .is_some_and(|away| away.next_try <= Instant::now())
    }

    /// Why it is away, if it is.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.now.as_ref().map(|away| away.cause.as_str())
    }

    /// All of them; one that is going on lasts until `now`.
    pub(crate) fn into_all(self, now: u64) -> Vec<Absence> {
        let last = self.now.map(|away| away.until(now));
        self.over.into_iter().chain(last).collect()
    }
}

impl Away {
    #[expect(
        clippy::cast_precision_loss,
        reason = "ns of a measurement are far below 2^53"
    )]
    fn until(&self, time: u64) -> Absence {
        Absence {
            since: self.since,
            time: time.saturating_sub(self.since) as f64 / 1e6,
            cause: self.cause.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: u64 = 1_000_000_000;

    #[test]
    fn an_absence_lasts_from_picture_to_picture_however_many_tries_it_takes() {
        let mut absences = Absences::default();
        assert_eq!(absences.picture(S), None);
        assert!(absences.ended(2 * S, "it broke off".into()));
        assert!(!absences.ended(2 * S, "refused".into()));
        let absence = absences.picture(5 * S).expect("it is back");
        assert_eq!(
            (absence.since, absence.time, absence.cause.as_str()),
            (2 * S, 3000.0, "it broke off")
        );
        assert!(absences.ended(6 * S, "again".into()));
        assert_eq!(absences.cause(), Some("again"));
        let all = absences.into_all(10 * S);
        assert_eq!(all.iter().map(|it| it.time).collect::<Vec<_>>(), [3000.0, 4000.0]);
    }
}

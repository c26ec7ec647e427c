//! How often what has happened.
//!
//! These counts are fed where events are told, under the same lock, and not by a listener: a listener's queue can be full, and
//! what it missed would be missing here as well. What streams do all the time, as frames and packets, is no event; they count
//! that themselves.

use std::collections::BTreeMap;

use super::{Farewell, Happening, LoginRefusal};
use crate::{config::Transport, stream_id::StreamId};

/// How often what has happened so far. No count ever becomes less.
#[derive(Debug, Default, Clone)]
pub(crate) struct Counts {
    /// All events.
    pub(crate) all: u64,
    /// Log-ins with a wrong name or password.
    pub(crate) wrong_logins: u64,
    /// Log-ins of users who may not see what they asked for.
    pub(crate) forbidden_logins: u64,
    /// Configurations that were taken over.
    pub(crate) reloads: u64,
    /// Configurations that were not.
    pub(crate) refused_reloads: u64,
    /// The events of each stream that there is, and of no other.
    streams: BTreeMap<StreamId, StreamEvents>,
}

/// How often what has happened to a stream.
#[derive(Debug, Default, Clone)]
pub(crate) struct StreamEvents {
    /// Viewers who joined, by their transport.
    pub(crate) joins: BTreeMap<Transport, u64>,
    /// Viewers who left, by the reason.
    pub(crate) leaves: BTreeMap<Farewell, u64>,
    /// Viewers who were refused.
    pub(crate) refusals: u64,
    /// Pipelines that were made.
    pub(crate) starts: u64,
    /// Those among them that were made because the one before had failed.
    pub(crate) restarts: u64,
    /// Pipelines that failed, or could not be made.
    pub(crate) failures: u64,
    /// The latest pipeline has failed, and no other one was made since.
    has_failed: bool,
}

impl Counts {
    /// Counts for these streams from now on, and for no others. Those that were there before count on.
    pub(super) fn keep(&mut self, streams: impl Iterator<Item = StreamId>) {
        let mut before = std::mem::take(&mut self.streams);
        self.streams = streams
            .map(|id| {
                let counts = before.remove(&id).unwrap_or_default();
                (id, counts)
            })
            .collect();
    }

    /// What has happened to that stream.
    pub(crate) fn of(&self, stream: &StreamId) -> StreamEvents {
        self.streams.get(stream).cloned().unwrap_or_default()
    }

    /// Counts what happens.
    pub(super) fn add(&mut self, what: &Happening) {
        self.all += 1;
        match what {
            Happening::LoginRefused { why, .. } => match why {
                LoginRefusal::Wrong => self.wrong_logins += 1,
                LoginRefusal::Forbidden { .. } => self.forbidden_logins += 1,
            },
            Happening::Reloaded { .. } => self.reloads += 1,
            Happening::ReloadRefused { .. } => self.refused_reloads += 1,
            Happening::ViewerJoined { stream, viewer, .. } => {
                self.note(stream, |of| *of.joins.entry(viewer.transport).or_default() += 1);
            }
            Happening::ViewerLeft { stream, why, .. } => {
                self.note(stream, |of| *of.leaves.entry(*why).or_default() += 1);
            }
            Happening::ViewerRefused { stream, .. } => self.note(stream, |of| of.refusals += 1),
            Happening::StreamStarted { streams } => self.note_all(streams, StreamEvents::start),
            Happening::StreamFailed { streams, .. } => self.note_all(streams, StreamEvents::fail),
            _ => {}
        }
    }

    fn note(&mut self, stream: &StreamId, note: impl FnOnce(&mut StreamEvents)) {
        if let Some(of_stream) = self.streams.get_mut(stream) {
            note(of_stream);
        }
    }

    fn note_all(&mut self, streams: &[StreamId], note: fn(&mut StreamEvents)) {
        for stream in streams {
            self.note(stream, note);
        }
    }
}

impl StreamEvents {
    fn start(&mut self) {
        self.starts += 1;
        self.restarts += u64::from(std::mem::take(&mut self.has_failed));
    }

    fn fail(&mut self) {
        self.failures += 1;
        self.has_failed = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(names: &[&str]) -> Vec<StreamId> {
        names.iter().map(|name| StreamId::new(name)).collect()
    }

    fn started(names: &[&str]) -> Happening {
        Happening::StreamStarted { streams: ids(names) }
    }

    #[test]
    fn a_restart_is_the_first_start_after_a_failure() {
        let mut counts = Counts::default();
        counts.keep(ids(&["one", "two"]).into_iter());
        let failed = Happening::StreamFailed {
            streams: ids(&["one"]),
            name: String::new(),
            cause: String::new(),
        };
        for what in [
            started(&["one", "two"]),
            failed.clone(),
            failed,
            started(&["one"]),
            started(&["one"]),
        ] {
            counts.add(&what);
        }
        let StreamEvents {
            starts,
            restarts,
            failures,
            ..
        } = counts.of(&StreamId::new("one"));
        assert_eq!((starts, restarts, failures), (3, 1, 2));
        let two = counts.of(&StreamId::new("two"));
        assert_eq!((two.starts, two.failures, counts.all), (1, 0, 5));
    }

    #[test]
    fn what_is_there_counts_on_and_what_is_gone_is_forgotten() {
        let mut counts = Counts::default();
        let starts = |counts: &Counts, id| counts.of(&StreamId::new(id)).starts;
        counts.keep(ids(&["kept", "gone"]).into_iter());
        counts.add(&started(&["kept", "gone"]));
        counts.keep(ids(&["new", "kept"]).into_iter());
        counts.add(&started(&["kept", "gone", "new"]));
        assert_eq!(["kept", "gone", "new"].map(|id| starts(&counts, id)), [2, 0, 1]);
        counts.keep(ids(&["gone"]).into_iter());
        assert_eq!(starts(&counts, "gone"), 0);
        assert_eq!(counts.streams.len(), 1);
    }
}

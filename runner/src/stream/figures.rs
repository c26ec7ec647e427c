//! The counts of a stream: frames, how late they left, how much was sent, and what receivers report.

use std::{collections::HashMap, sync::atomic::Ordering, time::Instant};

use super::{Frames, Stream, departures::Departures, receivers::Report, sent::Sent};

impl Stream {
    /// The frames that the camera has made, and those that it has skipped because it was late, in all its pipelines. They never
    /// become fewer.
    #[must_use]
    pub(crate) fn frames(&self) -> Frames {
        let pipeline = self.pipeline.lock();
        let now = pipeline.as_ref().map(|running| running.frames());
        *self.frames_before.lock() + now.unwrap_or_default()
    }

    /// How late frames left for viewers.
    #[must_use]
    pub(crate) fn departures(&self) -> Departures {
        self.departures.read(Instant::now())
    }

    /// How many frames the camera has skipped because it was late.
    #[must_use]
    pub(crate) fn skipped(&self) -> u64 {
        self.frames().skipped
    }

    /// How many key frames an encoder has been asked for. A crowd shares them.
    #[must_use]
    pub(crate) fn key_frames_forced(&self) -> u64 {
        self.key_frames_forced.load(Ordering::Relaxed)
    }

    /// How much RTP has been sent in all, in sessions that are over as well. It never becomes less.
    #[must_use]
    pub(crate) fn sent(&self) -> Sent {
        self.tallies.total()
    }

    /// How many packets receivers have reported lost, in sessions that are over as well. It never becomes less.
    #[must_use]
    pub(crate) fn packets_lost(&self) -> u64 {
        self.receivers.lost()
    }

    /// How much RTP has been sent in each session, by its id, since it set up what it plays. It never becomes less while the
    /// session lives, through PAUSE and PLAY as well.
    #[must_use]
    pub(crate) fn sent_by_session(&self) -> HashMap<String, Sent> {
        self.tallies.by_session()
    }

    /// What whoever has each session reported last of each medium, by the session's id (see
    /// [`super::receivers::Receivers::reports_by_session`]).
    #[must_use]
    pub(crate) fn reports_by_session(&self) -> HashMap<String, Vec<Report>> {
        self.receivers.reports_by_session()
    }
}

//! The counts of a stream: frames, how late they left, how much was sent, and what receivers report.

use std::time::Instant;

use super::{Frames, Stream, departures::Departures, receivers::Report, sent::Sent};

impl Stream {
    /// The frames that the camera has made, and those that it has skipped because it was late, in all its pipelines. They never
    /// become fewer.
    #[must_use]
    pub fn frames(&self) -> Frames {
        let pipeline = self.pipeline.lock();
        let now = pipeline.as_ref().map(|running| running.frames());
        *self.frames_before.lock() + now.unwrap_or_default()
    }

    /// How late frames left for viewers.
    #[must_use]
    pub fn departures(&self) -> Departures {
        self.departures.read(Instant::now())
    }

    /// How many frames the camera has skipped because it was late.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.frames().skipped
    }

    /// How much RTP has been sent by the transports of those numbers (`rtsp::HeldTransport`), since their sessions set them up.
    /// It never becomes less while these sessions live, through PAUSE and PLAY as well.
    #[must_use]
    pub fn sent_by(&self, transports: impl IntoIterator<Item = usize>) -> Sent {
        let sent = transports.into_iter().map(|number| self.tallies.sent_by(number));
        sent.fold(Sent::default(), |all, one| all + one)
    }

    /// The last report of each medium from the viewer whose session has that id (see
    /// [`super::receivers::Receivers::reports_of`]).
    #[must_use]
    pub fn reports_of(&self, session_id: &str) -> Vec<Report> {
        self.receivers.reports_of(session_id)
    }
}

//! The events as a caller may hear them.

use std::sync::Arc;

use super::{App, access::Admission};
use crate::events::{Entry, Event, Follower};

/// The events that somebody hears: those that are theirs to know, and no others.
pub(super) struct Feed {
    app: Arc<App>,
    admission: Admission,
    follower: Follower,
    /// The stream that all is to be about; `None` for anything.
    stream: Option<String>,
    /// The caller has to log in anew for more.
    is_over: bool,
}

impl Feed {
    /// The events for whoever was let in so, from behind the event of the number `after` on, or else from now on.
    pub(super) fn new(
        app: &Arc<App>,
        admission: Admission,
        (after, stream): (Option<u64>, Option<String>),
    ) -> Self {
        let follower = app.orders.events().follow(after);
        Self {
            app: Arc::clone(app),
            // What has changed since then is told by an event that may be behind already.
            is_over: !admission.holds(app),
            admission,
            follower,
            stream,
        }
    }

    /// The next one, once it is there; `None` where the caller has to log in anew. Whoever stops to wait for it, and waits again,
    /// misses none for that.
    ///
    /// Other log-ins count behind the event that says so, which is the last one then: it may be that a stream is gone.
    pub(super) async fn next(&mut self) -> Option<Entry> {
        while !self.is_over {
            let entry = self.admission.in_session(self.follower.next()).await?;
            let event = match entry {
                Entry::Event(event) => event,
                gap @ Entry::Gap(_) => return self.admission.holds(&self.app).then_some(gap),
            };
            self.is_over = event.what.is_reload() && !self.admission.holds(&self.app);
            if let Some(event) = self.seen(&event) {
                return Some(Entry::Event(event));
            }
        }
        None
    }

    /// Whether every event is theirs to hear: all in a gap were, then. Of others nobody knows, as those are not here any more.
    pub(super) fn has_all(&self) -> bool {
        self.stream.is_none() && self.admission.caller().sees_server().is_ok()
    }

    /// What the caller may know of an event, where it is about the stream.
    fn seen(&self, event: &Arc<Event>) -> Option<Arc<Event>> {
        let stream = self.stream.as_ref();
        let is_of_it = stream.is_none_or(|stream| event.what.is_of(stream));
        is_of_it
            .then(|| self.admission.caller().knows_of(event))
            .flatten()
    }
}

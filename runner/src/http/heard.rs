//! The events as a caller may hear them.

use std::sync::Arc;

use super::{
    App,
    access::{Admission, Caller},
};
use crate::events::{Event, Followed, Follower};

/// Somebody who hears of events, and only of those that are theirs to know.
pub(super) struct Heard {
    app: Arc<App>,
    caller: Caller,
    admission: Admission,
    follower: Follower,
    /// The stream that all is to be about; `None` for anything.
    stream: Option<String>,
}

impl Heard {
    /// Follows the events for `caller`, from behind the event of the number `after` on, or else from now on.
    pub(super) fn new(
        app: &Arc<App>,
        caller: &Caller,
        (after, stream): (Option<u64>, Option<String>),
    ) -> Self {
        Self {
            app: Arc::clone(app),
            caller: caller.clone(),
            admission: Admission::now(app),
            follower: app.orders.events().follow(after),
            stream,
        }
    }

    /// The next one, once it is there; `None` where the caller has to log in anew.
    pub(super) async fn next(&mut self) -> Option<Followed> {
        loop {
            let followed = self.follower.next().await;
            if !self.admission.holds(&self.app) {
                return None;
            }
            match followed {
                Followed::Event(event) => {
                    if let Some(event) = self.seen(&event) {
                        return Some(Followed::Event(event));
                    }
                }
                missed @ Followed::Missed(_) => return Some(missed),
            }
        }
    }

    /// What the caller may know of an event.
    fn seen(&self, event: &Arc<Event>) -> Option<Arc<Event>> {
        if self
            .stream
            .as_ref()
            .is_some_and(|stream| !event.what.is_of(stream))
        {
            return None;
        }
        if self.caller.sees_server().is_ok() {
            return Some(Arc::clone(event));
        }
        let roster = self.app.roster().get();
        let sees = |id: &_| roster.find(id).is_some_and(|served| self.caller.may_see(served));
        let what = event.what.as_seen_by(sees)?;
        Some(Arc::new(Event {
            number: event.number,
            at: event.at,
            what,
        }))
    }
}

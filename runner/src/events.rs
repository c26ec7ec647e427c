//! What happens, with the instant at which it did.
//!
//! Whoever wants to know what happens follows the events ([`Events::follow`]), or listens to them ([`Events::listen`], which only
//! tests do), instead of reading the log, which is told the same. Whoever tells an event waits for nobody: who follows reads the
//! latest ones, each listener has a queue of its own, and both learn how many they have missed.
//!
//! | module | job |
//! | --- | --- |
//! | `happening` | what may happen |
//! | `history` | the latest events, for those who go through them at their own pace |
//! | `places` | where the streams are that an event is about |
//! | `refusal` | why somebody may not play |
//! | `logged` | what the log says of it |
//! | `counts` | how often it has happened |

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{config::Mount, stream_id::StreamId};

mod counts;
mod happening;
mod history;
mod logged;
mod places;
mod refusal;

pub(crate) use counts::{Counts, StreamEvents};
pub(crate) use happening::THE_API;
pub use happening::{Changes, Differences, Farewell, Happening, LoginRefusal, Reload, Viewer};
use history::History;
pub(crate) use history::{Entry, Follower, Gap};
pub(crate) use places::Places;
pub use refusal::Refusal;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Event {
    /// The number of the event: each server counts from 1.
    pub number: u64,
    /// When it happened, by this machine's clock.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub at: Timestamp,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
    /// Where the streams are that it is about.
    #[serde(skip)]
    places: Places,
}

impl Event {
    /// What somebody may know of it who sees the streams at those mounts alone; `None` for nothing.
    pub(crate) fn as_seen_by(&self, sees: impl Fn(&Mount) -> bool) -> Option<Self> {
        let ids = self.places.seen(sees);
        let what = self.what.as_seen_by(|id| ids.contains(id))?;
        Some(Self { what, ..self.clone() })
    }
}

/// The events of a server.
#[derive(Debug, Default)]
pub struct Events {
    /// One event is told after the other, to everybody in the same order.
    state: Mutex<State>,
    /// How many events were gone before somebody who follows them came to them, all in all.
    missed: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    number: u64,
    history: History,
    listeners: Vec<Subscription>,
    counts: Counts,
}

/// The sending end of a listener's queue.
#[derive(Debug)]
struct Subscription {
    queue: SyncSender<Arc<Event>>,
    missed: Weak<AtomicU64>,
}

/// Somebody who hears of events, from when this was made until it is dropped: a test that wants each as it comes.
#[derive(Debug)]
pub struct Listener {
    queue: Receiver<Arc<Event>>,
    missed: Arc<AtomicU64>,
}

impl Events {
    /// Tells all listeners that this happened now, to the server as a whole.
    pub(crate) fn tell(&self, what: Happening) {
        self.tell_of(Places::default(), what);
    }

    /// Tells all listeners that this happened now, to the streams that are to be found there.
    ///
    /// The log writes its lines on a thread of its own, and loses some where nobody reads them: a pipe that is full holds up
    /// nobody here. To make a line takes some µs all the same, more where another configuration counts. So it is made before
    /// the lock is taken, for which a thread that streams may wait: the log has the lines of two threads in another order than
    /// listeners have the events where both happen at the same instant, and no listener hears of what the log does not know.
    pub(crate) fn tell_of(&self, places: Places, what: Happening) {
        logged::log(&what);
        let size = what.size() + places.size();
        let mut state = self.state.lock();
        state.number += 1;
        let event = Event {
            number: state.number,
            at: Timestamp::now(),
            what,
            places,
        };
        state.counts.add(&event.what);
        let event = Arc::new(event);
        state.history.keep(Arc::clone(&event), size);
        state
            .listeners
            .retain(|subscription| subscription.deliver(&event));
    }

    /// Counts what happens to these streams from now on, and to no others.
    pub(crate) fn count_for(&self, streams: impl Iterator<Item = StreamId>) {
        self.state.lock().counts.keep(streams);
    }

    /// How often what has happened so far.
    pub(crate) fn counts(&self) -> Counts {
        self.state.lock().counts.clone()
    }

    /// How many events were gone before somebody who follows them came to them, of all who have followed so far.
    pub(crate) fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }

    /// Listens from now on; `waiting` events at most wait until they are asked for.
    #[must_use]
    pub fn listen(&self, waiting: usize) -> Listener {
        let (sender, queue) = sync_channel(waiting);
        let missed = Arc::default();
        let mut state = self.state.lock();
        state.listeners.retain(Subscription::is_there);
        state.listeners.push(Subscription {
            queue: sender,
            missed: Arc::downgrade(&missed),
        });
        drop(state);
        Listener { queue, missed }
    }
}

impl Subscription {
    /// Whether somebody still listens.
    fn is_there(&self) -> bool {
        self.missed.strong_count() > 0
    }

    /// Puts `event` into the queue, or counts it as missed; answers whether somebody still listens.
    fn deliver(&self, event: &Arc<Event>) -> bool {
        let Some(missed) = self.missed.upgrade() else {
            return false;
        };
        if self.queue.try_send(Arc::clone(event)).is_err() {
            missed.fetch_add(1, Ordering::Relaxed);
        }
        true
    }
}

impl Listener {
    /// The next event, for which this waits no longer than `patience`.
    #[must_use]
    pub fn next(&self, patience: Duration) -> Option<Arc<Event>> {
        self.queue.recv_timeout(patience).ok()
    }

    /// How many events so far did not fit into the queue.
    #[must_use]
    pub fn missed(&self) -> u64 {
        self.missed.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn skipped(frames: u64) -> Happening {
        Happening::StreamSkipped {
            streams: Vec::new(),
            name: String::new(),
            frames,
        }
    }

    fn frames(event: &Event) -> u64 {
        match event.what {
            Happening::StreamSkipped { frames, .. } => frames,
            _ => panic!("{event:?}"),
        }
    }

    #[test]
    fn everybody_hears_the_same_in_the_same_order() {
        let events = Arc::new(Events::default());
        let listeners = [(); 3].map(|()| events.listen(1000));
        std::thread::scope(|scope| {
            for teller in 0..4 {
                let events = &events;
                scope.spawn(move || (0..100).for_each(|number| events.tell(skipped(teller * 100 + number))));
            }
        });
        let heard = listeners.map(|listener| {
            let all = std::iter::from_fn(|| listener.next(Duration::ZERO)).collect::<Vec<_>>();
            assert_eq!((all.len(), listener.missed()), (400, 0));
            all
        });
        assert_eq!(heard[0], heard[1]);
        assert_eq!(heard[0], heard[2]);
        assert!(
            heard[0]
                .iter()
                .zip(1..)
                .all(|(event, number)| event.number == number)
        );
    }

    #[test]
    fn who_does_not_listen_holds_nobody_up_and_learns_how_much_it_missed() {
        let events = Events::default();
        let (slow, quick) = (events.listen(2), events.listen(10));
        (1..=5).for_each(|number| events.tell(skipped(number)));
        let heard = |listener: &Listener| {
            std::iter::from_fn(|| listener.next(Duration::ZERO).map(|event| frames(&event)))
                .collect::<Vec<_>>()
        };
        assert_eq!((heard(&slow), slow.missed()), (vec![1, 2], 3));
        assert_eq!((heard(&quick), quick.missed()), (vec![1, 2, 3, 4, 5], 0));
        events.tell(skipped(6));
        assert_eq!((heard(&slow), slow.missed()), (vec![6], 3));
    }

    #[test]
    fn who_has_gone_is_forgotten() {
        let events = Events::default();
        (0..100).for_each(|_| drop(events.listen(1)));
        assert_eq!(events.state.lock().listeners.len(), 1);
        events.tell(skipped(1));
        assert!(events.state.lock().listeners.is_empty());
        let late = events.listen(1);
        assert_eq!(late.next(Duration::ZERO), None);
    }

    #[test]
    fn nobody_waits_for_a_line_of_the_log() {
        let events = Arc::new(Events::default());
        let (writing, numbers) = std::sync::mpsc::channel();
        let asked = Arc::clone(&events);
        let writer = move || {
            let number = asked.state.try_lock().map(|state| state.number);
            writing.send(number).unwrap();
            std::io::sink()
        };
        let log = tracing_subscriber::fmt().with_writer(writer).finish();
        // The log makes up its mind about a line once for all threads: this one is no other test's.
        let refused = Happening::LoginRefused {
            peer: None,
            user: "anna".into(),
            why: LoginRefusal::Forbidden { path: "/yard".into() },
            held_back: Some(0),
        };
        tracing::subscriber::with_default(log, || events.tell(refused));
        assert_eq!(numbers.try_iter().collect::<Vec<_>>(), [Some(0)]);
    }

    #[test]
    fn somebody_knows_what_happens_where_they_may_see() {
        let mount = |path: &str| Mount {
            address: [127, 0, 0, 1].into(),
            port: 8554,
            tls: false,
            path: path.into(),
        };
        let (door, yard) = (StreamId::new("door"), StreamId::new("yard"));
        let places = [(mount("/door"), door.clone()), (mount("/yard"), yard.clone())];
        let events = Events::default();
        let listener = events.listen(2);
        let streams = Differences {
            changed: vec![door.clone()],
            removed: vec![yard.clone(), door.clone()],
            ..Differences::default()
        };
        let reload = Some(Reload {
            source: "a file".into(),
            changes: Changes::default(),
        });
        let reloaded = Happening::Reloaded {
            streams,
            needs_login: true,
            reload,
        };
        events.tell_of(places.into_iter().collect(), reloaded);
        let event = listener.next(Duration::ZERO).unwrap();
        assert!(event.what.is_of("yard") && event.what.is_of("door") && !event.what.is_of("hall"));
        let seen = |path: &str| event.as_seen_by(|mount| mount.path == path);
        assert_eq!(
            serde_json::to_value(seen("/yard").unwrap().what).unwrap(),
            serde_json::json!({
                "type": "reloaded", "needsLogin": true,
                "streams": { "added": [], "changed": [], "replaced": [], "removed": ["yard"] }
            })
        );
        assert_eq!(seen("/hall"), None);
        events.tell(Happening::LoginRefused {
            peer: None,
            user: "anna".into(),
            why: LoginRefusal::Wrong,
            held_back: None,
        });
        let refused = listener.next(Duration::ZERO).unwrap();
        assert_eq!(refused.as_seen_by(|_| true), None, "it is about the server");
    }

    #[test]
    fn an_event_is_plain_json() {
        let event = Event {
            number: 7,
            at: "2026-03-01T12:00:00.123456Z".parse().unwrap(),
            what: skipped(3),
            places: Places::default(),
        };
        assert_eq!(
            serde_json::to_value(&event).unwrap(),
            serde_json::json!({
                "number": 7, "at": "2026-03-01T12:00:00.123456Z",
                "type": "streamSkipped", "streams": [], "frames": 3
            })
        );
    }
}

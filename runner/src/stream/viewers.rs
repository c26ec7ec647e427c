//! Who is playing a stream, and who may; the `clients` property of its source is set here.

use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use gst::{glib, prelude::*};
use parking_lot::Mutex;

use super::{
    client::ClientHandle,
    seats::{Seat, Seats},
};
use crate::{
    config::Mount,
    events::{Events, Farewell, Happening, Places, Refusal, Viewer},
    stream_id::StreamId,
};

/// Where a viewer plays: which mount, and in which session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    session: String,
    mount: Mount,
}

impl Place {
    /// The place of a viewer of the stream at `mount`, in the session of that id.
    #[must_use]
    pub(crate) fn new(session: String, mount: Mount) -> Self {
        Self { session, mount }
    }
}

/// The viewers of one stream, by the session in which they play it: session and path make a viewer, connections do
/// not.
///
/// A viewer counts from PLAY until its session ends, through PAUSE as well: it has the stream open and may go on at any
/// moment.
#[derive(Debug, Default)]
pub(crate) struct Viewers {
    events: Arc<Events>,
    state: Mutex<State>,
    /// How many play or are about to, for who asks at each packet; written under the lock.
    present: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    /// The streams that show the picture.
    streams: Places,
    /// How many viewers each of the streams may have.
    most: Option<usize>,
    by_place: BTreeMap<Place, Playing>,
    /// The seats of those whose PLAY is being handled.
    admitted: BTreeMap<Place, Seat>,
    /// The source of the pipeline that runs now.
    source: glib::WeakRef<gst::Element>,
    /// The sources of pictures for those who look without playing.
    others: Vec<glib::WeakRef<gst::Element>>,
}

/// A viewer who plays.
#[derive(Debug)]
struct Playing {
    /// What the stream was called when it began.
    stream: StreamId,
    viewer: Viewer,
    client: Option<Arc<ClientHandle>>,
    _seat: Option<Seat>,
    /// Why the viewer has been sent away, if it has been.
    is_sent_away: Option<Farewell>,
}

impl Viewers {
    /// No viewers yet; there may be `most` at a time. `events` are told who comes and goes.
    #[must_use]
    pub(crate) fn new(most: Option<u32>, events: Arc<Events>) -> Self {
        let viewers = Self {
            events,
            ..Self::default()
        };
        viewers.limit(most);
        viewers
    }

    /// Allows `most` viewers from now on. Those who play, play on.
    pub(crate) fn limit(&self, most: Option<u32>) {
        self.state.lock().most = most.map(|most| usize::try_from(most).unwrap_or(usize::MAX));
    }

    /// Has the picture shown by these streams from now on.
    pub(crate) fn set_streams(&self, streams: Places) {
        let mut state = self.state.lock();
        // Where they are the same, all events share them.
        if state.streams != streams {
            state.streams = streams;
        }
    }

    /// The streams that show the picture.
    pub(crate) fn streams(&self) -> Places {
        self.state.lock().streams.clone()
    }

    /// Keeps a seat of `server` for the viewer at `place`, who is about to play: of two who come at once for the last one,
    /// one gets it.
    ///
    /// # Errors
    /// When no seat is free.
    pub(crate) fn admit(&self, place: &Place, server: &Arc<Seats>) -> Result<(), Refusal> {
        let mut state = self.state.lock();
        if state.has(place) {
            return Ok(());
        }
        state.check(place)?;
        let seat = server
            .take()
            .ok_or_else(|| Refusal::ServerFull { most: server.most() })?;
        state.admitted.insert(place.clone(), seat);
        // The picture that the viewer will see first counts it already, and is made before it plays.
        self.show(&state);
        Ok(())
    }

    /// Frees the seat of the viewer at `place`, as its PLAY has failed.
    pub(crate) fn dismiss(&self, place: &Place) {
        let mut state = self.state.lock();
        if state.admitted.remove(place).is_some() {
            self.show(&state);
        }
    }

    /// Whether a viewer at `place` could play now. Another one may still be faster.
    ///
    /// # Errors
    /// When nobody else may play.
    pub(crate) fn would_admit(&self, place: &Place, server: &Seats) -> Result<(), Refusal> {
        let state = self.state.lock();
        if state.has(place) {
            return Ok(());
        }
        state.check(place)?;
        if server.has_one() {
            Ok(())
        } else {
            Err(Refusal::ServerFull { most: server.most() })
        }
    }

    /// Tells that somebody could not play the stream at `mount`; the log has left out so many of the kind, or leaves out this
    /// one.
    pub(crate) fn tell_refused(
        &self,
        mount: &Mount,
        peer: Option<SocketAddr>,
        why: Refusal,
        held_back: Option<u64>,
    ) {
        let stream = self.state.lock().stream_at(mount);
        let refused = Happening::ViewerRefused {
            stream: stream.clone(),
            path: mount.path.clone(),
            peer,
            why,
            held_back,
        };
        self.events.tell_of(places(mount, stream), refused);
    }

    /// How many viewers there are.
    #[must_use]
    pub(crate) fn count(&self) -> usize {
        self.state.lock().by_place.len()
    }

    /// How many of them play what is mounted there.
    pub(crate) fn count_at(&self, mounts: &[Mount]) -> usize {
        let state = self.state.lock();
        let all = state.by_place.keys();
        all.filter(|place| mounts.contains(&place.mount)).count()
    }

    /// Those who play what is mounted there.
    pub(crate) fn at(&self, mounts: &[Mount]) -> Vec<Viewer> {
        let state = self.state.lock();
        let playing = state.by_place.iter();
        let playing = playing.filter(|(place, _)| mounts.contains(&place.mount));
        playing.map(|(_, playing)| playing.viewer.clone()).collect()
    }

    /// Closes the connection of whoever plays at `place`.
    pub(crate) fn send_away_from(&self, place: &Place, why: Farewell) {
        let client = self.state.lock().by_place.get_mut(place).and_then(|playing| {
            playing.is_sent_away.get_or_insert(why);
            playing.client.clone()
        });
        if let Some(client) = client {
            client.close();
        }
    }

    /// Their connections are about to be closed for that reason.
    pub(crate) fn will_leave(&self, why: Farewell) {
        for playing in self.state.lock().by_place.values_mut() {
            playing.is_sent_away.get_or_insert(why);
        }
    }

    /// Whether nobody plays or is about to.
    #[must_use]
    pub(crate) fn are_none(&self) -> bool {
        self.present.load(Ordering::Relaxed) == 0
    }

    /// Shows the number of viewers on the picture of `source` from now on.
    pub(crate) fn show_on(&self, source: &gst::Element) {
        let state = self.state.lock();
        state.source.set(Some(source));
        self.show(&state);
    }

    /// Shows it on the picture of `source` as well, as long as that is there.
    pub(crate) fn show_on_another(&self, source: &gst::Element) {
        let mut state = self.state.lock();
        state.others.retain(|other| other.upgrade().is_some());
        state.others.push(source.downgrade());
        self.show(&state);
    }

    /// Notes that the viewer at `place` plays, as `client` has asked for; it is counted if it is new.
    pub(crate) fn play(&self, place: Place, viewer: Viewer, client: Option<Arc<ClientHandle>>) {
        let mut state = self.state.lock();
        if state.by_place.contains_key(&place) {
            return;
        }
        let seat = state.admitted.remove(&place);
        let stream = state.stream_at(&place.mount);
        let joined = Happening::ViewerJoined {
            stream: stream.clone(),
            path: place.mount.path.clone(),
            viewer: viewer.clone(),
            viewers: state.count_beside(&place) + 1,
        };
        let places = places(&place.mount, stream.clone());
        let playing = Playing {
            stream,
            viewer,
            client,
            _seat: seat,
            is_sent_away: None,
        };
        state.by_place.insert(place, playing);
        self.events.tell_of(places, joined);
        self.show(&state);
    }

    /// Notes that the viewer at `place` plays no longer.
    pub(crate) fn leave(&self, place: &Place, why: Farewell) {
        self.remove(&mut self.state.lock(), place, why);
    }

    /// Notes that `session` is over, and all that it plays.
    pub(crate) fn leave_all(&self, session: &str, why: Farewell) {
        let mut state = self.state.lock();
        for place in state.places_of(session) {
            self.remove(&mut state, &place, why);
        }
    }

    /// Closes the connections of the viewers that `concerns` picks, and notes why. Answers how many there are.
    pub(crate) fn send_away(&self, why: Farewell, concerns: impl Fn(&Mount, &Viewer) -> bool) -> usize {
        let mut clients = Vec::new();
        let mut state = self.state.lock();
        for (place, playing) in &mut state.by_place {
            if playing.is_sent_away.is_none() && concerns(&place.mount, &playing.viewer) {
                playing.is_sent_away = Some(why);
                clients.push(playing.client.clone());
            }
        }
        // The lock goes first: a client's end takes it again.
        drop(state);
        for client in clients.iter().flatten() {
            client.close();
        }
        clients.len()
    }

    /// Under the lock, so that two changes cannot overtake each other on their way to the picture.
    fn show(&self, state: &State) {
        let present = state.by_place.len() + state.admitted.len();
        self.present.store(present, Ordering::Relaxed);
        let sources = std::iter::once(&state.source).chain(&state.others);
        for source in sources.filter_map(glib::WeakRef::upgrade) {
            if source.has_property_with_type("clients", u32::static_type()) {
                source.set_property("clients", u32::try_from(present).unwrap_or(u32::MAX));
            }
        }
    }

    fn remove(&self, state: &mut State, place: &Place, why: Farewell) {
        if state.admitted.remove(place).is_some() {
            self.show(state);
        }
        let Some(playing) = state.by_place.remove(place) else {
            return;
        };
        let places = places(&place.mount, playing.stream.clone());
        let left = Happening::ViewerLeft {
            stream: playing.stream,
            path: place.mount.path.clone(),
            why: playing.is_sent_away.unwrap_or(why),
            viewer: playing.viewer,
            viewers: state.count_beside(place),
        };
        self.events.tell_of(places, left);
        self.show(state);
    }
}

/// The one place of the stream that somebody plays there.
fn places(mount: &Mount, stream: StreamId) -> Places {
    Places::from_iter([(mount.clone(), stream)])
}

impl State {
    /// The id of the stream at `mount`.
    fn stream_at(&self, mount: &Mount) -> StreamId {
        let id = self.streams.id_at(mount).cloned();
        id.unwrap_or_else(|| StreamId::new(""))
    }

    /// Whether the viewer at `place` plays or is about to.
    fn has(&self, place: &Place) -> bool {
        self.by_place.contains_key(place) || self.admitted.contains_key(place)
    }

    fn check(&self, place: &Place) -> Result<(), Refusal> {
        match self.most {
            Some(most) if self.taken_beside(place) >= most => Err(Refusal::StreamFull { most }),
            _ => Ok(()),
        }
    }

    /// Whether `other` is in the same stream as `place`: one that speaks TLS as well has two mounts.
    fn is_beside(&self, place: &Place, other: &Place) -> bool {
        let name = |place: &Place| self.streams.id_at(&place.mount);
        place.mount == other.mount || name(place).is_some() && name(place) == name(other)
    }

    /// How many play the stream at `place`.
    fn count_beside(&self, place: &Place) -> usize {
        let all = self.by_place.keys();
        all.filter(|other| self.is_beside(place, other)).count()
    }

    /// How many play the stream at `place`, or are about to.
    fn taken_beside(&self, place: &Place) -> usize {
        let admitted = self.admitted.keys();
        let admitted = admitted.filter(|other| self.is_beside(place, other)).count();
        self.count_beside(place) + admitted
    }

    /// The places where `session` plays, or is about to.
    fn places_of(&self, session: &str) -> Vec<Place> {
        let least = Mount {
            address: Ipv4Addr::UNSPECIFIED.into(),
            port: 0,
            tls: false,
            path: String::new(),
        };
        let first = Place::new(session.to_owned(), least);
        let is_of_session = |place: &&Place| place.session == session;
        let playing = self.by_place.range(&first..).map(|(place, _)| place);
        let admitted = self.admitted.range(&first..).map(|(place, _)| place);
        playing
            .take_while(is_of_session)
            .chain(admitted.take_while(is_of_session))
            .cloned()
            .collect()
    }
}

#[cfg(test)]
mod tests;

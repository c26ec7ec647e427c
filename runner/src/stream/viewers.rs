//! Who is playing a stream, and who may; sets `clients`.

use std::{
    collections::BTreeMap,
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use gst::{glib, prelude::*};
use jiff::Timestamp;
use parking_lot::Mutex;

use super::seats::{Seat, Seats};

/// How a viewer gets the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// RTP over UDP.
    Udp,
    /// RTP over UDP, to a group that others have joined as well.
    Multicast,
    /// RTP within the RTSP connection.
    Tcp,
    /// RTP within RTSP within HTTP.
    HttpTunnel,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
            Self::Multicast => "multicast",
            Self::Tcp => "TCP",
            Self::HttpTunnel => "HTTP tunnel",
        })
    }
}

/// Why a viewer is one no longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Farewell {
    /// It said so.
    Teardown,
    /// Its connection has ended: the viewer closed it, it broke, or the server is being stopped.
    Disconnected,
    /// It showed no sign of life for too long.
    TimedOut,
    /// It is there, and does not read what it is sent, or too slowly.
    NotReading,
    /// Nothing has come from its system since it was sent what it has not taken.
    Unreachable,
}

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Teardown => "TEARDOWN",
            Self::Disconnected => "its connection has ended",
            Self::TimedOut => "no sign of life",
            Self::NotReading => "it does not read, or too slowly",
            Self::Unreachable => "it cannot be reached",
        })
    }
}

/// A client that plays the stream.
#[derive(Debug, Clone)]
pub struct Viewer {
    /// Where its RTSP connection comes from, where that is known.
    pub peer: Option<SocketAddr>,
    /// How it gets the stream.
    pub transport: Transport,
    /// Who has logged in; `None` where everybody may watch.
    pub user: Option<String>,
    /// When it began to play.
    pub since: Timestamp,
}

impl fmt::Display for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.peer {
            Some(peer) => write!(f, "{peer} ({})", self.transport),
            None => write!(f, "unknown address ({})", self.transport),
        }
    }
}

/// What a viewer plays, and in which session.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    session: String,
    path: String,
    /// Where the configuration has the server listen: one picture may be at the same path of several ports.
    endpoint: SocketAddr,
}

impl Place {
    /// The stream at `path` of `endpoint`, in the session of that id.
    #[must_use]
    pub fn new(session: String, path: String, endpoint: SocketAddr) -> Self {
        Self {
            session,
            path,
            endpoint,
        }
    }

    /// Whether somebody else may have the same stream there.
    fn is_beside(&self, other: &Self) -> bool {
        (&self.path, self.endpoint) == (&other.path, other.endpoint)
    }
}

/// Why nobody more may play.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The stream has as many viewers as it may have.
    Stream(usize),
    /// The server has.
    Server(usize),
}

impl fmt::Display for Full {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream(most) => write!(f, "the stream has its maxViewers, {most}"),
            Self::Server(most) => write!(f, "the server has its maxServerViewers, {most}"),
        }
    }
}

/// The viewers of one stream, by the session in which they play it: session and path make a viewer, connections do
/// not.
///
/// A viewer counts from PLAY until its session ends, through PAUSE as well: it has the stream open and may go on at any
/// moment.
#[derive(Debug, Default)]
pub struct Viewers {
    /// How many there may be at one path of one endpoint.
    most: Option<usize>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_place: BTreeMap<Place, (Viewer, Option<Seat>)>,
    /// Those whose PLAY is on its way.
    admitted: BTreeMap<Place, Seat>,
    /// The source of the pipeline that runs now.
    source: glib::WeakRef<gst::Element>,
}

impl Viewers {
    /// Nobody yet, and `most` at a time.
    #[must_use]
    pub fn new(most: Option<u32>) -> Self {
        Self {
            most: most.map(|most| usize::try_from(most).unwrap_or(usize::MAX)),
            ..Self::default()
        }
    }

    /// Keeps a seat of `server` for the viewer at `place`, who is about to play: of two who come at once for the last one,
    /// one gets it.
    ///
    /// # Errors
    /// When there is none.
    pub fn admit(&self, place: &Place, server: &Arc<Seats>) -> Result<(), Full> {
        let mut state = self.state.lock();
        if state.has(place) {
            return Ok(());
        }
        self.check(&state, place)?;
        let seat = server.take().ok_or(Full::Server(server.most()))?;
        state.admitted.insert(place.clone(), seat);
        // It counts in the picture that it will see first, which is made before it plays.
        state.show();
        Ok(())
    }

    /// The PLAY of the viewer at `place` has failed: its seat is free.
    pub fn dismiss(&self, place: &Place) {
        let mut state = self.state.lock();
        if state.admitted.remove(place).is_some() {
            state.show();
        }
    }

    /// Whether somebody at `place` could play now. Others may be faster.
    ///
    /// # Errors
    /// When nobody more may.
    pub fn would_admit(&self, place: &Place, server: &Seats) -> Result<(), Full> {
        let state = self.state.lock();
        if state.has(place) {
            return Ok(());
        }
        self.check(&state, place)?;
        if server.has_one() {
            Ok(())
        } else {
            Err(Full::Server(server.most()))
        }
    }

    fn check(&self, state: &State, place: &Place) -> Result<(), Full> {
        match self.most {
            Some(most) if state.taken_beside(place) >= most => Err(Full::Stream(most)),
            _ => Ok(()),
        }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.state.lock().by_place.len()
    }

    /// Whether nobody plays, nor is about to.
    #[must_use]
    pub fn are_none(&self) -> bool {
        let state = self.state.lock();
        state.by_place.is_empty() && state.admitted.is_empty()
    }

    /// Those who play.
    #[cfg(test)]
    pub(crate) fn playing(&self) -> Vec<Viewer> {
        let state = self.state.lock();
        state
            .by_place
            .values()
            .map(|(viewer, _)| viewer.clone())
            .collect()
    }

    /// Tells the number of viewers to `source` from now on.
    pub fn show_on(&self, source: &gst::Element) {
        let state = self.state.lock();
        state.source.set(Some(source));
        state.show();
    }

    /// The viewer at `place` plays: counted if it is new.
    pub fn play(&self, place: Place, viewer: Viewer) {
        let mut state = self.state.lock();
        if state.by_place.contains_key(&place) {
            return;
        }
        let seat = state.admitted.remove(&place);
        let watching = viewer.to_string();
        let (path, viewers) = (place.path.clone(), state.count_beside(&place) + 1);
        state.by_place.insert(place, (viewer, seat));
        tracing::info!(path, viewers, "{watching} is watching");
        state.show();
    }

    /// The viewer at `place` plays no longer.
    pub fn leave(&self, place: &Place, why: Farewell) {
        self.state.lock().remove(place, why);
    }

    /// `session` is over.
    pub fn leave_all(&self, session: &str, why: Farewell) {
        let mut state = self.state.lock();
        let least = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        let first = Place::new(session.to_owned(), String::new(), least);
        let is_of_session = |place: &&Place| place.session == session;
        let playing = state.by_place.range(&first..).map(|(place, _)| place);
        let admitted = state.admitted.range(&first..).map(|(place, _)| place);
        let places: Vec<Place> = playing
            .take_while(is_of_session)
            .chain(admitted.take_while(is_of_session))
            .cloned()
            .collect();
        for place in places {
            state.remove(&place, why);
        }
    }
}

impl State {
    /// Whether the viewer at `place` plays or is about to.
    fn has(&self, place: &Place) -> bool {
        self.by_place.contains_key(place) || self.admitted.contains_key(place)
    }

    /// How many play where `place` is.
    fn count_beside(&self, place: &Place) -> usize {
        self.by_place
            .keys()
            .filter(|other| place.is_beside(other))
            .count()
    }

    /// How many play where `place` is, or are about to.
    fn taken_beside(&self, place: &Place) -> usize {
        let admitted = self.admitted.keys().filter(|other| place.is_beside(other));
        self.count_beside(place) + admitted.count()
    }

    fn remove(&mut self, place: &Place, why: Farewell) {
        if self.admitted.remove(place).is_some() {
            self.show();
        }
        if let Some((viewer, _seat)) = self.by_place.remove(place) {
            let (path, viewers) = (&place.path, self.count_beside(place));
            tracing::info!(path, viewers, "{viewer} has left: {why}");
            self.show();
        }
    }

    /// Under the lock, so that two changes cannot overtake each other on their way to the picture.
    fn show(&self) {
        let count = u32::try_from(self.by_place.len() + self.admitted.len()).unwrap_or(u32::MAX);
        if let Some(source) = self.source.upgrade()
            && source.has_property_with_type("clients", u32::static_type())
        {
            source.set_property("clients", count);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer() -> Viewer {
        Viewer {
            peer: Some(([192, 0, 2, 7], 5000).into()),
            transport: Transport::Udp,
            user: None,
            since: Timestamp::UNIX_EPOCH,
        }
    }

    fn place(session: &str, path: &str) -> Place {
        Place::new(session.into(), path.into(), ([0, 0, 0, 0], 8554).into())
    }

    fn count_at(viewers: &Viewers, path: &str) -> usize {
        viewers.state.lock().count_beside(&place("", path))
    }

    #[test]
    fn a_session_counts_once_until_it_ends() {
        let viewers = Viewers::default();
        for session in ["a", "a", "b"] {
            viewers.play(place(session, "/live"), viewer());
        }
        assert_eq!(viewers.count(), 2);
        for session in ["a", "a", "never seen"] {
            viewers.leave(&place(session, "/live"), Farewell::Teardown);
        }
        assert_eq!(viewers.count(), 1);
    }

    #[test]
    fn a_session_may_play_the_picture_at_several_paths() {
        let viewers = Viewers::default();
        for (session, path) in [("a", "/1"), ("a", "/2"), ("b", "/2"), ("ab", "/1")] {
            viewers.play(place(session, path), viewer());
        }
        assert_eq!((viewers.count(), count_at(&viewers, "/2")), (4, 2));
        viewers.leave_all("a", Farewell::Disconnected);
        assert_eq!((viewers.count(), count_at(&viewers, "/2")), (2, 1));
    }

    #[test]
    fn a_stream_has_no_more_viewers_at_a_path_than_it_may() {
        let (viewers, server) = (Viewers::new(Some(2)), Arc::new(Seats::new(None)));
        let admit = |session: &str, path: &str| viewers.admit(&place(session, path), &server);
        assert_eq!((admit("a", "/1"), admit("b", "/1")), (Ok(()), Ok(())));
        viewers.play(place("a", "/1"), viewer());
        // Whoever has a seat keeps it, whether it plays by now or not.
        assert_eq!((admit("a", "/1"), admit("b", "/1")), (Ok(()), Ok(())));
        assert_eq!(admit("c", "/1"), Err(Full::Stream(2)));
        assert_eq!(
            viewers.would_admit(&place("c", "/1"), &server),
            Err(Full::Stream(2))
        );
        assert_eq!(admit("c", "/2"), Ok(()));
        assert_eq!(viewers.count(), 1);
        viewers.leave_all("b", Farewell::Disconnected);
        assert_eq!(admit("c", "/1"), Ok(()));
    }

    #[test]
    fn the_same_path_of_another_port_is_another_place() {
        let (viewers, server) = (Viewers::new(Some(1)), Arc::new(Seats::new(None)));
        for port in [8554, 8555] {
            let place =
                |session: &str| Place::new(session.into(), "/live".into(), ([0, 0, 0, 0], port).into());
            assert_eq!(viewers.admit(&place("a"), &server), Ok(()));
            assert_eq!(viewers.admit(&place("b"), &server), Err(Full::Stream(1)));
        }
    }

    #[test]
    fn streams_share_the_servers_seats() {
        let server = Arc::new(Seats::new(Some(2)));
        let streams = [Viewers::default(), Viewers::default()];
        for stream in &streams {
            assert_eq!(stream.admit(&place("a", "/live"), &server), Ok(()));
            stream.play(place("a", "/live"), viewer());
        }
        let late = place("b", "/live");
        assert_eq!(streams[0].admit(&late, &server), Err(Full::Server(2)));
        assert_eq!(streams[0].would_admit(&late, &server), Err(Full::Server(2)));
        streams[1].leave(&place("a", "/live"), Farewell::Teardown);
        assert_eq!(streams[0].would_admit(&late, &server), Ok(()));
        assert_eq!(streams[0].admit(&late, &server), Ok(()));
    }

    #[test]
    fn a_viewer_reads_as_address_and_transport() {
        assert_eq!(viewer().to_string(), "192.0.2.7:5000 (UDP)");
        let tunnelled = Viewer {
            peer: None,
            transport: Transport::HttpTunnel,
            ..viewer()
        };
        assert_eq!(tunnelled.to_string(), "unknown address (HTTP tunnel)");
    }
}

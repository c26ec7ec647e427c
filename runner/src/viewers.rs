//! Who is playing a stream; sets `clients`.

use std::{
    collections::BTreeMap,
    fmt,
    net::SocketAddr,
    sync::{Mutex, MutexGuard, PoisonError},
};

use gst::{glib, prelude::*};

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
    /// Its connection has ended, from either side: gst-rtsp-server does not say whether the viewer closed it, it broke,
    /// or the system gave it up because the viewer did not read.
    Disconnected,
    /// It showed no sign of life for too long.
    TimedOut,
}

impl fmt::Display for Farewell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Teardown => "TEARDOWN",
            Self::Disconnected => "its connection has ended",
            Self::TimedOut => "no sign of life",
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
}

impl Place {
    /// The stream at `path`, in the session of that id.
    #[must_use]
    pub fn new(session: String, path: String) -> Self {
        Self { session, path }
    }
}

/// The viewers of one stream, by the session in which they play it: session and path make a viewer, connections do
/// not.
///
/// A viewer counts from PLAY until its session ends, through PAUSE as well: it has the stream open and may go on at any
/// moment.
#[derive(Debug, Default)]
pub struct Viewers {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    by_place: BTreeMap<Place, Viewer>,
    /// The source of the pipeline that runs now.
    source: glib::WeakRef<gst::Element>,
}

impl Viewers {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().by_place.len()
    }

    /// Tells the number of viewers to `source` from now on.
    pub fn show_on(&self, source: &gst::Element) {
        let state = self.lock();
        state.source.set(Some(source));
        state.show();
    }

    /// The viewer at `place` plays: counted if it is new.
    pub fn play(&self, place: Place, viewer: Viewer) {
        let mut state = self.lock();
        if state.by_place.contains_key(&place) {
            return;
        }
        let path = place.path.clone();
        let watching = viewer.to_string();
        state.by_place.insert(place, viewer);
        tracing::info!(path, viewers = state.count_at(&path), "{watching} is watching");
        state.show();
    }

    /// The viewer at `place` plays no longer.
    pub fn leave(&self, place: &Place, why: Farewell) {
        self.lock().remove(place, why);
    }

    /// `session` is over.
    pub fn leave_all(&self, session: &str, why: Farewell) {
        let mut state = self.lock();
        let first = Place::new(session.to_owned(), String::new());
        let of_session = state
            .by_place
            .range(first..)
            .take_while(|(place, _)| place.session == session);
        let places: Vec<Place> = of_session.map(|(place, _)| place.clone()).collect();
        for place in places {
            state.remove(&place, why);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count_at(&self, path: &str) -> usize {
        self.by_place.keys().filter(|place| place.path == path).count()
    }

    fn remove(&mut self, place: &Place, why: Farewell) {
        if let Some(viewer) = self.by_place.remove(place) {
            let path = &place.path;
            tracing::info!(path, viewers = self.count_at(path), "{viewer} has left: {why}");
            self.show();
        }
    }

    /// Under the lock, so that two changes cannot overtake each other on their way to the picture.
    fn show(&self) {
        let count = u32::try_from(self.by_place.len()).unwrap_or(u32::MAX);
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
        }
    }

    fn place(session: &str, path: &str) -> Place {
        Place::new(session.into(), path.into())
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
        assert_eq!((viewers.count(), viewers.lock().count_at("/2")), (4, 2));
        viewers.leave_all("a", Farewell::Disconnected);
        assert_eq!((viewers.count(), viewers.lock().count_at("/2")), (2, 1));
    }

    #[test]
    fn a_viewer_reads_as_address_and_transport() {
        assert_eq!(viewer().to_string(), "192.0.2.7:5000 (UDP)");
        let tunnelled = Viewer {
            peer: None,
            transport: Transport::HttpTunnel,
        };
        assert_eq!(tunnelled.to_string(), "unknown address (HTTP tunnel)");
    }
}

//! Who is playing a stream; sets `clients`.

use std::{
    collections::HashMap,
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
    /// RTP within the RTSP connection.
    Tcp,
    /// RTP within RTSP within HTTP.
    HttpTunnel,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "UDP",
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

/// The viewers of one stream, by the session in which they play it: session and media make a viewer, connections do
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
    by_session: HashMap<String, Viewer>,
    /// The source of the pipeline that runs now.
    source: glib::WeakRef<gst::Element>,
}

impl Viewers {
    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().by_session.len()
    }

    /// Tells the number of viewers to `source` from now on.
    pub fn show_on(&self, source: &gst::Element) {
        let state = self.lock();
        state.source.set(Some(source));
        state.show();
    }

    /// The viewer of `session` plays: counted if it is new.
    pub fn play(&self, session: &str, viewer: Viewer) {
        let mut state = self.lock();
        if state.by_session.contains_key(session) {
            return;
        }
        tracing::info!(viewers = state.by_session.len() + 1, "{viewer} is watching");
        state.by_session.insert(session.to_owned(), viewer);
        state.show();
    }

    /// `session` is over.
    pub fn leave(&self, session: &str, why: Farewell) {
        let mut state = self.lock();
        if let Some(viewer) = state.by_session.remove(session) {
            tracing::info!(viewers = state.by_session.len(), "{viewer} has left: {why}");
            state.show();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Under the lock, so that two changes cannot overtake each other on their way to the picture.
    fn show(&self) {
        let count = u32::try_from(self.by_session.len()).unwrap_or(u32::MAX);
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

    #[test]
    fn a_session_counts_once_until_it_ends() {
        let viewers = Viewers::default();
        viewers.play("a", viewer());
        viewers.play("a", viewer());
        viewers.play("b", viewer());
        assert_eq!(viewers.count(), 2);
        viewers.leave("a", Farewell::Teardown);
        viewers.leave("a", Farewell::Teardown);
        viewers.leave("never seen", Farewell::Teardown);
        assert_eq!(viewers.count(), 1);
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

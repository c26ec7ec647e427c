//! Which stream a request is about.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak},
};

use gst_rtsp_server::{RTSPContext, RTSPMountPoints, RTSPSession, prelude::*};

use crate::{
    rtsp_ffi,
    stream::Stream,
    viewers::{Farewell, Place},
};

/// Streams by their paths.
pub(super) type Paths = HashMap<String, Arc<Stream>>;

/// The streams of one RTSP server, by their paths.
#[derive(Debug)]
pub(super) struct Mounts {
    /// Where the configuration has the server listen.
    endpoint: SocketAddr,
    points: RTSPMountPoints,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    streams: Paths,
    /// Offered no more; viewers of theirs may still be on their way out.
    gone: Vec<Weak<Stream>>,
}

/// A stream at one of its paths.
#[derive(Debug, Clone)]
pub(super) struct Mounted {
    endpoint: SocketAddr,
    pub(super) path: String,
    pub(super) stream: Arc<Stream>,
}

impl Mounted {
    /// The place of whoever plays it in the session of that id.
    pub(super) fn place(&self, session: String) -> Place {
        Place::new(session, self.path.clone(), self.endpoint)
    }
}

impl Mounts {
    /// Nothing yet, at `endpoint`.
    pub(super) fn new(endpoint: SocketAddr) -> Self {
        Self {
            endpoint,
            points: RTSPMountPoints::new(),
            state: RwLock::default(),
        }
    }

    /// Offers these streams from now on, and no others. Those that are offered already do not notice.
    pub(super) fn offer(&self, streams: Paths) {
        let mut state = self.write();
        let before = std::mem::replace(&mut state.streams, streams);
        let is_same = |path: &str, other: &Paths, stream: &Arc<Stream>| {
            other.get(path).is_some_and(|other| Arc::ptr_eq(other, stream))
        };
        for path in before.keys().filter(|path| !state.streams.contains_key(*path)) {
            self.points.remove_factory(path);
        }
        for (path, stream) in &state.streams {
            if !is_same(path, &before, stream) {
                self.points.add_factory(path, stream.factory().clone());
            }
        }
        let gone = before
            .iter()
            .filter(|(path, stream)| !is_same(path, &state.streams, stream));
        let gone: Vec<_> = gone.map(|(_, stream)| Arc::downgrade(stream)).collect();
        state.gone.retain(|stream| stream.strong_count() > 0);
        state.gone.extend(gone);
    }

    /// What the RTSP server looks at.
    pub(super) fn points(&self) -> &RTSPMountPoints {
        &self.points
    }

    /// Whose session is over watches nothing any more.
    pub(super) fn leave_all(&self, session: &RTSPSession, why: Farewell) {
        let Some(id) = session.sessionid() else { return };
        let streams = {
            let state = self.read();
            let gone = state.gone.iter().filter_map(Weak::upgrade);
            gone.chain(state.streams.values().cloned()).collect::<Vec<_>>()
        };
        for stream in streams {
            stream.viewers().leave_all(&id, why);
        }
    }

    /// The stream that the request of `context` is about, as gst-rtsp-server finds it: a path may go on behind that of a
    /// stream.
    pub(super) fn asked_for(&self, context: &RTSPContext) -> Option<Mounted> {
        let path = rtsp_ffi::path(context.uri()?)?;
        let state = self.read();
        let (path, stream) = prefixes(&path).find_map(|path| state.streams.get_key_value(path))?;
        Some(Mounted {
            endpoint: self.endpoint,
            path: path.clone(),
            stream: Arc::clone(stream),
        })
    }

    /// The path of the stream that is found at `path`.
    pub(super) fn path_at(&self, path: &str) -> Option<String> {
        let state = self.read();
        prefixes(path)
            .find_map(|path| state.streams.get_key_value(path))
            .map(|(path, _)| path.clone())
    }

    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// `path`, and what is left of it without its last part, without its last two and so on.
fn prefixes(path: &str) -> impl Iterator<Item = &str> {
    let parts = path.rmatch_indices('/').map(|(index, _)| index);
    let shorter = parts.map(|end| if end == 0 { "/" } else { &path[..end] });
    std::iter::once(path).chain(shorter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_goes_on_behind_that_of_its_stream() {
        let of = |path| prefixes(path).collect::<Vec<_>>();
        assert_eq!(
            of("/live/1/stream=0"),
            ["/live/1/stream=0", "/live/1", "/live", "/"]
        );
        assert_eq!(of("/"), ["/", "/"]);
        assert_eq!(of(""), [""]);
    }
}

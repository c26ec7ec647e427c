//! Which stream a request is about.

use std::{collections::HashMap, net::SocketAddr, sync::Arc};

use gst_rtsp_server::{RTSPContext, RTSPMountPoints, RTSPSession, prelude::*};

use crate::{
    rtsp_ffi,
    stream::Stream,
    viewers::{Farewell, Place},
};

/// The streams of one RTSP server, by their paths.
#[derive(Debug)]
pub(super) struct Mounts {
    /// Where the configuration has the server listen.
    endpoint: SocketAddr,
    points: RTSPMountPoints,
    streams: HashMap<String, Arc<Stream>>,
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
            streams: HashMap::new(),
        }
    }

    /// Mounts `stream` at `path`.
    pub(super) fn add(&mut self, path: &str, stream: &Arc<Stream>) {
        self.points.add_factory(path, stream.factory().clone());
        self.streams.insert(path.to_owned(), Arc::clone(stream));
    }

    /// What the RTSP server looks at.
    pub(super) fn points(&self) -> &RTSPMountPoints {
        &self.points
    }

    /// Offers nothing any more.
    pub(super) fn clear(&self) {
        for path in self.streams.keys() {
            self.points.remove_factory(path);
        }
    }

    /// Whose session is over watches nothing any more.
    pub(super) fn leave_all(&self, session: &RTSPSession, why: Farewell) {
        if let Some(id) = session.sessionid() {
            for stream in self.streams.values() {
                stream.viewers().leave_all(&id, why);
            }
        }
    }

    /// The stream that the request of `context` is about, as gst-rtsp-server finds it: a path may go on behind that of a
    /// stream.
    pub(super) fn asked_for(&self, context: &RTSPContext) -> Option<Mounted> {
        let path = rtsp_ffi::path(context.uri()?)?;
        let (path, stream) = prefixes(&path).find_map(|path| self.streams.get_key_value(path))?;
        Some(Mounted {
            endpoint: self.endpoint,
            path: path.clone(),
            stream: Arc::clone(stream),
        })
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

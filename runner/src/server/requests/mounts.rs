//! Which stream a request is about.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap},
    sync::{Arc, Weak},
};

use gst_rtsp_server::{RTSPContext, RTSPMountPoints, RTSPSession, RTSPSessionMedia, prelude::*};
use parking_lot::RwLock;

use crate::{
    config::{ListenAt, Mount},
    events::Farewell,
    ffi::rtsp,
    resource::{Query, Resource},
    stream::{Stream, viewers::Place},
};

/// Streams and their paths, queries included, in the order of the configuration.
pub(in crate::server) type StreamsByPath = Vec<(String, Arc<Stream>)>;

/// The streams of one RTSP server, by their paths and queries. gst-rtsp-server finds a stream by a path alone: where several
/// streams have one path and differ by their queries, each is mounted at a path of its own, its point, and requests for it are
/// changed to ask for that.
#[derive(Debug)]
pub(in crate::server) struct Mounts {
    /// Where the configuration has the server listen.
    at: ListenAt,
    points: RTSPMountPoints,
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    /// By their points.
    streams: HashMap<String, Offered>,
    /// By each path, the names of the query parameters by which streams at it differ: the largest sets first.
    query_names: HashMap<String, Vec<BTreeSet<String>>>,
    /// Streams that are no longer offered; some of their viewers may not have left yet.
    gone: Vec<Weak<Stream>>,
}

#[derive(Debug)]
struct Offered {
    path: String,
    stream: Arc<Stream>,
}

/// A stream at one of its paths.
#[derive(Debug, Clone)]
pub(in crate::server) struct Mounted {
    /// Where the configuration has the server listen.
    pub(in crate::server) at: ListenAt,
    /// The path as the configuration has it, with its query.
    pub(in crate::server) path: String,
    /// The path at which gst-rtsp-server has it.
    pub(in crate::server) point: String,
    pub(in crate::server) stream: Arc<Stream>,
}

/// What a request asks for.
#[derive(Debug)]
pub(in crate::server) struct Found {
    pub(in crate::server) mounted: Mounted,
    /// The medium of it that the request names, if it names one.
    pub(in crate::server) medium: Option<String>,
}

impl Mounted {
    /// Whether a query tells it from other streams.
    pub(in crate::server) fn has_query(&self) -> bool {
        self.path != self.point
    }

    /// The media of it that the session of `context` has set up.
    pub(in crate::server) fn session_media(&self, context: &RTSPContext) -> Option<RTSPSessionMedia> {
        context.session()?.media(&self.point).0
    }

    /// The same as the configuration has it.
    pub(in crate::server) fn mount(&self) -> Mount {
        Mount {
            address: self.at.address.ip(),
            port: self.at.address.port(),
            tls: self.at.tls,
            path: self.path.clone(),
        }
    }

    /// The place of whoever plays it in the session of that id.
    pub(in crate::server) fn place(&self, session: String) -> Place {
        Place::new(session, self.mount())
    }
}

impl Mounts {
    /// Nothing yet, where the configuration has the server listen `at`.
    pub(in crate::server) fn new(at: ListenAt) -> Self {
        Self {
            at,
            points: RTSPMountPoints::new(),
            state: RwLock::default(),
        }
    }

    /// Offers these streams from now on, and no others. Streams that are offered already do not notice.
    pub(in crate::server) fn offer(&self, streams: StreamsByPath) {
        let mut state = self.state.write();
        state.query_names = query_names(&streams);
        let offered =
            |(path, stream): (String, _)| (Resource::parse(&path).as_path(), Offered { path, stream });
        let now = streams.into_iter().map(offered).collect();
        let previous = std::mem::replace(&mut state.streams, now);
        let is_same = |point: &str, others: &HashMap<String, Offered>, offered: &Offered| {
            let other = others.get(point);
            other.is_some_and(|other| Arc::ptr_eq(&other.stream, &offered.stream))
        };
        for point in previous
            .keys()
            .filter(|point| !state.streams.contains_key(*point))
        {
            self.points.remove_factory(point);
        }
        for (point, offered) in &state.streams {
            if !is_same(point, &previous, offered) {
                self.points.add_factory(point, offered.stream.factory().clone());
            }
        }
        let gone = previous
            .iter()
            .filter(|(point, offered)| !is_same(point, &state.streams, offered));
        let gone: Vec<_> = gone.map(|(_, offered)| Arc::downgrade(&offered.stream)).collect();
        state.gone.retain(|stream| stream.strong_count() > 0);
        state.gone.extend(gone);
    }

    /// The mount points in which gst-rtsp-server looks for a stream.
    pub(in crate::server) fn points(&self) -> &RTSPMountPoints {
        &self.points
    }

    /// `session` is over: whoever had it plays nothing any more.
    pub(in crate::server) fn leave_all(&self, session: &RTSPSession, why: Farewell) {
        let Some(id) = session.sessionid() else { return };
        let streams = {
            let state = self.state.read();
            let gone = state.gone.iter().filter_map(Weak::upgrade);
            let there = state.streams.values().map(|offered| Arc::clone(&offered.stream));
            gone.chain(there).collect::<Vec<_>>()
        };
        for stream in streams {
            stream.viewers().leave_all(&id, why);
        }
    }

    /// The stream that the request of `context` is about.
    pub(in crate::server) fn asked_for(&self, context: &RTSPContext) -> Option<Mounted> {
        self.found(context).map(|found| found.mounted)
    }

    /// What the request of `context` is about.
    pub(in crate::server) fn found(&self, context: &RTSPContext) -> Option<Found> {
        let url = context.uri()?;
        let query = rtsp::query(url);
        self.find(&Resource::new(&rtsp::path(url)?, query.as_deref()))
    }

    /// The stream that `resource` means. Its path may be longer than the stream's, as gst-rtsp-server has it too. Of several
    /// streams at one path it is the one of which most parameters are in the query; other parameters mean nothing.
    pub(in crate::server) fn find(&self, resource: &Resource) -> Option<Found> {
        let state = self.state.read();
        let at = |path| Some((path, state.point_of(path, &resource.query)?));
        let (path, point) = prefixes(&resource.path).find_map(at)?;
        let (point, offered) = state.streams.get_key_value(&point)?;
        let behind_path = resource.path[path.len()..].trim_matches('/');
        let behind_path = (!behind_path.is_empty()).then(|| behind_path.to_owned());
        Some(Found {
            mounted: Mounted {
                at: self.at,
                path: offered.path.clone(),
                point: point.clone(),
                stream: Arc::clone(&offered.stream),
            },
            medium: behind_path.or_else(|| resource.medium.clone()),
        })
    }
}

impl State {
    /// The point of the stream that is at `path` for those who ask with `query`, if there is one.
    fn point_of(&self, path: &str, query: &Query) -> Option<String> {
        let sets = self.query_names.get(path).into_iter().flatten();
        let with_query = sets.filter_map(|names| Some(query.only(names)?.as_path_behind(path)));
        let mut points = with_query.chain([path.to_owned()]);
        points.find(|point| self.streams.contains_key(point))
    }
}

/// By each path, the names of the query parameters by which `streams` differ (see [`State::query_names`]).
fn query_names(streams: &StreamsByPath) -> HashMap<String, Vec<BTreeSet<String>>> {
    let mut all = HashMap::<String, Vec<BTreeSet<String>>>::new();
    for (path, _) in streams {
        let Resource { path, query, .. } = Resource::parse(path);
        let names = query.names();
        let sets = all.entry(path).or_default();
        if !sets.contains(&names) {
            sets.push(names);
        }
    }
    // The sort is stable: sets of one size stay in the order of the configuration.
    for sets in all.values_mut() {
        sets.sort_by_key(|names| Reverse(names.len()));
    }
    all
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

//! The streams that are served now, to be read by anyone: a reader takes what there is at the moment and never waits for a
//! reload.
//!
//! | module | job |
//! | --- | --- |
//! | `differences` | what another configuration makes of the streams |
//! | `values` | what streams count and are made of, as plain values |
//! | `totals` | what has been counted of a stream, by those before it as well |

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use jiff::Timestamp;
use parking_lot::{Mutex, RwLock};

use super::endpoint::Endpoint;
use crate::{
    accounts::Account,
    addresses,
    config::{Config, HttpConfig, ListenAt, Mount, StreamConfig, VideoCodec},
    events::Viewer,
    status::{ClockStatus, Listening, MadeOf, ServerStatus, StreamCounts, StreamStatus, ViewerStatus},
    stream::{
        Stream,
        life::Life,
        stills::{NoStill, Onlooker, Wanted},
    },
    stream_id::{self, StreamId},
    time_source::TimeSource,
};

mod differences;
mod totals;
mod values;

use totals::Before;
use values::{frames, lateness, made_of, report_status, sent_status};

/// The streams of a server at one moment, in the configuration's order.
#[derive(Debug)]
pub struct Roster {
    streams: Vec<Served>,
    listens_at: Vec<Listening>,
    /// The configuration of the server as a whole.
    config: Config,
    up_since: Timestamp,
    /// The clock of the network; `None` where streams go by this machine's.
    time: Option<Arc<TimeSource>>,
}

/// A stream at one path, with TLS and without.
#[derive(Debug)]
pub struct Served {
    id: StreamId,
    mounts: Vec<Mount>,
    urls: Vec<String>,
    stream: Arc<Stream>,
    /// What those have counted who stood in its place before.
    before: Before,
    /// What the configuration that was asked about last makes of it. Nobody holds this lock who streams.
    made_of: Mutex<Option<(Arc<StreamConfig>, MadeOf)>>,
}

/// The latest roster, which is replaced as streams come and go.
#[derive(Debug)]
pub struct CurrentRoster(RwLock<Arc<Roster>>);

impl CurrentRoster {
    pub(super) fn new(roster: Roster) -> Self {
        Self(RwLock::new(Arc::new(roster)))
    }

    /// The latest roster. It stays as it is while it is looked at.
    #[must_use]
    pub fn get(&self) -> Arc<Roster> {
        Arc::clone(&self.0.read())
    }

    /// Puts another roster in its place.
    pub(super) fn replace(&self, roster: Roster) {
        let before = std::mem::replace(&mut *self.0.write(), Arc::new(roster));
        // Streams may go with the old roster, which must not happen under the lock.
        drop(before);
    }
}

impl Roster {
    /// `streams`, as they are to be found at `endpoints`.
    pub(super) fn new(
        config: &Config,
        streams: &[Arc<Stream>],
        endpoints: &[Endpoint],
        up_since: Timestamp,
        time: Option<&Arc<TimeSource>>,
    ) -> Self {
        let paths: Vec<_> = streams.iter().flat_map(mounted_paths).collect();
        let public = env::var(addresses::PUBLIC_ADDRESSES).ok();
        let endpoints: Endpoints = endpoints
            .iter()
            .map(|endpoint| (endpoint.configured(), Found::new(endpoint, public.as_deref())))
            .collect();
        let addressed: Vec<_> = paths
            .iter()
            .map(|path| (path.as_str(), path.address(&endpoints)))
            .collect();
        let ids = stream_id::ids(&addressed);
        let served = |(path, id): (MountedPath, StreamId)| Served {
            id,
            urls: path.urls(&endpoints),
            mounts: path.mounts,
            stream: path.stream,
            before: Before::default(),
            made_of: Mutex::default(),
        };
        Self {
            streams: paths.into_iter().zip(ids).map(served).collect(),
            listens_at: endpoints.values().map(|found| listening(found.at)).collect(),
            config: Config {
                streams: Vec::new(),
                ..config.clone()
            },
            up_since,
            time: time.cloned(),
        }
    }

    /// Has streams that stand in the place of others count on from where those are.
    pub(super) fn count_on_from(&mut self, previous: &Self) {
        let served = self.streams.iter();
        let staying: HashSet<_> = served.map(|served| Arc::as_ptr(&served.stream)).collect();
        let previous: HashMap<_, _> = previous
            .streams
            .iter()
            .map(|served| (&served.id, served))
            .collect();
        for served in &mut self.streams {
            let Some(known) = previous.get(&served.id) else {
                continue;
            };
            served.before = if Arc::ptr_eq(&known.stream, &served.stream) {
                known.before.clone()
            } else {
                known
                    .before
                    .and(&known.stream, staying.contains(&Arc::as_ptr(&known.stream)))
            };
        }
    }

    /// Notes what streams that are ending have counted, before they are gone.
    pub(super) fn note_endings(&self) {
        for served in &self.streams {
            let _noted = served.before.totals();
        }
    }

    /// All streams.
    #[must_use]
    pub fn streams(&self) -> &[Served] {
        &self.streams
    }

    /// The stream of that id.
    #[must_use]
    pub fn find(&self, id: &StreamId) -> Option<&Served> {
        self.streams.iter().find(|served| served.id == *id)
    }

    /// The URLs of all streams, in order.
    #[must_use]
    pub(crate) fn urls(&self) -> Vec<String> {
        self.streams
            .iter()
            .flat_map(|served| served.urls.iter().cloned())
            .collect()
    }

    /// Since when the server serves.
    pub(crate) fn up_since(&self) -> Timestamp {
        self.up_since
    }

    /// How the server is seen and steered by HTTP; `None` for not at all.
    pub(crate) fn http(&self) -> Option<&HttpConfig> {
        self.config.http.as_ref()
    }

    /// Whether all streams that are always on run.
    pub(crate) fn is_ready(&self) -> bool {
        let mut always_on = self.streams.iter().filter(|served| served.stream.is_always_on());
        always_on.all(|served| matches!(served.stream.life(), Life::Running { .. }))
    }

    /// The status of the server.
    #[must_use]
    pub fn status(&self) -> ServerStatus {
        let time = self.time.as_ref();
        ServerStatus {
            version: env!("CARGO_PKG_VERSION").into(),
            gstreamer: gst::version_string().into(),
            up_since: self.up_since,
            listens_at: self.listens_at.clone(),
            clock: ClockStatus {
                source: self.config.clock.to_string(),
                is_heard: time.is_none_or(|time| time.is_heard()),
                offset_seconds: time.and_then(|time| time.offset_seconds()),
            },
            needs_login: !self.config.all_users().is_empty(),
            max_viewers: self.config.max_viewers,
            max_streams: self.config.http.as_ref().map(|http| http.max_streams),
            session_timeout_seconds: self.config.session_timeout,
            streams: self.streams.len(),
            viewers: self.viewers(),
        }
    }

    /// How many clients play a stream.
    #[must_use]
    pub(crate) fn viewers(&self) -> usize {
        let streams = self.streams.iter();
        streams
            .map(|served| served.stream.viewers().count_at(&served.mounts))
            .sum()
    }

    /// The ids of all streams.
    pub(super) fn ids(&self) -> impl Iterator<Item = StreamId> {
        self.streams.iter().map(|served| served.id.clone())
    }

    /// Has the cameras know by which streams they are shown.
    pub(super) fn tell_places(&self) {
        let mut all = HashMap::<*const Stream, (&Arc<Stream>, Vec<_>)>::new();
        for served in &self.streams {
            let (_, places) = all
                .entry(Arc::as_ptr(&served.stream))
                .or_insert_with(|| (&served.stream, Vec::new()));
            places.extend(served.places());
        }
        for (stream, places) in all.into_values() {
            stream.viewers().set_streams(places.into_iter().collect());
        }
    }
}

impl Served {
    /// The stream's id.
    #[must_use]
    pub fn id(&self) -> &StreamId {
        &self.id
    }

    /// The URLs at which it can be played.
    #[must_use]
    pub fn urls(&self) -> &[String] {
        &self.urls
    }

    /// Where it is to be found.
    pub(crate) fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Whether its camera is made of that configuration.
    pub(crate) fn is_of(&self, config: &StreamConfig) -> bool {
        self.mounts.iter().any(|mount| config.mounts.contains(mount))
    }

    /// All streams that show its picture, itself among them.
    pub(crate) fn shown_by(&self) -> Vec<StreamId> {
        self.stream.ids()
    }

    /// Where it is to be found, and its id.
    fn places(&self) -> impl Iterator<Item = (Mount, StreamId)> {
        self.mounts.iter().map(|mount| (mount.clone(), self.id.clone()))
    }

    /// Whether a user may see it.
    pub(crate) fn may_be_seen_by(&self, account: &Account) -> bool {
        self.mounts.iter().any(|mount| account.may_see(mount))
    }

    /// Whether it is to be found at `mount`.
    pub(super) fn has(&self, mount: &Mount) -> bool {
        self.mounts.contains(mount)
    }

    /// The camera whose picture it shows.
    pub(super) fn stream(&self) -> &Arc<Stream> {
        &self.stream
    }

    /// Has pictures of it made for somebody who looks at it without playing it, until the answer is dropped.
    ///
    /// # Errors
    /// When that cannot be.
    pub(crate) fn look(&self, wanted: Wanted) -> Result<Onlooker, NoStill> {
        self.stream.look(wanted)
    }

    /// The counts of the stream. Those of its picture are the same for all streams that show it.
    pub(crate) fn counts(&self) -> StreamCounts {
        let transports = self.stream.transports().into_iter();
        let mut viewers: BTreeMap<_, _> = transports.map(|transport| (transport, 0)).collect();
        for viewer in self.stream.viewers().at(&self.mounts) {
            *viewers.entry(viewer.transport).or_default() += 1;
        }
        let totals = self.before.totals_with(&self.stream);
        StreamCounts {
            state: self.stream.life().name(),
            viewers,
            frames: frames(totals.frames),
            lateness: lateness(&totals.departures),
            sent: sent_status(totals.sent),
            packets_lost: totals.packets_lost,
            key_frames_forced: totals.key_frames_forced,
        }
    }

    /// The text in its picture.
    pub(crate) fn label(&self) -> String {
        self.stream.config().look.label.clone()
    }

    /// The codec of its picture, where the server makes that.
    pub(crate) fn codec(&self) -> Option<VideoCodec> {
        let config = self.stream.config();
        config.pipeline.is_none().then_some(config.codec)
    }

    /// Its life.
    pub(crate) fn life(&self) -> Life {
        self.stream.life()
    }

    /// The status of the stream.
    #[must_use]
    pub fn status(&self) -> StreamStatus {
        let config = self.stream.config();
        let mut others = self.stream.ids();
        others.retain(|id| *id != self.id);
        let viewers = self.stream.viewers().at(&self.mounts).into_iter();
        let (mut sent, mut reports) = (self.stream.sent_by_session(), self.stream.reports_by_session());
        let viewer_status = |viewer: Viewer| ViewerStatus {
            sent: sent.remove(&viewer.session).map(sent_status).unwrap_or_default(),
            reports: reports
                .remove(&viewer.session)
                .into_iter()
                .flatten()
                .map(report_status)
                .collect(),
            viewer,
        };
        StreamStatus {
            id: self.id.clone(),
            label: config.look.label.clone(),
            urls: self.urls.clone(),
            transports: config.transports.iter().copied().collect(),
            made_of: self.made_of(&config),
            shares_picture_with: others,
            always_on: config.always_on,
            max_viewers: config.max_viewers,
            life: self.stream.life(),
            frames: frames(self.stream.frames()),
            lateness: lateness(&self.stream.departures()),
            viewers: viewers.map(viewer_status).collect(),
        }
    }

    /// What `config` makes of it. It is written down once, and read each time that somebody asks: to make it takes longer than
    /// the rest of the status.
    fn made_of(&self, config: &Arc<StreamConfig>) -> MadeOf {
        let mut known = self.made_of.lock();
        match &*known {
            Some((of, made_of)) if Arc::ptr_eq(of, config) => made_of.clone(),
            _ => known.insert((Arc::clone(config), made_of(config))).1.clone(),
        }
    }
}

/// A stream at one path.
struct MountedPath {
    stream: Arc<Stream>,
    /// Its mount without TLS, and the one with it, as far as there are such.
    mounts: Vec<Mount>,
}

impl MountedPath {
    fn as_str(&self) -> &str {
        self.mounts.first().map_or("", |mount| &mount.path)
    }

    /// The address and port at which it is to be found.
    fn address(&self, endpoints: &Endpoints) -> SocketAddr {
        let found = self
            .mounts
            .first()
            .and_then(|mount| endpoints.get(&mount.listen_at()));
        found.map_or((Ipv4Addr::UNSPECIFIED, 0).into(), |found| found.at.address)
    }

    fn urls(&self, endpoints: &Endpoints) -> Vec<String> {
        let of_mount = |mount: &Mount| {
            let origins = &endpoints.get(&mount.listen_at())?.origins;
            Some(
                origins
                    .iter()
                    .map(|origin| format!("{origin}{}", mount.path))
                    .collect::<Vec<_>>(),
            )
        };
        self.mounts.iter().filter_map(of_mount).flatten().collect()
    }
}

/// The endpoints, by where the configuration has the server listen.
type Endpoints = BTreeMap<ListenAt, Found>;

/// An endpoint as viewers find it.
struct Found {
    at: ListenAt,
    /// What its URLs begin with.
    origins: Vec<String>,
}

impl Found {
    fn new(endpoint: &Endpoint, public: Option<&str>) -> Self {
        let at = endpoint.listens_at();
        Self {
            at,
            origins: addresses::origins(at, public),
        }
    }
}

/// The paths at which `stream` is to be found; one path at several ports counts as several. Where a path is served with
/// TLS as well, its mount has the same index among those with TLS as among those without.
fn mounted_paths(stream: &Arc<Stream>) -> Vec<MountedPath> {
    let config = stream.config();
    let (tls, plain): (Vec<_>, Vec<_>) = config.mounts.iter().cloned().partition(|mount| mount.tls);
    let mounted_path = |index| MountedPath {
        stream: Arc::clone(stream),
        mounts: [plain.get(index), tls.get(index)]
            .into_iter()
            .flatten()
            .cloned()
            .collect(),
    };
    (0..plain.len().max(tls.len())).map(mounted_path).collect()
}

fn listening(at: ListenAt) -> Listening {
    let ListenAt { address, tls } = at;
    Listening { address, tls }
}

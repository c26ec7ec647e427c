//! Another configuration while the server runs: what differs is replaced, all else plays on.

use std::{fmt, net::SocketAddr, sync::Arc, time::Instant};

use gst_rtsp_server::{gio::TlsCertificate, prelude::*};

use super::{
    Asked, Endpoint, FAREWELL, FAREWELLS_AT_ONCE, Server, StartError, client_threads, left, preflight,
    run_those_always_on, side_by_side,
};
use crate::{
    accounts::logins::Logins,
    config::{Config, StreamConfig},
    config_file,
    stream::Stream,
};

/// What another configuration has changed.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Changes {
    /// The streams that play on, untouched.
    pub kept: usize,
    /// The names of those that were not there before.
    pub added: Vec<String>,
    /// The names of those that are another picture at the same place.
    pub replaced: Vec<String>,
    /// The names of those that are gone.
    pub removed: Vec<String>,
    /// Whether connections from now on log in as others did not.
    pub login: bool,
    /// The keys whose new values count only after a restart.
    pub needs_restart: Vec<&'static str>,
}

impl Changes {
    /// Whether nothing of what is served differs.
    #[must_use]
    pub fn is_none(&self) -> bool {
        let Self {
            kept: _,
            added,
            replaced,
            removed,
            login,
            needs_restart,
        } = self;
        let streams = [added, replaced, removed];
        streams.iter().all(|names| names.is_empty()) && !login && needs_restart.is_empty()
    }

    /// From the streams that go to those that come.
    fn of_streams(gone: &[Arc<Stream>], new: &[Arc<Stream>], kept: usize) -> Self {
        let names = |streams: &[Arc<Stream>]| streams.iter().map(|stream| stream.name()).collect::<Vec<_>>();
        let (gone, new) = (names(gone), names(new));
        let (replaced, added): (Vec<_>, Vec<_>) = new.into_iter().partition(|name| gone.contains(name));
        let removed = gone.into_iter().filter(|name| !replaced.contains(name));
        Self {
            kept,
            removed: removed.collect(),
            replaced,
            added,
            ..Self::default()
        }
    }
}

impl fmt::Display for Changes {
    /// How many streams it is about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "streams: {} replaced, {} removed, {} added; {} play on untouched",
            self.replaced.len(),
            self.removed.len(),
            self.added.len(),
            self.kept
        )
    }
}

/// The streams that are to be served, and what of them is new.
struct Plan {
    streams: Vec<Arc<Stream>>,
    new: Vec<Arc<Stream>>,
    endpoints: Vec<Endpoint>,
    logins: Option<Arc<Logins>>,
}

impl Server {
    /// Serves what `config` describes from now on. Streams that it describes as before play on, with all their viewers;
    /// others are replaced or sent away. Their viewers see the end of the stream and a closed connection.
    ///
    /// What is new is tried first, and new ports are opened before old ones are closed.
    ///
    /// # Errors
    /// When something is missing on this machine, or an address or port cannot be had: nothing has changed then.
    pub fn reload(&mut self, config: &Config) -> Result<Changes, StartError> {
        let plan = self.plan(config)?;
        let before = std::mem::replace(&mut self.streams, plan.streams);
        let kept = self.streams.len() - plan.new.len();
        let gone: Vec<_> = before
            .into_iter()
            .filter(|stream| !self.streams.iter().any(|kept| Arc::ptr_eq(kept, stream)))
            .collect();
        let mut changes = Changes::of_streams(&gone, &plan.new, kept);
        changes.login = self.has_other_logins(config);
        if changes.login {
            self.shared.logins.replace(plan.logins);
        }
        changes.needs_restart = self.settle(config);
        self.exchange(&Asked::all(config), plan.endpoints, &gone);
        run_those_always_on(&plan.new);
        Ok(changes)
    }

    /// Tries what is new. It takes no connections yet.
    fn plan(&self, config: &Config) -> Result<Plan, StartError> {
        let (mut streams, mut new) = (Vec::new(), Vec::new());
        for wanted in &config.streams {
            if let Some(stream) = self.playing(wanted) {
                streams.push(Arc::clone(stream));
                continue;
            }
            preflight::elements(wanted)?;
            let stream = self.shared.stream(wanted);
            streams.push(Arc::clone(&stream));
            new.push(stream);
        }
        let certificate = preflight::certificate(config)?;
        let is_new = |asked: &Asked| !self.endpoints.iter().any(|endpoint| endpoint.asked() == *asked);
        let endpoints = Asked::all(config).into_iter().filter(is_new);
        let endpoints = endpoints
            .map(|asked| self.open(asked, certificate.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            streams,
            new,
            endpoints,
            logins: Logins::new(config).map_err(StartError::Random)?,
        })
    }

    /// The stream that is as `wanted` already.
    fn playing(&self, wanted: &StreamConfig) -> Option<&Arc<Stream>> {
        self.streams
            .iter()
            .find(|stream| is_alike(stream.config(), wanted))
    }

    fn open(&self, asked: Asked, certificate: Option<&TlsCertificate>) -> Result<Endpoint, StartError> {
        let mut own = self.endpoints.iter().map(Endpoint::listener);
        let own = own.find(|own| own.port == asked.address.port());
        let own = own.map(|own| SocketAddr::new(own.address, own.port));
        Endpoint::new(asked, certificate, &self.shared).map_err(|error| match (error, own) {
            (StartError::PortInUse(address), Some(own)) => StartError::OwnPort { address, own },
            (error, _) => error,
        })
    }

    fn has_other_logins(&self, config: &Config) -> bool {
        let of = |config: &Config| (config.authentication, config.login.clone(), config.users.clone());
        of(&self.config) != of(config)
    }

    /// Takes over what is about the server as a whole; answers the keys that need a restart for it.
    fn settle(&mut self, config: &Config) -> Vec<&'static str> {
        // All of it, so that whoever adds a key has to say what becomes of it here.
        let Config {
            rtp_ports: _,
            multicast: _,
            tls,
            authentication,
            login,
            users,
            clock: _,
            log_level,
            log_format: _,
            session_timeout: _,
            max_viewers,
            reload,
            streams,
        } = config;
        self.shared.threads.set_max_threads(client_threads(streams.len()));
        let runs = &self.config;
        let mut needs_restart = config_file::needs_restart(runs, config);
        // Its row promises more: the seats are counted by what was said at the start.
        needs_restart.extend((runs.max_viewers != *max_viewers).then_some("maxServerViewers"));
        // What needs a restart stays as it runs.
        self.config = Config {
            tls: runs.tls.clone().or_else(|| tls.clone()),
            authentication: *authentication,
            login: login.clone(),
            users: users.clone(),
            log_level: log_level.clone(),
            reload: *reload,
            streams: streams.clone(),
            ..runs.clone()
        };
        needs_restart
    }

    /// Has the streams offered at `asked`, of which `opened` are new; sends away whoever has asked for those that are
    /// `gone`, and closes the endpoints that nobody needs any more.
    fn exchange(&mut self, asked: &[Asked], opened: Vec<Endpoint>, gone: &[Arc<Stream>]) {
        let before = std::mem::take(&mut self.endpoints).into_iter();
        let (kept, closing): (Vec<_>, Vec<_>) =
            before.partition(|endpoint| asked.contains(&endpoint.asked()));
        let addresses = opened.iter().map(Endpoint::asked).collect::<Vec<_>>();
        self.endpoints = kept.into_iter().chain(opened).collect();
        self.endpoints
            .sort_by_key(|endpoint| asked.iter().position(|asked| *asked == endpoint.asked()));
        self.offer();
        let opened = |endpoint: &&Endpoint| addresses.contains(&endpoint.asked());
        self.endpoints.iter().filter(opened).for_each(Endpoint::accept);
        closing.iter().for_each(Endpoint::refuse);
        side_by_side(gone, FAREWELLS_AT_ONCE, |stream| stream.retire(FAREWELL));
        let deadline = Instant::now() + FAREWELL;
        for endpoint in &closing {
            endpoint.send_away(left(deadline));
        }
    }
}

/// Whether a stream need not be made anew. Another phase alone is no reason: the number of an entry's cameras decides
/// about it, and one camera more must not end all others.
fn is_alike(one: &StreamConfig, other: &StreamConfig) -> bool {
    let phased = || StreamConfig {
        phase: other.phase,
        ..one.clone()
    };
    one.mounts == other.mounts && phased() == *other
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::*;
    use crate::config::{Mount, VideoCodec};

    /// Cameras that run before anybody looks.
    fn config(paths: &[(&str, VideoCodec)]) -> Config {
        let camera = |(path, codec): &(&str, VideoCodec)| StreamConfig {
            mounts: vec![Mount {
                address: [127, 0, 0, 1].into(),
                port: 0,
                path: (*path).to_owned(),
            }],
            codec: *codec,
            width: 160,
            height: 120,
            always_on: true,
            ..StreamConfig::default()
        };
        Config {
            streams: paths.iter().map(camera).collect(),
            ..Config::default()
        }
    }

    #[test]
    fn what_is_as_before_keeps_its_pipeline_and_nothing_is_left_of_what_is_not() {
        let (one, two) = (VideoCodec::Mjpeg, VideoCodec::H264);
        let before = config(&[("/kept", one), ("/replaced", one), ("/removed", one)]);
        let mut server = Server::start(&before).expect("the server starts");
        let pipelines: Vec<_> = server.streams.iter().map(|stream| stream.element()).collect();
        assert!(pipelines.iter().all(Option::is_some), "{pipelines:?}");
        let gone: Vec<_> = server.streams[1..].iter().map(Arc::downgrade).collect();
        let after = config(&[("/added", one), ("/replaced", two), ("/kept", one)]);
        let changes = server.reload(&after).expect("it can be had");
        let named = |path: &str| vec![format!("127.0.0.1:0{path}")];
        let expected = Changes {
            kept: 1,
            added: named("/added"),
            replaced: named("/replaced"),
            removed: named("/removed"),
            ..Changes::default()
        };
        assert_eq!(changes, expected);
        assert_eq!(
            changes.to_string(),
            "streams: 1 replaced, 1 removed, 1 added; 1 play on untouched"
        );
        assert_eq!(
            server.streams[2].element(),
            pipelines[0],
            "the same pipeline plays on"
        );
        assert!(server.streams.iter().all(|stream| stream.element().is_some()));
        assert_eq!(server.config(), &after);
        let deadline = Instant::now() + Duration::from_secs(10);
        while gone.iter().any(|stream| stream.strong_count() > 0) {
            assert!(Instant::now() < deadline, "a stream that is gone is kept");
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(server.reload(&after).expect("nothing is new").is_none());
    }
}

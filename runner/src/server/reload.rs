//! How a server takes over another configuration while it runs: what differs is replaced, all else plays on.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    thread,
    time::Instant,
};

use gst_rtsp_server::{gio::TlsCertificate, prelude::*};

use super::{
    Endpoint, FAREWELL, FAREWELLS_AT_ONCE, Server, StartError, client_threads, preflight,
    run_those_always_on, side_by_side, time_until,
};
use crate::{
    accounts::logins::Logins,
    config::{Access, Config, ListenAt, Mount, StreamConfig, Transport, User},
    config_file,
    events::{Changes, Differences, Farewell, Happening, Places, Reload, Viewer},
    launch::changing,
    log,
    stream::Stream,
};

/// The streams that are to be served, and what becomes of those that are served now.
struct Plan {
    /// All streams, in the configuration's order.
    streams: Vec<Arc<Stream>>,
    /// The streams among them that are not there yet.
    new: Vec<Arc<Stream>>,
    /// The streams that play on with another configuration.
    changed: Vec<(Arc<Stream>, StreamConfig)>,
    endpoints: Vec<Endpoint>,
    logins: Option<Arc<Logins>>,
}

impl Server {
    /// Serves what `config` describes from now on, which comes from `source`. Streams that it describes as before play on, with
    /// all their viewers, and so do those that differ in what [changes while it plays](StreamConfig::is_made_as). Others are
    /// replaced or sent away: their viewers see the end of the stream and a closed connection.
    ///
    /// New streams are tried first, and new ports are opened before old ones are closed.
    ///
    /// # Errors
    /// When something is missing on this machine, or an address or port cannot be had: nothing has changed then.
    pub fn reload(&mut self, config: &Config, source: &str) -> Result<Changes, StartError> {
        let config = &self.as_it_can_run(config);
        let plan = self.plan(config).inspect_err(|error| {
            self.events().tell(Happening::ReloadRefused {
                source: source.to_owned(),
                mistakes: error.to_string().lines().map(String::from).collect(),
            });
        })?;
        let before = std::mem::replace(&mut self.streams, plan.streams);
        let gone = without(before, &self.streams);
        let (replaced, added, removed) = exchanged(&names(&gone), &names(&plan.new));
        let mut changes = Changes {
            kept: self.streams.len() - plan.new.len() - plan.changed.len(),
            added,
            changed: plan.changed.iter().map(|(_, config)| config.name()).collect(),
            replaced,
            removed,
            ..Changes::default()
        };
        let logins = self.has_other_logins(config).then(|| self.config.clone());
        changes.login = logins.is_some();
        if changes.login {
            self.shared.commons.logins.replace(plan.logins);
        }
        (changes.server, changes.needs_restart) = self.take_over(config);
        let mut started = change(&plan.changed);
        for (stream, config) in &plan.changed {
            self.shared.commons.negotiation.allow(stream, config);
        }
        let roster = self.roster.get();
        let closing = self.exchange(&config.listens_at(), plan.endpoints);
        let playing_on = plan.changed.iter().map(|(stream, _)| stream);
        let differences = self.roster.get().differences(&roster, playing_on);
        if let Some(before) = logins {
            changes.logged_out = self.log_out(&before);
        }
        send_away_who_may_not_stay(&plan.changed);
        let reload = Reload {
            source: source.to_owned(),
            changes: changes.clone(),
        };
        self.tell(reload, differences, &plan.new);
        started.extend(plan.new);
        self.say_farewell(gone, closing, started);
        Ok(changes)
    }

    /// The names of the streams that are served now and would not be for `config`, where they are: replaced by others, moved, or
    /// gone. What is at one of the places `removed` is meant to go.
    pub(super) fn ended_by(&self, config: &Config, removed: &[Mount]) -> Vec<String> {
        let config = self.as_it_can_run(config);
        let (mut there, mut ended) = (self.streams.clone(), Vec::new());
        for wanted in &config.streams {
            let Some(playing) = plays_on_as(&there, wanted) else {
                continue;
            };
            let playing = there.remove(playing);
            if leaves_places(&playing.config().mounts, &wanted.mounts, removed) {
                ended.push(playing.name());
            }
        }
        there.retain(|stream| leaves_places(&stream.config().mounts, &[], removed));
        ended.extend(names(&there));
        ended
    }

    /// The same without what takes a restart: where there are no multicast groups yet, nothing is played by multicast, and where
    /// there are some still, streams go on to be.
    fn as_it_can_run(&self, config: &Config) -> Config {
        let mut config = config.clone();
        for wanted in &mut config.streams {
            if self.config.multicast.is_none() && wanted.transports.len() > 1 {
                wanted.transports.remove(&Transport::Multicast);
            } else if config.multicast.is_none() && self.plays_by_multicast(wanted) {
                wanted.transports.insert(Transport::Multicast);
            }
        }
        config
    }

    /// Whether a stream at the same place is played by multicast now.
    fn plays_by_multicast(&self, wanted: &StreamConfig) -> bool {
        let playing = self
            .config
            .streams
            .iter()
            .find(|stream| stream.mounts == wanted.mounts);
        playing.is_some_and(|stream| stream.transports.contains(&Transport::Multicast))
    }

    /// Tries what is new, and makes it ready. New endpoints take no connections yet.
    fn plan(&self, config: &Config) -> Result<Plan, StartError> {
        preflight::places(config)?;
        let mut there = self.streams.clone();
        let (mut streams, mut new, mut changed) = (Vec::new(), Vec::new(), Vec::new());
        for wanted in &config.streams {
            let stream = if let Some(playing) = plays_on_as(&there, wanted) {
                there.remove(playing)
            } else {
                preflight::elements(wanted)?;
                let stream = self.shared.stream(wanted);
                new.push(Arc::clone(&stream));
                stream
            };
            if !is_as(&stream.config(), wanted) {
                changed.push((Arc::clone(&stream), wanted.clone()));
            }
            streams.push(stream);
        }
        let certificate = preflight::certificate(config)?;
        let is_new = |at: &ListenAt| !self.endpoints.iter().any(|endpoint| endpoint.configured() == *at);
        let endpoints = config.listens_at().into_iter().filter(is_new);
        let endpoints = endpoints
            .map(|wanted| self.open(wanted, certificate.as_ref()))
            .collect::<Result<_, _>>()?;
        Ok(Plan {
            streams,
            new,
            changed,
            endpoints,
            logins: Logins::new(config).map_err(StartError::Random)?,
        })
    }

    fn open(&self, wanted: ListenAt, certificate: Option<&TlsCertificate>) -> Result<Endpoint, StartError> {
        let mut own = self
            .endpoints
            .iter()
            .map(|endpoint| endpoint.listens_at().address);
        let own = own.find(|own| own.port() == wanted.address.port());
        Endpoint::new(wanted, certificate, &self.shared).map_err(|error| match (error, own) {
            (StartError::PortInUse(address), Some(own)) => StartError::OwnPort { address, own },
            (error, _) => error,
        })
    }

    fn has_other_logins(&self, config: &Config) -> bool {
        let logins = |config: &Config| (config.authentication, config.login.clone(), config.users.clone());
        logins(&self.config) != logins(config)
    }

    /// Takes over what is about the server as a whole; answers the keys whose new values count, and those that need a restart
    /// for it.
    fn take_over(&mut self, config: &Config) -> (Vec<&'static str>, Vec<&'static str>) {
        // All keys are named, so that whoever adds one has to say here what becomes of it.
        let Config {
            rtp_ports: _,
            multicast: _,
            tls,
            authentication,
            login,
            users,
            clock: _,
            http,
            log_level,
            log_format: _,
            session_timeout: _,
            max_viewers,
            reload,
            streams,
        } = config;
        self.shared.threads.set_max_threads(client_threads(streams.len()));
        self.shared.commons.limit_viewers(*max_viewers);
        let runs = &self.config;
        let goes_on = runs.http.as_ref().map(|runs| runs.going_on_as(http.as_ref()));
        let at_once = [
            ("logLevel", runs.log_level != *log_level),
            ("reload", runs.reload != *reload),
            ("maxServerViewers", runs.max_viewers != *max_viewers),
            ("http", runs.http != goes_on),
        ];
        let needs_restart = config_file::needs_restart(runs, config);
        if runs.log_level != *log_level {
            change_log(log_level);
        }
        // The keys that need a restart keep the values with which the server runs.
        self.config = Config {
            tls: runs.tls.clone().or_else(|| tls.clone()),
            authentication: *authentication,
            login: login.clone(),
            users: users.clone(),
            http: goes_on,
            log_level: log_level.clone(),
            max_viewers: *max_viewers,
            reload: *reload,
            streams: streams.clone(),
            ..runs.clone()
        };
        (that_differ(&at_once), needs_restart)
    }

    /// Has the streams offered at the addresses that are `wanted`, of which `opened` are new; answers the endpoints
    /// that nobody needs any more.
    fn exchange(&mut self, wanted: &BTreeSet<ListenAt>, opened: Vec<Endpoint>) -> Vec<Endpoint> {
        let before = std::mem::take(&mut self.endpoints).into_iter();
        let (kept, closing): (Vec<_>, Vec<_>) =
            before.partition(|endpoint| wanted.contains(&endpoint.configured()));
        let addresses = opened.iter().map(Endpoint::configured).collect::<Vec<_>>();
        self.endpoints = kept.into_iter().chain(opened).collect();
        self.endpoints
            .sort_by_key(|endpoint| wanted.iter().position(|at| *at == endpoint.configured()));
        self.offer();
        let opened = |endpoint: &&Endpoint| addresses.contains(&endpoint.configured());
        self.endpoints.iter().filter(opened).for_each(Endpoint::accept);
        closing.iter().for_each(Endpoint::refuse);
        closing
    }

    /// Sends away the clients of streams that are `gone`, and those who have come by endpoints that are `closing`; then
    /// starts those that run before anybody looks. All of that is waiting, for which no other order waits.
    fn say_farewell(&mut self, gone: Vec<Arc<Stream>>, closing: Vec<Endpoint>, started: Vec<Arc<Stream>>) {
        self.farewells.retain(|farewell| !farewell.is_finished());
        if gone.is_empty() && closing.is_empty() && !started.iter().any(|stream| stream.is_always_on()) {
            return;
        }
        let roster = Arc::clone(&self.roster);
        let farewell = move || {
            side_by_side(&gone, FAREWELLS_AT_ONCE, |stream| stream.retire(FAREWELL));
            roster.get().note_endings();
            let deadline = Instant::now() + FAREWELL;
            for endpoint in closing {
                endpoint.send_away(time_until(deadline));
            }
            run_those_always_on(&started);
        };
        let thread = thread::Builder::new().name("farewell".into());
        match thread.spawn(farewell) {
            Ok(farewell) => self.farewells.push(farewell),
            Err(error) => tracing::error!(target: "server", "cannot start a thread: {error}"),
        }
    }

    /// Sends away viewers whose log-in counted `before` and does not any more; answers how many they are.
    fn log_out(&self, before: &Config) -> usize {
        let still_counting = still_counting(before, &self.config);
        let is_out = |mount: &Mount, viewer: &Viewer| {
            let is_in = |name| {
                still_counting
                    .get(name)
                    .is_some_and(|access: &Access| access.allows(mount))
            };
            viewer.user.as_deref().is_some_and(|name| !is_in(name))
        };
        if self.config.all_users().is_empty() {
            return 0;
        }
        let streams = self.streams.iter();
        streams
            .map(|stream| stream.viewers().send_away(Farewell::LoggedOut, is_out))
            .sum()
    }

    fn tell(&self, reload: Reload, (streams, places): (Differences, Places), new: &[Arc<Stream>]) {
        if reload.changes.is_none() {
            return;
        }
        let replaced = reload.changes.replaced.clone();
        let reloaded = Happening::Reloaded {
            streams,
            needs_login: !self.config.all_users().is_empty(),
            reload: Some(reload),
        };
        self.events().tell_of(places, reloaded);
        for stream in new.iter().filter(|stream| replaced.contains(&stream.name())) {
            stream.tell(|streams| Happening::StreamRebuilt { streams });
        }
    }
}

/// Changes each of the streams to its new configuration; answers those that are to run before anybody looks, and did
/// not before.
fn change(changed: &[(Arc<Stream>, StreamConfig)]) -> Vec<Arc<Stream>> {
    let mut started = Vec::new();
    for (stream, config) in changed {
        if config.always_on && !stream.is_always_on() {
            started.push(Arc::clone(stream));
        }
        stream.change(config);
    }
    started
}

/// Sends away viewers of paths that a picture has no longer, and those who play by transports that it allows no longer.
/// Others play on.
fn send_away_who_may_not_stay(changed: &[(Arc<Stream>, StreamConfig)]) {
    for (stream, config) in changed {
        let is_removed = |mount: &Mount, _: &Viewer| !config.mounts.contains(mount);
        stream.viewers().send_away(Farewell::Removed, is_removed);
        let is_disallowed = |_: &Mount, viewer: &Viewer| !config.transports.contains(&viewer.transport);
        stream.viewers().send_away(Farewell::Disallowed, is_disallowed);
    }
}

/// Which of `streams` becomes what is `wanted` while it plays: before others, the one that is where this begins.
fn plays_on_as(streams: &[Arc<Stream>], wanted: &StreamConfig) -> Option<usize> {
    let becomes = |stream: &Arc<Stream>, mounts: &[Mount]| {
        let config = stream.config();
        mounts.iter().any(|mount| config.mounts.contains(mount))
            && config.is_made_as(wanted)
            && changing::is_taken_while_playing(&config, wanted)
    };
    let (first, all) = (wanted.mounts.get(..1).unwrap_or_default(), &wanted.mounts);
    let position = |mounts: &[Mount]| streams.iter().position(|stream| becomes(stream, mounts));
    position(first).or_else(|| position(all))
}

/// Whether something of `before` is not there `after`, but for what is `removed`.
fn leaves_places(before: &[Mount], after: &[Mount], removed: &[Mount]) -> bool {
    if before == after {
        return false;
    }
    let stays: BTreeSet<&Mount> = after.iter().chain(removed).collect();
    before.iter().any(|mount| !stays.contains(mount))
}

/// Whether the two are the same but for the phase, about which the number of an entry's cameras decides.
fn is_as(one: &StreamConfig, other: &StreamConfig) -> bool {
    let phased = || StreamConfig {
        phase: other.phase,
        ..one.clone()
    };
    one.look == other.look && phased() == *other
}

/// The `streams` that are not among the `others`.
fn without(streams: Vec<Arc<Stream>>, others: &[Arc<Stream>]) -> Vec<Arc<Stream>> {
    let is_there = |stream: &Arc<Stream>| others.iter().any(|other| Arc::ptr_eq(other, stream));
    streams.into_iter().filter(|stream| !is_there(stream)).collect()
}

fn names(streams: &[Arc<Stream>]) -> Vec<String> {
    streams.iter().map(|stream| stream.name()).collect()
}

/// The names that are replaced, added and removed, where the ones in `gone` go and the `new` ones come.
fn exchanged(gone: &[String], new: &[String]) -> (Vec<String>, Vec<String>, Vec<String>) {
    let (replaced, added): (Vec<_>, Vec<_>) = new.iter().cloned().partition(|name| gone.contains(name));
    let removed = gone.iter().filter(|name| !replaced.contains(name)).cloned();
    let removed = removed.collect();
    (replaced, added, removed)
}

fn that_differ(keys: &[(&'static str, bool)]) -> Vec<&'static str> {
    keys.iter()
        .filter(|(_, differs)| *differs)
        .map(|(key, _)| *key)
        .collect()
}

/// The names whose log-ins are what they were before, with what they may see now.
fn still_counting(before: &Config, now: &Config) -> HashMap<String, Access> {
    let before: HashMap<_, _> = before
        .all_users()
        .into_iter()
        .map(|user| (user.login.username.clone(), user.login))
        .collect();
    let counts = |user: &User| before.get(&user.login.username) == Some(&user.login);
    let now = now.all_users().into_iter().filter(counts);
    now.map(|user| (user.login.username, user.access)).collect()
}

fn change_log(level: &log::Filter) {
    match log::change(level) {
        Ok(()) => tracing::info!(target: "server", "logLevel: {level} from now on"),
        Err(error) => tracing::warn!(target: "server", "logLevel: not {level}: {error:#}"),
    }
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
                tls: false,
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
        let changes = server.reload(&after, "a test").expect("it can be had");
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
        assert_eq!(server.config(), &after);
        let deadline = Instant::now() + Duration::from_secs(10);
        while !server.streams.iter().all(|stream| stream.element().is_some()) {
            assert!(
                Instant::now() < deadline,
                "a stream that is always on does not run"
            );
            thread::sleep(Duration::from_millis(5));
        }
        while gone.iter().any(|stream| stream.strong_count() > 0) {
            assert!(Instant::now() < deadline, "a stream that is gone is kept");
            thread::sleep(Duration::from_millis(5));
        }
        assert!(server.reload(&after, "a test").expect("nothing is new").is_none());
    }
}

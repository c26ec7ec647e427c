//! Mistakes between keys that are right each by itself, and between streams.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::Bound::Excluded;

use clockface::WordingError;

use super::{
    Environment, Mistake, coding,
    keys::{
        ADDRESS, AUDIO, COUNT, HTTP_ALLOW_PIPELINES, HTTP_TLS, HTTP_TOKEN, MULTICAST_ADDRESS_RANGE,
        MULTICAST_PORT_RANGE, PATH, PIPELINE, PLAIN_RTSP, PORT, RESOLUTION, RTP_PORT_RANGE, STAMP, STAMP_ID,
        TIME_ZONE, TLS_CERTIFICATE, TLS_PORT, TLS_PRIVATE_KEY, TRANSPORTS, port_key,
    },
    limits::{MOST_STREAMS, STAMP_IDS},
    scope::Scope,
};
use crate::{
    config::{Mount, PortRange, Stamp, StreamConfig, Transport},
    resource::Resource,
    tls,
};

/// A stream takes this many ports at most: RTP's and RTCP's, of picture and sound.
const MOST_PORTS: u16 = 4;

/// The keys that a check looks at, and the function that finds what is wrong between them.
type Check = (&'static [&'static str], fn(&Scope) -> Option<Mistake>);

/// The mistakes in one scope. Nothing is said of keys whose value is a mistake already.
pub(super) fn mistakes(scope: &Scope) -> Vec<Mistake> {
    let asks_of = |keys: &[&str]| keys.iter().all(|key| !scope.refused.contains(key));
    let checks: &[Check] = &[
        (&[STAMP, RESOLUTION], stamp),
        (&[AUDIO, RTP_PORT_RANGE], rtp_ports),
        (&[STAMP_ID, COUNT], stamp_ids),
        (
            &[AUDIO, MULTICAST_ADDRESS_RANGE, MULTICAST_PORT_RANGE],
            multicast_ports,
        ),
        (&[TRANSPORTS, MULTICAST_ADDRESS_RANGE, ADDRESS], multicast),
        (&[PLAIN_RTSP, TLS_PORT], plain_rtsp),
        (&[TLS_PORT, TLS_CERTIFICATE, TLS_PRIVATE_KEY], tls_port),
    ];
    let asked = checks.iter().filter(|(keys, _)| asks_of(keys));
    let between = asked.filter_map(|(_, check)| check(scope));
    coding_mistakes(scope).into_iter().chain(between).collect()
}

/// Whether the settings of the picture's coding go together.
fn coding_mistakes(scope: &Scope) -> Vec<Mistake> {
    let stream = &scope.draft.stream;
    let rules: &[coding::Rule] = match stream.pipeline {
        _ if scope.refused.contains(PIPELINE) => &[],
        Some(_) => &coding::RULES_OF_PIPELINES,
        None => &coding::RULES,
    };
    let place = |key: &str| scope.place(key);
    let is_known = |rule: &&coding::Rule| !rule.keys.iter().any(|key| scope.refused.contains(key));
    let breach = |rule: &coding::Rule| {
        let problem = (rule.breach)(stream, &place)?;
        Some(scope.mistake(rule.key, problem))
    };
    rules.iter().filter(is_known).filter_map(breach).collect()
}

/// Whether the picture has room for its stamp.
fn stamp(scope: &Scope) -> Option<Mistake> {
    let StreamConfig { width, height, .. } = scope.draft.stream;
    let stamp = scope.draft.stream.look.stamp;
    let module = clockface::stamp::module_size(width as usize, height as usize);
    if scope.draft.stream.pipeline.is_some() || stamp == Stamp::None || module.is_some() {
        return None;
    }
    let (least_width, least_height) = clockface::stamp::SMALLEST_PICTURE;
    let size_place = scope.place(RESOLUTION);
    Some(scope.mistake(STAMP, format!(
            "found \"{stamp}\", for which {RESOLUTION} {width}x{height} ({size_place}) has no room: a picture with a \
             stamp is at least {least_width} px wide and {least_height} px high; expected \"none\" or a larger picture"
        )))
}

fn rtp_ports(scope: &Scope) -> Option<Mistake> {
    too_few_for_sound(scope, RTP_PORT_RANGE, scope.draft.rtp_ports?)
}

fn multicast_ports(scope: &Scope) -> Option<Mistake> {
    too_few_for_sound(scope, MULTICAST_PORT_RANGE, scope.draft.multicast()?.ports)
}

/// Whether there are ports enough for picture and sound.
fn too_few_for_sound(scope: &Scope, key: &str, ports: PortRange) -> Option<Mistake> {
    let codec = scope.draft.stream.audio?;
    if ports.last - ports.first >= MOST_PORTS - 1 {
        return None;
    }
    let audio_place = scope.place(AUDIO);
    Some(scope.mistake(key, format!(
            "found {ports}, which are too few for picture and sound ({AUDIO} {codec}, {audio_place}): expected \
             {MOST_PORTS} ports or more"
        )))
}

/// Whether a file that offers multicast says where it goes.
fn multicast(scope: &Scope) -> Option<Mistake> {
    let draft = &scope.draft;
    if !draft.transports.as_ref()?.contains(&Transport::Multicast) {
        return None;
    }
    let problem = if draft.multicast_groups.is_none() {
        format!("found \"multicast\", for which {MULTICAST_ADDRESS_RANGE} has to say where it goes")
    } else if draft.address.is_ipv6() {
        let place = scope.place(ADDRESS);
        format!(
            "found \"multicast\", which is there for IPv4 only: {ADDRESS} ({place}) is {}",
            draft.address
        )
    } else {
        return None;
    };
    Some(scope.mistake(TRANSPORTS, problem))
}

/// Whether a stream can be played at all.
fn plain_rtsp(scope: &Scope) -> Option<Mistake> {
    let draft = &scope.draft;
    (!draft.plain_rtsp && draft.tls_port.is_none()).then(|| {
        scope.mistake(
            PLAIN_RTSP,
            format!("found false without {TLS_PORT}: nobody could play the stream"),
        )
    })
}

/// Whether there is a certificate and a key for TLS.
fn tls_port(scope: &Scope) -> Option<Mistake> {
    let draft = &scope.draft;
    draft.tls_port?;
    let lacks: Vec<&str> = [
        (TLS_CERTIFICATE, &draft.tls_certificate),
        (TLS_PRIVATE_KEY, &draft.tls_private_key),
    ]
    .into_iter()
    .filter_map(|(key, file)| file.is_none().then_some(key))
    .collect();
    (!lacks.is_empty()).then(|| {
        scope.mistake(
            TLS_PORT,
            format!(
                "is set without {}: expected the PEM files of both",
                lacks.join(" and ")
            ),
        )
    })
}

/// Whether the HTTP server has what its settings ask for.
pub(super) fn http(top: &Scope) -> Vec<Mistake> {
    let Some(http) = top.draft.http.get() else {
        return Vec::new();
    };
    let asks_of = |keys: &[&str]| keys.iter().all(|key| !top.refused.contains(key));
    let has_files = top.draft.tls().is_some();
    let tls = asks_of(&[HTTP_TLS, TLS_CERTIFICATE, TLS_PRIVATE_KEY]) && http.tls && !has_files;
    let pipelines =
        asks_of(&[HTTP_ALLOW_PIPELINES, HTTP_TOKEN]) && http.allow_pipelines && http.token.is_empty();
    [
        tls.then(|| {
            let problem = format!(
                "found true without {TLS_CERTIFICATE} and {TLS_PRIVATE_KEY}: expected the PEM files of both"
            );
            top.mistake(HTTP_TLS, problem)
        }),
        pipelines.then(|| {
            let problem =
                format!("found true without {HTTP_TOKEN}: whoever reaches the server could write files");
            top.mistake(HTTP_ALLOW_PIPELINES, problem)
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Whether the certificate and the key are a pair. Where GLib has no TLS, the start says so.
pub(super) fn tls_files(top: &Scope) -> Option<Mistake> {
    let asked = [TLS_CERTIFICATE, TLS_PRIVATE_KEY];
    if asked.iter().any(|key| top.refused.contains(key)) {
        return None;
    }
    let (key, problem) = match tls::load(&top.draft.tls()?) {
        Ok(_) | Err(tls::Problem::NoBackend) => return None,
        Err(problem @ tls::Problem::Files(_)) => (TLS_CERTIFICATE, problem),
        Err(problem @ tls::Problem::NoPair(_)) => (TLS_PRIVATE_KEY, problem),
    };
    Some(top.mistake(key, problem.to_string()))
}

/// Whether the variable that names the machine's time zone names one that there is, where a picture shows that zone.
pub(super) fn machine_zone(scopes: &[Scope], environment: &Environment) -> Option<Mistake> {
    const VARIABLE: &str = "TZ";
    let shows_it = |scope: &Scope| {
        let stream = &scope.draft.stream;
        !scope.refused.contains(TIME_ZONE) && (stream.pipeline.is_some() || stream.look.time_zone.is_empty())
    };
    let value = environment.get(VARIABLE)?;
    let WordingError::Variable { value, cause } = clockface::zone::variable_zone(value).err()? else {
        return None;
    };
    scopes.iter().any(shows_it).then(|| {
        let expected = format!(
            "a time zone: an IANA name such as \"Europe/Berlin\", a POSIX one such as \"CET-1CEST,M3.5.0,M10.5.0/3\", or a \
             file's with its whole path (empty: UTC): {cause}"
        );
        Mistake::unexpected(VARIABLE, VARIABLE, format!("{value:?}"), expected)
    })
}

/// Whether a stamp can carry the number of the last stream.
fn stamp_ids(scope: &Scope) -> Option<Mistake> {
    let draft = &scope.draft;
    let first = draft.stamp_id_of(draft.first_number);
    let last = draft.stamp_id_of(draft.last_number());
    if draft.shared_picture || STAMP_IDS.contains(&last) {
        return None;
    }
    Some(scope.mistake(
        STAMP_ID,
        format!(
            "found {first}, from which {COUNT} {} ({}) goes on to {last}, beyond {}",
            draft.count,
            scope.place(COUNT),
            STAMP_IDS.end()
        ),
    ))
}

/// The streams of all scopes, no two at the same place.
pub(super) fn streams(scopes: &[Scope]) -> Result<Vec<StreamConfig>, Vec<Mistake>> {
    if let Some(mistake) = too_many(scopes) {
        return Err(vec![mistake]);
    }
    let mut streams = Vec::new();
    let mut mistakes = Vec::new();
    let mut places = Places::default();
    for scope in scopes {
        let Some(more) = scope.draft.streams() else {
            mistakes.push(too_few_ports(scope));
            continue;
        };
        let mut mounts: Vec<_> = more.iter().flat_map(|stream| &stream.mounts).collect();
        // Mounts without TLS take their ports first.
        mounts.sort_by_key(|mount| mount.tls);
        let mut refused = mounts.into_iter().filter_map(|mount| places.take(mount, scope));
        // The first refusal stands for all others.
        mistakes.extend(refused.next());
        streams.extend(more);
    }
    mistakes.extend(places.hidden().take(1));
    if mistakes.is_empty() {
        Ok(streams)
    } else {
        Err(mistakes)
    }
}

/// Whether the entries together make more streams than any machine holds. The mistake is told of the entry that goes
/// too far.
fn too_many(scopes: &[Scope]) -> Option<Mistake> {
    let mut all = 0;
    let scope = scopes.iter().find(|scope| {
        all += scope.draft.count as usize;
        all > MOST_STREAMS
    })?;
    Some(scope.mistake(COUNT, format!(
            "found {}, with which the streams are {all} or more, expected at most {MOST_STREAMS} of all entries together",
            scope.draft.count
        )))
}

fn too_few_ports(scope: &Scope) -> Mistake {
    let draft = &scope.draft;
    let (key, base) = match draft.tls_port {
        Some(port) if port.of(draft.last_number()).is_none() => (TLS_PORT, port.base),
        _ => (PORT, draft.port.base),
    };
    scope.mistake(
        key,
        format!(
            "found \"{base}+{{n}}\", from which {COUNT} {} ({}) goes on beyond {}",
            draft.count,
            scope.place(COUNT),
            u16::MAX
        ),
    )
}

/// The places that streams have taken.
#[derive(Default)]
struct Places<'a> {
    /// The places by mounts as viewers find them, whichever way they write their queries.
    mounts: BTreeMap<Mount, Taken<'a>>,
    /// The listeners by port and address: whether one speaks TLS, and whose it is.
    listeners: BTreeMap<u16, BTreeMap<IpAddr, (bool, &'a Scope)>>,
}

/// Who has taken a place.
struct Taken<'a> {
    scope: &'a Scope,
    /// The path as the configuration has it.
    path: String,
}

impl<'a> Places<'a> {
    /// Takes the place of `mount`; answers why it cannot be had.
    fn take(&mut self, mount: &Mount, scope: &'a Scope) -> Option<Mistake> {
        let found_at = Mount {
            path: Resource::parse(&mount.path).as_path(),
            ..*mount
        };
        let path = mount.path.clone();
        if let Some(other) = self.mounts.insert(found_at, Taken { scope, path }) {
            return Some(same_place(mount, scope, &other));
        }
        let Mount {
            address, port, tls, ..
        } = *mount;
        let listeners = self.listeners.entry(port).or_default();
        let (is_tls, first) = *listeners.entry(address).or_insert((tls, scope));
        if port == 0 {
            return None;
        }
        if is_tls != tls {
            return Some(same_port(mount, scope, first));
        }
        let overlaps = |(other, _): &(&IpAddr, _)| overlap(**other, address);
        let (other_address, (_, other)) = listeners.iter().find(overlaps)?;
        Some(scope.mistake(ADDRESS, format!(
                "found {address}, where {other_address} ({}) listens on all addresses or one of them: both have port \
                 {port}",
                other.place(ADDRESS),
            )))
    }
}

impl Places<'_> {
    /// The streams that viewers would not find. gst-rtsp-server looks through the paths in the order of their characters,
    /// and takes `/live` for the stream at `/live/1` once it has come to `/live-2`, which stands between the two.
    fn hidden(&self) -> impl Iterator<Item = Mistake> {
        self.mounts.iter().filter_map(|(mount, taken)| {
            let at = |path: &str| Mount {
                path: path.to_owned(),
                ..*mount
            };
            let path = &mount.path;
            let parts = path.match_indices('/').map(|(end, _)| &path[..end]);
            let mut above = parts.filter(|above| !above.is_empty() && self.mounts.contains_key(&at(above)));
            let between = |above: &str| {
                let range = (Excluded(at(above)), Excluded(at(&format!("{above}/"))));
                self.mounts.range(range).next().map(|(_, taken)| taken)
            };
            let (above, between) = above.find_map(|above| Some((above, between(above)?)))?;
            let written = |above: &str| self.mounts.get(&at(above)).map(|taken| &*taken.path);
            let above = written(above)?;
            Some(taken.scope.mistake(PATH, format!(
                    "found \"{}\", where \"{above}\" and \"{}\" are as well: viewers would get the one at \"{above}\" in \
                     its place; expected another path for one of the three",
                    taken.path, between.path
                )))
        })
    }
}

/// The mistake of two streams at one place: whoever asks for the `path` of the one would get the other as well.
fn same_place(mount: &Mount, scope: &Scope, other: &Taken) -> Mistake {
    let (place, path) = (mount.endpoint(), &mount.path);
    let (by, port) = (&other.scope.name, port_key(mount.tls));
    let problem = if scope.name == *by {
        let count = scope.draft.count;
        format!(
            "found \"{path}\" at {place} for more than one of {COUNT} {count}: expected {{n}} in {PATH} or in {port}"
        )
    } else {
        let means_the_same = if *path == other.path {
            String::new()
        } else {
            format!(" as \"{}\", which means the same", other.path)
        };
        format!(
            "found \"{path}\" at {place} for {}, where {by} is already{means_the_same}: expected another path, port or \
             address",
            scope.name
        )
    };
    scope.mistake(PATH, problem)
}

/// The mistake of one port with TLS and without: a server speaks TLS at a port, or it does not.
fn same_port(mount: &Mount, scope: &Scope, other: &Scope) -> Mistake {
    let (key, other_key) = (port_key(mount.tls), port_key(!mount.tls));
    scope.mistake(
        key,
        format!(
            "found {}, which is {other_key} already ({}): expected another port",
            mount.port,
            other.place(other_key)
        ),
    )
}

/// Whether a socket that listens on the one address keeps all others from the other address.
fn overlap(one: IpAddr, other: IpAddr) -> bool {
    one != other && (one.is_unspecified() || other.is_unspecified()) && one.is_ipv4() == other.is_ipv4()
}

//! What is wrong between keys that are right each by itself, and between streams.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use super::keys::{
    ADDRESS, AUDIO, COUNT, PATH, PIPELINE, PORT, RESOLUTION, RTP_PORT_RANGE, STAMP, STAMP_ID, STAMP_IDS,
};
use super::walk::Scope;
use super::{Mistake, Mount, Stamp, StreamConfig, coding};

/// RTP and RTCP, of picture and sound.
const MOST_PORTS: u16 = 4;

/// The keys that it asks of, and what is wrong between them.
type Check = (&'static [&'static str], fn(&Scope) -> Option<Mistake>);

/// What is wrong in one scope. Nothing is said of keys whose value is a mistake already.
pub(super) fn mistakes(scope: &Scope) -> Vec<Mistake> {
    let asks_of = |keys: &[&str]| keys.iter().all(|key| !scope.refused.contains(key));
    let checks: &[Check] = &[
        (&[STAMP, RESOLUTION], stamp),
        (&[AUDIO, RTP_PORT_RANGE], rtp_ports),
        (&[STAMP_ID, COUNT], stamp_ids),
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
        Some(Mistake {
            place: place(rule.key),
            problem: (rule.breach)(stream, &place)?,
        })
    };
    rules.iter().filter(is_known).filter_map(breach).collect()
}

/// Whether the picture has room for its stamp.
fn stamp(scope: &Scope) -> Option<Mistake> {
    let StreamConfig {
        stamp, width, height, ..
    } = scope.draft.stream;
    let module = clockface::stamp::module_size(width as usize, height as usize);
    if scope.draft.stream.pipeline.is_some() || stamp == Stamp::None || module.is_some() {
        return None;
    }
    let (least_width, least_height) = clockface::stamp::SMALLEST_PICTURE;
    let size_place = scope.place(RESOLUTION);
    Some(Mistake {
        place: scope.place(STAMP),
        problem: format!(
            "found \"{stamp}\", for which {RESOLUTION} {width}x{height} ({size_place}) has no room: a picture with a \
             stamp is at least {least_width} px wide and {least_height} px high; expected \"none\" or a larger picture"
        ),
    })
}

/// Whether there are ports enough for picture and sound.
fn rtp_ports(scope: &Scope) -> Option<Mistake> {
    let (codec, ports) = (scope.draft.stream.audio?, scope.draft.rtp_ports?);
    if ports.last - ports.first >= MOST_PORTS - 1 {
        return None;
    }
    let audio_place = scope.place(AUDIO);
    Some(Mistake {
        place: scope.place(RTP_PORT_RANGE),
        problem: format!(
            "found {ports}, which are too few for picture and sound ({AUDIO} {codec}, {audio_place}): expected \
             {MOST_PORTS} ports or more"
        ),
    })
}

/// Whether a stamp can carry the number of the last stream.
fn stamp_ids(scope: &Scope) -> Option<Mistake> {
    let draft = &scope.draft;
    let last = draft.stream.stamp_id.saturating_add(draft.count - 1);
    if draft.shared_picture || STAMP_IDS.contains(&last) {
        return None;
    }
    Some(Mistake {
        place: scope.place(STAMP_ID),
        problem: format!(
            "found {}, from which {COUNT} {} ({}) goes on to {last}, beyond {}",
            draft.stream.stamp_id,
            draft.count,
            scope.place(COUNT),
            STAMP_IDS.end()
        ),
    })
}

/// The streams of all scopes, no two at the same place.
pub(super) fn streams(scopes: &[Scope]) -> Result<Vec<StreamConfig>, Vec<Mistake>> {
    let mut streams = Vec::new();
    let mut mistakes = Vec::new();
    let mut places = Places::default();
    for scope in scopes {
        let Some(more) = scope.draft.streams() else {
            mistakes.push(too_few_ports(scope));
            continue;
        };
        let mounts = more.iter().flat_map(|stream| &stream.mounts);
        // The first one says it for all.
        mistakes.extend(mounts.filter_map(|mount| places.take(mount, scope)).take(1));
        streams.extend(more);
    }
    if mistakes.is_empty() {
        Ok(streams)
    } else {
        Err(mistakes)
    }
}

fn too_few_ports(scope: &Scope) -> Mistake {
    let draft = &scope.draft;
    Mistake {
        place: scope.place(PORT),
        problem: format!(
            "found \"{}+{{n}}\", from which {COUNT} {} ({}) goes on beyond {}",
            draft.port.base,
            draft.count,
            scope.place(COUNT),
            u16::MAX
        ),
    }
}

/// The places that streams have taken.
#[derive(Default)]
struct Places<'a> {
    mounts: BTreeMap<Mount, &'a Scope>,
    addresses: BTreeMap<u16, BTreeMap<IpAddr, &'a Scope>>,
}

impl<'a> Places<'a> {
    /// Takes the place of `mount`; answers why it cannot be had.
    fn take(&mut self, mount: &Mount, scope: &'a Scope) -> Option<Mistake> {
        if let Some(other) = self.mounts.insert(mount.clone(), scope) {
            return Some(same_place(mount, scope, other));
        }
        let listeners = self.addresses.entry(mount.port).or_default();
        listeners.entry(mount.address).or_insert(scope);
        let overlaps = |(address, _): &(&IpAddr, _)| overlap(**address, mount.address);
        let (address, other) = listeners.iter().find(overlaps).filter(|_| mount.port != 0)?;
        Some(Mistake {
            place: scope.place(ADDRESS),
            problem: format!(
                "found {}, where {} ({}) listens on all addresses or one of them: both have port {}",
                mount.address,
                address,
                other.place(ADDRESS),
                mount.port
            ),
        })
    }
}

fn same_place(mount: &Mount, scope: &Scope, other: &Scope) -> Mistake {
    let place = SocketAddr::new(mount.address, mount.port);
    let (path, by) = (&mount.path, &other.name);
    let problem = if scope.name == other.name {
        let count = scope.draft.count;
        format!(
            "found \"{path}\" at {place} for more than one of {COUNT} {count}: expected {{n}} in {PATH} or in {PORT}"
        )
    } else {
        format!(
            "found \"{path}\" at {place} for {}, where {by} is already: expected another path, port or address",
            scope.name
        )
    };
    Mistake {
        place: scope.place(PATH),
        problem,
    }
}

/// Whether a socket that listens on one address takes the other from anybody else.
fn overlap(one: IpAddr, other: IpAddr) -> bool {
    one != other && (one.is_unspecified() || other.is_unspecified()) && one.is_ipv4() == other.is_ipv4()
}

//! The id of a stream, by which an API asks for its status and events name it.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fmt,
    net::SocketAddr,
};

use schemars::JsonSchema;
use serde::Serialize;

/// A stream's name in URLs of an API, and in events: letters, digits, `.`, `_` and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct StreamId(String);

/// The id of a stream at `/`, of whose path nothing is left.
const ROOT: &str = "root";

impl StreamId {
    /// The id that is written so; there need not be such a stream.
    #[must_use]
    pub fn new(id: &str) -> Self {
        Self(id.to_owned())
    }

    /// The id as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The ids of the streams at these paths of these addresses, in their order. No id depends on that order.
///
/// An id is the path without its first slash, in which a `-` stands for what is no letter, digit, `.` or `_`. Ids that
/// would be alike have their ports behind that; and where they still are alike, numbers, from `-2` on.
pub(crate) fn ids(places: &[(&str, SocketAddr)]) -> Vec<StreamId> {
    let plain: Vec<String> = places.iter().map(|(path, _)| readable(path)).collect();
    let mut counts = HashMap::<&str, usize>::new();
    for id in &plain {
        *counts.entry(id).or_default() += 1;
    }
    let with_port = |(id, (_, address)): (&String, &(&str, SocketAddr))| match counts.get(id.as_str()) {
        Some(1) => id.clone(),
        _ => format!("{id}-{}", address.port()),
    };
    let with_ports = plain.iter().zip(places).map(with_port).collect();
    numbered(places, with_ports).into_iter().map(StreamId).collect()
}

/// Tells ids apart that are still alike, by numbers in the order of their paths and addresses.
fn numbered(places: &[(&str, SocketAddr)], mut ids: Vec<String>) -> Vec<String> {
    let mut alike = BTreeMap::<String, Vec<usize>>::new();
    for (index, id) in ids.iter().enumerate() {
        alike.entry(id.clone()).or_default().push(index);
    }
    let mut taken: BTreeSet<String> = alike.keys().cloned().collect();
    for (id, mut indices) in alike {
        indices.sort_by_key(|index| (places[*index].0, places[*index].1.port(), places[*index].1.ip()));
        let mut number = 2;
        for index in indices.into_iter().skip(1) {
            while !taken.insert(format!("{id}-{number}")) {
                number += 1;
            }
            ids[index] = format!("{id}-{number}");
        }
    }
    ids
}

/// The path without its first slash, and without what needs to be quoted anywhere.
fn readable(path: &str) -> String {
    let path = path.strip_prefix('/').unwrap_or(path);
    if path.is_empty() {
        return ROOT.into();
    }
    let mut id = String::new();
    for letter in path.chars() {
        if letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_') {
            id.push(letter);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(places: &[(&str, u16)]) -> Vec<String> {
        ids(&places
            .iter()
            .map(|(path, port)| (*path, ([0, 0, 0, 0], *port).into()))
            .collect::<Vec<_>>())
        .iter()
        .map(ToString::to_string)
        .collect()
    }

    #[test]
    fn an_id_is_the_path_in_letters_that_need_no_quotes() {
        for (path, id) in [
            ("/live", "live"),
            ("/site 1/door", "site-1-door"),
            ("/live?channel=2&subtype=0", "live-channel-2-subtype-0"),
            ("/a-b_c.d", "a-b_c.d"),
            ("/a--b", "a-b"),
            ("/Straße", "Stra-e"),
            ("/", "root"),
        ] {
            assert_eq!(of(&[(path, 8554)]), [id]);
        }
    }

    #[test]
    fn those_that_would_be_alike_are_told_apart_by_their_ports_and_then_by_numbers() {
        assert_eq!(
            of(&[("/live", 8554), ("/live", 8555), ("/door", 8554)]),
            ["live-8554", "live-8555", "door"]
        );
        assert_eq!(
            of(&[("/a/b", 8554), ("/a-b", 8554), ("/a b", 8554)]),
            ["a-b-8554-3", "a-b-8554-2", "a-b-8554"]
        );
        // A stream whose own id is `a-1` keeps it.
        assert_eq!(of(&[("/a", 1), ("/a", 2), ("/a-1", 5)]), ["a-1", "a-2", "a-1-2"]);
    }

    #[test]
    fn the_order_of_the_file_does_not_matter() {
        let places = [
            ("/a/b", 8554),
            ("/a-b", 8554),
            ("/a b", 8555),
            ("/c", 8554),
            ("/c", 8555),
            ("/c-8554", 1),
        ];
        let named = |places: &[(&'static str, u16)]| {
            let mut named: Vec<_> = places.iter().copied().zip(of(places)).collect();
            named.sort();
            named
        };
        let all = named(&places);
        for start in 0..places.len() {
            let mut turned = places;
            turned.rotate_left(start);
            assert_eq!(named(&turned), all);
            turned.reverse();
            assert_eq!(named(&turned), all);
        }
        let distinct: BTreeSet<_> = all.iter().map(|(_, id)| id).collect();
        assert_eq!(distinct.len(), places.len());
    }

    #[test]
    fn the_same_path_and_port_of_two_addresses_are_told_apart_whatever_their_order() {
        let at = |host: u8| ("/live", SocketAddr::from(([127, 0, 0, host], 8554)));
        let named = |places: [(&str, SocketAddr); 2]| {
            ids(&places).iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(named([at(1), at(2)]), ["live-8554", "live-8554-2"]);
        assert_eq!(named([at(2), at(1)]), ["live-8554-2", "live-8554"]);
    }
}

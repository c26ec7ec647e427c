//! Two configurations side by side: which stream is which, and what is said of it.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::Value;

use crate::{
    config::{Config, Mount},
    config_file::{self, COUNT, Change, Environment, Keys, Loaded, Origin, STREAMS},
};

/// How many streams are looked at for the keys that end them.
const LOOKED_AT: usize = 10;

/// A key, and what a change would have it say.
#[derive(Debug)]
pub(crate) struct KeyValue {
    pub(crate) key: &'static str,
    pub(crate) value: Option<Value>,
}

/// A key that a variable says, whatever else does.
#[derive(Debug)]
pub(crate) struct Overridden {
    pub(crate) key: &'static str,
    pub(crate) variable: &'static str,
    /// What the top level would say.
    pub(crate) value: Option<Value>,
}

/// The keys that a variable says and that `after` says otherwise than `before`: of all streams, or of one of them.
pub(super) fn overridden(before: &Loaded, after: &Loaded) -> Vec<Overridden> {
    let counterparts = counterparts(&after.config, &before.config);
    let was = |index: Option<usize>, key: &str| match index.and_then(|index| before.origins.get(index)) {
        Some(origin) => before.document.said_of(origin, key),
        None => before.document.get(key),
    };
    let is_otherwise = |key: &str| {
        let mut streams = after.origins.iter().zip(&counterparts);
        before.document.get(key) != after.document.get(key)
            || streams.any(|(origin, index)| after.document.said_of(origin, key) != was(*index, key))
    };
    let said = config_file::keys().filter(|key| key.section().is_none());
    let said = said.filter_map(|key| {
        let variable = config_file::overriding(key, &before.variables)?;
        let key = key.name;
        Some(Overridden {
            key,
            variable,
            value: after.document.get(key).cloned(),
        })
    });
    said.filter(|said| is_otherwise(said.key)).collect()
}

/// The keys by which the streams of `before` that are called `ended` are not in `after`.
pub(super) fn asking(
    before: &Loaded,
    after: &Loaded,
    ended: &[String],
    environment: &Environment,
) -> Vec<KeyValue> {
    let ended: HashSet<&str> = ended.iter().map(String::as_str).collect();
    let streams = before.config.streams.iter();
    let streams = streams
        .zip(counterparts(&before.config, &after.config))
        .zip(&before.origins);
    let ended = streams.filter(|((stream, _), _)| ended.contains(stream.name().as_str()));
    let (mut were, mut are): (Vec<&Origin>, Vec<&Origin>) = (Vec::new(), Vec::new());
    let mut is_gone = false;
    for ((_, counterpart), origin) in ended.take(LOOKED_AT) {
        match counterpart.and_then(|index| after.origins.get(index)) {
            Some(is) => {
                were.push(origin);
                are.push(is);
            }
            None => is_gone = true,
        }
    }
    let in_force = |loaded: &Loaded, origins: &[&Origin]| {
        config_file::of_streams(&loaded.document.text(), environment, origins)
    };
    let pairs: Vec<(Keys, Keys)> = in_force(before, &were)
        .into_iter()
        .zip(in_force(after, &are))
        .collect();
    let mut asking = differing(&pairs);
    if is_gone {
        let is_fewer = before.document.get(COUNT) != after.document.get(COUNT);
        let key = if is_fewer { COUNT } else { STREAMS };
        let value = after.document.get(key).cloned();
        asking.push(KeyValue { key, value });
    }
    asking
}

/// The keys that differ in one of these pairs, as far as a change of them takes another stream.
fn differing(pairs: &[(Keys, Keys)]) -> Vec<KeyValue> {
    let keys = config_file::keys().filter(|key| !matches!(key.change, Change::AtOnce));
    let differing = keys.filter_map(|key| {
        let other = pairs
            .iter()
            .find(|(was, is)| was.get(key.name) != is.get(key.name))?;
        Some(KeyValue {
            key: key.name,
            value: other.1.get(key.name).cloned(),
        })
    });
    differing.collect()
}

/// For each stream of `config` the index of the one in `other` that it is: it is found at the same place, or where there are as
/// many, it stands where another one does that is not in `config`.
fn counterparts(config: &Config, other: &Config) -> Vec<Option<usize>> {
    let places = |of: &Config| -> BTreeMap<Mount, usize> {
        let streams = of.streams.iter().enumerate();
        let places =
            streams.flat_map(|(index, stream)| stream.mounts.iter().map(move |mount| (mount.clone(), index)));
        places.collect()
    };
    let (known, own) = (places(other), places(config).into_keys().collect::<BTreeSet<_>>());
    let is_as_many = config.streams.len() == other.streams.len();
    let streams = config.streams.iter().enumerate().map(|(index, stream)| {
        let same = stream.mounts.iter().find_map(|mount| known.get(mount).copied());
        let is_new = |index: &usize| {
            let there = other.streams.get(*index);
            there.is_some_and(|there| !there.mounts.iter().any(|mount| own.contains(mount)))
        };
        same.or_else(|| Some(index).filter(|index| is_as_many && is_new(index)))
    });
    streams.collect()
}

//! Which files and pipelines streams are made of: a launch string reads and writes files as the server does.

use std::collections::BTreeMap;

use serde_json::json;

use super::compared::KeyValue;
use crate::{
    config::{Mount, StreamConfig},
    config_file::{self, Document, LOGO, Loaded, PIPELINE},
};

/// The keys by which a stream of `after` has a pipeline or a file that it did not have, or lacks what it had. A new stream has
/// what all have that say nothing of it.
pub(super) fn renamed(before: &Loaded, after: &Loaded) -> Vec<KeyValue> {
    let streams = before.config.streams.iter();
    let known: BTreeMap<&Mount, &StreamConfig> = streams
        .flat_map(|stream| stream.mounts.iter().map(move |mount| (mount, stream)))
        .collect();
    let mut keys: Vec<KeyValue> = Vec::new();
    for stream in &after.config.streams {
        let was = stream.mounts.iter().find_map(|mount| known.get(mount));
        for (key, of) in GUARDED
            .into_iter()
            .filter(|(key, _)| !is_said_by_variable(before, key))
        {
            let said = was.map_or_else(|| of_all(&before.document, key), |was| of(was));
            if of(stream) != said && !keys.iter().any(|said| said.key == key) {
                let value = Some(json!(of(stream)));
                keys.push(KeyValue { key, value });
            }
        }
    }
    keys
}

/// Whether a variable says it of all streams, whatever is sent.
fn is_said_by_variable(loaded: &Loaded, name: &str) -> bool {
    let key = config_file::keys().find(|key| key.name == name);
    let variable = key.and_then(|key| key.variable);
    variable.is_some_and(|variable| loaded.variables.contains(&variable))
}

/// A key, and what it says of a stream; an empty text for nothing.
type Guarded = (&'static str, fn(&StreamConfig) -> &str);

const GUARDED: [Guarded; 2] = [
    (PIPELINE, |stream| stream.pipeline.as_deref().unwrap_or_default()),
    (LOGO, |stream| &stream.look.logo),
];

/// What the file says of all streams that say nothing else.
fn of_all<'a>(document: &'a Document, key: &str) -> &'a str {
    document.text_of(key).unwrap_or_default()
}

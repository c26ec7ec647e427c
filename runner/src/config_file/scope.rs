//! An entry's draft, and where each of its values stands.

use std::collections::{BTreeMap, BTreeSet};

use super::{Mistake, draft::Draft, json::Json};

/// The file's top level, or an entry of `streams`.
#[derive(Clone, Default)]
pub(super) struct Scope {
    /// The name that messages give it among others; empty for a file without `streams`.
    pub(super) name: String,
    pub(super) draft: Draft,
    /// The keys with a value that was refused.
    pub(super) refused: BTreeSet<&'static str>,
    /// Where the value that counts stands, by key: a key in the file or a variable.
    pub(super) places: BTreeMap<&'static str, String>,
}

impl Scope {
    /// Where the value of `key` stands.
    pub(super) fn place(&self, key: &str) -> String {
        self.places.get(key).cloned().unwrap_or_else(|| "default".into())
    }

    /// What is wrong with the value of `key`.
    pub(super) fn mistake(&self, key: &str, problem: impl Into<String>) -> Mistake {
        Mistake::new(self.place(key), key, problem)
    }

    /// Whether the file or the environment sets `key`.
    pub(super) fn is_set(&self, key: &str) -> bool {
        self.places.contains_key(key)
    }
}

/// A key of the file as a message shows it: as it stands, where that is harmless.
pub(super) fn shown_name(name: &str) -> String {
    let harmless = !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_ascii_graphic());
    if harmless {
        name.into()
    } else {
        Json::Text(name.into()).to_string()
    }
}

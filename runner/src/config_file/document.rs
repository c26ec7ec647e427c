//! A configuration as it stands in a file, to be edited key by key.

use std::{fmt, ops::Range};

use serde_json::{Map, Value, json};

use super::key::{Key, Level};
use super::keys::{COUNT, FIRST_NUMBER, SHARED_PICTURE, STAMP_ID, STREAMS, USERS, find, keys, names_files};

/// What stands in the place of a secret that is shown.
pub(super) const HIDDEN: &str = "***";
/// The key of a user's password.
pub(super) const USER_SECRET: &str = "password";
/// The key of a user's name.
const USER_NAME: &str = "username";
/// The keys that say how many streams an entry makes.
const OF_MANY: [&str; 3] = [COUNT, FIRST_NUMBER, SHARED_PICTURE];

/// The keys of an object.
pub(crate) type Keys = Map<String, Value>;

/// A configuration as it stands in a file, without a mistake.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Document(Keys);

impl fmt::Debug for Document {
    /// Writes it without what is secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shown().fmt(f)
    }
}

/// Where a stream comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    /// The index of its entry in `streams`; 0 for the top level of a file without.
    pub(crate) entry: usize,
    /// The number that it has there.
    pub(crate) number: u32,
    /// The numbers of all that the entry makes, from and to.
    pub(crate) numbers: (u32, u32),
    /// Whether all of them show one picture.
    pub(crate) is_shared: bool,
    /// The number in the first one's stamp.
    pub(crate) first_stamp_id: u32,
}

impl Document {
    /// The document in `file`, which has been read without a mistake; an empty one for none.
    pub(super) fn parse(file: Option<&[u8]>) -> Self {
        file.and_then(Self::in_file).unwrap_or_default()
    }

    /// A document of these keys.
    pub(crate) fn new(keys: Keys) -> Self {
        Self(keys)
    }

    /// The text that stands at the key of that name, at the top level.
    pub(crate) fn text_of(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.as_str()
    }

    /// The document in a file, which may be none.
    pub(super) fn in_file(file: &[u8]) -> Option<Self> {
        serde_json::from_slice(without_mark(file)).ok().map(Self)
    }

    /// The file's text.
    pub(crate) fn text(&self) -> String {
        let text = serde_json::to_string_pretty(&self.0).unwrap_or_default();
        text + "\n"
    }

    /// The same without what is secret.
    pub(crate) fn shown(&self) -> Value {
        let mut shown = self.clone();
        shown.secrets(|_, secret| *secret = json!(HIDDEN));
        Value::Object(shown.0)
    }

    /// Puts the secrets of `other` where this has what [`shown`](Self::shown) has for them.
    pub(crate) fn keep_secrets_of(&mut self, other: &Self) {
        let mut known = Keys::new();
        other.clone().secrets(|place, secret| {
            known.insert(place.to_owned(), secret.clone());
        });
        self.secrets(|place, secret| {
            if secret == HIDDEN
                && let Some(known) = known.get(place)
            {
                *secret = known.clone();
            }
        });
    }

    /// What a request may not say, with the key's name and where it stands: what is the file's alone, and unless `files`
    /// may be named, what names some.
    pub(crate) fn guarded(&self, files: bool) -> Vec<(&'static str, Option<usize>, &Value)> {
        let is_guarded =
            |key: &&Key| key.section().is_none() && (key.only_in_file || names_files(key) && !files);
        let entries = self.list().iter().enumerate();
        let entries = entries.filter_map(|(index, entry)| Some((Some(index), entry.as_object()?)));
        let objects = std::iter::once((None, &self.0)).chain(entries);
        let names: Vec<_> = keys().filter(is_guarded).map(|key| key.name).collect();
        let guarded = objects.flat_map(|(index, object)| {
            let said = move |name: &&'static str| Some((*name, index, object.get(*name)?));
            names.iter().filter_map(said)
        });
        guarded.collect()
    }

    /// Has `act` look at each secret and its place.
    fn secrets(&mut self, mut act: impl FnMut(&str, &mut Value)) {
        for key in keys().filter(|key| key.is_secret()) {
            let holder = match key.section() {
                Some(section) => self.0.get_mut(section).and_then(Value::as_object_mut),
                None => Some(&mut self.0),
            };
            if let Some(secret) = holder.and_then(|holder| holder.get_mut(key.own_name())) {
                act(key.name, secret);
            }
        }
        let users = self.0.get_mut(USERS).and_then(Value::as_array_mut);
        for user in users.into_iter().flatten().filter_map(Value::as_object_mut) {
            let place = format!("{USERS} {}", user.get(USER_NAME).unwrap_or_default());
            if let Some(secret) = user.get_mut(USER_SECRET) {
                act(&place, secret);
            }
        }
    }

    /// How many streams it makes at least: an entry makes one, or many.
    pub(crate) fn least_streams(&self) -> usize {
        self.list().len().max(1)
    }

    /// Whether it has no stream, as the last entry was taken out.
    pub(crate) fn is_without_streams(&self) -> bool {
        !self.makes_streams() && self.list().is_empty()
    }

    /// What stands at the key of that name, at the top level.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// What it says of the stream that comes from `origin`: in its entry, or at the top level.
    pub(crate) fn said_of(&self, origin: &Origin, name: &str) -> Option<&Value> {
        let own = self.list().get(origin.entry).and_then(|entry| entry.get(name));
        own.or_else(|| self.get(name))
    }

    /// Merges `patch` into the stream that comes from `origin` (RFC 7396). Where others come from the same entry, they get
    /// entries of their own, in which they are what they were.
    ///
    /// Where the top level makes the streams, what it says is theirs: it is changed itself. Beneath that, an entry says what is
    /// its own, and what is taken out of it is what the top level says.
    ///
    /// What takes out a key that is not there changes nothing.
    pub(crate) fn patch(&mut self, origin: &Origin, patch: &Keys) {
        let patch = &self.without_vain_nulls(origin, patch);
        if patch.is_empty() {
            return;
        }
        let is_one = origin.is_shared || origin.is_alone();
        if is_one && self.makes_streams() && patch.iter().all(may_be_merged) {
            return merge(&mut self.0, &chosen(patch, |name, _| is_of_streams(name)));
        }
        let entries = self.entries();
        let Some(entry) = entries.get(origin.entry) else {
            return;
        };
        if is_one {
            let mut patched = entry.clone();
            merge(&mut patched, patch);
            return self.replace(origin.entry, vec![patched]);
        }
        let mut own = origin.part(entry, origin.number, origin.number);
        merge(&mut own, patch);
        let mut other = entry.clone();
        other.extend(self.take_out(patch));
        let parts = origin.others(&other, Some(own));
        self.replace(origin.entry, parts);
    }

    /// The keys of `patch` but for those that take out what is not there.
    fn without_vain_nulls(&self, origin: &Origin, patch: &Keys) -> Keys {
        let top = self.makes_streams().then_some(&self.0);
        let entry = self.list().get(origin.entry).and_then(Value::as_object);
        let is_there = |name: &str| top.or(entry).is_some_and(|keys| keys.contains_key(name));
        let is_own = |name: &str| !origin.is_alone() && (OF_MANY.contains(&name) || name == STAMP_ID);
        chosen(patch, |name, value| {
            let is_said = || is_there(name) || other_names(name).any(is_there);
            !value.is_null() || find(name).is_none() || is_own(name) || is_said()
        })
    }

    /// Takes out of the top level what `patch` takes out of a stream, where that is what makes the streams; answers it.
    fn take_out(&mut self, patch: &Keys) -> Keys {
        let is_taken = |name: &str| is_of_streams(name) && !OF_MANY.contains(&name) && takes_out(patch, name);
        let makes_streams = self.makes_streams();
        let names = self.0.keys().filter(|name| makes_streams && is_taken(name));
        let names: Vec<String> = names.cloned().collect();
        let taken = names.iter().filter_map(|name| self.0.remove_entry(name));
        taken.collect()
    }

    /// Whether the top level makes the streams, as there are no entries that do.
    fn makes_streams(&self) -> bool {
        !self.0.contains_key(STREAMS)
    }

    /// The items of `streams`, none where it is not there.
    fn list(&self) -> &[Value] {
        let list = self.0.get(STREAMS).and_then(Value::as_array);
        list.map(Vec::as_slice).unwrap_or_default()
    }

    /// Takes out the stream that comes from `origin`, and no other of its entry, but for those that share its picture.
    pub(crate) fn remove(&mut self, origin: &Origin) {
        let entries = self.entries();
        let Some(entry) = entries.get(origin.entry) else {
            return;
        };
        let others = if origin.is_shared || origin.is_alone() {
            Vec::new()
        } else {
            origin.others(entry, None)
        };
        self.replace(origin.entry, others);
    }

    /// Adds an entry of `streams`. Where there were none, what the top level says otherwise than `whole` is about the stream that
    /// it makes, and goes into the entry of that one.
    pub(crate) fn add(&mut self, entry: Keys, whole: &Self) {
        let own = if self.makes_streams() {
            self.take_own(whole)
        } else {
            Keys::new()
        };
        let end = self.entries().len();
        self.splice(end..end, vec![entry]);
        let list = self.0.get_mut(STREAMS).and_then(Value::as_array_mut);
        if let Some(first) = list.and_then(|list| list.first_mut()?.as_object_mut()) {
            first.extend(own);
        }
    }

    /// Takes out what is about streams and said otherwise by `whole`; what that says stands there again. What `whole` says and
    /// this does not stays out, as no entry can say that it has none.
    fn take_own(&mut self, whole: &Self) -> Keys {
        let is_own = |name: &str, value: &Value| {
            is_of_streams(name) && !OF_MANY.contains(&name) && whole.get(name) != Some(value)
        };
        let own = chosen(&self.0, is_own);
        for name in own.keys() {
            self.0.remove(name);
            let others = other_names(name).filter_map(|other| whole.0.get_key_value(other));
            let same = whole.0.get_key_value(name).into_iter().chain(others);
            let same = same.map(|(name, value)| (name.clone(), value.clone()));
            self.0.extend(same);
        }
        own
    }

    /// The entries of `streams`; of a file without, what makes its streams.
    fn entries(&self) -> Vec<Keys> {
        match self.0.get(STREAMS).and_then(Value::as_array) {
            Some(entries) => entries
                .iter()
                .filter_map(|entry| entry.as_object().cloned())
                .collect(),
            None => vec![of_many(&self.0)],
        }
    }

    fn replace(&mut self, entry: usize, by: Vec<Keys>) {
        self.splice(entry..entry + 1, by);
    }

    fn splice(&mut self, range: Range<usize>, by: Vec<Keys>) {
        let mut entries = self.entries();
        entries.splice(range, by);
        if self.makes_streams() {
            // What said how many there are at the top level would say it of each entry.
            self.0.retain(|name, _| !OF_MANY.contains(&name.as_str()));
        }
        let entries = entries.into_iter().map(Value::Object).collect();
        self.0.insert(STREAMS.into(), Value::Array(entries));
    }
}

fn without_mark(bytes: &[u8]) -> &[u8] {
    const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes)
}

/// The keys that say how many streams an entry makes.
fn of_many(keys: &Keys) -> Keys {
    let own = keys.iter().filter(|(name, _)| OF_MANY.contains(&name.as_str()));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl Origin {
    /// Whether its entry makes no other stream.
    fn is_alone(&self) -> bool {
        self.numbers.0 == self.numbers.1
    }

    /// The entry for the streams of these numbers, in which each is what it was.
    fn part(&self, entry: &Keys, from: u32, to: u32) -> Keys {
        let mut part = entry.clone();
        part.insert(COUNT.into(), json!(to - from + 1));
        part.insert(FIRST_NUMBER.into(), json!(from));
        part.insert(
            STAMP_ID.into(),
            json!(self.first_stamp_id + (from - self.numbers.0)),
        );
        part
    }

    /// The entries for all streams that come from the same entry, with `own` in this one's place.
    fn others(&self, entry: &Keys, own: Option<Keys>) -> Vec<Keys> {
        let (first, last) = self.numbers;
        let before = (first < self.number).then(|| self.part(entry, first, self.number - 1));
        let after = (self.number < last).then(|| self.part(entry, self.number + 1, last));
        [before, own, after].into_iter().flatten().collect()
    }
}

/// Whether a key of that name is about a stream.
fn is_of_streams(name: &str) -> bool {
    find(name).is_some_and(|key| key.level == Level::Stream)
}

/// Whether what a patch says of a stream may be merged into the top level: what is about the server would be changed there,
/// and what is no key is refused where it is told as one of the stream's. Taking out what a stream has not changes nothing.
fn may_be_merged((name, value): (&String, &Value)) -> bool {
    is_of_streams(name) || value.is_null() && find(name).is_some()
}

/// The keys of a stream's `patch` that change what is in force. With another number, what has that in it would be another text:
/// there all count that a request may say.
pub(crate) fn that_change(patch: &Keys, in_force: &Keys) -> Keys {
    let differing = that_differ(patch, in_force);
    if !OF_MANY.iter().any(|name| differing.contains_key(*name)) {
        return differing;
    }
    let is_same = |name: &str| find(name).is_some_and(|key| key.only_in_file || names_files(key));
    chosen(patch, |name, _| differing.contains_key(name) || !is_same(name))
}

/// The keys of `patch` that say something else than what is in force.
pub(crate) fn that_differ(patch: &Keys, in_force: &Keys) -> Keys {
    // Of a key by both of its names nobody can tell which one counts: that is refused, whatever it says.
    let is_once = |name: &str| !other_names(name).any(|other| patch.contains_key(other));
    chosen(patch, |name, value| {
        in_force.get(name) != Some(value) || !is_once(name)
    })
}

/// Those of `keys` of which `is_meant` says so.
fn chosen(keys: &Keys, is_meant: impl Fn(&str, &Value) -> bool) -> Keys {
    let meant = keys.iter().filter(|(name, value)| is_meant(name, value));
    meant.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Whether `patch` takes out the key of that name, by this name or by its other one.
fn takes_out(patch: &Keys, name: &str) -> bool {
    let is_null = |name: &str| patch.get(name).is_some_and(Value::is_null);
    is_null(name) || other_names(name).any(is_null)
}

/// The older names of the key of that name, and the newer one.
fn other_names(name: &str) -> impl Iterator<Item = &'static str> {
    let key = find(name);
    let others = keys().filter(move |other| key.is_some_and(|key| key.is_same_as(other)));
    others.map(|other| other.name).filter(move |other| *other != name)
}

/// Merges as RFC 7396 has it: null takes a key out. A key that stands there by its other name is the same one. What is no key
/// stands there whatever it says, to be refused.
fn merge(keys: &mut Keys, patch: &Keys) {
    for (name, value) in patch {
        for other in other_names(name).filter(|other| !patch.contains_key(*other)) {
            keys.remove(other);
        }
        match value {
            Value::Null if find(name).is_some() => {
                keys.remove(name);
            }
            value => {
                keys.insert(name.clone(), value.clone());
            }
        }
    }
}

#[cfg(test)]
mod tests;

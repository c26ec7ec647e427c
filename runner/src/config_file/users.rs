//! How the key `users` is read.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Value, json};

use super::{
    Mistake,
    form::{short_pattern, text},
    json::Json,
    limits::LOGIN_CHARACTERS,
    path,
    readers::{PASSWORDS, USER_NAMES, boolean, password, user_name},
    scope::{Scope, shown_name},
};
use crate::{
    config::{Access, Login, Mount, User},
    resource::Resource,
};

const USERNAME: &str = "username";
const PASSWORD: &str = "password";
const STREAMS: &str = "streams";
const ADMIN: &str = "admin";
/// How many users there may be: each log-in is compared with all of them.
const MOST_USERS: usize = 1000;
/// How many paths a mistake names as those that may stand there.
const PATHS_SHOWN: usize = 8;
pub(super) const EXPECTED: &str = "an array of objects, a user each";

/// The values that may stand in the file.
pub(super) fn schema() -> Value {
    let mut name = short_pattern(LOGIN_CHARACTERS, USER_NAMES);
    name["minLength"] = json!(1);
    name["description"] = json!("The name.");
    let mut password = short_pattern(LOGIN_CHARACTERS, PASSWORDS);
    password["description"] = json!("The password.");
    let streams = "The paths of the streams that the user may see, as in rtspStreamPath: with {n} all that the entry makes. \
                   Without it: every stream.";
    let user = json!({
        "description": "Somebody who may log in.",
        "type": "object",
        "properties": {
            USERNAME: name,
            PASSWORD: password,
            ADMIN: {
                "description": "Whether the user may see and change everything by HTTP.",
                "type": "boolean",
                "default": false,
            },
            STREAMS: { "description": streams, "type": "array", "items": text(), "minItems": 1 },
        },
        "required": [USERNAME, PASSWORD],
        "additionalProperties": false,
    });
    json!({ "type": "array", "items": user, "minItems": 1, "maxItems": MOST_USERS })
}

/// An entry of `users`, before it is known which streams there are.
#[derive(Debug)]
pub(super) struct UserEntry {
    /// Where the entry stands in the file.
    place: String,
    pub(super) login: Login,
    /// The paths of the streams that the user may see; `None` for all streams.
    paths: Option<Vec<String>>,
    is_admin: bool,
}

impl UserEntry {
    /// The user's name.
    fn name(&self) -> &str {
        self.place.rsplit(": ").next().unwrap_or_default()
    }

    /// The user, who may see the streams at the paths of the entry.
    pub(super) fn user(self, paths: &Paths) -> Result<User, Vec<Mistake>> {
        let access = match self.paths {
            None => Access::All,
            Some(asked) => Access::Only(paths.places(&format!("{}.{STREAMS}", self.place), &asked)?),
        };
        Ok(User {
            login: self.login,
            access,
            is_admin: self.is_admin,
        })
    }
}

/// The streams that a user's path may stand for: those that have it, or those that an entry with this `rtspStreamPath`
/// makes.
pub(super) struct Paths<'a> {
    /// The paths as the entries have them, for messages.
    written: BTreeSet<&'a str>,
    /// The mounts by their paths, in one spelling.
    mounts: HashMap<String, BTreeSet<Mount>>,
}

impl<'a> Paths<'a> {
    pub(super) fn new(scopes: &'a [Scope]) -> Self {
        let mut mounts: HashMap<String, BTreeSet<Mount>> = HashMap::new();
        for draft in scopes.iter().map(|scope| &scope.draft) {
            for mount in draft.mounts().unwrap_or_default() {
                for path in [&mount.path, &draft.path.0] {
                    mounts.entry(spelled(path)).or_default().insert(mount.clone());
                }
            }
        }
        Self {
            written: scopes.iter().map(|scope| scope.draft.path.0.as_str()).collect(),
            mounts,
        }
    }

    /// The places that the paths stand for, which are listed at `place`.
    fn places(&self, place: &str, asked: &[String]) -> Result<BTreeSet<Mount>, Vec<Mistake>> {
        let mut places = BTreeSet::new();
        let mut mistakes = Vec::new();
        for (index, path) in asked.iter().enumerate() {
            let before = places.len();
            let found = self.mounts.get(&spelled(path));
            places.extend(found.into_iter().flatten().cloned());
            let problem = match found {
                None => format!(
                    "found {path:?}, which no stream has, expected a path as in rtspStreamPath: {}",
                    self.shown()
                ),
                Some(_) if places.len() == before => {
                    format!("found {path:?}, which a path before it stands for already")
                }
                Some(_) => continue,
            };
            mistakes.push(mistake(&format!("{place}[{index}]"), problem));
        }
        if mistakes.is_empty() {
            Ok(places)
        } else {
            Err(mistakes)
        }
    }

    fn shown(&self) -> String {
        let first = self.written.iter().take(PATHS_SHOWN);
        let mut shown: Vec<String> = first.map(|path| format!("{path:?}")).collect();
        if self.written.len() > PATHS_SHOWN {
            shown.push("…".into());
        }
        shown.join(", ")
    }
}

/// The one spelling of all paths that mean the same.
fn spelled(path: &str) -> String {
    Resource::parse(path).as_path()
}

/// Reads the list at `place`. Nothing that stood there is shown but a name or a path: anything else may be a password
/// that has gone astray.
pub(super) fn read(place: &str, json: &Json) -> (Vec<UserEntry>, Vec<Mistake>) {
    let entries = match json {
        Json::Array(entries) if entries.is_empty() => {
            return (
                Vec::new(),
                vec![mistake(
                    place,
                    format!("found an empty array, expected {EXPECTED}"),
                )],
            );
        }
        Json::Array(entries) if entries.len() > MOST_USERS => {
            let problem = format!("found {} users, expected at most {MOST_USERS}", entries.len());
            return (Vec::new(), vec![mistake(place, problem)]);
        }
        Json::Array(entries) => entries,
        other => {
            let problem = format!("found {}, expected {EXPECTED}", other.kind());
            return (Vec::new(), vec![mistake(place, problem)]);
        }
    };
    let mut mistakes = Vec::new();
    let read = |(index, entry)| read_entry(format!("{place}[{index}]"), entry, &mut mistakes);
    let entries = entries.iter().enumerate().filter_map(read).collect();
    (entries, mistakes)
}

fn read_entry(place: String, json: &Json, mistakes: &mut Vec<Mistake>) -> Option<UserEntry> {
    let Json::Object(keys) = json else {
        let problem = format!("found {}, expected an object {{…}}", json.kind());
        mistakes.push(mistake(&place, problem));
        return None;
    };
    mistakes.extend(unknown_keys(&place, keys));
    let username = required(&place, keys, USERNAME, user_name, Json::to_string);
    let password = required(&place, keys, PASSWORD, password, |json| json.kind().into());
    let is_admin = admin(&place, keys);
    match (username, password, is_admin, paths(&place, keys)) {
        (Ok(username), Ok(password), Ok(is_admin), Ok(paths)) => Some(UserEntry {
            place,
            login: Login { username, password },
            paths,
            is_admin,
        }),
        (username, password, is_admin, paths) => {
            let wrong = [username.err(), password.err(), is_admin.err()];
            mistakes.extend(wrong.into_iter().flatten());
            mistakes.extend(paths.err().into_iter().flatten());
            None
        }
    }
}

fn unknown_keys(place: &str, keys: &[(String, Json)]) -> Vec<Mistake> {
    let is_known = |name: &str| [USERNAME, PASSWORD, ADMIN, STREAMS].contains(&name);
    let unknown: BTreeSet<&str> = keys
        .iter()
        .map(|(name, _)| name.as_str())
        .filter(|name| !is_known(name))
        .collect();
    let unknown_key = |name| {
        let place = format!("{place}.{}", shown_name(name));
        mistake(
            &place,
            format!("unknown key, expected {USERNAME}, {PASSWORD}, {ADMIN} or {STREAMS}"),
        )
    };
    unknown.into_iter().map(unknown_key).collect()
}

/// The value of `key`, if it is there and there once.
fn value<'a>(place: &str, keys: &'a [(String, Json)], key: &str) -> Result<Option<&'a Json>, Mistake> {
    let mut values = keys
        .iter()
        .filter(|(name, _)| name == key)
        .map(|(_, value)| value);
    let first = values.next();
    match values.count() {
        0 => Ok(first),
        more => Err(mistake(
            &format!("{place}.{key}"),
            format!("found {} times, expected once", more + 1),
        )),
    }
}

/// The text of `key`, which has to be there.
fn required(
    place: &str,
    keys: &[(String, Json)],
    key: &str,
    read: fn(&Json) -> Result<String, String>,
    shown: fn(&Json) -> String,
) -> Result<String, Mistake> {
    let value = value(place, keys, key)?;
    let found = value.map_or_else(|| "nothing".into(), shown);
    read(value.unwrap_or(&Json::Null)).map_err(|expected| {
        let problem = format!("found {found}, expected {expected}");
        mistake(&format!("{place}.{key}"), problem)
    })
}

/// The value of the key `admin`.
fn admin(place: &str, keys: &[(String, Json)]) -> Result<bool, Mistake> {
    let Some(json) = value(place, keys, ADMIN)? else {
        return Ok(false);
    };
    boolean(json).map_err(|expected| {
        let problem = format!("found {json}, expected {expected}");
        mistake(&format!("{place}.{ADMIN}"), problem)
    })
}

/// The paths that the key `streams` lists; `None` for all streams.
fn paths(place: &str, keys: &[(String, Json)]) -> Result<Option<Vec<String>>, Vec<Mistake>> {
    let list = value(place, keys, STREAMS).map_err(|twice| vec![twice])?;
    let place = format!("{place}.{STREAMS}");
    let found = match list {
        None => return Ok(None),
        Some(Json::Array(items)) if !items.is_empty() => return read_paths(&place, items).map(Some),
        Some(Json::Array(_)) => "an empty array",
        Some(other) => other.kind(),
    };
    let problem = format!("found {found}, expected an array of paths (without {STREAMS}: all of them)");
    Err(vec![mistake(&place, problem)])
}

fn read_paths(place: &str, items: &[Json]) -> Result<Vec<String>, Vec<Mistake>> {
    let mut paths = Vec::new();
    let mut mistakes = Vec::new();
    for (index, item) in items.iter().enumerate() {
        match path::read(item) {
            Ok(path) => paths.push(path.0),
            Err(expected) => {
                let problem = format!("found {item}, expected {expected}");
                mistakes.push(mistake(&format!("{place}[{index}]"), problem));
            }
        }
    }
    if mistakes.is_empty() {
        Ok(paths)
    } else {
        Err(mistakes)
    }
}

/// Mistakes of users whose names somebody else has. `pair` is the name of `viewerUsername` and where it stands.
pub(super) fn same_names(entries: &[UserEntry], pair: Option<(&str, &str)>) -> Vec<Mistake> {
    let mut mistakes = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let name = &entry.login.username;
        let earlier = entries[..index]
            .iter()
            .find(|other| other.login.username == *name);
        let other = match (pair, earlier) {
            (Some((pair, place)), _) if pair == name => place.to_owned(),
            (_, Some(other)) => format!("{}.{USERNAME}", other.place),
            _ => continue,
        };
        let place = format!("{}.{USERNAME}", entry.place);
        mistakes.push(mistake(
            &place,
            format!("found {name:?}, which {other} is already"),
        ));
    }
    mistakes
}

/// Warnings of log-ins that are allowed and yet hardly meant.
pub(super) fn warnings(entries: &[UserEntry], pair: &Login, is_chosen: bool) -> Vec<String> {
    let (has_name, has_password) = (!pair.username.is_empty(), !pair.password.is_empty());
    let mut warnings = Vec::new();
    match (has_name, has_password) {
        (false, true) if entries.is_empty() => {
            warnings.push("viewerPassword is set and viewerUsername is not: everybody may watch".into());
        }
        (false, true) => {
            warnings.push("viewerPassword is set and viewerUsername is not: it is nobody's".into());
        }
        (true, false) => warnings
            .push("viewerUsername is set and viewerPassword is not: the log-in has an empty password".into()),
        _ => {}
    }
    let weak = entries.iter().filter(|entry| entry.login.password.is_empty());
    warnings.extend(weak.map(|entry| format!("{}.{PASSWORD} is empty", entry.name())));
    if is_chosen && !has_name && entries.is_empty() {
        warnings.push("authentication is set and nobody is to log in: everybody may watch".into());
    }
    warnings
}

fn mistake(place: &str, problem: String) -> Mistake {
    let key = place.rsplit_once(": ").map_or(place, |(_file, key)| key);
    Mistake::new(place, key, problem)
}

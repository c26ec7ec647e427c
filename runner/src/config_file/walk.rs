//! Reads a file and an environment into a configuration; every mistake on the way is collected.

use std::collections::BTreeMap;
use std::path::Path;

use super::{
    Environment, Mistake, checks, coding,
    document::Origin,
    draft::Draft,
    fonts,
    form::Form,
    json::Json,
    key::{Empty, Key, Level},
    keys::{AUTHENTICATION, EXPECTED_STREAMS, STREAMS, USERS, VIEWER_USERNAME, find, keys, of_section},
    limits::{MOST_STREAMS, TEXT_BYTES},
    scope::{Scope, shown_name},
    suggestions::{known_value, unknown_key, unknown_key_of, unknown_value, unknown_variable},
    users,
};
use crate::config::{Config, Login, User};

/// What a walk without a mistake answers.
pub(super) struct Walk {
    pub(super) config: Config,
    pub(super) origins: Vec<Origin>,
    pub(super) variables: Vec<&'static str>,
    pub(super) warnings: Vec<String>,
}

/// Reads the variables that stand for defaults, the file (its path and its bytes), and the variables that override what
/// stands at its top level, and in an entry of `streams`.
pub(super) fn walk(file: Option<(&Path, &[u8])>, environment: &Environment) -> Result<Walk, Vec<Mistake>> {
    let (mut walker, top, scopes) = read(file, environment);
    for scope in &scopes {
        walker.add(checks::mistakes(scope));
    }
    walker.finish(top, &scopes, environment)
}

/// The drafts of the entries of a configuration, which has been read without a mistake before.
pub(super) fn drafts(file: (&Path, &[u8]), environment: &Environment) -> Vec<Draft> {
    let (_, _, scopes) = read(Some(file), environment);
    scopes.into_iter().map(|scope| scope.draft).collect()
}

/// The top level and the entries as they are to be read.
fn read(file: Option<(&Path, &[u8])>, environment: &Environment) -> (Walker, Scope, Vec<Scope>) {
    let mut walker = Walker::default();
    let mut top = Scope::default();
    for key in keys() {
        walker.variable(&mut top, key, key.default_variable, environment);
    }
    let mut entries = None;
    if let Some((path, bytes)) = file {
        entries = walker.file(&mut top, &path.display().to_string(), bytes);
    }
    let mut scopes = entries.unwrap_or_else(|| vec![top.clone()]);
    for scope in std::iter::once(&mut top).chain(&mut scopes) {
        for key in keys() {
            walker.variable(scope, key, key.variable, environment);
        }
        let variables = walker.variables.clone();
        let place = |key: &Key| key.variable.filter(|variable| variables.contains(variable));
        walker.check_two_names(scope, |key| place(key).map(String::from));
    }
    (walker, top, scopes)
}

/// How many mistakes are told at most.
pub(super) const MOST_MISTAKES: usize = 1000;
/// How many values of a repeated key are shown at most.
const VALUES_SHOWN: usize = 8;

const OF_THE_SERVER: &str = "is about the server as a whole, expected beside streams";

#[derive(Default)]
struct Walker {
    mistakes: Vec<Mistake>,
    variables: Vec<&'static str>,
    users: Vec<users::UserEntry>,
}

impl Walker {
    fn mistake(&mut self, place: impl Into<String>, key: &str, problem: impl Into<String>) {
        self.add([Mistake::new(place, key, problem)]);
    }

    fn unexpected(
        &mut self,
        place: impl Into<String>,
        key: &str,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) {
        self.add([Mistake::unexpected(place, key, found, expected)]);
    }

    /// Adds mistakes, each once: several streams may have a value from the same place.
    fn add(&mut self, mistakes: impl IntoIterator<Item = Mistake>) {
        for mistake in mistakes {
            if !self.has_enough() && !self.mistakes.contains(&mistake) {
                self.mistakes.push(mistake);
            }
        }
    }

    /// Whether there are as many mistakes as are told: a file of some megabytes has room for a million.
    fn has_enough(&self) -> bool {
        self.mistakes.len() >= MOST_MISTAKES
    }

    /// Reads the top level into `top`; answers the entries of `streams`, each on top of that, if there are any.
    fn file(&mut self, top: &mut Scope, path: &str, bytes: &[u8]) -> Option<Vec<Scope>> {
        let entries = match Json::parse(bytes) {
            Ok(Json::Object(entries)) => entries,
            Ok(other) => {
                self.unexpected(path, "", other.kind(), "an object {…}");
                return None;
            }
            Err(error) => {
                self.mistake(path, "", error);
                return None;
            }
        };
        let is_list =
            |(name, _): &(String, _)| find(name).is_some_and(|key| matches!(key.form, Form::Objects(_)));
        let (lists, keys): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_list);
        self.object(top, path, &keys, Level::Server);
        if let Some((place, list)) = self.list(path, &lists, USERS) {
            let (users, mistakes) = users::read(&place, list);
            self.users = users;
            self.add(mistakes);
        }
        let (place, streams) = self.list(path, &lists, STREAMS)?;
        self.streams(top, &place, streams)
    }

    /// The value of a key that is a list, and its place, if the file has it once.
    fn list<'a>(
        &mut self,
        path: &str,
        lists: &'a [(String, Json)],
        name: &str,
    ) -> Option<(String, &'a Json)> {
        let place = format!("{path}: {name}");
        let mut values = lists
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value);
        let first = values.next()?;
        match values.count() {
            0 => Some((place, first)),
            more => {
                self.unexpected(place, name, format!("{} times", more + 1), "once");
                None
            }
        }
    }

    fn streams(&mut self, top: &Scope, place: &str, streams: &Json) -> Option<Vec<Scope>> {
        let entries = match streams {
            Json::Array(entries) if entries.len() > MOST_STREAMS => {
                let found = format!("{} streams", entries.len());
                self.unexpected(place, STREAMS, found, format!("at most {MOST_STREAMS}"));
                return None;
            }
            Json::Array(entries) if !entries.is_empty() => entries,
            other => {
                let found = match other {
                    Json::Array(_) => "an empty array".to_owned(),
                    other => other.to_string(),
                };
                self.unexpected(place, STREAMS, found, EXPECTED_STREAMS);
                return None;
            }
        };
        let entries = entries.iter().enumerate();
        Some(
            entries
                .map(|(index, entry)| self.entry(top, &format!("{place}[{index}]"), entry))
                .collect(),
        )
    }

    fn entry(&mut self, top: &Scope, place: &str, entry: &Json) -> Scope {
        let name = place.rsplit(": ").next().unwrap_or_default().to_owned();
        let mut scope = Scope { name, ..top.clone() };
        match entry {
            Json::Object(keys) => self.object(&mut scope, place, keys, Level::Stream),
            other => self.unexpected(place, STREAMS, other.to_string(), "an object {…}"),
        }
        scope
    }

    /// Reads the keys of one object, in which keys of `level` may stand.
    fn object(&mut self, scope: &mut Scope, path: &str, entries: &[(String, Json)], level: Level) {
        let separator = if level == Level::Server { ": " } else { "." };
        self.keys(
            scope,
            &format!("{path}{separator}"),
            entries,
            |walker, scope, place, name, values| match find(name) {
                None => walker.add([Mistake {
                    found: unknown_value(name, values),
                    ..Mistake::new(place, name, unknown_key(name))
                }]),
                Some(key) if level == Level::Stream && key.level == Level::Server => {
                    walker.add([Mistake {
                        found: known_value(key, values),
                        ..Mistake::new(place, name, OF_THE_SERVER)
                    }]);
                }
                Some(key) => walker.once(scope, key, place, values),
            },
        );
        let has = |key: &Key| entries.iter().any(|(name, _)| name == key.name);
        self.check_two_names(scope, |key| {
            has(key).then(|| format!("{path}{separator}{}", key.name))
        });
    }

    /// Reads the object of a key that is true or false, or an object of others. Where it is an object, it is on.
    fn section(&mut self, scope: &mut Scope, key: &Key, place: String, entries: &[(String, Json)]) {
        self.keys(
            scope,
            &format!("{place}."),
            entries,
            |walker, scope, place, name, values| match of_section(key.name).find(|of| of.own_name() == name) {
                None => walker.mistake(place, name, unknown_key_of(key.name, name)),
                Some(key) => walker.once(scope, key, place, values),
            },
        );
        self.value(scope, key, place, &Json::Bool(true));
    }

    /// Has `read` look at each name of an object, once, with its place and all its values.
    fn keys(
        &mut self,
        scope: &mut Scope,
        prefix: &str,
        entries: &[(String, Json)],
        read: impl Fn(&mut Self, &mut Scope, String, &str, &[&Json]),
    ) {
        let mut values: BTreeMap<&str, Vec<&Json>> = BTreeMap::new();
        for (name, value) in entries {
            values.entry(name).or_default().push(value);
        }
        for (name, _) in entries {
            if self.has_enough() {
                return;
            }
            // A repeated key is told of once, where it stands first.
            let Some(values) = values.remove(name.as_str()) else {
                continue;
            };
            read(
                self,
                scope,
                format!("{prefix}{}", shown_name(name)),
                name,
                &values,
            );
        }
    }

    /// Reads the value of a key that stands in its object once.
    fn once(&mut self, scope: &mut Scope, key: &Key, place: String, values: &[&Json]) {
        match values {
            [Json::Object(entries)] if matches!(key.form, Form::Section) => {
                self.section(scope, key, place, entries);
            }
            [value] => self.value(scope, key, place, value),
            values => self.repeated(scope, key, place, values),
        }
    }

    /// Refuses a key beside its older name, in one object or in one environment: nobody can tell which one counts.
    fn check_two_names(&mut self, scope: &mut Scope, place: impl Fn(&Key) -> Option<String>) {
        let older = keys().filter_map(|key| Some((key, find(key.older_name_of?)?)));
        for (older, newer) in older {
            let (Some(place), Some(beside)) = (place(older), place(newer)) else {
                continue;
            };
            scope.refused.insert(newer.name);
            let problem =
                format!("found beside {beside}, of which it is the older name, expected one of them");
            self.mistake(place, older.name, problem);
        }
    }

    /// Refuses a key that stands in one object more than once: none of its values counts.
    fn repeated(&mut self, scope: &mut Scope, key: &Key, place: String, values: &[&Json]) {
        scope.refused.insert(key.name);
        let found = if key.secret {
            format!("{} times", values.len())
        } else {
            let first = values.iter().take(VALUES_SHOWN).map(ToString::to_string);
            let mut shown: Vec<String> = first.collect();
            if values.len() > VALUES_SHOWN {
                shown.push("…".into());
            }
            format!("{} times ({})", values.len(), shown.join(", "))
        };
        self.unexpected(place, key.name, found, "once");
    }

    fn value(&mut self, scope: &mut Scope, key: &Key, place: String, value: &Json) {
        let read = match value {
            Json::Text(text) if text.len() > TEXT_BYTES => {
                Err(format!("a text of at most {TEXT_BYTES} bytes"))
            }
            value => (key.read)(value, &mut scope.draft),
        };
        match read {
            Ok(()) => {
                scope.places.insert(key.name, place);
            }
            Err(expected) => {
                scope.refused.insert(key.name);
                let found = if key.secret {
                    value.kind().to_owned()
                } else {
                    value.to_string()
                };
                self.unexpected(place, key.name, found, expected);
            }
        }
    }

    /// The value of `variable`, where the key has one and it is set.
    fn variable(
        &mut self,
        scope: &mut Scope,
        key: &Key,
        variable: Option<&'static str>,
        environment: &Environment,
    ) {
        let Some((variable, value)) = variable.and_then(|name| Some((name, environment.get(name)?))) else {
            return;
        };
        let Some(text) = value.to_str() else {
            return self.mistake(variable, key.name, "its value is not UTF-8");
        };
        if text.is_empty() && key.empty_variable == Empty::Unset {
            return;
        }
        if !self.variables.contains(&variable) {
            self.variables.push(variable);
        }
        self.value(scope, key, variable.into(), &key.form.json(text));
    }

    /// Refuses users who have the name of somebody else.
    fn check_names(&mut self, top: &Scope) {
        let name = top.draft.username.as_str();
        let has_pair = !name.is_empty() && !top.refused.contains(VIEWER_USERNAME);
        let place = top.place(VIEWER_USERNAME);
        self.add(users::same_names(&self.users, has_pair.then_some((name, &place))));
    }

    /// Reads the users, once everything else is right: what they may see is known by the streams.
    fn users(&mut self, scopes: &[Scope]) -> Vec<User> {
        let entries = std::mem::take(&mut self.users);
        let mut users = Vec::new();
        if self.mistakes.is_empty() && !entries.is_empty() {
            let paths = users::Paths::new(scopes);
            for entry in entries {
                match entry.user(&paths) {
                    Ok(user) => users.push(user),
                    Err(mistakes) => self.add(mistakes),
                }
            }
        }
        users
    }

    /// Ends the walk: `top` has the values of the server, `scopes` the streams.
    fn finish(
        mut self,
        top: Scope,
        scopes: &[Scope],
        environment: &Environment,
    ) -> Result<Walk, Vec<Mistake>> {
        let (multicast, tls) = (top.draft.multicast(), top.draft.tls());
        self.add(checks::http(&top));
        self.add(checks::tls_files(&top));
        self.add(checks::machine_zone(scopes, environment));
        self.check_names(&top);
        let is_chosen = top.is_set(AUTHENTICATION);
        let Draft {
            username,
            password,
            authentication,
            rtp_ports,
            clock,
            http,
            log_level,
            log_format,
            session_timeout,
            max_viewers,
            reload,
            ..
        } = top.draft;
        let mut streams = Vec::new();
        if self.mistakes.is_empty() {
            match checks::streams(scopes) {
                Ok(all) => streams = all,
                Err(mistakes) => self.add(mistakes),
            }
        }
        let login = Login { username, password };
        let mut warnings = users::warnings(&self.users, &login, is_chosen);
        let users = self.users(scopes);
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        if tls.is_some()
            && !streams
                .iter()
                .flat_map(|stream| &stream.mounts)
                .any(|mount| mount.tls)
        {
            warnings.push("tlsCertificate is set and tlsPort is not: nothing is encrypted".into());
        }
        for scope in scopes {
            let of_scope = coding::warnings(&scope.draft.stream, |key| scope.is_set(key));
            let new = of_scope.into_iter().filter(|warning| !warnings.contains(warning));
            warnings.extend(new.collect::<Vec<_>>());
        }
        warnings.extend(fonts::warnings(scopes));
        warnings.extend(environment.names().filter_map(unknown_variable));
        Ok(Walk {
            config: Config {
                rtp_ports,
                multicast,
                tls,
                authentication,
                login: (!login.username.is_empty()).then_some(login),
                users,
                clock,
                http: http.get().cloned(),
                log_level,
                log_format,
                session_timeout,
                max_viewers,
                reload,
                streams,
            },
            origins: origins(scopes),
            variables: self.variables,
            warnings,
        })
    }
}

/// Where the streams that the entries make come from, in their order.
fn origins(scopes: &[Scope]) -> Vec<Origin> {
    let of_entry = |(entry, scope): (usize, &Scope)| {
        let draft = &scope.draft;
        let numbers = draft.numbers();
        let made = if draft.shared_picture {
            draft.first_number..=draft.first_number
        } else {
            numbers.clone()
        };
        let origin = Origin {
            entry,
            number: draft.first_number,
            numbers: (*numbers.start(), *numbers.end()),
            is_shared: draft.shared_picture,
            first_stamp_id: draft.stamp_id_of(draft.first_number),
        };
        made.map(move |number| Origin {
            number,
            ..origin.clone()
        })
    };
    scopes.iter().enumerate().flat_map(of_entry).collect()
}

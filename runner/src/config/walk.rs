//! A file and an environment to a configuration; every mistake on the way is collected.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::json::Json;
use super::keys::{CODEC, Draft, Empty, Form, KEYS, Key, RESOLUTION};
use super::{Config, Environment, Login, Mistake, StreamConfig, VideoCodec};

/// JPEG's sizes are counted in blocks of 8 px in one byte by RFC 2435, section 3.1.5.
const JPEG_BLOCK: u32 = 8;
const JPEG_LARGEST: u32 = 255 * JPEG_BLOCK;

/// What a walk without a mistake brings home.
pub(super) struct Walk {
    pub(super) config: Config,
    pub(super) variables: Vec<&'static str>,
    pub(super) warnings: Vec<String>,
}

/// Reads the variables that stand for defaults, the file (its path and its bytes), and the variables that override it.
pub(super) fn walk(file: Option<(&Path, &[u8])>, environment: &Environment) -> Result<Walk, Vec<Mistake>> {
    let mut walker = Walker::default();
    for key in &KEYS {
        if let Some(variable) = key.default_variable {
            walker.variable(key, variable, environment);
        }
    }
    if let Some((path, bytes)) = file {
        walker.file(&path.display().to_string(), bytes);
    }
    for key in &KEYS {
        walker.variable(key, key.variable, environment);
    }
    walker.check_size();
    walker.finish(environment)
}

#[derive(Default)]
struct Walker {
    draft: Draft,
    mistakes: Vec<Mistake>,
    /// The keys with a value that was refused.
    refused: BTreeSet<&'static str>,
    /// Where the value that counts stands, by key: a key in the file or a variable.
    places: BTreeMap<&'static str, String>,
    variables: Vec<&'static str>,
}

impl Walker {
    fn mistake(&mut self, place: impl Into<String>, problem: impl Into<String>) {
        self.mistakes.push(Mistake {
            place: place.into(),
            problem: problem.into(),
        });
    }

    fn file(&mut self, path: &str, bytes: &[u8]) {
        match Json::parse(bytes) {
            Ok(Json::Object(entries)) => self.object(path, &entries),
            Ok(other) => self.mistake(path, format!("found {}, expected an object {{…}}", other.kind())),
            Err(error) => self.mistake(path, error),
        }
    }

    fn object(&mut self, path: &str, entries: &[(String, Json)]) {
        let mut seen = BTreeSet::new();
        for (name, value) in entries {
            let place = format!("{path}: {}", shown_name(name));
            let key = KEYS.iter().find(|key| key.name == name);
            if !seen.insert(name) {
                continue;
            }
            let values: Vec<&Json> = entries
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| v)
                .collect();
            match key {
                None => self.mistake(place, unknown_key(name)),
                Some(key) if values.len() > 1 => self.repeated(key, place, &values),
                Some(key) => self.value(key, place, value),
            }
        }
    }

    /// A key that stands there more than once: none of its values counts.
    fn repeated(&mut self, key: &Key, place: String, values: &[&Json]) {
        self.refused.insert(key.name);
        let found = if key.secret {
            format!("found {} times", values.len())
        } else {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            format!("found {} times ({})", values.len(), values.join(", "))
        };
        self.mistake(place, format!("{found}, expected once"));
    }

    fn value(&mut self, key: &Key, place: String, value: &Json) {
        match (key.read)(value, &mut self.draft) {
            Ok(()) => {
                self.places.insert(key.name, place);
            }
            Err(expected) => {
                self.refused.insert(key.name);
                let found = if key.secret {
                    value.kind().to_owned()
                } else {
                    value.to_string()
                };
                self.mistake(place, format!("found {found}, expected {expected}"));
            }
        }
    }

    fn variable(&mut self, key: &Key, variable: &'static str, environment: &Environment) {
        let Some(value) = environment.get(variable) else {
            return;
        };
        let Some(text) = value.to_str() else {
            return self.mistake(variable, "its value is not UTF-8");
        };
        if text.is_empty() && key.empty_variable == Empty::Unset {
            return;
        }
        self.variables.push(variable);
        self.value(key, variable.into(), &as_json(key.form, text));
    }

    /// Whether the codec can carry the size; not asked where one of the two is a mistake already.
    fn check_size(&mut self) {
        if self.refused.contains(CODEC) || self.refused.contains(RESOLUTION) {
            return;
        }
        let stream = &self.draft.config.stream;
        let Some(rule) = broken_size_rule(stream) else {
            return;
        };
        let codec_place = self.place(CODEC);
        let problem = format!(
            "found {}x{}, which {CODEC} {} ({codec_place}) cannot carry: {rule}",
            stream.width, stream.height, stream.codec
        );
        self.mistake(self.place(RESOLUTION), problem);
    }

    fn place(&self, key: &str) -> String {
        self.places.get(key).cloned().unwrap_or_else(|| "default".into())
    }

    fn finish(self, environment: &Environment) -> Result<Walk, Vec<Mistake>> {
        if !self.mistakes.is_empty() {
            return Err(self.mistakes);
        }
        let Draft {
            username,
            password,
            mut config,
        } = self.draft;
        let mut warnings: Vec<String> = login_warning(&username, &password)
            .map(String::from)
            .into_iter()
            .collect();
        warnings.extend(environment.names().filter_map(unknown_variable));
        config.login = (!username.is_empty()).then_some(Login { username, password });
        Ok(Walk {
            config,
            variables: self.variables,
            warnings,
        })
    }
}

/// A variable's text as the file would have it. What is no number stays a text, and is refused as one.
fn as_json(form: Form, text: &str) -> Json {
    match form {
        Form::Number => text
            .parse::<i64>()
            .map_or_else(|_| Json::Text(text.into()), |n| Json::Number(n.into())),
        Form::Text => Json::Text(text.into()),
    }
}

/// The rule that the picture's size breaks, given its codec.
fn broken_size_rule(stream: &StreamConfig) -> Option<String> {
    let sides = [stream.width, stream.height];
    match stream.codec {
        VideoCodec::H264 if sides.iter().any(|side| side % 2 != 0) => {
            Some("width and height must be even, as colour is sent for every second pixel and line".into())
        }
        VideoCodec::Mjpeg
            if sides
                .iter()
                .any(|side| side % JPEG_BLOCK != 0 || *side > JPEG_LARGEST) =>
        {
            Some(format!(
                "RTP carries JPEG (RFC 2435) with width and height in multiples of {JPEG_BLOCK} and up to {JPEG_LARGEST} px"
            ))
        }
        _ => None,
    }
}

fn login_warning(username: &str, password: &str) -> Option<&'static str> {
    match (username.is_empty(), password.is_empty()) {
        (true, false) => Some("viewerPassword is set and viewerUsername is not: everybody may watch"),
        (false, true) => {
            Some("viewerUsername is set and viewerPassword is not: the log-in has an empty password")
        }
        _ => None,
    }
}

/// A key from the file in a message: as it is where it is harmless.
fn shown_name(name: &str) -> String {
    let harmless = !name.is_empty() && name.len() <= 60 && name.chars().all(|c| c.is_ascii_graphic());
    if harmless {
        name.into()
    } else {
        Json::Text(name.into()).to_string()
    }
}

fn unknown_key(name: &str) -> String {
    if let Some(key) = closest_key(name) {
        return format!("unknown key, did you mean {}?", key.name);
    }
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    format!("unknown key, expected one of {}", names.join(", "))
}

/// A variable that looks like ours. It may be another program's, so that it is no mistake.
fn unknown_variable(name: &str) -> Option<String> {
    let known = |key: &Key| key.variable == name || key.default_variable == Some(name);
    if !name.starts_with(VARIABLE_PREFIX) || KEYS.iter().any(known) {
        return None;
    }
    let key = closest_key(name)?;
    Some(format!(
        "the variable {name} has no meaning here, did you mean {}?",
        key.variable
    ))
}

const VARIABLE_PREFIX: &str = "RTSP_";

/// The key that somebody may have meant by this key or variable.
fn closest_key(name: &str) -> Option<&'static Key> {
    let name = normal(name);
    let far = |key: &Key| {
        [key.name, key.variable]
            .into_iter()
            .filter_map(|other| distance(&name, &normal(other)))
            .min()
    };
    KEYS.iter()
        .filter_map(|key| Some((far(key)?, key)))
        .min_by_key(|(far, _)| *far)
        .map(|(_, key)| key)
}

/// `RTSP_FPS` and `fps` are the same word to somebody in search of a key.
fn normal(name: &str) -> String {
    let name = name.strip_prefix(VARIABLE_PREFIX).unwrap_or(name);
    name.chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

/// How many letters apart two words are, unless they are too far apart for one to have been meant by the other.
fn distance(name: &str, other: &str) -> Option<usize> {
    const SHORTEST_PART: usize = 3;
    let letters = strsim::damerau_levenshtein(name, other);
    let contained = name.len() >= SHORTEST_PART && (other.contains(name) || name.contains(other));
    (contained || letters <= other.len() / 3).then_some(letters)
}

//! Reads config.json and the environment into a [`Config`].
//!
//! The configuration is strict: whatever is wrong with it, in the file and in the environment, is collected and
//! reported at once, each mistake with its key, what stood there and what may stand there. Nothing falls back.
//!
//! | module | job |
//! | --- | --- |
//! | `source` | where the configuration is read from |
//! | `files` | which files it names, whether they are there or not |
//! | `json` | a JSON value that keeps repeated keys |
//! | `form` | how values are written, in the file and in a variable |
//! | `key` | what a key is |
//! | `keys` | the keys: one row each, with all that is to be said of it |
//! | `limits` | the limits between which each value has to lie |
//! | `readers` | how the value of each key is read |
//! | `frame_rate`, `http`, `path`, `transports`, `users` | how the values of single keys are read, where that takes more |
//! | `numbered` | values with `{n}` in them |
//! | `suggestions` | which name was meant by a wrong one |
//! | `draft` | what has been read so far of the server and of an entry of `streams` |
//! | `document` | a configuration as it stands in a file, to be edited |
//! | `replacement` | writes the file, whole or not at all |
//! | `scope` | an entry's draft, and where each of its values stands |
//! | `walk` | reads a JSON object and an environment into drafts, collecting mistakes |
//! | `checks` | what is wrong between keys, and between streams |
//! | `coding` | which settings of the picture's coding go together |
//! | `fonts` | which characters of a picture's texts no installed font has |
//! | [`schema`] | the JSON Schema of the file |

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

use crate::config::Config;

mod checks;
mod coding;
mod document;
mod draft;
mod files;
mod fonts;
mod form;
mod frame_rate;
mod http;
mod json;
mod key;
mod keys;
mod limits;
mod numbered;
mod path;
mod readers;
mod replacement;
pub mod schema;
mod scope;
mod source;
mod suggestions;
mod transports;
mod users;
mod walk;

pub(crate) use document::{Document, Keys, Origin, that_change, that_differ};
pub use key::{Change, Key, Level};
pub(crate) use keys::{
    COUNT, LOGO, PIPELINE, STREAMS,
    http::{DEFAULT_ADDRESS as DEFAULT_HTTP_ADDRESS, DEFAULT_TOKEN as DEFAULT_HTTP_TOKEN},
    needs_restart, overriding, port_key,
};
pub use keys::{TOPICS, Topic, keys};
pub(crate) use replacement::{Replacement, Unwritable};
pub(crate) use source::variables;
pub use source::{Environment, Source};
pub(crate) use suggestions::PASSWORD_VARIABLE;

/// A configuration, and where it came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it came from.
    pub(crate) source: Source,
    /// The environment variables that had a say.
    pub variables: Vec<&'static str>,
    /// What the file says.
    pub(crate) document: Document,
    /// Where each stream comes from, in the order of the configuration's.
    pub(crate) origins: Vec<Origin>,
    /// Warnings of settings that are allowed and yet hardly meant, a sentence each.
    pub warnings: Vec<String>,
}

/// One mistake in a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Where it stands: a file's path and a key, or a variable.
    pub place: String,
    /// The key that it is about; empty where it is about the file as a whole.
    pub(crate) key: String,
    /// What stood there, where that alone is what is wrong, and it is no secret.
    pub(crate) found: Option<String>,
    /// What may stand there, where that can be said of it alone.
    pub(crate) expected: Option<String>,
    /// What stood there, and what may stand there, in a sentence.
    pub problem: String,
}

impl Mistake {
    /// A mistake that takes a sentence.
    fn new(place: impl Into<String>, key: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            key: key.into(),
            found: None,
            expected: None,
            problem: problem.into(),
        }
    }

    /// A value that may not stand there.
    fn unexpected(
        place: impl Into<String>,
        key: impl Into<String>,
        found: impl Into<String>,
        expected: impl Into<String>,
    ) -> Self {
        let (found, expected) = (found.into(), expected.into());
        let problem = format!("found {found}, expected {expected}");
        Self {
            found: Some(found),
            expected: Some(expected),
            ..Self::new(place, key, problem)
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

/// Why there is no configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The file could not be read.
    #[error("cannot read {file}: {cause}{hint}")]
    Unreadable {
        /// The file, and who named it.
        file: Source,
        /// The operating system's words.
        cause: String,
        /// What to do about it, with its leading punctuation; empty where nothing is known to help.
        hint: String,
    },
    /// The file or the environment is wrong. `Display` has one line for each mistake behind the first line.
    #[error("{}", list(.0))]
    Mistakes(Vec<Mistake>),
}

fn list(mistakes: &[Mistake]) -> String {
    let number = match mistakes.len() {
        1 => "1 mistake".to_owned(),
        number if number >= walk::MOST_MISTAKES => format!("{number} mistakes or more"),
        number => format!("{number} mistakes"),
    };
    let mut lines = vec![format!("the configuration has {number}")];
    lines.extend(mistakes.iter().map(|mistake| format!("  {mistake}")));
    lines.join("\n")
}

/// Reads the configuration: the file that `named` (`--config`) or `CONFIG_PATH` names, else `./config.json`, else none;
/// then the `RTSP_*` variables, which override the file.
///
/// An empty variable counts as unset, save where it means "none" and overrides the file with that: for the log-in, the
/// ranges of ports and groups, the pipeline and TLS's files.
///
/// # Errors
/// When the file cannot be read, or with every mistake in it and in the environment.
pub fn load(named: Option<&Path>, environment: &Environment) -> Result<Loaded, Error> {
    let mut source = Source::choose(named, environment);
    let bytes = source.read().map_err(|cause| Error::Unreadable {
        file: source.clone(),
        hint: source::hint(&cause),
        cause: cause.to_string(),
    })?;
    parse(source, bytes.as_deref(), environment)
}

/// The keys of the stream that comes from `origin`, each with the value that is in force, as an entry of `streams` has them.
/// `file` is a configuration without a mistake.
pub(crate) fn of_stream(file: &str, environment: &Environment, origin: &Origin) -> Keys {
    let keys = of_streams(file, environment, &[origin]).pop();
    keys.unwrap_or_default()
}

/// Does as [`of_stream`] for each of `origins`.
pub(crate) fn of_streams(file: &str, environment: &Environment, origins: &[&Origin]) -> Vec<Keys> {
    let drafts = walk::drafts((Path::new(""), file.as_bytes()), environment);
    let of_stream = |origin: &&Origin| match drafts.get(origin.entry) {
        None => Keys::new(),
        Some(draft) if origin.is_shared => in_force(draft),
        Some(draft) => in_force(&draft.of(origin.number)),
    };
    origins.iter().map(of_stream).collect()
}

/// The keys that a new entry of `streams` has without saying any, each with the value that would be in force. `file` is a
/// configuration without a mistake, and the entry is its last one.
pub(crate) fn of_new_entry(file: &str, environment: &Environment) -> Keys {
    let drafts = walk::drafts((Path::new(""), file.as_bytes()), environment);
    drafts.last().map(in_force).unwrap_or_default()
}

fn in_force(draft: &draft::Draft) -> Keys {
    let of_streams = keys().filter(|key| key.level == Level::Stream && key.older_name_of.is_none());
    let shown = of_streams.map(|key| (key.name.to_owned(), (key.show)(draft)));
    shown.filter(|(_, value)| !value.is_null()).collect()
}

/// The value of the key of that name as a mistake shows it: short, and nothing of a secret.
pub(crate) fn found(name: &str, value: &serde_json::Value) -> Option<String> {
    let value: json::Json = serde::Deserialize::deserialize(value).ok()?;
    Some(match keys::find(name) {
        Some(key) if key.secret => value.kind().to_owned(),
        _ => value.to_string(),
    })
}

/// A key that stands in one object of `text` more than once, where that is JSON: nobody can tell which one counts.
pub(crate) fn repeated_key(text: &[u8]) -> Option<String> {
    json::Json::parse(text).ok()?.repeated_key().map(String::from)
}

/// The absolute path of each file that the configuration names, whether it is there or not; each once. A configuration
/// that cannot be read names none: [`load`] says what is wrong with it.
#[must_use]
pub(crate) fn files(named: Option<&Path>, environment: &Environment) -> BTreeSet<PathBuf> {
    let file = Source::choose(named, environment).read();
    let paths = files::named(&file.ok().flatten().unwrap_or_default(), environment);
    paths
        .iter()
        .filter_map(|path| std::path::absolute(path).ok())
        .collect()
}

/// Does as [`load`] with a file's bytes: `source` is what messages call the file, and `None` stands for the defaults.
///
/// # Errors
/// With every mistake in the file and in the environment.
pub fn parse(source: Source, file: Option<&[u8]>, environment: &Environment) -> Result<Loaded, Error> {
    let document = Document::parse(file);
    let file = file.map(|bytes| (source.path(), bytes));
    let walk = walk::walk(file, environment).map_err(Error::Mistakes)?;
    Ok(Loaded {
        config: walk.config,
        source,
        document,
        origins: walk.origins,
        variables: walk.variables,
        warnings: walk.warnings,
    })
}

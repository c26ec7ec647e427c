//! What a key of the configuration is.

use super::{draft::Draft, json::Json};

/// How a key's value is written, for its variable's sake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Number,
    Text,
    /// The path of a file.
    File,
    Truth,
    /// Texts, with commas between.
    List,
}

/// What an empty variable means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// As if it were not there.
    Unset,
    /// None, whatever the file says.
    None,
}

/// What a key is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// The server as a whole.
    Server,
    /// A stream: at the top level it is the default for all, and an entry of `streams` may have its own.
    Stream,
}

/// One key of the configuration.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) level: Level,
    /// The environment variable that overrides the file.
    pub(super) variable: &'static str,
    /// The environment variable that the file overrides: what a container image gives in place of the default.
    pub(super) default_variable: Option<&'static str>,
    pub(super) form: Form,
    pub(super) empty_variable: Empty,
    /// Its value is never shown.
    pub(super) secret: bool,
    /// Reads the value into the draft; the error is what may stand there.
    pub(super) read: fn(&Json, &mut Draft) -> Result<(), String>,
}

/// The parts that most keys share.
pub(super) const KEY: Key = Key {
    name: "",
    level: Level::Stream,
    variable: "",
    default_variable: None,
    form: Form::Text,
    empty_variable: Empty::Unset,
    secret: false,
    read: |_, _| Ok(()),
};

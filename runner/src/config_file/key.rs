//! What a key of the configuration is.

use serde_json::Value;

use super::{draft::Draft, form::Form, json::Json};
use crate::config::{AudioCodec, Config};

/// What an empty variable means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// It counts as if it were not there.
    Unset,
    /// The key has no value, whatever the file says.
    None,
}

/// What a key is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// It is about the server as a whole.
    Server,
    /// It is about a stream: at the top level it is the default for all, and an entry of `streams` may have its own.
    Stream,
}

/// What a change of a key takes while the server runs.
#[derive(Debug, Clone, Copy)]
pub enum Change {
    /// It takes nothing: whoever plays plays on, and sees it.
    AtOnce,
    /// It takes nothing where the encoder takes the change while it plays. It takes a new pipeline with other encoders,
    /// and where a value comes or goes altogether.
    Encoder,
    /// It takes nothing for streams that are to be found where they were: others come and go beside them.
    Places,
    /// The stream is replaced: its viewers see its end. All others play on.
    NewStream,
    /// It takes a restart of the server, where these two differ in it: the configuration that runs, and the one that is
    /// wanted. All play on as before.
    Restart(fn(&Config, &Config) -> bool),
}

/// What a key means beside a `pipeline` of one's own.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BesidePipeline {
    /// It means the same as without.
    Counts,
    /// It means something only for sound that the server adds.
    CountsForSound,
    /// It means nothing: the pipeline says it.
    Idle,
}

/// One key of the configuration, with all that is to be said of it.
pub struct Key {
    /// The name that it has in the file; behind that of the key in whose object it stands, with a dot between.
    pub name: &'static str,
    /// What the key is about.
    pub level: Level,
    /// The environment variable that overrides the file.
    pub variable: Option<&'static str>,
    /// The environment variable that the file overrides: a container image gives its own default by it.
    pub(super) default_variable: Option<&'static str>,
    /// The key that took its place, where this is an older name.
    pub older_name_of: Option<&'static str>,
    pub(super) form: Form,
    pub(super) empty_variable: Empty,
    /// Whether its value is never shown.
    pub(super) secret: bool,
    /// Whether only the file, and a variable, may say it: no request may.
    pub(super) only_in_file: bool,
    /// Reads the value into the draft; the error says what may stand there.
    pub(super) read: fn(&Json, &mut Draft) -> Result<(), String>,
    /// Writes the draft's value as the file has it; null where the key is not to stand there.
    pub(super) show: fn(&Draft) -> Value,
    /// What holds without the key, where its default does not say so.
    pub without: &'static str,
    /// What the key is for, in plain sentences with `code` in them.
    pub documentation: &'static str,
    /// What a change of its value takes.
    pub change: Change,
    /// What else is to be said of a change.
    pub change_note: &'static str,
    pub(super) beside_pipeline: BesidePipeline,
}

impl Key {
    /// The values that may stand there, in the words of a mistake.
    #[must_use]
    pub fn expected(&self) -> String {
        // No key takes null.
        let refused = (self.read)(&Json::Null, &mut Draft::default());
        refused.err().unwrap_or_default()
    }

    /// The key in whose object it stands; `None` for one that stands by itself.
    #[must_use]
    pub fn section(&self) -> Option<&'static str> {
        self.name.split_once('.').map(|(section, _)| section)
    }

    /// Whether its value is never shown.
    #[must_use]
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether both mean the same: one of them may be the older name of the other.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        let name = |key: &Self| key.older_name_of.unwrap_or(key.name);
        name(self) == name(other)
    }

    /// The name that it has where it stands.
    #[must_use]
    pub fn own_name(&self) -> &'static str {
        self.name.split_once('.').map_or(self.name, |(_, name)| name)
    }

    /// Its value where nobody gives another; null for none.
    #[must_use]
    pub fn default(&self) -> Value {
        (self.show)(&Draft::default())
    }

    /// Whether it has no effect beside a `pipeline`, to which sound is added by `audio`.
    pub(super) fn is_idle_beside_pipeline(&self, audio: Option<AudioCodec>) -> bool {
        match self.beside_pipeline {
            BesidePipeline::Counts => false,
            BesidePipeline::CountsForSound => audio.is_none(),
            BesidePipeline::Idle => true,
        }
    }
}

/// The fields that most keys share.
pub(super) const KEY: Key = Key {
    name: "",
    level: Level::Stream,
    variable: None,
    default_variable: None,
    older_name_of: None,
    form: Form::Boolean,
    empty_variable: Empty::Unset,
    secret: false,
    only_in_file: false,
    read: |_, _| Ok(()),
    show: |_| Value::Null,
    without: "",
    documentation: "",
    change: Change::NewStream,
    change_note: "",
    beside_pipeline: BesidePipeline::Counts,
};

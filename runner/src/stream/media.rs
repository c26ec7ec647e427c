//! The media that a stream is made of: picture and sound.

use schemars::JsonSchema;
use serde::Serialize;

/// One of a stream's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Medium {
    /// The picture.
    Picture,
    /// The sound.
    Sound,
}

impl Medium {
    /// The medium of that number in a stream's pipeline (`pay0`, `pay1`).
    #[must_use]
    pub(crate) fn numbered(number: u32) -> Self {
        if number == 0 { Self::Picture } else { Self::Sound }
    }
}

/// Some of a stream's media.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Media {
    /// The picture is one of them.
    pub(crate) picture: bool,
    /// The sound is.
    pub(crate) sound: bool,
}

impl Media {
    /// Whether `medium` is one of them.
    #[must_use]
    pub(crate) fn has(self, medium: Medium) -> bool {
        match medium {
            Medium::Picture => self.picture,
            Medium::Sound => self.sound,
        }
    }

    /// Whether there are any.
    #[must_use]
    pub(crate) fn are_any(self) -> bool {
        self.picture || self.sound
    }
}

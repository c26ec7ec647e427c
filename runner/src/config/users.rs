//! Who may log in, how, and what each may see.

use std::collections::BTreeSet;
use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, EnumIter};

use super::Mount;

/// A viewer's log-in. Its `Debug` does not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Somebody who may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name and password by which they do.
    pub login: Login,
    /// The streams that they may see.
    pub access: Access,
    /// Whether they may see and change everything by HTTP.
    pub is_admin: bool,
}

/// What a user may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// Every stream.
    All,
    /// The streams at these places, and no others.
    Only(BTreeSet<Mount>),
}

impl Access {
    /// Whether the stream that is mounted there may be seen.
    #[must_use]
    pub fn allows(&self, mount: &Mount) -> bool {
        match self {
            Self::All => true,
            Self::Only(mounts) => mounts.contains(mount),
        }
    }
}

/// How viewers may log in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumIter, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(inline)]
pub enum Authentication {
    /// By Basic alone (RFC 7617): the password goes over the network as it is.
    Basic,
    /// By Digest alone (RFC 2617, MD5).
    Digest,
    /// By either, as the viewer's software likes.
    Both,
}

impl Authentication {
    /// Whether a viewer may log in by Basic.
    #[must_use]
    pub(crate) fn has_basic(self) -> bool {
        self != Self::Digest
    }

    /// Whether a viewer may log in by Digest.
    #[must_use]
    pub(crate) fn has_digest(self) -> bool {
        self != Self::Basic
    }
}

//! Why somebody may not play a stream.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;

use crate::config::Transport;

/// Why somebody may not play a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "camelCase")]
pub enum Refusal {
    /// The stream has as many viewers as it may have.
    StreamFull {
        /// How many that is.
        most: usize,
    },
    /// The server has as many viewers as it may have.
    ServerFull {
        /// How many that is.
        most: usize,
    },
    /// There are as many sessions as there may be: of its connection, or that do not play, of its address or in all.
    SessionsFull {
        /// Which, and how many that is.
        cause: String,
    },
    /// The stream may be played by none of the ways that it asks for.
    Disallowed {
        /// The ways that it asks for, as far as they are known.
        asked: Vec<Transport>,
        /// The ways by which the stream may be played.
        allowed: Vec<Transport>,
    },
    /// The way that it asks for is allowed, and cannot be had now.
    Unavailable {
        /// The way.
        transport: Transport,
        /// Why, and what to change.
        cause: String,
    },
    /// It does not say to which ports packets are to go.
    NoDestination,
    /// It asks for another speed than the live one.
    Speed,
}

impl fmt::Display for Refusal {
    /// Writes what the log says of it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::StreamFull { most } => {
                write!(f, "refused a viewer: the stream has its maxViewers, {most}")
            }
            Self::ServerFull { most } => {
                write!(f, "refused a viewer: the server has its maxServerViewers, {most}")
            }
            Self::SessionsFull { cause } => write!(f, "refused a session: {cause}"),
            Self::Disallowed { asked, allowed } => write!(
                f,
                "refused a viewer who asks for {}: transports allows {}",
                list(asked),
                list(allowed)
            ),
            Self::Unavailable { cause, .. } => write!(f, "refused a viewer {cause}"),
            Self::NoDestination => {
                f.write_str("refused a viewer who does not say to which ports packets are to go")
            }
            Self::Speed => f.write_str("refused a PLAY that asks for another speed than the live one"),
        }
    }
}

fn list(ways: &[Transport]) -> String {
    let names: Vec<String> = ways.iter().map(ToString::to_string).collect();
    if names.is_empty() {
        "nothing known".into()
    } else {
        names.join(", ")
    }
}

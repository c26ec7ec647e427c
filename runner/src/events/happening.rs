//! The kinds of events, and what each says.

use std::{fmt, net::SocketAddr};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, VariantArray};

use super::refusal::Refusal;
use crate::{config::Transport, stream_id::StreamId};

/// Something that happens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Happening {
    /// A viewer plays a stream.
    ViewerJoined {
        /// The stream.
        stream: StreamId,
        /// The path at which it is played.
        path: String,
        /// The viewer.
        viewer: Viewer,
        /// How many there are now.
        viewers: usize,
    },
    /// A viewer plays a stream no longer.
    ViewerLeft {
        /// The stream.
        stream: StreamId,
        /// The path at which it is played.
        path: String,
        /// The viewer.
        viewer: Viewer,
        /// Why it plays no longer.
        why: Farewell,
        /// How many are left.
        viewers: usize,
    },
    /// Somebody may not play a stream who may see it.
    ViewerRefused {
        /// The stream.
        stream: StreamId,
        /// The path at which it is played.
        path: String,
        /// Where the connection comes from.
        peer: Option<SocketAddr>,
        /// Why not.
        why: Refusal,
        /// How many refusals of that kind the log has left out since it last told one; `None` where it leaves out this one,
        /// too.
        #[serde(skip)]
        held_back: Option<u64>,
    },
    /// Somebody may not log in, or not see what was asked for.
    LoginRefused {
        /// Where the connection comes from.
        peer: Option<SocketAddr>,
        /// The name that was given, as far as it can be shown.
        user: String,
        /// Why it was refused.
        why: LoginRefusal,
        /// How many refusals of that peer the log has left out since it last told one; `None` where it leaves out this
        /// one, too.
        #[serde(skip)]
        held_back: Option<u64>,
    },
    /// A stream's pipeline is being made.
    StreamStarted {
        /// All streams that show its picture.
        streams: Vec<StreamId>,
    },
    /// A stream's pipeline makes pictures.
    StreamRunning {
        /// All streams that show its picture.
        streams: Vec<StreamId>,
    },
    /// A stream's pipeline has been taken down.
    StreamStopped {
        /// All streams that show its picture.
        streams: Vec<StreamId>,
    },
    /// A stream's pipeline has failed, or could not be made.
    StreamFailed {
        /// All streams that show its picture.
        streams: Vec<StreamId>,
        /// What its configuration calls it.
        #[serde(skip)]
        name: String,
        /// Why it has failed.
        cause: String,
    },
    /// Another stream stands in a stream's place, made of something else.
    StreamRebuilt {
        /// All streams that show its picture.
        streams: Vec<StreamId>,
    },
    /// A pipeline that has been taken down had skipped frames, because this machine was late.
    StreamSkipped {
        /// All streams that show its picture.
        streams: Vec<StreamId>,
        /// What its configuration calls it.
        #[serde(skip)]
        name: String,
        /// How many frames.
        frames: u64,
    },
    /// It skips frames all the time: told once.
    StreamTooSlow {
        /// All that show its picture.
        streams: Vec<StreamId>,
        /// What its configuration calls it.
        #[serde(skip)]
        name: String,
        /// How many of the latest seconds.
        frames: u64,
        /// How many that is, and what to change.
        advice: String,
    },
    /// Another configuration counts.
    Reloaded {
        /// The streams that differ, by their ids.
        streams: Differences,
        /// Whether there is a log-in from now on.
        needs_login: bool,
        /// What is about the server as a whole; `None` for whoever sees their own streams alone.
        #[serde(flatten)]
        reload: Option<Reload>,
    },
    /// Another configuration was not taken over: all stays as it was.
    ReloadRefused {
        /// Where it comes from.
        source: String,
        /// Why, a sentence each.
        mistakes: Vec<String>,
    },
}

impl Happening {
    /// Whether it happens to the stream of that id, alone or among others.
    pub(crate) fn is_of(&self, stream: &str) -> bool {
        let is_it = |ids: &[StreamId]| ids.iter().any(|id| id.as_str() == stream);
        match self {
            Self::Reloaded { streams, .. } => streams.lists().into_iter().any(is_it),
            _ => is_it(self.streams()),
        }
    }

    /// Whether other log-ins may count from then on.
    pub(crate) fn is_reload(&self) -> bool {
        matches!(self, Self::Reloaded { .. })
    }

    /// What somebody may know of it who sees those streams alone; `None` for nothing.
    pub(crate) fn as_seen_by(&self, sees: impl Fn(&StreamId) -> bool) -> Option<Self> {
        let mut known = self.clone();
        match &mut known {
            Self::ViewerJoined { stream, .. }
            | Self::ViewerLeft { stream, .. }
            | Self::ViewerRefused { stream, .. } => sees(stream).then_some(known),
            Self::StreamStarted { streams }
            | Self::StreamRunning { streams }
            | Self::StreamStopped { streams }
            | Self::StreamFailed { streams, .. }
            | Self::StreamRebuilt { streams }
            | Self::StreamSkipped { streams, .. }
            | Self::StreamTooSlow { streams, .. } => {
                streams.retain(sees);
                (!streams.is_empty()).then_some(known)
            }
            Self::Reloaded { streams, reload, .. } => {
                *reload = None;
                streams.retain(sees);
                (!streams.are_none()).then_some(known)
            }
            Self::LoginRefused { .. } | Self::ReloadRefused { .. } => None,
        }
    }

    /// How many bytes it has, beside those of what is short whatever happens.
    pub(super) fn size(&self) -> usize {
        let more = match self {
            Self::StreamFailed { cause, .. } => cause.len(),
            Self::Reloaded { streams, reload, .. } => {
                let changes = reload.as_ref().map(|reload| reload.changes.size());
                streams.lists().map(size_of_ids).iter().sum::<usize>() + changes.unwrap_or(0)
            }
            Self::ReloadRefused { mistakes, .. } => size_of_texts(mistakes),
            _ => 0,
        };
        size_of::<Self>() + size_of_ids(self.streams()) + more
    }

    fn streams(&self) -> &[StreamId] {
        match self {
            Self::ViewerJoined { stream, .. }
            | Self::ViewerLeft { stream, .. }
            | Self::ViewerRefused { stream, .. } => std::slice::from_ref(stream),
            Self::StreamStarted { streams }
            | Self::StreamRunning { streams }
            | Self::StreamStopped { streams }
            | Self::StreamFailed { streams, .. }
            | Self::StreamRebuilt { streams }
            | Self::StreamSkipped { streams, .. }
            | Self::StreamTooSlow { streams, .. } => streams,
            Self::LoginRefused { .. } | Self::Reloaded { .. } | Self::ReloadRefused { .. } => &[],
        }
    }
}

fn size_of_ids(ids: &[StreamId]) -> usize {
    size_of_val(ids) + ids.iter().map(|id| id.as_str().len()).sum::<usize>()
}

fn size_of_texts(texts: &[String]) -> usize {
    size_of_val(texts) + texts.iter().map(String::len).sum::<usize>()
}

/// A client that plays a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Viewer {
    /// The RTSP session in which it does.
    pub session: String,
    /// Where its RTSP connection comes from, where that is known.
    pub peer: Option<SocketAddr>,
    /// Who has logged in; `None` where everybody may watch.
    pub user: Option<String>,
    /// How it gets the stream.
    pub transport: Transport,
    /// When it began to play.
    #[schemars(with = "String", extend("format" = "date-time"))]
    pub since: Timestamp,
}

impl fmt::Display for Viewer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let transport = self.transport.full_name();
        match self.peer {
            Some(peer) => write!(f, "{peer} ({transport})"),
            None => write!(f, "unknown address ({transport})"),
        }
    }
}

/// Why a viewer plays a stream no longer.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Display, VariantArray, Serialize, JsonSchema,
)]
#[serde(rename_all = "camelCase")]
pub enum Farewell {
    /// It ended its session itself.
    #[strum(to_string = "TEARDOWN")]
    Teardown,
    /// Its connection has ended: the viewer closed it, it broke, or the server is being stopped.
    #[strum(to_string = "its connection has ended")]
    Disconnected,
    /// It showed no sign of life for too long.
    #[strum(to_string = "no sign of life")]
    TimedOut,
    /// It is there, and reads what it is sent not at all, or too slowly.
    #[strum(to_string = "it does not read, or too slowly")]
    NotReading,
    /// Its system has answered nothing since it was sent data that it has not acknowledged.
    #[strum(to_string = "it cannot be reached")]
    Unreachable,
    /// It was sent away.
    #[strum(to_string = "it was sent away")]
    Kicked,
    /// It plays by a log-in that counts no longer.
    #[strum(to_string = "its log-in counts no longer")]
    LoggedOut,
    /// What it plays is not to be found there any more, or another stream has taken its place.
    #[strum(to_string = "the stream is there no longer")]
    Removed,
    /// The stream's pipeline has failed.
    #[strum(to_string = "the stream has failed")]
    Failed,
    /// The server stops.
    #[strum(to_string = "the server stops")]
    Stopped,
    /// The transport by which it plays is not allowed any more.
    #[strum(to_string = "its transport is allowed no longer")]
    Disallowed,
}

impl Farewell {
    /// Its name, as JSON has it.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Teardown => "teardown",
            Self::Disconnected => "disconnected",
            Self::TimedOut => "timedOut",
            Self::NotReading => "notReading",
            Self::Unreachable => "unreachable",
            Self::Kicked => "kicked",
            Self::LoggedOut => "loggedOut",
            Self::Removed => "removed",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
            Self::Disallowed => "disallowed",
        }
    }
}

/// Why a log-in is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(tag = "reason", rename_all = "camelCase")]
pub enum LoginRefusal {
    /// The name or the password is wrong.
    Wrong,
    /// The user may not see the stream at that path.
    Forbidden {
        /// The path.
        path: String,
    },
}

/// Where a configuration comes from that somebody has changed by HTTP.
pub(crate) const THE_API: &str = "the API";

/// Another configuration that counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Reload {
    /// Where it comes from.
    pub source: String,
    /// What it has changed.
    pub changes: Changes,
}

/// In which streams another configuration differs from the one before, by their ids.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Differences {
    /// Those that were not there before.
    pub added: Vec<StreamId>,
    /// Those that play on, and look or behave in another way.
    pub changed: Vec<StreamId>,
    /// Those that are another picture now.
    pub replaced: Vec<StreamId>,
    /// Those that are gone.
    pub removed: Vec<StreamId>,
}

impl Differences {
    /// Whether there are none.
    fn are_none(&self) -> bool {
        self.lists().into_iter().all(<[_]>::is_empty)
    }

    /// Leaves out those that somebody does not see.
    fn retain(&mut self, sees: impl Fn(&StreamId) -> bool) {
        let Self {
            added,
            changed,
            replaced,
            removed,
        } = self;
        for ids in [added, changed, replaced, removed] {
            ids.retain(&sees);
        }
    }

    fn lists(&self) -> [&[StreamId]; 4] {
        [&self.added, &self.changed, &self.replaced, &self.removed]
    }
}

/// What another configuration has changed.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Changes {
    /// The streams that play on, untouched.
    pub kept: usize,
    /// The names of those that were not there before.
    pub added: Vec<String>,
    /// The names of those that play on, and look or behave in another way.
    pub changed: Vec<String>,
    /// The names of those that are another picture at the same place.
    pub replaced: Vec<String>,
    /// The names of those that are gone.
    pub removed: Vec<String>,
    /// Whether connections log in by other rules from now on.
    pub login: bool,
    /// How many viewers were sent away, because their log-ins count no longer.
    pub logged_out: usize,
    /// The keys of the server as a whole whose new values count from now on.
    pub server: Vec<&'static str>,
    /// The keys whose new values count only after a restart.
    pub needs_restart: Vec<&'static str>,
}

impl Changes {
    /// Whether nothing of what is served differs.
    #[must_use]
    pub fn is_none(&self) -> bool {
        *self
            == Self {
                kept: self.kept,
                ..Self::default()
            }
    }

    /// How many bytes the names have.
    fn size(&self) -> usize {
        let names = [&self.added, &self.changed, &self.replaced, &self.removed];
        names.map(|names| size_of_texts(names)).iter().sum()
    }
}

impl fmt::Display for Changes {
    /// Writes how many streams were kept, added, changed, replaced and removed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "streams: {} replaced, {} removed, {} added; ",
            self.replaced.len(),
            self.removed.len(),
            self.added.len()
        )?;
        if !self.changed.is_empty() {
            write!(f, "{} changed as they play; ", self.changed.len())?;
        }
        write!(f, "{} play on untouched", self.kept)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_reads_as_address_and_transport() {
        let mut viewer = Viewer {
            session: "a".into(),
            peer: Some(([192, 0, 2, 7], 5000).into()),
            user: None,
            transport: Transport::Udp,
            since: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(viewer.to_string(), "192.0.2.7:5000 (UDP)");
        (viewer.peer, viewer.transport) = (None, Transport::Http);
        assert_eq!(viewer.to_string(), "unknown address (HTTP tunnel)");
    }

    #[test]
    fn a_farewell_is_named_as_json_has_it() {
        for why in Farewell::VARIANTS {
            assert_eq!(serde_json::to_value(why).unwrap(), why.name());
        }
    }

    #[test]
    fn changes_are_counted() {
        let mut changes = Changes {
            kept: 2,
            ..Changes::default()
        };
        assert!(changes.is_none());
        changes.replaced.push("one".into());
        assert!(!changes.is_none());
        assert_eq!(
            changes.to_string(),
            "streams: 1 replaced, 0 removed, 0 added; 2 play on untouched"
        );
        changes.changed.push("two".into());
        assert_eq!(
            changes.to_string(),
            "streams: 1 replaced, 0 removed, 0 added; 1 changed as they play; 2 play on untouched"
        );
    }
}

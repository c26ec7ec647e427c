//! What the log says of events.

use std::net::SocketAddr;

use super::{
    happening::{Changes, Happening, LoginRefusal, Reload, THE_API},
    refusal::Refusal,
};

/// How many of the streams that come or go are named at most.
const NAMED: usize = 10;

/// Tells the log, which writes on a thread of its own, so that nobody waits for it here.
pub(super) fn log(what: &Happening) {
    match what {
        Happening::ViewerJoined {
            path,
            viewer,
            viewers,
            ..
        } => {
            tracing::info!(target: "viewers", path, viewers, "{viewer} is watching");
        }
        Happening::ViewerLeft {
            path,
            viewer,
            why,
            viewers,
            ..
        } => {
            tracing::info!(target: "viewers", path, viewers, "{viewer} has left: {why}");
        }
        Happening::ViewerRefused {
            path,
            peer,
            why,
            held_back,
            ..
        } => {
            if let Some(held_back) = held_back {
                log_refusal(path, *peer, why, *held_back);
            }
        }
        Happening::LoginRefused {
            peer,
            user,
            why,
            held_back,
        } => {
            if let Some(held_back) = held_back {
                log_login(&shown(*peer), user, why, *held_back);
            }
        }
        Happening::StreamStarted { streams } => tracing::debug!(target: "stream", ?streams, "starts"),
        Happening::StreamRunning { streams } => tracing::debug!(target: "stream", ?streams, "runs"),
        Happening::StreamStopped { streams } => tracing::debug!(target: "stream", ?streams, "has stopped"),
        Happening::StreamFailed { name, cause, .. } => {
            tracing::error!(target: "stream", stream = name, "{cause}");
        }
        Happening::StreamRebuilt { streams } => tracing::debug!(target: "stream", ?streams, "is another one"),
        Happening::StreamSkipped { name, frames, .. } => tracing::info!(
            target: "stream",
            stream = name,
            frames,
            "this machine was late: the camera has skipped frames"
        ),
        Happening::StreamTooSlow { name, advice, .. } => {
            tracing::warn!(target: "stream", stream = name, "{advice}");
        }
        Happening::Reloaded {
            reload, needs_login, ..
        } => {
            if let Some(Reload { source, changes }) = reload {
                log_changes(source, changes, *needs_login);
            }
        }
        Happening::ReloadRefused { source, mistakes } => {
            for line in mistakes {
                tracing::error!(target: "config", "{line}");
            }
            tracing::error!(target: "config", "{source}: not taken over, all stays as it was");
        }
    }
}

fn shown(peer: Option<SocketAddr>) -> String {
    peer.map_or_else(|| "unknown".into(), |peer| peer.to_string())
}

fn log_refusal(path: &str, peer: Option<SocketAddr>, why: &Refusal, held_back: u64) {
    match why {
        Refusal::StreamFull { .. } | Refusal::ServerFull { .. } => {
            tracing::warn!(target: "viewers", path, ?peer, "{why}");
        }
        Refusal::SessionsFull { .. } => {
            tracing::warn!(target: "requests", peer = shown(peer), held_back, "{why}");
        }
        Refusal::Unavailable { .. } => tracing::warn!(target: "requests", path, held_back, "{why}"),
        Refusal::Disallowed { .. } | Refusal::NoDestination => {
            tracing::info!(target: "requests", path, held_back, "{why}");
        }
        Refusal::Speed => tracing::warn!(target: "requests", ?peer, "{why}"),
    }
}

fn log_login(peer: &str, user: &str, why: &LoginRefusal, held_back: u64) {
    match why {
        LoginRefusal::Wrong => {
            tracing::warn!(target: "accounts", peer, user, held_back, "refused a wrong log-in");
        }
        LoginRefusal::Forbidden { path } => tracing::warn!(
            target: "accounts",
            peer,
            user,
            path,
            held_back,
            "refused a stream that the user may not see"
        ),
    }
}

fn log_changes(source: &str, changes: &Changes, needs_login: bool) {
    let how = if source == THE_API {
        "changed by a request"
    } else {
        "read again"
    };
    tracing::info!(target: "config", "{source}: {how}; {changes}");
    let lists = [
        ("replaced", &changes.replaced),
        ("removed", &changes.removed),
        ("added", &changes.added),
        ("changed", &changes.changed),
    ];
    for (what, names) in lists {
        log_names(what, names);
    }
    if changes.login {
        let login = if needs_login { "log-in needed" } else { "no log-in" };
        tracing::info!(target: "config", "{login} for connections from now on");
    }
    if changes.logged_out > 0 {
        tracing::info!(target: "config", viewers = changes.logged_out, "sent away those whose log-in counts no longer");
    }
    for key in &changes.needs_restart {
        tracing::warn!(target: "config", "{key}: its new value needs a restart, the old one goes on");
    }
}

fn log_names(what: &str, names: &[String]) {
    for name in names.iter().take(NAMED) {
        tracing::info!(target: "config", "{what}: {name}");
    }
    if let Some(more) = names.len().checked_sub(NAMED).filter(|more| *more > 0) {
        tracing::info!(target: "config", "{what}: and {more} more");
    }
}

//! The sessions of a connection: hidden from all others, and over with it.
//!
//! In gst-rtsp-server every connection may use every session of its pool, and one that has named a session takes it
//! along when it closes: whoever knew a viewer's session could end it. So each connection has a pool of its own, in
//! which nobody else's session is found.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gst::glib;
use gst_rtsp::RTSPStatusCode;
use gst_rtsp_server::{RTSPClient, RTSPFilterResult, RTSPSession, RTSPSessionPool, prelude::*};

use super::ready::{self, Ready, ReadyHere};
use crate::{
    config::Config,
    events::Farewell,
    ffi::{process, rtsp},
    server::connections::{
        backlog::{Connection, Reading},
        tunnels::Tunnels,
    },
    timers,
};

/// How much later than it was told a session ends whose viewer shows no sign of life: viewers are to be gone 2 s later at
/// most, and half of a second is left for a busy machine. The time told is the configured one, no shorter: players show
/// a sign of life well before it is over (`FFmpeg` and retina after half of it, GStreamer 5 s before its end, or after four
/// fifths of it).
const GRACE: Duration = Duration::from_secs(1);
/// How often sessions are looked through for dead ones; gst-rtsp-server never does so by itself.
const CLEAN_UP_INTERVAL: Duration = Duration::from_millis(500);
/// How long a viewer may take nothing of what it is sent; no longer than it may say nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often memory is given back, where anybody has left.
const TIDY_UP_INTERVAL: Duration = Duration::from_secs(10);

/// The sessions of all connections of a server.
#[derive(Debug)]
pub(in crate::server) struct Sessions {
    /// In seconds, as a session's viewer is told.
    timeout: u32,
    ready: Arc<Ready>,
    tunnels: Tunnels,
    /// Some have ended since the memory was tidied up.
    have_ended: AtomicBool,
}

impl Sessions {
    /// None yet, as `config` wants them.
    pub(in crate::server) fn new(config: &Config) -> Self {
        Self {
            timeout: config.session_timeout,
            ready: Arc::new(Ready::new(config.max_viewers)),
            tunnels: Tunnels::default(),
            have_ended: AtomicBool::new(false),
        }
    }

    /// The server may have so many viewers from now on.
    pub(in crate::server) fn limit(&self, viewers: Option<u32>) {
        self.ready.limit(viewers);
    }

    /// Has what a crowd took of memory go back to the system once it has left: a thousand viewers leave holes everywhere.
    pub(in crate::server) fn tidy_up(self: &Arc<Self>, context: &glib::MainContext) {
        let all = Arc::downgrade(self);
        timers::every(context, glib::Priority::LOW, TIDY_UP_INTERVAL, move || {
            let Some(all) = all.upgrade() else {
                return glib::ControlFlow::Break;
            };
            if all.have_ended.swap(false, Ordering::Relaxed) {
                process::trim_memory();
            }
            glib::ControlFlow::Continue
        });
    }

    /// How long a viewer may take nothing of what it is sent.
    pub(in crate::server) fn patience(&self) -> Duration {
        PATIENCE.min(Duration::from_secs(self.timeout.into()))
    }

    /// Gives `client`, which has come by `connection`, sessions of its own; `is_over` is told when and why each has ended.
    pub(in crate::server) fn give(
        self: &Arc<Self>,
        client: &RTSPClient,
        connection: Option<Connection>,
        is_over: impl Fn(&RTSPSession, Farewell) + Send + Sync + 'static,
    ) {
        let pool = RTSPSessionPool::new();
        pool.set_max_sessions(ready::OF_A_CONNECTION);
        let peer = connection.map(|connection| connection.peer());
        let here = Arc::new(ReadyHere::new(&self.ready, peer));
        let verdict = Arc::new(OnceLock::new());
        let (all, ended, why) = (Arc::clone(self), Arc::clone(&here), Arc::clone(&verdict));
        pool.connect_session_removed(move |_, session| {
            ended.remove(&id(session));
            all.have_ended.store(true, Ordering::Relaxed);
            let why = why.get().copied();
            is_over(session, why.unwrap_or_else(|| farewell(session)));
        });
        client.set_session_pool(Some(&pool));
        limit(client, &here);
        self.follow(client, connection, verdict);
    }

    fn follow(
        self: &Arc<Self>,
        client: &RTSPClient,
        connection: Option<Connection>,
        verdict: Arc<OnceLock<Farewell>>,
    ) {
        let all = Arc::clone(self);
        client.connect_new_session(move |client, session| {
            session.set_timeout(all.timeout);
            session.set_extra_timeout(u32::try_from(GRACE.as_secs()).unwrap_or(u32::MAX));
            if let Some(pool) = client.session_pool().filter(|pool| pool.n_sessions() == 1) {
                let reading = connection.map(|connection| Reading::new(connection, all.patience()));
                look_after(&all, client, &pool, reading, Arc::clone(&verdict));
            }
        });
        let all = Arc::clone(self);
        client.connect_closed(move |client| {
            tracing::debug!("connection closed");
            if let (Some(connection), Some(cookie)) = (connection, rtsp::tunnel_cookie(client)) {
                all.tunnels.inherit(cookie, connection);
            }
            if let Some(pool) = client.session_pool() {
                pool.filter(Some(&mut |_, _| RTSPFilterResult::Remove));
            }
        });
    }
}

/// Has `client` have no more sessions than it may, and `here` know those that do not play yet.
fn limit(client: &RTSPClient, here: &Arc<ReadyHere>) {
    let room = Arc::clone(here);
    client.connect_pre_setup_request(move |client, context| {
        let sessions = || client.session_pool().map_or(0, |pool| pool.n_sessions());
        if context.session().is_some() || room.has_room(sessions()) {
            RTSPStatusCode::Ok
        } else {
            RTSPStatusCode::ServiceUnavailable
        }
    });
    let begun = Arc::clone(here);
    client.connect_new_session(move |_, session| begun.add(&id(session)));
    let here = Arc::clone(here);
    client.connect_play_request(move |_, context| {
        if let Some(session) = context.session() {
            here.remove(&id(session));
        }
    });
}

fn id(session: &RTSPSession) -> String {
    session.sessionid().map(String::from).unwrap_or_default()
}

/// Why a session without TEARDOWN is over. One that goes with its connection has time left.
fn farewell(session: &RTSPSession) -> Farewell {
    if session.is_expired_usec(glib::monotonic_time()) {
        Farewell::TimedOut
    } else {
        Farewell::Disconnected
    }
}

/// Ends the sessions of `pool` that have timed out, and the connection of a client that does not read, as long as there
/// are sessions, on the thread that serves the client: gst-rtsp-server ends the process when a session times out on
/// another one while its connection closes.
fn look_after(
    all: &Arc<Sessions>,
    client: &RTSPClient,
    pool: &RTSPSessionPool,
    mut reading: Option<Reading>,
    verdict: Arc<OnceLock<Farewell>>,
) {
    let Some(context) = timers::here() else {
        return tracing::error!("a session began outside of its client's thread: it will not time out");
    };
    let (all, client, pool) = (Arc::clone(all), client.downgrade(), pool.downgrade());
    timers::every(&context, glib::Priority::DEFAULT, CLEAN_UP_INTERVAL, move || {
        let (Some(client), Some(pool)) = (client.upgrade(), pool.upgrade()) else {
            return glib::ControlFlow::Break;
        };
        pool.cleanup();
        if pool.n_sessions() == 0 {
            return glib::ControlFlow::Break;
        }
        let fault = reading.as_mut().and_then(|reading| {
            let cookie = rtsp::tunnel_cookie(&client);
            let inherited = cookie.map(|cookie| all.tunnels.of(&cookie));
            for connection in inherited.into_iter().flatten() {
                reading.look_at(connection);
            }
            reading.fault(&pool)
        });
        let Some(why) = fault else {
            return glib::ControlFlow::Continue;
        };
        // It is only ever set here, and this is the last time.
        let _ = verdict.set(why);
        client.close();
        glib::ControlFlow::Break
    });
}

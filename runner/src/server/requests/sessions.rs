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
use gst_rtsp_server::{RTSPClient, RTSPContext, RTSPFilterResult, RTSPSession, RTSPSessionPool, prelude::*};

use super::ready::{self, Ready, ReadyOfConnection, TooMany};
use crate::{
    config::Config,
    events::Farewell,
    ffi::{process, rtsp},
    server::connections::{backlog::BacklogWatch, connection::Connection, tunnels::Tunnels},
    timers,
};

/// How much later than its viewer was told a session ends that shows no sign of life. Viewers have to be gone 2 s later at
/// most, and half a second of that is left for a busy machine. The time told is the configured one, no shorter: players show
/// a sign of life well before it is over (`FFmpeg` and retina after half of it, GStreamer 5 s before its end, or after four
/// fifths of it).
const GRACE: Duration = Duration::from_secs(1);
/// How often sessions are looked through for dead ones; gst-rtsp-server never does so by itself.
const CLEAN_UP_INTERVAL: Duration = Duration::from_millis(500);
/// How long a viewer may take nothing of what it is sent; no longer than it may say nothing.
const PATIENCE: Duration = Duration::from_secs(10);
/// How often memory is given back to the system, if any session has ended meanwhile.
const TIDY_UP_INTERVAL: Duration = Duration::from_secs(10);

/// The sessions of all connections of a server.
#[derive(Debug)]
pub(in crate::server) struct Sessions {
    /// After how many seconds without a sign of life a session ends, as its viewer is told.
    timeout: u32,
    ready: Arc<Ready>,
    tunnels: Tunnels,
    /// Sessions have ended since memory was given back last.
    have_ended: AtomicBool,
}

impl Sessions {
    /// There is no session yet; `config` says how long one may be silent, and how many viewers there may be.
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

    /// Gives memory back to the system once a crowd has left: a thousand viewers leave holes everywhere in it.
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
}

/// The sessions of one connection.
#[derive(Debug)]
pub(in crate::server) struct SessionsOfConnection {
    all: Arc<Sessions>,
    connection: Option<Connection>,
    ready: ReadyOfConnection,
    /// Why the connection had to be closed, if it had to be.
    verdict: OnceLock<Farewell>,
}

impl SessionsOfConnection {
    /// A client has come by `connection`, and has no session yet.
    pub(in crate::server) fn new(all: &Arc<Sessions>, connection: Option<Connection>) -> Arc<Self> {
        let peer = connection.map(|connection| connection.peer());
        Arc::new(Self {
            all: Arc::clone(all),
            connection,
            ready: ReadyOfConnection::new(&all.ready, peer),
            verdict: OnceLock::new(),
        })
    }

    /// A pool in which gst-rtsp-server keeps the sessions of this connection and no others.
    pub(in crate::server) fn pool() -> RTSPSessionPool {
        let pool = RTSPSessionPool::new();
        pool.set_max_sessions(ready::OF_A_CONNECTION);
        pool
    }

    /// Whether a SETUP of `client` has a session, or may begin one.
    ///
    /// # Errors
    /// The status of the answer, where there are as many as there may be.
    pub(in crate::server) fn check_room(
        &self,
        client: &RTSPClient,
        context: &RTSPContext,
    ) -> Result<(), TooMany> {
        if context.session().is_some() {
            return Ok(());
        }
        let sessions = client.session_pool().map_or(0, |pool| pool.n_sessions());
        self.ready.check(sessions)
    }

    /// Whether the log may tell that a session was refused, and if so how many refusals it has left out.
    pub(in crate::server) fn may_tell_refusal(&self) -> Option<u64> {
        self.ready.may_tell()
    }

    /// `session` of `client` begins.
    pub(in crate::server) fn begin(self: &Arc<Self>, client: &RTSPClient, session: &RTSPSession) {
        self.ready.add(&id(session));
        session.set_timeout(self.all.timeout);
        session.set_extra_timeout(u32::try_from(GRACE.as_secs()).unwrap_or(u32::MAX));
        if let Some(pool) = client.session_pool().filter(|pool| pool.n_sessions() == 1) {
            self.look_after(client, &pool);
        }
    }

    /// `session` plays.
    pub(in crate::server) fn play(&self, session: &RTSPSession) {
        self.ready.remove(&id(session));
    }

    /// `session` is over; answers why.
    pub(in crate::server) fn end(&self, session: &RTSPSession) -> Farewell {
        self.ready.remove(&id(session));
        self.all.have_ended.store(true, Ordering::Relaxed);
        let verdict = self.verdict.get().copied();
        verdict.unwrap_or_else(|| farewell(session))
    }

    /// The connection of `client` is closed: with it, all of them are over.
    pub(in crate::server) fn end_all(&self, client: &RTSPClient) {
        if let (Some(connection), Some(cookie)) = (self.connection, rtsp::tunnel_cookie(client)) {
            self.all.tunnels.inherit(cookie, connection);
        }
        if let Some(pool) = client.session_pool() {
            pool.filter(Some(&mut |_, _| RTSPFilterResult::Remove));
        }
    }

    /// Ends the sessions of `pool` that have timed out, and the connection of a client that does not read, as long as there
    /// are sessions, on the thread that serves the client: gst-rtsp-server ends the process when a session times out on
    /// another one while its connection closes.
    fn look_after(self: &Arc<Self>, client: &RTSPClient, pool: &RTSPSessionPool) {
        let Some(context) = timers::here() else {
            return tracing::error!(target: "requests", "a session began outside of its client's thread: it will not time out");
        };
        let patience = self.all.patience();
        let mut watch = self
            .connection
            .map(|connection| BacklogWatch::new(connection, patience));
        let (sessions, client, pool) = (Arc::downgrade(self), client.downgrade(), pool.downgrade());
        timers::every(&context, glib::Priority::DEFAULT, CLEAN_UP_INTERVAL, move || {
            let (Some(sessions), Some(client), Some(pool)) =
                (sessions.upgrade(), client.upgrade(), pool.upgrade())
            else {
                return glib::ControlFlow::Break;
            };
            pool.cleanup();
            if pool.n_sessions() == 0 {
                return glib::ControlFlow::Break;
            }
            let verdict = watch.as_mut().and_then(|watch| {
                let cookie = rtsp::tunnel_cookie(&client);
                let inherited = cookie.map(|cookie| sessions.all.tunnels.of(&cookie));
                for connection in inherited.into_iter().flatten() {
                    watch.look_at(connection);
                }
                watch.reason_to_end(&pool)
            });
            let Some(why) = verdict else {
                return glib::ControlFlow::Continue;
            };
            // It is set nowhere else, and here only once: the timer ends.
            let _ = sessions.verdict.set(why);
            client.close();
            glib::ControlFlow::Break
        });
    }
}

fn id(session: &RTSPSession) -> String {
    session.sessionid().map(String::from).unwrap_or_default()
}

/// Why a session is over for which there was no TEARDOWN: one that ends with its connection has time left.
fn farewell(session: &RTSPSession) -> Farewell {
    if session.is_expired_usec(glib::monotonic_time()) {
        Farewell::TimedOut
    } else {
        Farewell::Disconnected
    }
}

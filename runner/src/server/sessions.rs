//! The sessions of a connection: hidden from all others, and over with it.
//!
//! In gst-rtsp-server every connection may use every session of its pool, and one that has named a session takes it
//! along when it closes: whoever knew a viewer's session could end it. So each connection has a pool of its own, in
//! which nobody else's session is found.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use gst::glib;
use gst_rtsp::RTSPStatusCode;
use gst_rtsp_server::{RTSPClient, RTSPFilterResult, RTSPSession, RTSPSessionPool, prelude::*};

use crate::viewers::Farewell;

/// A session whose viewer shows no sign of life ends after this time…
const TIMEOUT: Duration = Duration::from_secs(30);
/// …and this grace.
const GRACE: Duration = Duration::from_secs(5);
/// How often sessions are looked through for dead ones; gst-rtsp-server never does so by itself.
const CLEAN_UP_INTERVAL: Duration = Duration::from_secs(1);
/// More sessions than anybody watches, few enough to leave memory for those who do.
const MOST: u32 = 2000;
/// Of these, one connection has no more. A viewer needs one for each stream.
const MOST_OF_A_CONNECTION: u32 = 100;

/// The sessions of all connections of a server.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    open: AtomicU32,
}

impl Sessions {
    /// Gives `client` sessions of its own; `is_over` is told when and why each has ended.
    pub(super) fn give(
        self: &Arc<Self>,
        client: &RTSPClient,
        is_over: impl Fn(&RTSPSession, Farewell) + Send + Sync + 'static,
    ) {
        let pool = RTSPSessionPool::new();
        pool.set_max_sessions(MOST_OF_A_CONNECTION);
        let all = Arc::clone(self);
        pool.connect_session_removed(move |_, session| {
            all.open.fetch_sub(1, Ordering::Relaxed);
            is_over(session, farewell(session));
        });
        client.set_session_pool(Some(&pool));
        self.limit(client);
        self.follow(client);
    }

    fn limit(self: &Arc<Self>, client: &RTSPClient) {
        let all = Arc::clone(self);
        client.connect_pre_setup_request(move |_, context| {
            if context.session().is_some() || all.open.load(Ordering::Relaxed) < MOST {
                RTSPStatusCode::Ok
            } else {
                RTSPStatusCode::ServiceUnavailable
            }
        });
    }

    fn follow(self: &Arc<Self>, client: &RTSPClient) {
        let all = Arc::clone(self);
        client.connect_new_session(move |client, session| {
            session.set_timeout(u32::try_from(TIMEOUT.as_secs()).unwrap_or(u32::MAX));
            session.set_extra_timeout(u32::try_from(GRACE.as_secs()).unwrap_or(u32::MAX));
            all.open.fetch_add(1, Ordering::Relaxed);
            if let Some(pool) = client.session_pool().filter(|pool| pool.n_sessions() == 1) {
                clean_up(&pool);
            }
        });
        client.connect_closed(|client| {
            tracing::debug!("connection closed");
            if let Some(pool) = client.session_pool() {
                pool.filter(Some(&mut |_, _| RTSPFilterResult::Remove));
            }
        });
    }
}

/// Why a session without TEARDOWN is over. One that goes with its connection has time left.
fn farewell(session: &RTSPSession) -> Farewell {
    if session.is_expired_usec(glib::monotonic_time()) {
        Farewell::TimedOut
    } else {
        Farewell::Disconnected
    }
}

/// Ends the sessions of `pool` that have timed out, as long as it has any, on the thread that serves its client:
/// gst-rtsp-server ends the process when a session times out on another one while its connection closes.
fn clean_up(pool: &RTSPSessionPool) {
    let Some(context) = glib::main_current_source().and_then(|source| source.context()) else {
        return tracing::error!("a session began outside of its client's thread: it will not time out");
    };
    let pool = pool.downgrade();
    let timer = glib::timeout_source_new(CLEAN_UP_INTERVAL, None, glib::Priority::DEFAULT, move || {
        let Some(pool) = pool.upgrade() else {
            return glib::ControlFlow::Break;
        };
        pool.cleanup();
        if pool.n_sessions() > 0 {
            glib::ControlFlow::Continue
        } else {
            glib::ControlFlow::Break
        }
    });
    timer.attach(Some(&context));
}

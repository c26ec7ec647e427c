//! Keeps a client alive as long as anything still points to it.
//!
//! gst-rtsp-server sends within a connection on a thread of the stream's own. What it sends by, a stream transport, points
//! to the client and to its session and holds neither (`do_send_data` and `do_keepalive` in rtsp-client.c, from 1.22 to
//! 1.28), and the thread holds the transport. So a viewer who leaves while it is being sent something is used after it has
//! been freed; and where sending failed, an idle source that is to close the client points to it as well (`do_close`).
//!
//! So a transport is tied to its session and its client here. The session's media end with the session, whoever holds it;
//! a session and a client are let go of once nobody but them holds the transport any more, for then nobody can send by it,
//! nor begin to: it is taken off the stream before. An idle source that was attached on the way comes before the one by
//! which the client goes: both are of the same context and the same priority, in which they are dispatched in their order.
//!
//! RTCP that comes in would have a transport kept by what GStreamer knows of its sender, for as long as half a minute:
//! `stream::receivers` sees to it that it does not.

use std::{
    sync::{Arc, OnceLock, Weak},
    time::{Duration, Instant},
};

use gst::glib;
use gst_rtsp_server::{RTSPClient, RTSPContext, RTSPFilterResult, RTSPSession, prelude::*};
use parking_lot::Mutex;

use crate::{ffi::rtsp::HeldTransport, stream::Stream, timers};

/// How often those who have left are looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(20);

/// How often a stream is asked for an RTCP report, with which its thread lets go of the transport that it sent by before.
const REPORT_INTERVAL: Duration = Duration::from_millis(200);

/// A transport, and the session that it points to; the client, to which it points as well, is held apart.
#[derive(Debug)]
struct Tie {
    transport: HeldTransport,
    _session: RTSPSession,
    /// The channels by which the client has the transport, or had it once.
    channels: Vec<u8>,
    stream: Weak<Stream>,
}

impl Drop for Tie {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.upgrade() {
            stream.within_connections().remove(&self.transport.number());
        }
    }
}

impl Tie {
    /// Whether nobody but `client` and this tie holds the transport.
    fn is_loose(&self, client: &RTSPClient) -> bool {
        let is_on = |channel: &&u8| self.transport.is_on_channel(client, **channel);
        let held_by_client = self.channels.iter().filter(is_on).count();
        usize::try_from(self.transport.holders()).is_ok_and(|holders| holders == held_by_client + 1)
    }
}

/// The ties of one client.
#[derive(Debug, Default)]
pub(in crate::server) struct Ties {
    all: Mutex<Vec<Tie>>,
    /// The context of the thread that serves the client. It is noted early, because no source is current any more when the
    /// client's end is told.
    context: OnceLock<glib::MainContext>,
}

impl Ties {
    /// `client` has set up `transport` of `stream` by the request of `context`.
    pub(in crate::server) fn tie(
        &self,
        client: &RTSPClient,
        context: &RTSPContext,
        transport: HeldTransport,
        channels: [u8; 2],
        stream: &Arc<Stream>,
    ) {
        let Some(session) = context.session().cloned() else {
            return;
        };
        if let Some(context) = timers::here() {
            self.context.get_or_init(|| context);
        }
        let mut ties = self.all.lock();
        // A client that sets up and tears down again and again must not have more and more ties.
        ties.retain(|tie| tie.transport == transport || !tie.is_loose(client));
        if let Some(known) = ties.iter_mut().find(|tie| tie.transport == transport) {
            known.channels.extend(channels);
            known.channels.sort_unstable();
            known.channels.dedup();
            return;
        }
        let mut channels = channels.to_vec();
        channels.dedup();
        stream.within_connections().insert(transport.number());
        ties.push(Tie {
            transport,
            _session: session,
            channels,
            stream: Arc::downgrade(stream),
        });
    }

    fn take(&self) -> Vec<Tie> {
        std::mem::take(&mut *self.all.lock())
    }
}

/// Ends the media of `session`, which is over: by themselves they would end only once nobody holds the session.
pub(in crate::server) fn end_media(session: &RTSPSession) {
    session.filter(Some(&mut |_, _| RTSPFilterResult::Remove));
}

/// The clients that have left and are still pointed to.
#[derive(Debug)]
pub(in crate::server) struct Leavers {
    context: glib::MainContext,
    departed: Mutex<Departed>,
}

/// Those clients, and whether a timer looks at them.
#[derive(Debug, Default)]
struct Departed {
    leavers: Vec<Leaver>,
    /// A timer looks at them.
    is_looked_at: bool,
}

/// A client whose connection is closed, and whose sessions are over.
#[derive(Debug)]
struct Leaver {
    ties: Vec<Tie>,
    /// Empty once the client has been let go of.
    client: Arc<Mutex<Option<RTSPClient>>>,
    /// The context of the thread that serves the client.
    context: Option<glib::MainContext>,
    /// That thread has been told to let go of the client.
    is_called: bool,
    /// Until then its streams are not asked for another report.
    quiet_until: Instant,
}

impl Leavers {
    /// Nobody yet; they are looked at in `context`.
    pub(in crate::server) fn new(context: &glib::MainContext) -> Self {
        Self {
            context: context.clone(),
            departed: Mutex::default(),
        }
    }

    /// Keeps `client`, whose connection is closed, until nothing points to it any more. To be called on the thread that serves
    /// it.
    pub(in crate::server) fn see_off(self: &Arc<Self>, client: &RTSPClient, ties: &Ties) {
        let ties_of_client = ties.take();
        if ties_of_client.is_empty() {
            // Nothing has ever been sent to it by another thread.
            return;
        }
        let mut leaver = Leaver {
            ties: ties_of_client,
            client: Arc::new(Mutex::new(Some(client.clone()))),
            context: ties.context.get().cloned(),
            is_called: false,
            quiet_until: Instant::now(),
        };
        if leaver.is_free() {
            leaver.call();
        }
        let mut departed = self.departed.lock();
        departed.leavers.push(leaver);
        if !std::mem::replace(&mut departed.is_looked_at, true) {
            self.look_again();
        }
    }

    fn look_again(self: &Arc<Self>) {
        let leavers = Arc::downgrade(self);
        timers::every(&self.context, glib::Priority::DEFAULT, LOOK_INTERVAL, move || {
            leavers
                .upgrade()
                .map_or(glib::ControlFlow::Break, |leavers| leavers.look())
        });
    }

    /// Looks at all of them; answers whether anybody is left to be looked at again.
    fn look(&self) -> glib::ControlFlow {
        // Clients are let go of without the lock held: with its last client a pipeline ends.
        let mut staying = std::mem::take(&mut self.departed.lock().leavers);
        staying.retain_mut(|leaver| !leaver.goes());
        let mut departed = self.departed.lock();
        departed.leavers.append(&mut staying);
        departed.is_looked_at = !departed.leavers.is_empty();
        if departed.is_looked_at {
            glib::ControlFlow::Continue
        } else {
            glib::ControlFlow::Break
        }
    }
}

impl Leaver {
    /// Whether the client has been let go of, which happens once it is free.
    fn goes(&mut self) -> bool {
        if self.client.lock().is_none() {
            return true;
        }
        if !self.is_free() {
            return false;
        }
        self.call();
        let is_served = self
            .context
            .as_ref()
            .is_some_and(|context| context.acquire().is_err());
        if is_served {
            return false;
        }
        // The thread that has served it has ended: idle sources of its context are not dispatched any more.
        let client = self.client.lock().take();
        let gone = std::thread::Builder::new().spawn(move || drop(client));
        if let Err(error) = gone {
            tracing::debug!(target: "connections", "a client goes here: {error}");
        }
        true
    }

    /// Whether nobody but the client holds the transports by which it was sent anything.
    fn is_free(&mut self) -> bool {
        let client = self.client.lock();
        let Some(client) = client.as_ref() else {
            return true;
        };
        let tied = self.ties.iter().filter(|tie| !tie.is_loose(client));
        let streams: Vec<_> = tied.map(|tie| tie.stream.upgrade()).collect();
        // The stream's thread keeps what it sends by until it sends the next packet, and where nobody plays none comes.
        let now = Instant::now();
        if now >= self.quiet_until {
            streams.iter().flatten().for_each(|stream| stream.send_reports());
            self.quiet_until = now + REPORT_INTERVAL;
        }
        streams.is_empty()
    }

    /// Has the thread that serves the client let go of it, after what already waits there.
    fn call(&mut self) {
        if std::mem::replace(&mut self.is_called, true) {
            return;
        }
        let client = Arc::clone(&self.client);
        if let Some(context) = &self.context {
            timers::next(context, glib::Priority::DEFAULT_IDLE, move || {
                let client = client.lock().take();
                drop(client);
            });
        }
    }
}

//! A PLAY waits for the packets with which its viewer begins (see `stream::joins`), and the client's other requests wait
//! behind it.
//!
//! No thread waits for that: the request is put aside as a copy, and handled on its client's thread as if it had come later.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::Instant,
};

use gst::{glib, prelude::*};
use gst_rtsp::{RTSPLowerTrans, RTSPMethod};
use gst_rtsp_server::{RTSPClient, RTSPContext, RTSPSessionMedia, RTSPStreamTransport, prelude::*};
use parking_lot::Mutex;

use super::{
    mending::speeds,
    mounts::{Mounted, Mounts},
};
use crate::{
    ffi::rtsp::{self, Delivered, HeldTransport, Request},
    stream::{
        Stream,
        joins::{Entry, Start, Ticket},
        media::{Media, Medium},
        seats::Seats,
    },
    timers,
};

/// So many requests of a client may wait behind its PLAY. Clients ask one after the other.
const MOST_WAITING: usize = 16;
/// For how many transports URLs are remembered: more than a client can have set up at a time.
const MOST_URLS: usize = 512;

/// The requests of one client that wait.
#[derive(Debug)]
pub(in crate::server) struct Joining {
    seats: Arc<Seats>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Whenever a request comes, the first one that waits is a PLAY.
    waiting: VecDeque<Waiting>,
    /// What waited and is being handled.
    current: Option<Current>,
    /// The URL by which each transport has been set up, by the transport's number.
    urls: HashMap<usize, String>,
    has_ended: bool,
}

#[derive(Debug)]
struct Waiting {
    request: Request,
    /// What it waits for; `None` if it waits for its turn.
    play: Option<Play>,
    /// Has it go on at last.
    _timer: Option<Timer>,
    /// Held as long as it waits.
    ticket: Option<Ticket>,
}

/// A timer, which is stopped when this is dropped.
#[derive(Debug)]
struct Timer(glib::Source);

impl Drop for Timer {
    fn drop(&mut self) {
        self.0.destroy();
    }
}

/// What a PLAY waits for.
#[derive(Debug, Clone)]
struct Play {
    stream: Arc<Stream>,
    needs: Media,
    /// It is let in by then at the latest.
    until: Instant,
}

#[derive(Debug)]
struct Current {
    /// It has waited for what its viewer begins with, and its log-in has been looked at.
    has_waited: bool,
    entry: Option<Entry>,
}

/// One of the media that a session plays, by its index among the stream's.
pub(in crate::server) struct Part {
    pub(in crate::server) medium: Medium,
    pub(in crate::server) number: usize,
    pub(in crate::server) delivered: Delivered,
}

impl Part {
    fn new(index: u32, transport: &RTSPStreamTransport) -> Option<Self> {
        Some(Self {
            medium: Medium::numbered(index),
            number: HeldTransport::new(transport).number(),
            delivered: rtsp::delivered(transport)?,
        })
    }

    /// Whether other viewers get the very same packets.
    pub(in crate::server) fn is_multicast(&self) -> bool {
        self.delivered.lower.contains(RTSPLowerTrans::UDP_MCAST)
    }
}

/// What a session has set up of a stream.
pub(in crate::server) fn parts(session_media: &RTSPSessionMedia) -> Vec<Part> {
    let media = session_media.media().map_or(0, |media| media.n_streams());
    let part = |index| Part::new(index, &session_media.transport(index)?);
    (0..media).filter_map(part).collect()
}

/// What begins to play by the PLAY of `context`, which asks for what is `mounted`: nothing, where its session plays already.
pub(in crate::server) fn parts_to_begin(context: &RTSPContext, mounted: &Mounted) -> Vec<Part> {
    let session_media = mounted.session_media(context);
    let ready = session_media.filter(|media| !rtsp::is_playing(media));
    ready.as_ref().map(parts).unwrap_or_default()
}

impl Joining {
    /// Nothing waits yet. A viewer who waits has one of `seats` already.
    pub(in crate::server) fn new(seats: &Arc<Seats>) -> Arc<Self> {
        Arc::new(Self {
            seats: Arc::clone(seats),
            state: Mutex::default(),
        })
    }

    /// Puts the request aside where others wait before it, and answers whether it did; `None` if too many wait.
    pub(in crate::server) fn queues(&self, context: &RTSPContext) -> Option<bool> {
        let mut state = self.state.lock();
        if state.current.is_some() || state.waiting.is_empty() {
            return Some(false);
        }
        if state.waiting.len() > MOST_WAITING {
            return None;
        }
        let request = Request::copy(context)?;
        state.waiting.push_back(Waiting {
            request,
            play: None,
            _timer: None,
            ticket: None,
        });
        Some(true)
    }

    /// Whether the request that is being handled has waited: it was checked before that.
    pub(in crate::server) fn has_waited(&self) -> bool {
        self.state
            .lock()
            .current
            .as_ref()
            .is_some_and(|current| current.has_waited)
    }

    /// What the viewer begins with whose PLAY is being handled, if it is known.
    pub(in crate::server) fn start(&self) -> Option<Start> {
        let state = self.state.lock();
        state.current.as_ref()?.entry.as_ref()?.start()
    }

    /// Whether the request is a PLAY that has to wait.
    pub(in crate::server) fn holds(self: &Arc<Self>, context: &RTSPContext, mounts: &Mounts) -> bool {
        if rtsp::method(context) != RTSPMethod::PLAY
            || self.has_waited()
            || speeds::asks_for_another_speed(context)
        {
            return false;
        }
        self.hold(context, mounts).is_some()
    }

    fn hold(self: &Arc<Self>, context: &RTSPContext, mounts: &Mounts) -> Option<()> {
        let mounted = mounts.asked_for(context)?;
        let session = context.session()?.sessionid()?;
        let mut parts = parts_to_begin(context, &mounted);
        parts.retain(|part| !part.is_multicast());
        let needs = media(&parts);
        if !needs.are_any() {
            return None;
        }
        let client = context.client()?;
        let thread = timers::here()?;
        let request = Request::copy(context)?;
        // A viewer who is refused for want of a seat learns it at once.
        let Mounted { stream, .. } = &mounted;
        let place = mounted.place(session.into());
        stream.viewers().admit(&place, &self.seats).ok()?;
        let play = Play {
            stream: Arc::clone(stream),
            needs,
            until: Instant::now() + stream.longest_wait(),
        };
        let ticket = self.await_start(&play, client, &thread)?;
        let timer = self.go_on_at_last(&play, client, &thread);
        self.state.lock().waiting.push_front(Waiting {
            request,
            play: Some(play),
            _timer: Some(timer),
            ticket: Some(ticket),
        });
        Some(())
    }

    /// Has the PLAY go on when it may be let in; `None` if that can never happen.
    fn await_start(
        self: &Arc<Self>,
        play: &Play,
        client: &RTSPClient,
        thread: &glib::MainContext,
    ) -> Option<Ticket> {
        let (joining, client, thread) = (Arc::downgrade(self), client.downgrade(), thread.clone());
        play.stream.await_start(play.needs, move || {
            timers::next(&thread, glib::Priority::HIGH, move || {
                if let (Some(joining), Some(client)) = (joining.upgrade(), client.upgrade()) {
                    joining.try_to_go_on(&client);
                }
            });
        })
    }

    /// Has the PLAY go on when its time is over.
    fn go_on_at_last(
        self: &Arc<Self>,
        play: &Play,
        client: &RTSPClient,
        thread: &glib::MainContext,
    ) -> Timer {
        let (joining, client) = (Arc::downgrade(self), client.downgrade());
        let wait = play.until.saturating_duration_since(Instant::now());
        Timer(timers::after(thread, glib::Priority::DEFAULT, wait, move || {
            if let (Some(joining), Some(client)) = (joining.upgrade(), client.upgrade()) {
                tracing::debug!(target: "requests", "a viewer is let in without a key picture: none came in time");
                joining.go_on(&client, None);
            }
        }))
    }

    /// What the first request waits for.
    fn awaited(&self) -> Option<Play> {
        self.state.lock().waiting.front()?.play.clone()
    }

    /// Handles the PLAY that waits, if it may be let in now. To be called on the thread that serves `client`.
    fn try_to_go_on(self: &Arc<Self>, client: &RTSPClient) {
        let Some(play) = self.awaited() else { return };
        let entry = play.stream.joins().enter(play.needs);
        let thread = timers::here();
        let waits_again = || self.await_start(&play, client, &thread?);
        let ticket = if entry.is_none() { waits_again() } else { None };
        if ticket.is_none() {
            return self.go_on(client, entry);
        }
        let old_ticket = match self.state.lock().waiting.front_mut() {
            Some(first) => std::mem::replace(&mut first.ticket, ticket),
            None => ticket,
        };
        drop(old_ticket);
    }

    /// Handles the PLAY that waits, and what has come after it.
    fn go_on(&self, client: &RTSPClient, mut entry: Option<Entry>) {
        let mut has_waited = true;
        while let Some(next) = self.next(has_waited, entry.take()) {
            next.handle(client);
            let done = self.state.lock().current.take();
            drop(done);
            has_waited = false;
        }
    }

    /// Takes the request that is to be handled next. A PLAY that waits for its begin is taken only if it `has_waited`.
    fn next(&self, has_waited: bool, entry: Option<Entry>) -> Option<Request> {
        let mut state = self.state.lock();
        if state.has_ended {
            return None;
        }
        let first = state.waiting.front()?;
        if first.play.is_some() != has_waited {
            return None;
        }
        let next = state.waiting.pop_front()?;
        state.current = Some(Current { has_waited, entry });
        drop(state);
        Some(next.request)
    }

    /// The client has gone.
    pub(in crate::server) fn end(&self) {
        let waiting = {
            let mut state = self.state.lock();
            state.has_ended = true;
            std::mem::take(&mut state.waiting)
        };
        drop(waiting);
    }

    /// The transport of that number has been set up by the request of `context`.
    pub(in crate::server) fn note_url(&self, transport: usize, context: &RTSPContext) {
        let Some(url) = context.request().and_then(rtsp::request_uri) else {
            return;
        };
        let mut state = self.state.lock();
        if state.urls.len() >= MOST_URLS {
            state.urls.clear();
        }
        state.urls.insert(transport, url);
    }

    /// The RTP-Info (RFC 2326, section 12.33) of the PLAY that is being handled: the first packet of each medium.
    pub(in crate::server) fn rtp_info(&self, context: &RTSPContext, mounts: &Mounts) -> Option<String> {
        let start = self.start()?;
        let mounted = mounts.asked_for(context)?;
        let session_media = mounted.session_media(context)?;
        let state = self.state.lock();
        let of_part = |part: &Part| {
            let (first, url) = (start.of(part.medium)?, state.urls.get(&part.number)?);
            let (number, time) = (first.sequence_number, first.time);
            (!part.is_multicast()).then(|| format!("url={url};seq={number};rtptime={time}"))
        };
        let parts: Vec<String> = parts(&session_media).iter().filter_map(of_part).collect();
        (!parts.is_empty()).then(|| parts.join(","))
    }
}

/// The media that are set up.
fn media(parts: &[Part]) -> Media {
    let any = |medium| parts.iter().any(|part| part.medium == medium);
    Media {
        picture: any(Medium::Picture),
        sound: any(Medium::Sound),
    }
}

//! The destinations of viewers over UDP. gst-rtsp-server adds one to its sink when its viewer plays, whatever packet
//! comes next; here it waits until the packet that it begins with stands before the sink.

use std::{
    cell::Cell,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use gst::{glib, prelude::*};
use parking_lot::Mutex;

use super::{
    beginnings::{Begin, Beginnings},
    keys::first_buffer,
    sent::{canonical, read},
};

/// gst-rtsp-server adds a destination while it handles a PLAY; this is longer than that takes.
const ADDED_WITHIN: Duration = Duration::from_secs(10);

thread_local! {
    /// Whether it is this module that is adding a destination on this thread, and not gst-rtsp-server.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// The destinations to which nothing goes yet.
#[derive(Debug, Default)]
pub(crate) struct Destinations {
    state: Mutex<State>,
    is_any: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<Waiting>,
    beginnings: Beginnings,
}

/// A destination that waits: where the packets of a transport shall go.
#[derive(Debug)]
struct Waiting {
    transport: usize,
    place: SocketAddr,
    since: Instant,
    /// The sink and the host, once gst-rtsp-server was about to add it.
    added: Option<Added>,
}

/// The sink to which a destination shall be added, and its host as gst-rtsp-server writes it.
#[derive(Debug)]
struct Added {
    sink: glib::WeakRef<gst::Element>,
    host: String,
}

impl Waiting {
    fn is_for(&self, sink: &gst::Element) -> bool {
        let its = self.added.as_ref().and_then(|added| added.sink.upgrade());
        its.is_some_and(|its| its == *sink)
    }

    /// Whether the sink to which it was to be added is gone, or never came.
    fn is_stale(&self) -> bool {
        match &self.added {
            Some(added) => added.sink.upgrade().is_none(),
            None => self.since.elapsed() > ADDED_WITHIN,
        }
    }
}

impl Destinations {
    /// Holds `place`, to which the transport of that number sends, back from its sink until a packet comes that `begin`
    /// lets pass.
    pub(crate) fn hold_back(&self, transport: usize, place: SocketAddr, begin: Begin) {
        self.change(|state| {
            state.forget(|waiting| waiting.transport == transport || waiting.is_stale());
            state.beginnings.hold(transport, begin);
            state.waiting.push(Waiting {
                transport,
                place: canonical(place),
                since: Instant::now(),
                added: None,
            });
        });
    }

    /// Holds back nothing any more of what goes by that transport.
    pub(crate) fn forget(&self, transport: usize) {
        self.change(|state| state.forget(|waiting| waiting.transport == transport));
    }

    /// Whether any destinations are held back.
    #[must_use]
    fn are_held_back(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    /// Has destinations wait that gst-rtsp-server adds to its `sink`.
    pub(super) fn follow(self: &Arc<Self>, sink: &gst::Element) {
        for (signal, takes_over) in [("add", State::add as TakesOver), ("remove", State::remove)] {
            let destinations = Arc::clone(self);
            sink.connect(signal, false, move |values| {
                if let Some((sink, host, place)) = read(values) {
                    destinations.take_over(&sink, signal, |state| takes_over(state, &sink, &host, place));
                }
                None
            });
        }
        let Some(pad) = sink.static_pad("sink") else {
            return;
        };
        let (destinations, sink) = (Arc::clone(self), sink.downgrade());
        let packets = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        pad.add_probe(packets, move |_, info| {
            if destinations.are_held_back()
                && let (Some(sink), Some(packet)) = (sink.upgrade(), first_buffer(info))
                && let Ok(rtp) = packet.map_readable()
            {
                destinations.begin(&sink, &rtp);
            }
            gst::PadProbeReturn::Ok
        });
    }

    /// Keeps `sink` from what `signal` tells it to do wherever `takes_over` says so.
    ///
    /// GLib stops the latest of a signal's emissions, whichever thread's it is: so nothing else may emit it meanwhile.
    /// For gst-rtsp-server's own emissions its lock on the stream sees to that.
    fn take_over(&self, sink: &gst::Element, signal: &str, takes_over: impl FnOnce(&mut State) -> bool) {
        if IS_OURS.get() {
            return;
        }
        self.change(|state| {
            if takes_over(state) {
                sink.stop_signal_emission_by_name(signal);
            }
        });
    }

    /// Adds those destinations to `sink` that begin with the RTP packet whose first bytes are `rtp`, which is to go out
    /// by it next. A destination that gst-rtsp-server removes meanwhile is removed before it is added, or once it has
    /// been.
    fn begin(&self, sink: &gst::Element, rtp: &[u8]) {
        self.change(|state| {
            let State { waiting, beginnings } = state;
            let begins =
                |waiting: &mut Waiting| waiting.is_for(sink) && beginnings.lets_pass(waiting.transport, rtp);
            for Waiting { place, added, .. } in waiting.extract_if(.., begins) {
                let Some(Added { host, .. }) = added else { continue };
                IS_OURS.set(true);
                sink.emit_by_name::<()>("add", &[&host, &i32::from(place.port())]);
                IS_OURS.set(false);
            }
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.state.lock();
        let changed = change(&mut state);
        self.is_any.store(!state.waiting.is_empty(), Ordering::Release);
        changed
    }
}

/// Says whether what a sink is told is taken over, given the sink, the host as gst-rtsp-server writes it, and the
/// address.
type TakesOver = fn(&mut State, &gst::Element, &str, SocketAddr) -> bool;

impl State {
    /// Has `place`, which is being added to `sink`, wait instead, if it is to; answers whether it is.
    fn add(&mut self, sink: &gst::Element, host: &str, place: SocketAddr) -> bool {
        let mut waiting = self.waiting.iter_mut();
        let waiting = waiting.find(|waiting| waiting.place == place && waiting.added.is_none());
        let added = || Added {
            sink: sink.downgrade(),
            host: host.to_owned(),
        };
        waiting.map(|waiting| waiting.added = Some(added())).is_some()
    }

    /// Has `place`, which is being removed from `sink`, wait no longer; answers whether it waited.
    fn remove(&mut self, sink: &gst::Element, _: &str, place: SocketAddr) -> bool {
        self.forget(|waiting| waiting.place == place && waiting.is_for(sink))
    }

    /// Forgets those that `which` picks; answers whether there were any.
    fn forget(&mut self, which: impl Fn(&Waiting) -> bool) -> bool {
        let forgotten: Vec<_> = self.waiting.extract_if(.., |waiting| which(waiting)).collect();
        for waiting in &forgotten {
            self.beginnings.forget(waiting.transport);
        }
        !forgotten.is_empty()
    }
}

//! The destinations of viewers over UDP. gst-rtsp-server adds one to its sink when its viewer plays, whatever comes next;
//! here it waits until what it begins with stands before the sink.

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

/// Longer than the handling of a PLAY takes, within which a destination is added.
const ADDED_WITHIN: Duration = Duration::from_secs(10);

thread_local! {
    /// Whether it is ours that is being added on this thread.
    static IS_OURS: Cell<bool> = const { Cell::new(false) };
}

/// Those to which nothing goes yet.
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

/// Where the packets of a transport shall go.
#[derive(Debug)]
struct Waiting {
    transport: usize,
    place: SocketAddr,
    since: Instant,
    /// Once it should have been added.
    added: Option<Added>,
}

/// To which sink a destination shall be added, and how gst-rtsp-server writes its host.
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

    /// Whether the sink that it should have been added to is no more, or never came.
    fn is_forlorn(&self) -> bool {
        match &self.added {
            Some(added) => added.sink.upgrade().is_none(),
            None => self.since.elapsed() > ADDED_WITHIN,
        }
    }
}

impl Destinations {
    /// What goes to `place` by the transport of that number begins so, once that is added to a sink.
    pub(crate) fn hold_back(&self, transport: usize, place: SocketAddr, begin: Begin) {
        self.change(|state| {
            state.forget(|waiting| waiting.transport == transport || waiting.is_forlorn());
            state.beginnings.hold(transport, begin);
            state.waiting.push(Waiting {
                transport,
                place: canonical(place),
                since: Instant::now(),
                added: None,
            });
        });
    }

    /// Nothing is held back of what goes by that transport.
    pub(crate) fn forget(&self, transport: usize) {
        self.change(|state| state.forget(|waiting| waiting.transport == transport));
    }

    /// Whether any are held back.
    #[must_use]
    fn are_held_back(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    /// Sees to `sink`, one of gst-rtsp-server's.
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

    /// Has `sink` not do what it is told by `signal` where `takes_over`.
    ///
    /// GLib stops the latest of a signal's emissions, whichever thread's it is: so nothing else is emitted meanwhile. Of
    /// gst-rtsp-server's own its lock on the stream sees to that.
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

    /// Adds those to `sink` that begin with the RTP packet that begins so, which is to go out by it next. Whoever is removed
    /// is so before, or once it has been added.
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

/// Whether what a sink is told is taken over: the sink, the host as it is written, and where that is.
type TakesOver = fn(&mut State, &gst::Element, &str, SocketAddr) -> bool;

impl State {
    /// `place`, which is being added to `sink`, waits instead, if it is to.
    fn add(&mut self, sink: &gst::Element, host: &str, place: SocketAddr) -> bool {
        let mut waiting = self.waiting.iter_mut();
        let waiting = waiting.find(|waiting| waiting.place == place && waiting.added.is_none());
        let added = || Added {
            sink: sink.downgrade(),
            host: host.to_owned(),
        };
        waiting.map(|waiting| waiting.added = Some(added())).is_some()
    }

    /// `place`, which is being removed from `sink`, waits no longer, if it has.
    fn remove(&mut self, sink: &gst::Element, _: &str, place: SocketAddr) -> bool {
        self.forget(|waiting| waiting.place == place && waiting.is_for(sink))
    }

    /// Forgets those; answers whether there were any.
    fn forget(&mut self, which: impl Fn(&Waiting) -> bool) -> bool {
        let forgotten: Vec<_> = self.waiting.extract_if(.., |waiting| which(waiting)).collect();
        for waiting in &forgotten {
            self.beginnings.forget(waiting.transport);
        }
        !forgotten.is_empty()
    }
}

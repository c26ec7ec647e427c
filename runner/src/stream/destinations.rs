//! The destinations of viewers over UDP. gst-rtsp-server adds one to its sink when its viewer plays, whatever comes next;
//! here it waits until what it begins with stands before the sink.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use gst::{glib, prelude::*};

use super::{
    beginnings::{Begin, Beginnings},
    keys::first_buffer,
};

/// Those to which nothing goes yet.
#[derive(Debug, Default)]
pub struct Destinations {
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

    /// Whether the sink that it should have been added to is no more.
    fn is_forlorn(&self) -> bool {
        let added = self.added.as_ref();
        added.is_some_and(|added| added.sink.upgrade().is_none())
    }
}

impl Destinations {
    /// What goes to `place` by the transport of that number begins so, once that is added to a sink.
    pub fn hold_back(&self, transport: usize, place: SocketAddr, begin: Begin) {
        self.change(|state| {
            state.forget(|waiting| waiting.transport == transport || waiting.is_forlorn());
            state.beginnings.hold(transport, begin);
            state.waiting.push(Waiting {
                transport,
                place: canonical(place),
                added: None,
            });
        });
    }

    /// Nothing is held back of what goes by that transport.
    pub fn forget(&self, transport: usize) {
        self.change(|state| state.forget(|waiting| waiting.transport == transport));
    }

    /// Whether anything goes by that transport.
    #[must_use]
    pub fn wait_for(&self, transport: usize) -> bool {
        let state = self.lock();
        state.waiting.iter().any(|waiting| waiting.transport == transport)
    }

    /// Whether any are held back.
    #[must_use]
    pub fn are_held_back(&self) -> bool {
        self.is_any.load(Ordering::Acquire)
    }

    /// Sees to `sink`, one of gst-rtsp-server's.
    pub(super) fn follow(self: &Arc<Self>, sink: &gst::Element) {
        let destinations = Arc::clone(self);
        on_destination(sink, "add", move |sink, host, place| {
            destinations.add(sink, host, place)
        });
        let destinations = Arc::clone(self);
        on_destination(sink, "remove", move |sink, _, place| {
            destinations.remove(sink, place)
        });
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

    /// Whether `place`, which is being added to `sink`, waits instead.
    fn add(&self, sink: &gst::Element, host: &str, place: SocketAddr) -> bool {
        let mut state = self.lock();
        let mut waiting = state.waiting.iter_mut();
        let waiting = waiting.find(|waiting| waiting.place == place && waiting.added.is_none());
        let added = || Added {
            sink: sink.downgrade(),
            host: host.to_owned(),
        };
        waiting.map(|waiting| waiting.added = Some(added())).is_some()
    }

    /// Whether `place`, which is being removed from `sink`, has only waited to be added.
    fn remove(&self, sink: &gst::Element, place: SocketAddr) -> bool {
        self.change(|state| state.forget(|waiting| waiting.place == place && waiting.is_for(sink)))
    }

    /// Adds those to `sink` that begin with the RTP packet that begins so, which is to go out by it next.
    fn begin(&self, sink: &gst::Element, rtp: &[u8]) {
        let begins = self.change(|state| {
            let State { waiting, beginnings } = state;
            let begins =
                |waiting: &mut Waiting| waiting.is_for(sink) && beginnings.lets_pass(waiting.transport, rtp);
            waiting.extract_if(.., begins).collect::<Vec<_>>()
        });
        for Waiting { place, added, .. } in begins {
            // It is none of those that wait any more.
            if let Some(Added { host, .. }) = added {
                sink.emit_by_name::<()>("add", &[&host, &i32::from(place.port())]);
            }
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let changed = change(&mut state);
        self.is_any.store(!state.waiting.is_empty(), Ordering::Release);
        changed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Forgets those; answers whether there were any.
    fn forget(&mut self, which: impl Fn(&Waiting) -> bool) -> bool {
        let forgotten: Vec<_> = self.waiting.extract_if(.., |waiting| which(waiting)).collect();
        for waiting in &forgotten {
            self.beginnings.forget(waiting.transport);
        }
        !forgotten.is_empty()
    }
}

/// Has `sink` not do what it is told by `signal` with a destination where `takes_over`.
fn on_destination(
    sink: &gst::Element,
    signal: &'static str,
    takes_over: impl Fn(&gst::Element, &str, SocketAddr) -> bool + Send + Sync + 'static,
) {
    sink.connect(signal, false, move |values| {
        let [sink, host, port] = values else { return None };
        let (sink, host, port) = (
            sink.get::<gst::Element>().ok()?,
            host.get::<String>().ok()?,
            port.get::<i32>().ok()?,
        );
        let place = SocketAddr::new(host.parse().ok()?, u16::try_from(port).ok()?);
        if takes_over(&sink, &host, canonical(place)) {
            sink.stop_signal_emission_by_name(signal);
        }
        None
    });
}

fn canonical(place: SocketAddr) -> SocketAddr {
    SocketAddr::new(place.ip().to_canonical(), place.port())
}

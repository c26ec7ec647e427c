//! How much of a stream's RTP has been sent by each transport.
//!
//! Within RTSP connections it is counted where packets are written to them. Over UDP the sinks count for each
//! destination, as long as they send there: their counts are read from them, and kept when a destination is taken from
//! them. What the stream has sent in all is counted beside that, for it has to outlive transports and sessions.

use std::{
    collections::HashMap,
    net::SocketAddr,
    ops,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use gst::glib;
use gst_rtsp_server::{RTSPSession, prelude::*};
use parking_lot::Mutex;

/// RTP packets that have been sent, and their bytes: those of RTP's header and payload, and of nothing around them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sent {
    /// How many packets.
    pub(crate) packets: u64,
    /// How many bytes.
    pub(crate) bytes: u64,
}

impl ops::Add for Sent {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            bytes: self.bytes + other.bytes,
        }
    }
}

impl Sent {
    fn since(self, before: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(before.packets),
            bytes: self.bytes.saturating_sub(before.bytes),
        }
    }
}

/// A count that several threads add to. Whoever reads it meanwhile may find a packet without its bytes.
#[derive(Debug, Default)]
struct Count {
    packets: AtomicU64,
    bytes: AtomicU64,
}

impl Count {
    fn add(&self, Sent { packets, bytes }: Sent) {
        self.packets.fetch_add(packets, Ordering::Relaxed);
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    fn sent(&self) -> Sent {
        Sent {
            packets: self.packets.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
        }
    }
}

/// Counts what is sent by one transport.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    own: Count,
    /// Counts what is sent within connections by all transports of the stream.
    all: Arc<Count>,
}

impl Tally {
    fn beside(all: &Arc<Count>) -> Arc<Self> {
        Arc::new(Self {
            own: Count::default(),
            all: Arc::clone(all),
        })
    }

    /// Adds what is sent within a connection.
    pub(crate) fn add(&self, sent: Sent) {
        self.own.add(sent);
        self.all.add(sent);
    }

    /// The count so far.
    #[must_use]
    pub(crate) fn sent(&self) -> Sent {
        self.own.sent()
    }
}

/// The counts of a stream, by its transports' numbers (`rtsp::HeldTransport`).
#[derive(Debug, Default)]
pub(crate) struct Tallies {
    /// The sinks' locks are taken under this one, and it is never taken under theirs.
    state: Mutex<State>,
    /// What has been sent within connections, by transports that are gone as well.
    within_connections: Arc<Count>,
}

#[derive(Debug, Default)]
struct State {
    open: HashMap<usize, Open>,
    /// The destinations that the sinks send to now.
    destinations: HashMap<SocketAddr, Destination>,
    /// What sinks had sent to destinations that have been taken from them.
    to_destinations_before: Sent,
}

/// The count of a transport, kept as long as its session lives.
#[derive(Debug)]
struct Open {
    session: glib::WeakRef<RTSPSession>,
    session_id: Option<glib::GString>,
    /// The address that it sends to, over UDP.
    place: Option<SocketAddr>,
    /// The count of that destination when this transport began: others may have been getting the same multicast.
    before: Sent,
    tally: Arc<Tally>,
}

/// A destination of a sink, which knows it by the host as gst-rtsp-server writes it.
#[derive(Debug)]
struct Destination {
    sink: glib::WeakRef<gst::Element>,
    host: String,
    /// Its count when it was read last, which counts once the sink is gone.
    latest: Sent,
}

impl Destination {
    /// How much has been sent to `port` of this destination. A packet counts once it has been handed to the system.
    fn sent(&self, port: u16) -> Option<Sent> {
        let sink = self.sink.upgrade()?;
        let stats: gst::Structure = sink.emit_by_name("get-stats", &[&self.host, &i32::from(port)]);
        Some(Sent {
            packets: stats.get("packets-sent").ok()?,
            bytes: stats.get("bytes-sent").ok()?,
        })
    }
}

impl Tallies {
    /// Counts what is sent by a transport of `session` from now on; over UDP it goes to `place`. If the transport is
    /// set up again, its count goes on.
    pub(crate) fn open(
        &self,
        transport: usize,
        session: &RTSPSession,
        place: Option<SocketAddr>,
    ) -> Arc<Tally> {
        let place = place.map(canonical);
        // A session that ends has its destinations removed, which takes the lock: the last reference to one has to go
        // when the lock is free again.
        let mut sessions = HashMap::new();
        let mut state = self.state.lock();
        state.open.retain(|number, open| {
            let session = open.session.upgrade();
            session.map(|session| sessions.insert(*number, session)).is_some()
        });
        let before = place.and_then(|place| state.sent_to(place)).unwrap_or_default();
        let known = state.open.remove(&transport);
        let known = known.filter(|_| sessions.get(&transport) == Some(session));
        let tally = known.map(|open| open.tally);
        let tally = tally.unwrap_or_else(|| Tally::beside(&self.within_connections));
        let open = Open {
            session: session.downgrade(),
            session_id: session.sessionid(),
            place,
            before,
            tally: Arc::clone(&tally),
        };
        state.open.insert(transport, open);
        tally
    }

    /// How much has been sent in each session, by its id.
    pub(super) fn by_session(&self) -> HashMap<String, Sent> {
        let state = self.state.lock();
        let mut all = HashMap::<String, Sent>::new();
        for open in state.open.values() {
            if let Some(id) = &open.session_id {
                let sent = all.entry(id.to_string()).or_default();
                *sent = *sent + state.sent_by(open);
            }
        }
        all
    }

    /// How much has been sent in all. It never becomes less, whoever leaves. What goes to a group of multicast counts once.
    pub(super) fn total(&self) -> Sent {
        self.within_connections.sent() + self.state.lock().by_destinations()
    }

    /// Follows which destinations gst-rtsp-server adds to its `sink` and removes from it, if `is_for_rtp` says that RTP
    /// comes to it.
    pub(super) fn follow(self: &Arc<Self>, sink: &gst::Element, is_for_rtp: fn(&gst::Element) -> bool) {
        for (signal, note) in [
            ("client-added", State::begin as Note),
            ("client-removed", State::end),
        ] {
            let tallies = Arc::downgrade(self);
            sink.connect(signal, false, move |values| {
                let (sink, host, place) = read(values)?;
                let tallies = tallies.upgrade().filter(|_| is_for_rtp(&sink))?;
                note(&mut tallies.state.lock(), &sink, host, place);
                None
            });
        }
    }
}

/// Notes that a sink sends to a destination, or does so no longer.
type Note = fn(&mut State, &gst::Element, String, SocketAddr);

impl State {
    fn begin(&mut self, sink: &gst::Element, host: String, place: SocketAddr) {
        // One that is added again counts on: its sink tells of each time.
        let is_known = |known: &Destination| known.sink.upgrade().as_ref() == Some(sink);
        if self.destinations.get(&place).is_some_and(is_known) {
            return;
        }
        let is_gone =
            |of: &SocketAddr, known: &mut Destination| *of == place || known.sink.upgrade().is_none();
        let gone = self.destinations.extract_if(is_gone);
        self.to_destinations_before =
            gone.fold(self.to_destinations_before, |sum, (_, gone)| sum + gone.latest);
        let destination = Destination {
            sink: sink.downgrade(),
            host,
            latest: Sent::default(),
        };
        self.destinations.insert(place, destination);
    }

    /// Keeps the destination's last count: the sink forgets it now.
    fn end(&mut self, _: &gst::Element, _: String, place: SocketAddr) {
        let Some(sent) = self.sent_to(place) else { return };
        self.destinations.remove(&place);
        self.to_destinations_before = self.to_destinations_before + sent;
        for open in self.open.values_mut().filter(|open| open.place == Some(place)) {
            open.tally.own.add(sent.since(open.before));
            open.before = Sent::default();
        }
    }

    fn by_destinations(&mut self) -> Sent {
        let mut sum = self.to_destinations_before;
        for (place, destination) in &mut self.destinations {
            if let Some(sent) = destination.sent(place.port()) {
                destination.latest = sent;
            }
            sum = sum + destination.latest;
        }
        sum
    }

    fn sent_by(&self, open: &Open) -> Sent {
        let to_place = open.place.and_then(|place| self.sent_to(place));
        open.tally.sent() + to_place.unwrap_or_default().since(open.before)
    }

    fn sent_to(&self, place: SocketAddr) -> Option<Sent> {
        self.destinations.get(&place)?.sent(place.port())
    }
}

/// What a signal about a destination says: the sink, the host as gst-rtsp-server writes it, and the address.
pub(super) fn read(values: &[glib::Value]) -> Option<(gst::Element, String, SocketAddr)> {
    let [sink, host, port] = values else { return None };
    let host = host.get::<String>().ok()?;
    let port = u16::try_from(port.get::<i32>().ok()?).ok()?;
    let place = canonical(SocketAddr::new(host.parse().ok()?, port));
    Some((sink.get().ok()?, host, place))
}

pub(super) fn canonical(place: SocketAddr) -> SocketAddr {
    SocketAddr::new(place.ip().to_canonical(), place.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Sent = Sent {
        packets: 1,
        bytes: 100,
    };

    /// What has been sent by the transport of that number.
    fn sent_by(tallies: &Tallies, transport: usize) -> Sent {
        let state = tallies.state.lock();
        state
            .open
            .get(&transport)
            .map(|open| state.sent_by(open))
            .unwrap_or_default()
    }

    #[test]
    fn a_transport_that_is_set_up_again_counts_on_and_another_of_its_number_anew() {
        gst::init().expect("GStreamer");
        let (tallies, session) = (Tallies::default(), RTSPSession::new("a session"));
        tallies.open(7, &session, None).add(ONE);
        tallies.open(7, &session, None).add(ONE);
        assert_eq!(sent_by(&tallies, 7), ONE + ONE);
        assert_eq!(sent_by(&tallies, 8), Sent::default());
        assert_eq!(
            tallies.by_session(),
            HashMap::from([("a session".to_owned(), ONE + ONE)])
        );
        drop(session);
        let session = RTSPSession::new("another one");
        tallies.open(7, &session, None);
        assert_eq!(sent_by(&tallies, 7), Sent::default());
        assert_eq!(tallies.total(), ONE + ONE, "those of who has left count on");
    }

    /// A pipeline that plays, the source in it that is fed by hand, and a sink that sends to nobody yet.
    fn playing() -> (gst::Element, gst::Element, gst::Element) {
        gst::init().expect("GStreamer");
        let launch = "appsrc name=in format=time ! multiudpsink name=out sync=false async=false";
        let pipeline = gst::parse::launch(launch).expect("elements");
        let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
        let [source, sink] = ["in", "out"].map(|name| bin.by_name(name).expect("an element"));
        pipeline.set_state(gst::State::Playing).expect("it plays");
        (pipeline, source, sink)
    }

    #[test]
    fn what_a_sink_has_sent_is_kept_when_it_sends_no_longer_and_counted_on() {
        let (pipeline, source, sink) = playing();
        let (tallies, session) = (Arc::<Tallies>::default(), RTSPSession::new("a session"));
        tallies.follow(&sink, |_| true);
        let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
        let place = socket.local_addr().expect("an address");
        socket
            .set_read_timeout(Some(std::time::Duration::from_mins(1)))
            .expect("a timeout");
        let port = i32::from(place.port());
        let send = |size: usize| {
            let packet = gst::Buffer::from_slice(vec![0; size]);
            let flow: gst::FlowReturn = source.emit_by_name("push-buffer", &[&packet]);
            assert_eq!(flow, gst::FlowReturn::Ok);
            assert_eq!(socket.recv(&mut [0; 2000]).expect("it comes"), size);
        };
        let comes_to = |transport, packets, bytes| {
            let deadline = std::time::Instant::now() + std::time::Duration::from_mins(1);
            while sent_by(&tallies, transport) != (Sent { packets, bytes }) {
                assert!(
                    std::time::Instant::now() < deadline,
                    "{:?}",
                    sent_by(&tallies, transport)
                );
                std::thread::yield_now();
            }
        };
        tallies.open(1, &session, Some(place));
        sink.emit_by_name::<()>("add", &[&"127.0.0.1", &port]);
        send(100);
        send(50);
        comes_to(1, 2, 150);
        // Another transport sends to the same destination from now on.
        tallies.open(2, &session, Some(place));
        send(7);
        comes_to(1, 3, 157);
        comes_to(2, 1, 7);
        sink.emit_by_name::<()>("remove", &[&"127.0.0.1", &port]);
        comes_to(1, 3, 157);
        comes_to(2, 1, 7);
        sink.emit_by_name::<()>("add", &[&"127.0.0.1", &port]);
        send(3);
        comes_to(1, 4, 160);
        comes_to(2, 2, 10);
        let all = Sent {
            packets: 4,
            bytes: 160,
        };
        assert_eq!(tallies.total(), all, "what two get by the same way counts once");
        pipeline.set_state(gst::State::Null).expect("it stops");
        drop((pipeline, source, sink));
        assert_eq!(tallies.total(), all, "the sink is gone, and its count is not");
    }
}

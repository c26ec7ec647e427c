//! One camera, as the server sees it: who may come, plays and goes.
//!
//! | module | job |
//! | --- | --- |
//! | [`factory`] | the same pipeline for every viewer, whatever URL it has |
//! | [`media`] | picture and sound |
//! | [`viewers`] | who is playing it, and who may |
//! | [`seats`] | how many may play at all |
//! | `attendance` | which clients have asked for it and not gone since |
//! | [`client`] | somebody whose connection may have to be closed |
//! | `ending` | the end of its pipeline, with the last client or for everybody |
//! | `changing` | what changes while it plays |
//! | [`stills`] | pictures for whoever looks at it without playing it |
//! | `key_requests` | when a key picture is asked for |
//! | `keys` | which packets begin a key picture |
//! | `joins` | those who join, and the packets that they begin with |
//! | `beginnings` | which packet each viewer's media begin with; nothing goes to it before |
//! | `destinations` | addresses of viewers over UDP, added to a sink when they begin |
//! | [`sent`] | how much each transport has been sent |
//! | `receivers` | what viewers report by RTCP, and which of it is heard |
//! | `running` | its pipeline while it runs |
//! | `wiring` | makes a pipeline ready to serve |
//! | [`life`] | how it is: idle, starting, running or failed |
//! | `figures` | its counts, read from all of these |
//! | `trouble` | what is done when a pipeline fails |
//! | `always_on` | how it runs before anybody looks |
//! | `pace` | the warning that it cannot keep up |
//! | [`departures`] | how late frames leave |
//! | [`gate`] | which packets of a running pipeline are for viewers |
//! | [`deltas`] | marks the packets of pictures that cannot be decoded alone |
//! | [`reports`] | what RTCP says of time |
//! | [`ntp_extension`] | the instant shown, in an RTP header extension |
//! | [`back_off`] | how long to wait before a pipeline that failed is made again |
//! | [`pacer`] | how often a key frame may be asked for |

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use gst::{ClockTime, glib, prelude::*};
use gst_rtsp::RTSPLowerTrans;

#[cfg(test)]
use gst_rtsp_server::RTSPMedia;
use gst_rtsp_server::{
    RTSPClient, RTSPMediaFactory, RTSPPublishClockMode, RTSPSuspendMode, RTSPThreadPool, prelude::*,
};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::{
    config::{StreamConfig, Transport},
    events::{Events, Happening},
    launch::launch_string,
    room,
    stream_id::StreamId,
};

mod always_on;
mod attendance;
mod back_off;
pub(crate) mod beginnings;
mod changing;
pub(crate) mod client;
mod deltas;
pub(crate) mod departures;
mod destinations;
mod ending;
mod factory;
mod figures;
mod gate;
pub(crate) mod joins;
mod key_requests;
pub(crate) mod keys;
pub mod life;
pub mod media;
mod ntp_extension;
mod pace;
mod pacer;
pub(crate) mod receivers;
mod reports;
mod running;
pub(crate) mod seats;
pub(crate) mod sent;
pub(crate) mod stills;
mod trouble;
pub(crate) mod viewers;
mod wiring;

use attendance::Attendance;
use back_off::BackOff;
use destinations::Destinations;
use factory::CameraFactory;
use joins::{Joins, Ticket};
use keys::KeyPictures;
use life::Trouble;
use media::Media;
use pacer::Pacer;
use receivers::Receivers;
pub(crate) use running::Frames;
use running::Running;
use seats::Seats;
use sent::Tallies;
use stills::Stills;
use viewers::Viewers;

/// Key frames cost many times what other frames do: a crowd that joins together shares them.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(250);

/// A viewer who joins a stream of many frames a second is let in by then, with a key frame or without.
const LET_IN_WITHIN: Duration = Duration::from_secs(1);
/// A viewer of any stream is let in by then: players lose patience after ten seconds.
const LET_IN_LATEST: Duration = Duration::from_secs(6);

/// One camera.
#[derive(Debug)]
pub(crate) struct Stream {
    config: RwLock<Arc<StreamConfig>>,
    events: Arc<Events>,
    factory: RTSPMediaFactory,
    viewers: Viewers,
    receivers: Receivers,
    keys: Arc<KeyPictures>,
    joins: Arc<Joins>,
    destinations: Arc<Destinations>,
    tallies: Arc<Tallies>,
    key_frames: Pacer,
    /// How many key frames an encoder has been asked for.
    key_frames_forced: AtomicU64,
    /// Whether a timer runs that asks for another key frame.
    asks_again: AtomicBool,
    /// The numbers of the transports that carry this stream within RTSP connections.
    within_connections: Mutex<HashSet<usize>>,
    /// The main context in which work is done that cannot be done at once.
    context: glib::MainContext,
    /// The threads that serve the pipeline's bus.
    threads: RTSPThreadPool,
    pipeline: Mutex<Option<Arc<Running>>>,
    /// The frames of the pipelines that run no longer; written under the pipeline's lock.
    frames_before: Mutex<Frames>,
    trouble: Trouble,
    departures: departures::Log,
    /// The clients that are there: while one is, the pipeline stays.
    attendance: Attendance,
    /// The stream's own presence, which keeps the pipeline where it runs before anybody looks.
    own: Mutex<Option<Presence>>,
    /// A timer runs that starts it again.
    runs_later: AtomicBool,
    /// Pictures for whoever looks at it without playing it.
    stills: Stills,
    /// The places that all streams' sources of those pictures share.
    still_seats: Arc<Seats>,
    /// A change is made at a time: what is looked up and what is set by it belong together.
    changing: Mutex<()>,
    back_off: Mutex<BackOff>,
    /// Whether the stream has ended for good.
    is_retired: AtomicBool,
    /// Whether the log says already that the stream cannot keep up.
    is_told_slow: AtomicBool,
}

/// A client's being there, which ends when this is dropped. While a client is there, the pipeline stays.
///
/// gst-rtsp-server takes a pipeline down with the last viewer, and meanwhile hands it to the one who comes next, who is
/// then refused: any client that reconnects can meet that. So the stream itself holds the pipeline, and lets go of it
/// after the last client has gone and before the next one is let in.
#[derive(Debug)]
pub(crate) struct Presence {
    stream: Arc<Stream>,
    number: u64,
}

impl Presence {
    /// Whether the client is at this stream.
    #[must_use]
    pub(crate) fn is_at(&self, stream: &Arc<Stream>) -> bool {
        Arc::ptr_eq(&self.stream, stream)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.stream.depart(self.number);
    }
}

impl Stream {
    /// The camera that `config` describes. Work that it puts off is done in `context`; what happens to it is told to
    /// `events`; whoever looks at it without playing it takes one of `still_seats`.
    #[must_use]
    pub(crate) fn new(
        config: &StreamConfig,
        context: &glib::MainContext,
        threads: &RTSPThreadPool,
        events: &Arc<Events>,
        still_seats: &Arc<Seats>,
    ) -> Arc<Self> {
        let factory: RTSPMediaFactory = CameraFactory::default().upcast();
        factory.set_launch(&launch_string(config));
        factory.set_shared(true);
        factory.set_suspend_mode(RTSPSuspendMode::None);
        factory.set_latency(0);
        let stream = Arc::new(Self {
            config: RwLock::new(Arc::new(config.clone())),
            events: Arc::clone(events),
            factory,
            viewers: Viewers::new(config.max_viewers, Arc::clone(events)),
            receivers: Receivers::default(),
            keys: Arc::default(),
            joins: Arc::default(),
            destinations: Arc::default(),
            tallies: Arc::default(),
            key_frames: Pacer::new(KEY_FRAME_INTERVAL),
            key_frames_forced: AtomicU64::new(0),
            asks_again: AtomicBool::new(false),
            within_connections: Mutex::default(),
            context: context.clone(),
            threads: threads.clone(),
            pipeline: Mutex::default(),
            frames_before: Mutex::default(),
            trouble: Trouble::default(),
            departures: departures::Log::default(),
            attendance: Attendance::default(),
            own: Mutex::default(),
            runs_later: AtomicBool::new(false),
            stills: Stills::default(),
            still_seats: Arc::clone(still_seats),
            changing: Mutex::default(),
            back_off: Mutex::default(),
            is_retired: AtomicBool::new(false),
            is_told_slow: AtomicBool::new(false),
        });
        let weak = Arc::downgrade(&stream);
        stream.factory.connect_media_configure(move |_, media| {
            if let Some(stream) = weak.upgrade() {
                stream.configure(media);
            }
        });
        stream
    }

    /// The media factory, which the RTSP server mounts.
    #[must_use]
    pub(crate) fn factory(&self) -> &RTSPMediaFactory {
        &self.factory
    }

    /// The configuration that the stream was made by or has been changed to since.
    #[must_use]
    pub(crate) fn config(&self) -> Arc<StreamConfig> {
        Arc::clone(&self.config.read())
    }

    /// The ids of all streams that show its picture.
    #[must_use]
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        self.viewers.streams().ids()
    }

    /// The name by which messages call it.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        self.config().name()
    }

    /// Whether it runs before anybody looks.
    #[must_use]
    pub(crate) fn is_always_on(&self) -> bool {
        self.config().always_on
    }

    /// The viewers who play it.
    #[must_use]
    pub(crate) fn viewers(&self) -> &Viewers {
        &self.viewers
    }

    /// The transports by which it may be played.
    #[must_use]
    pub(crate) fn transports(&self) -> BTreeSet<Transport> {
        self.config().transports.clone()
    }

    /// Has its pipelines run by `clock`, a network's, and the SDP say so (RFC 7273).
    pub(crate) fn set_clock(&self, clock: &gst::Clock) {
        self.factory.set_clock(Some(clock));
        self.factory
            .set_publish_clock_mode(RTSPPublishClockMode::ClockAndOffset);
    }

    /// Notes that `client`, or the stream itself where that is `None`, wants the pipeline, until the answer is dropped.
    #[must_use]
    pub(crate) fn arrive(self: &Arc<Self>, client: Option<&RTSPClient>) -> Presence {
        Presence {
            number: self.attendance.arrive(client),
            stream: Arc::clone(self),
        }
    }

    /// Tells the listeners what has happened to all streams that show the picture.
    pub(crate) fn tell(&self, what: impl FnOnce(Vec<StreamId>) -> Happening) {
        let streams = self.viewers.streams();
        let ids = streams.ids();
        self.events.tell_of(streams, what(ids));
    }

    /// Whether there is a pipeline, or one may be made now: one that has failed again and again is given time, and one for
    /// which there is no room would end the process.
    #[must_use]
    pub(crate) fn may_start(&self) -> bool {
        let is_retired = self.is_retired.load(Ordering::SeqCst);
        !is_retired
            && (self.running().is_some() || self.back_off.lock().is_over(Instant::now()) && self.has_room())
    }

    fn has_room(&self) -> bool {
        let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let room = room::for_pipeline(cores);
        if let Err(error) = &room {
            tracing::warn!(target: "stream",
                stream = self.name(),
                "this machine has no room for the camera: {error}"
            );
        }
        room.is_ok()
    }

    /// Prepares for a viewer who is about to play and has not waited for a key picture: packets flow as soon as
    /// gst-rtsp-server has answered. Answers whether a key frame has been asked for.
    pub(crate) fn before_play(self: &Arc<Self>) -> bool {
        let running = self.running();
        let Some(running) = running.filter(|running| !running.is_flowing()) else {
            return false;
        };
        let is_first = running.picture.gate.is_closed();
        running.open_gates(self.frame_period());
        if is_first {
            // While the pipeline is held, the encoder waits too: what it makes next is the key frame.
            self.ask_for_key_frame();
        }
        is_first
    }

    /// Serves a viewer who has begun to play; `has_asked` says whether a key frame has been asked for already.
    pub(crate) fn after_play(self: &Arc<Self>, has_asked: bool) {
        let Some(running) = self.running() else { return };
        if running.is_flowing() {
            running.open_gates(self.frame_period());
        }
        if !has_asked {
            self.ask_for_key_frame();
        }
        if self.config().audio.is_some() {
            running.report();
        }
    }

    /// Has an admitted viewer wait to be let in, until the answer is dropped: `call` is called once, on any thread,
    /// when it is worth asking [`Self::joins`]. The answer is `None` if that can never happen.
    pub(crate) fn await_start(
        self: &Arc<Self>,
        needs: Media,
        call: impl FnOnce() + Send + 'static,
    ) -> Option<Ticket> {
        let running = self.running()?;
        running.open_gates(self.frame_period());
        let ticket = self.joins.wait(needs, call);
        // While the pipeline is held, the encoder waits too: what it makes next is the key frame.
        self.ask_for_key_frame();
        self.ask_while_anybody_waits();
        running.let_flow();
        Some(ticket)
    }

    /// How long a viewer waits at most to be let in: what it would wait for comes late by then.
    #[must_use]
    pub(crate) fn longest_wait(&self) -> Duration {
        let periods = Duration::from_nanos(self.config().frames_per_second.period().saturating_mul(2));
        (LET_IN_WITHIN + periods).min(LET_IN_LATEST)
    }

    /// Sends sender reports at once.
    pub(crate) fn send_reports(&self) {
        if let Some(running) = self.running() {
            running.report();
        }
    }

    /// Whether the medium that a URL names so can go by a transport of the kind `way`; its ports are taken then. `None`
    /// where no pipeline runs: it has no ports yet.
    #[must_use]
    pub(crate) fn has_ports(&self, medium: Option<&str>, way: RTSPLowerTrans, is_ipv6: bool) -> Option<bool> {
        let running = self.running()?;
        Some(running.has_ports(medium, way, is_ipv6))
    }

    /// The key pictures that were sent last.
    pub(crate) fn keys(&self) -> &Arc<KeyPictures> {
        &self.keys
    }

    /// The viewers who join.
    pub(crate) fn joins(&self) -> &Arc<Joins> {
        &self.joins
    }

    /// Viewers over UDP to whom nothing goes yet.
    pub(crate) fn destinations(&self) -> &Arc<Destinations> {
        &self.destinations
    }

    /// The numbers (`rtsp::HeldTransport`) of the transports that carry this stream within RTSP connections.
    pub(crate) fn within_connections(&self) -> MutexGuard<'_, HashSet<usize>> {
        self.within_connections.lock()
    }

    /// The counts of what has been sent by each transport.
    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// The receivers from whom RTCP is awaited.
    pub(crate) fn receivers(&self) -> &Receivers {
        &self.receivers
    }

    /// The bin of the running pipeline.
    #[cfg(test)]
    pub(crate) fn element(&self) -> Option<gst::Element> {
        Some(self.media()?.element())
    }

    /// The media that runs the pipeline.
    #[cfg(test)]
    fn media(&self) -> Option<RTSPMedia> {
        self.running()?.media()
    }

    fn frame_period(&self) -> ClockTime {
        ClockTime::from_nseconds(self.config().frames_per_second.period())
    }

    /// Sets the pipeline that runs; answers the one that ran before.
    fn replace(&self, running: Option<Arc<Running>>) -> Option<Arc<Running>> {
        let mut pipeline = self.pipeline.lock();
        let before = std::mem::replace(&mut *pipeline, running);
        let frames = before
            .as_ref()
            .map(|running| running.frames())
            .unwrap_or_default();
        if frames.skipped > 0 {
            self.tell(|streams| Happening::StreamSkipped {
                streams,
                name: self.name(),
                frames: frames.skipped,
            });
        }
        let mut frames_before = self.frames_before.lock();
        *frames_before = *frames_before + frames;
        // The new pipeline's encoder has made no key frame yet.
        self.key_frames.forget();
        before
    }

    fn running(&self) -> Option<Arc<Running>> {
        self.pipeline.lock().clone()
    }
}

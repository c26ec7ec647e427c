//! One camera, as the server sees it: who may come, plays and goes.
//!
//! | module | job |
//! | --- | --- |
//! | [`factory`] | the same pipeline for every viewer, whatever URL it has |
//! | [`media`] | picture and sound |
//! | [`viewers`] | who is playing it, and who may |
//! | [`seats`] | how many may play at all |
//! | `attendance` | who has asked for it and not gone since |
//! | [`client`] | somebody whose connection may have to be closed |
//! | `changing` | what changes while it plays |
//! | `key_requests` | when a key picture is asked for |
//! | `keys` | which packets begin a key picture |
//! | `joins` | those who join, and the packets that they begin with |
//! | `beginnings` | what is held back until its first packet comes |
//! | `destinations` | viewers over UDP, to whom nothing goes before |
//! | [`sent`] | how much those who get it are sent |
//! | `receivers` | what those who get it report |
//! | `running` | its pipeline while it runs |
//! | `wiring` | makes a pipeline ready to serve |
//! | [`life`] | what is told of all that |
//! | `figures` | what is counted |
//! | `trouble` | a pipeline fails |
//! | `always_on` | it runs before anybody looks |
//! | `pace` | it cannot keep up |
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
        atomic::{AtomicBool, Ordering},
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
    events::{Events, Farewell, Happening},
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
use sent::Tallies;
use viewers::Viewers;

/// Key frames cost many times what other frames do: a crowd that joins together shares them.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(250);

/// Whoever joins a stream of many frames a second is let in by then, with a key frame or without.
const LET_IN_WITHIN: Duration = Duration::from_secs(1);
/// And of any stream. Players lose patience after ten.
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
    /// A timer runs that asks for more.
    asks_again: AtomicBool,
    /// The transports by which it goes within RTSP connections, by their numbers.
    within_connections: Mutex<HashSet<usize>>,
    /// Where is done what cannot be done at once.
    context: glib::MainContext,
    /// Serve the pipeline's bus.
    threads: RTSPThreadPool,
    pipeline: Mutex<Option<Arc<Running>>>,
    /// Those of pipelines which run no longer; written under the pipeline's lock.
    frames_before: Mutex<Frames>,
    trouble: Trouble,
    departures: departures::Log,
    /// Who keeps the pipeline.
    attendance: Attendance,
    /// Keeps it for itself, where it runs before anybody looks.
    own: Mutex<Option<Presence>>,
    /// A timer runs that starts it again.
    runs_later: AtomicBool,
    /// A change is made at a time: what is looked up and what is set by it belong together.
    changing: Mutex<()>,
    back_off: Mutex<BackOff>,
    /// Nobody gets it any more.
    is_retired: AtomicBool,
    /// The log says already that it cannot keep up.
    is_told_slow: AtomicBool,
}

/// That a client is there. While one is, the pipeline stays.
///
/// gst-rtsp-server takes a pipeline down with the last viewer, and meanwhile hands it to the one who comes next, who is
/// then refused: any client that reconnects can meet that. So the stream itself holds the pipeline, and lets go of it
/// when the last client has gone and the next one is not let in yet.
#[derive(Debug)]
pub(crate) struct Presence {
    stream: Arc<Stream>,
    number: u64,
}

impl Presence {
    /// Whether it is at this stream.
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
    /// The camera that `config` describes. What it puts off, it does in `context`; what happens to it, it tells `events`.
    #[must_use]
    pub(crate) fn new(
        config: &StreamConfig,
        context: &glib::MainContext,
        threads: &RTSPThreadPool,
        events: &Arc<Events>,
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

    /// What the RTSP server mounts.
    #[must_use]
    pub(crate) fn factory(&self) -> &RTSPMediaFactory {
        &self.factory
    }

    /// What it is, as it was made or has been changed since.
    #[must_use]
    pub(crate) fn config(&self) -> Arc<StreamConfig> {
        Arc::clone(&self.config.read())
    }

    /// What all streams are called that show its picture.
    #[must_use]
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        self.viewers.streams()
    }

    /// What messages call it.
    #[must_use]
    pub(crate) fn name(&self) -> String {
        self.config().name()
    }

    /// Whether it runs before anybody looks.
    #[must_use]
    pub(crate) fn is_always_on(&self) -> bool {
        self.config().always_on
    }

    /// Who plays it.
    #[must_use]
    pub(crate) fn viewers(&self) -> &Viewers {
        &self.viewers
    }

    /// By which ways it may be played.
    #[must_use]
    pub(crate) fn transports(&self) -> BTreeSet<Transport> {
        self.config().transports.clone()
    }

    /// Its pipelines run by `clock`, a network's, and the SDP says so (RFC 7273).
    pub(crate) fn set_clock(&self, clock: &gst::Clock) {
        self.factory.set_clock(Some(clock));
        self.factory
            .set_publish_clock_mode(RTSPPublishClockMode::ClockAndOffset);
    }

    /// `client`, or the stream itself, wants the pipeline; it does no longer when the answer is dropped.
    #[must_use]
    pub(crate) fn arrive(self: &Arc<Self>, client: Option<&RTSPClient>) -> Presence {
        Presence {
            number: self.attendance.arrive(client),
            stream: Arc::clone(self),
        }
    }

    fn depart(&self, number: u64) {
        self.attendance.depart(number, || {
            // Its lock goes first: the streaming thread, which is waited for, may want it.
            let running = self.replace(None);
            if let Some(running) = running {
                self.take_down(&running);
            }
        });
    }

    fn take_down(&self, running: &Running) {
        if running.let_go() {
            self.tell(|streams| Happening::StreamStopped { streams });
        }
    }

    /// Tells all that listen what has happened to all streams that show the picture.
    fn tell(&self, what: impl FnOnce(Vec<StreamId>) -> Happening) {
        self.events.tell(what(self.ids()));
    }

    /// Waits until the last client has gone, no longer than `patience`.
    pub(crate) fn wait_until_deserted(&self, patience: Duration) {
        let staying = self.attendance.wait_until_deserted(patience);
        if staying > 0 {
            tracing::warn!(target: "stream",
                stream = self.name(),
                staying,
                "clients are not gone yet, and are not waited for"
            );
        }
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

    /// Ends for good: says so to whoever plays it, closes the connections of all who have asked for it, and waits until
    /// they are gone, for each of this no longer than `patience`.
    pub(crate) fn retire(&self, patience: Duration) {
        self.retire_soon(Farewell::Removed);
        let begun = Instant::now();
        self.end(patience);
        self.send_away();
        self.wait_until_deserted((patience * 2).saturating_sub(begun.elapsed()));
    }

    /// No pipeline is made for it any more, and its viewers will leave for that reason.
    pub(crate) fn retire_soon(&self, why: Farewell) {
        self.is_retired.store(true, Ordering::SeqCst);
        self.viewers.will_leave(why);
    }

    /// Closes the connections of all who have asked for it, does not wait for their end, and lets the pipeline go.
    pub(crate) fn send_away(&self) {
        self.attendance.close_connections();
        self.stop();
        self.let_go();
    }

    /// Lets go of a pipeline that sends nothing any more. It would be let go of with the last client; but what a client was sent
    /// by is held by gst-rtsp-server until something else is sent, or until its pipeline is gone.
    fn let_go(&self) {
        if let Some(running) = self.running() {
            self.take_down(&running);
        }
    }

    /// Somebody is about to play who has not waited for a key picture: packets flow as soon as gst-rtsp-server has answered.
    /// Answers whether its key frame has been asked for.
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

    /// Somebody plays, and its key frame has been asked for or not.
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

    /// Somebody who has been admitted is to be let in, until the answer is dropped: `call` is called once, on any thread, when
    /// it is worth to ask [`Self::joins`]. `None` if that can never happen.
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

    /// How long a viewer who is to be let in waits at most: what comes before that comes late.
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

    /// Whether a medium, by what a URL names it, can go by a way of that kind. Its ports are taken then. `None` where no
    /// pipeline runs: it has none yet.
    #[must_use]
    pub(crate) fn has_ports(&self, medium: Option<&str>, way: RTSPLowerTrans, is_ipv6: bool) -> Option<bool> {
        let running = self.running()?;
        Some(running.has_ports(medium, way, is_ipv6))
    }

    /// The key pictures that go out.
    pub(crate) fn keys(&self) -> &Arc<KeyPictures> {
        &self.keys
    }

    /// Those who join.
    pub(crate) fn joins(&self) -> &Arc<Joins> {
        &self.joins
    }

    /// Viewers over UDP to whom nothing goes yet.
    pub(crate) fn destinations(&self) -> &Arc<Destinations> {
        &self.destinations
    }

    /// The transports by which it goes within RTSP connections, by their numbers (`rtsp::HeldTransport`).
    pub(crate) fn within_connections(&self) -> MutexGuard<'_, HashSet<usize>> {
        self.within_connections.lock()
    }

    /// Where what is sent by each transport is counted.
    pub(crate) fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// From whom RTCP is awaited.
    pub(crate) fn receivers(&self) -> &Receivers {
        &self.receivers
    }

    /// Ends the stream for everybody who plays it, RTCP's BYE included. Waits for that no longer than `patience`.
    pub(crate) fn end(&self, patience: Duration) {
        if let Some(running) = self.running().filter(|_| self.viewers.count() > 0) {
            running.end(patience);
        }
    }

    /// The bin of the running pipeline.
    #[cfg(test)]
    pub(crate) fn element(&self) -> Option<gst::Element> {
        Some(self.media()?.element())
    }

    /// What runs the pipeline.
    #[cfg(test)]
    fn media(&self) -> Option<RTSPMedia> {
        self.running()?.media()
    }

    fn frame_period(&self) -> ClockTime {
        ClockTime::from_nseconds(self.config().frames_per_second.period())
    }

    /// Sets the pipeline that runs; answers the one before.
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
        // Another encoder has made no key frame yet.
        self.key_frames.forget();
        before
    }

    fn running(&self) -> Option<Arc<Running>> {
        self.pipeline.lock().clone()
    }
}

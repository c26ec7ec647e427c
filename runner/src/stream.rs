//! One camera: its media factory, its pipeline's life, its errors.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use gst::{ClockTime, glib, prelude::*};
use gst_rtsp::RTSPUrl;
use gst_rtsp_server::{
    RTSPClient, RTSPMedia, RTSPMediaFactory, RTSPPublishClockMode, RTSPSuspendMode, RTSPThreadPool,
    prelude::*,
};
use gst_video::UpstreamForceKeyUnitEvent;

use crate::{
    back_off::BackOff,
    config::{StreamConfig, Transport},
    deltas, elements,
    factory::CameraFactory,
    gate::{Gate, Packet, Verdict},
    launch::launch_string,
    ntp_extension, own_pipeline,
    pacer::{Pacer, When},
    reports, rtsp_ffi,
    viewers::Viewers,
};

mod pace;

use pace::Frames;

/// Key frames cost many times what other frames do: a crowd that joins together shares them.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(250);

/// What the last packet may take from a sink to the connections.
const DELIVERY: Duration = Duration::from_millis(100);

/// How long a viewer that does not read may hold up what others wait for.
const QUEUE_TIME: ClockTime = ClockTime::from_mseconds(500);

/// The number of the session of `pay1`.
const SOUND: u32 = 1;

/// The shortest time between two sender reports, on average. RFC 3550, section 6.2, allows 360 s divided by the bandwidth
/// in kbit/s: a player puts picture and sound in step by the first ones.
const REPORT_INTERVAL: ClockTime = ClockTime::from_mseconds(500);

/// One camera.
#[derive(Debug)]
pub struct Stream {
    config: StreamConfig,
    factory: RTSPMediaFactory,
    viewers: Viewers,
    key_frames: Pacer,
    /// Where is done what cannot be done at once.
    context: glib::MainContext,
    /// Serve the pipeline's bus.
    threads: RTSPThreadPool,
    pipeline: Mutex<Option<Arc<Running>>>,
    /// The frames that pipelines which run no longer skipped; written under the pipeline's lock.
    skipped_before: AtomicU64,
    /// Who keeps the pipeline.
    attendance: Mutex<Attendance>,
    is_deserted: Condvar,
    /// Keeps it for itself, where it runs before anybody looks.
    own: Mutex<Option<Presence>>,
    back_off: Mutex<BackOff>,
    /// Nobody gets it any more.
    is_retired: AtomicBool,
    /// The log says already that it cannot keep up.
    is_told_slow: AtomicBool,
}

/// Those who have asked for a stream and not gone since, watching or not.
#[derive(Debug, Default)]
struct Attendance {
    count: usize,
    clients: Vec<glib::WeakRef<RTSPClient>>,
}

/// That a client is there. While one is, the pipeline stays.
///
/// gst-rtsp-server takes a pipeline down with the last viewer, and meanwhile hands it to the one who comes next, who is
/// then refused: any client that reconnects can meet that. So the stream itself holds the pipeline, and lets go of it
/// when the last client has gone and the next one is not let in yet.
#[derive(Debug)]
pub struct Presence {
    stream: Arc<Stream>,
}

impl Presence {
    /// Whether it is at this stream.
    #[must_use]
    pub fn is_at(&self, stream: &Arc<Stream>) -> bool {
        Arc::ptr_eq(&self.stream, stream)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.stream.depart();
    }
}

/// The pipeline that serves all viewers, from the first's DESCRIBE until the last client has gone.
#[derive(Debug)]
struct Running {
    media: glib::WeakRef<RTSPMedia>,
    source: glib::WeakRef<gst::Element>,
    picture: Medium,
    /// Never asked for by a stream without any.
    sound: Medium,
    /// The media is in use by the stream itself.
    is_held: AtomicBool,
    has_failed: AtomicBool,
    /// On its way down: its elements may stumble over each other.
    is_let_go: AtomicBool,
    /// Packets come as far as the gate although nobody plays: gst-rtsp-server does not hold them.
    is_flowing: AtomicBool,
    /// A PLAY on its way has already asked for its key frame.
    has_asked: AtomicBool,
    /// The next packet is to be the stream's end instead.
    is_ending: AtomicBool,
    /// Set once the end is out.
    ended: Mutex<bool>,
    has_ended: Condvar,
}

/// The picture or the sound of a pipeline.
#[derive(Debug, Default)]
struct Medium {
    payloader: glib::WeakRef<gst::Element>,
    gate: Gate,
}

impl Medium {
    /// What goes through the element named `payloader`, if `bin` has one.
    fn of(bin: &gst::Bin, payloader: &str) -> Self {
        let payloader = bin.by_name(payloader).map(|payloader| payloader.downgrade());
        Self {
            payloader: payloader.unwrap_or_default(),
            gate: Gate::default(),
        }
    }

    /// The pad at which its packets come into being.
    fn pad(&self) -> Option<gst::Pad> {
        self.payloader.upgrade()?.static_pad("src")
    }
}

impl Stream {
    /// The camera that `config` describes. What it puts off, it does in `context`.
    #[must_use]
    pub fn new(config: &StreamConfig, context: &glib::MainContext, threads: &RTSPThreadPool) -> Arc<Self> {
        let factory: RTSPMediaFactory = CameraFactory::default().upcast();
        factory.set_launch(&launch_string(config));
        factory.set_shared(true);
        factory.set_suspend_mode(RTSPSuspendMode::None);
        factory.set_latency(0);
        let stream = Arc::new(Self {
            config: config.clone(),
            factory,
            viewers: Viewers::new(config.max_viewers),
            key_frames: Pacer::new(KEY_FRAME_INTERVAL),
            context: context.clone(),
            threads: threads.clone(),
            pipeline: Mutex::default(),
            skipped_before: AtomicU64::new(0),
            attendance: Mutex::default(),
            is_deserted: Condvar::new(),
            own: Mutex::default(),
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
    pub fn factory(&self) -> &RTSPMediaFactory {
        &self.factory
    }

    /// What it was made from.
    #[must_use]
    pub fn config(&self) -> &StreamConfig {
        &self.config
    }

    /// What messages call it.
    #[must_use]
    pub fn name(&self) -> String {
        self.config.name()
    }

    /// Whether it runs before anybody looks.
    #[must_use]
    pub fn is_always_on(&self) -> bool {
        self.config.always_on
    }

    /// Who plays it.
    #[must_use]
    pub fn viewers(&self) -> &Viewers {
        &self.viewers
    }

    /// By which ways it may be played.
    #[must_use]
    pub fn transports(&self) -> &BTreeSet<Transport> {
        &self.config.transports
    }

    /// Its pipelines run by `clock`, a network's, and the SDP says so (RFC 7273).
    pub fn set_clock(&self, clock: &gst::Clock) {
        self.factory.set_clock(Some(clock));
        self.factory
            .set_publish_clock_mode(RTSPPublishClockMode::ClockAndOffset);
    }

    /// `client`, or the stream itself, wants the pipeline; it does no longer when the answer is dropped.
    #[must_use]
    pub fn arrive(self: &Arc<Self>, client: Option<&RTSPClient>) -> Presence {
        let mut attendance = self.attendance();
        attendance.count += 1;
        attendance.clients.retain(|client| client.upgrade().is_some());
        attendance.clients.extend(client.map(ObjectExt::downgrade));
        Presence {
            stream: Arc::clone(self),
        }
    }

    /// Under the lock, so that nobody arrives while the pipeline is taken down.
    fn depart(&self) {
        let mut attendance = self.attendance();
        attendance.count -= 1;
        if attendance.count == 0 {
            // Its lock goes first: the streaming thread, which is waited for, may want it.
            let running = self.replace(None);
            if let Some(running) = running {
                running.let_go();
            }
            self.is_deserted.notify_all();
        }
    }

    /// Waits until the last client has gone, no longer than `patience`.
    pub fn wait_until_deserted(&self, patience: Duration) {
        let attendance = self.attendance();
        let _gone = self
            .is_deserted
            .wait_timeout_while(attendance, patience, |attendance| attendance.count > 0);
    }

    fn attendance(&self) -> MutexGuard<'_, Attendance> {
        self.attendance.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pipeline may be made now: one that has failed again and again is given time.
    #[must_use]
    pub fn may_start(&self) -> bool {
        let is_retired = self.is_retired.load(Ordering::SeqCst);
        !is_retired && (self.running().is_some() || self.back_off().is_over(Instant::now()))
    }

    fn back_off(&self) -> MutexGuard<'_, BackOff> {
        self.back_off.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts the pipeline, and keeps it running whoever comes and goes. Waits until it runs.
    pub fn run(self: &Arc<Self>) {
        if self.is_retired.load(Ordering::SeqCst) {
            return;
        }
        let presence = self.arrive(None);
        if let Err(error) = self.start() {
            tracing::error!(stream = self.name(), "cannot start: {error}");
            drop(presence);
            self.back_off().fail(Instant::now());
            return self.run_later();
        }
        *self.own() = Some(presence);
        if self.is_retired.load(Ordering::SeqCst) {
            // It retired meanwhile, and found nothing to stop.
            self.stop();
        }
    }

    /// Ends for good: says so to whoever plays it, closes the connections of all who have asked for it, and waits until
    /// they are gone, for each of this no longer than `patience`.
    pub fn retire(&self, patience: Duration) {
        self.is_retired.store(true, Ordering::SeqCst);
        self.end(patience);
        self.close_connections();
        self.stop();
        self.wait_until_deserted(patience);
    }

    /// Lets the pipeline go with the last client.
    pub fn stop(&self) {
        let own = self.own().take();
        drop(own);
    }

    fn own(&self) -> MutexGuard<'_, Option<Presence>> {
        self.own.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn start(&self) -> Result<(), glib::BoolError> {
        let (_, url) = RTSPUrl::parse("rtsp://localhost/");
        let url = url.ok_or_else(|| glib::bool_error!("no URL"))?;
        let media = self.factory.construct(&url)?;
        let started = self.set_going(&media);
        rtsp_ffi::unlock_constructed(&media);
        started
    }

    fn set_going(&self, media: &RTSPMedia) -> Result<(), glib::BoolError> {
        let thread = rtsp_ffi::media_thread(&self.threads);
        media.prepare(thread)?;
        // From here on frames come as far as the gate.
        let mut streams = (0..media.n_streams()).filter_map(|index| media.stream(index));
        let flowing = streams.try_for_each(|stream| stream.set_blocked(false));
        if let Some(running) = self.running() {
            running.is_flowing.store(true, Ordering::Relaxed);
        }
        // The stream holds it by now, as it does for viewers.
        media.unprepare()?;
        flowing
    }

    /// Runs again once the back-off is over.
    fn run_later(self: &Arc<Self>) {
        let wait = self.back_off().left(Instant::now());
        let stream = Arc::downgrade(self);
        let timer = glib::timeout_source_new(wait, None, glib::Priority::DEFAULT, move || {
            if let Some(stream) = stream.upgrade() {
                // It waits for the pipeline, and nobody may wait for it.
                let spawned = std::thread::Builder::new().spawn(move || stream.run());
                if let Err(error) = spawned {
                    tracing::error!("cannot start a thread: {error}");
                }
            }
            glib::ControlFlow::Break
        });
        timer.attach(Some(&self.context));
    }

    /// Somebody is about to play: packets flow as soon as gst-rtsp-server has answered.
    pub fn before_play(self: &Arc<Self>) {
        let Some(running) = self.running() else { return };
        if running.is_flowing.load(Ordering::Relaxed) {
            // What passed the gates now would be sent before there is anybody to send it to. They may still be open for
            // somebody who has just left: no packet has come since then.
            if self.viewers.count() == 0 {
                running.close_gates();
            }
            return;
        }
        let is_new = !running.picture.gate.is_open();
        running.has_asked.store(is_new, Ordering::Relaxed);
        running.open_gates(self.frame_period());
        if is_new {
            // While the pipeline is held, the encoder waits too: what it makes next is the key frame.
            self.force_key_frame();
        }
    }

    /// Somebody plays.
    pub fn after_play(self: &Arc<Self>) {
        let Some(running) = self.running() else { return };
        if running.is_flowing.load(Ordering::Relaxed) {
            running.open_gates(self.frame_period());
        }
        if !running.has_asked.swap(false, Ordering::Relaxed) {
            self.ask_for_key_frame();
        }
        if self.config.audio.is_some() {
            running.report();
        }
    }

    /// Ends the stream for everybody who plays it, RTCP's BYE included. Waits for that no longer than `patience`.
    pub fn end(&self, patience: Duration) {
        if let Some(running) = self.running().filter(|_| self.viewers.count() > 0) {
            running.is_ending.store(true, Ordering::Relaxed);
            let ended = running.ended.lock().unwrap_or_else(PoisonError::into_inner);
            drop(
                running
                    .has_ended
                    .wait_timeout_while(ended, patience, |ended| !*ended),
            );
            // gst-rtsp-server's own threads bring what the sinks took to the connections, and do not say when.
            std::thread::sleep(DELIVERY);
        }
    }

    /// How many frames the camera has skipped because it was late.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        let pipeline = self.lock();
        let now = pipeline.as_ref().map_or(0, |running| running.skipped());
        self.skipped_before.load(Ordering::Relaxed) + now
    }

    /// The bin of the running pipeline.
    #[cfg(test)]
    pub(crate) fn element(&self) -> Option<gst::Element> {
        Some(self.media()?.element())
    }

    /// What runs the pipeline.
    #[cfg(test)]
    pub(crate) fn media(&self) -> Option<RTSPMedia> {
        self.running()?.media.upgrade()
    }

    fn configure(self: &Arc<Self>, media: &RTSPMedia) {
        let element = media.element();
        let Some(bin) = element.downcast_ref::<gst::Bin>() else {
            return;
        };
        let source = own_pipeline::clock_source(bin);
        if let Some(payloader) = bin.by_name("pay0") {
            deltas::mark(&payloader);
            if self.factory.clock().is_some() {
                reports::note_running_time(&payloader);
            }
            if self.config.ntp_extension {
                ntp_extension::add(&payloader);
            }
        }
        if let Some(source) = &source {
            self.viewers.show_on(source);
        }
        let running = Arc::new(Running {
            media: media.downgrade(),
            source: source.map(|source| source.downgrade()).unwrap_or_default(),
            picture: Medium::of(bin, "pay0"),
            sound: Medium::of(bin, "pay1"),
            is_held: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            is_let_go: AtomicBool::new(false),
            is_flowing: AtomicBool::new(false),
            has_asked: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            ended: Mutex::new(false),
            has_ended: Condvar::new(),
        });
        running.obey_the_end();
        running.answer_for_encoders();
        self.hold(media, &running);
        self.watch_pace(&running);
        self.replace(Some(Arc::clone(&running)));
        if let Some(pipeline) = element.parent().and_downcast::<gst::Pipeline>() {
            self.prepare_pipeline(&pipeline, &running);
        }
        let (stream, name) = (Arc::downgrade(self), self.name());
        media.connect_handle_message(None, move |_, message| {
            running.note(message);
            if running.is_let_go.load(Ordering::Relaxed) {
                tracing::debug!("from a pipeline on its way down: {message:?}");
                return true;
            }
            log_trouble(&name, message);
            if let (gst::MessageType::Error, Some(stream)) = (message.type_(), stream.upgrade()) {
                stream.give_up(&running);
            }
            // Ignored: the class handler runs after this one.
            true
        });
    }

    /// Takes hold of `media` once it can be played.
    fn hold(self: &Arc<Self>, media: &RTSPMedia, running: &Arc<Running>) {
        let (stream, running) = (Arc::downgrade(self), Arc::downgrade(running));
        media.connect_prepared(move |media| {
            let (Some(stream), Some(running)) = (stream.upgrade(), running.upgrade()) else {
                return;
            };
            if running.is_held.swap(true, Ordering::SeqCst) {
                return;
            }
            if stream.config.audio.is_some() {
                report_often(media);
            }
            if media.prepare(None).is_err() {
                running.is_held.store(false, Ordering::SeqCst);
            }
            // Whichever of ready and failed comes second sees the other: hence the strict order of the two flags.
            if running.has_failed.load(Ordering::SeqCst) {
                stream.send_everybody_away();
            }
        });
    }

    /// A pipeline that has failed does not recover. One that has never been ready is gst-rtsp-server's to refuse: it
    /// answers that DESCRIBE with an error and makes a new pipeline for the next. Any other one stays as long as
    /// somebody has it.
    fn give_up(self: &Arc<Self>, running: &Running) {
        let is_first = !running.has_failed.swap(true, Ordering::SeqCst);
        if is_first {
            self.back_off().fail(Instant::now());
        }
        if is_first && running.is_held.load(Ordering::SeqCst) {
            self.send_everybody_away();
        }
    }

    /// Closes the connections of all who have asked for it: whoever comes back gets a new pipeline.
    fn send_everybody_away(self: &Arc<Self>) {
        let stream = Arc::downgrade(self);
        self.context.invoke(move || {
            let Some(stream) = stream.upgrade() else { return };
            let name = stream.name();
            tracing::warn!(
                stream = name,
                "closing all its connections, so that viewers can come back to a new pipeline"
            );
            stream.close_connections();
            let own = stream.own().take();
            if own.is_some() {
                drop(own);
                stream.run_later();
            }
        });
    }

    fn close_connections(&self) {
        // Each one's going takes the lock.
        let clients = std::mem::take(&mut self.attendance().clients);
        for client in clients.iter().filter_map(glib::WeakRef::upgrade) {
            client.close();
        }
    }

    fn prepare_pipeline(self: &Arc<Self>, pipeline: &gst::Pipeline, running: &Arc<Running>) {
        // A sink adds the pipeline's latency to a buffer's time, and the encoder's share of it is what the source's
        // lead time is for.
        pipeline.set_latency(Some(ClockTime::ZERO));
        let stream = Arc::downgrade(self);
        let running = Arc::downgrade(running);
        let clock = self.factory.clock();
        pipeline.connect_element_added(move |_, element| {
            if element.has_property("processing-deadline") {
                // Each sink would ask for 20 ms more.
                element.set_property("processing-deadline", ClockTime::ZERO);
            }
            match element.factory().as_ref().map(GstObjectExt::name).as_deref() {
                Some("rtpbin") => {
                    reports::tell_instants(element, clock.as_ref());
                    let (stream, running) = (stream.clone(), running.clone());
                    element.connect_pad_added(move |_, pad| {
                        if session_number(pad).is_some()
                            && let (Some(stream), Some(running)) = (stream.upgrade(), running.upgrade())
                        {
                            stream.guard(pad, running);
                        }
                    });
                }
                Some("queue") => keep_flowing(element),
                _ => {}
            }
        });
    }

    /// Puts the gate behind the point at which gst-rtsp-server blocks `pad`: of one pad's probes, those that block run
    /// before those that do not.
    fn guard(self: &Arc<Self>, pad: &gst::Pad, running: Arc<Running>) {
        let stream = Arc::downgrade(self);
        let is_sound = session_number(pad) == Some(SOUND);
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |pad, info| {
            if !pad.is_linked() {
                // Whoever plays has not asked for this medium. Pushed on, it would end the pipeline.
                return gst::PadProbeReturn::Drop;
            }
            let Some(packet) = packet(pad, info) else { return gst::PadProbeReturn::Ok };
            let medium = if is_sound { &running.sound } else { &running.picture };
            if running.is_flowing.load(Ordering::Relaxed)
                && stream.upgrade().is_some_and(|stream| stream.viewers.count() == 0)
            {
                medium.gate.close();
            }
            match medium.gate.judge(packet) {
                Verdict::Pass => return gst::PadProbeReturn::Ok,
                Verdict::Drop => {}
                Verdict::DropAndAskForKeyFrame => {
                    if let Some(stream) = stream.upgrade() {
                        stream.ask_for_key_frame();
                    }
                }
                Verdict::Unusable => {
                    tracing::warn!(time = ?packet.running_time, "threw away a packet whose time is missing or runs backwards");
                }
            }
            gst::PadProbeReturn::Drop
        });
    }

    fn ask_for_key_frame(self: &Arc<Self>) {
        match self.key_frames.ask(Instant::now()) {
            When::Now => self.force_key_frame(),
            When::After(delay) => {
                let stream = Arc::downgrade(self);
                let timer = glib::timeout_source_new(delay, None, glib::Priority::HIGH, move || {
                    if let Some(stream) = stream.upgrade() {
                        stream.key_frames.done(Instant::now());
                        stream.force_key_frame();
                    }
                    glib::ControlFlow::Break
                });
                timer.attach(Some(&self.context));
            }
            When::Covered => {}
        }
    }

    fn force_key_frame(&self) {
        if let Some(pad) = self.running().and_then(|running| running.picture.pad()) {
            // Nothing upstream handles it where every frame is a key frame.
            let _handled = pad.send_event(UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
    }

    fn frame_period(&self) -> ClockTime {
        ClockTime::SECOND / u64::from(self.config.frames_per_second.max(1))
    }

    /// Sets the pipeline that runs; answers the one before.
    fn replace(&self, running: Option<Arc<Running>>) -> Option<Arc<Running>> {
        let mut pipeline = self.lock();
        let before = std::mem::replace(&mut *pipeline, running);
        let skipped = before.as_ref().map_or(0, |running| running.skipped());
        if skipped > 0 {
            tracing::warn!(
                stream = self.name(),
                frames = skipped,
                "this machine was late: the camera has skipped frames"
            );
        }
        self.skipped_before.fetch_add(skipped, Ordering::Relaxed);
        before
    }

    fn running(&self) -> Option<Arc<Running>> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<Running>>> {
        self.pipeline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn let_go(&self) {
        self.is_let_go.store(true, Ordering::Relaxed);
        if let Some(media) = self
            .media
            .upgrade()
            .filter(|_| self.is_held.swap(false, Ordering::AcqRel))
            && let Err(error) = media.unprepare()
        {
            tracing::error!("cannot take the pipeline down: {error}");
        }
    }

    /// The frames that its source has made, and those that it skipped because it was late.
    fn frames(&self) -> Frames {
        let stats = self.source.upgrade().and_then(|source| {
            let has_stats = source.has_property_with_type("stats", gst::Structure::static_type());
            has_stats.then(|| source.property::<gst::Structure>("stats"))
        });
        let count = |name| stats.as_ref().and_then(|stats| stats.get(name).ok());
        Frames {
            rendered: count("rendered").unwrap_or_default(),
            skipped: count("dropped").unwrap_or_default(),
        }
    }

    fn skipped(&self) -> u64 {
        self.frames().skipped
    }

    fn close_gates(&self) {
        self.picture.gate.close();
        self.sound.gate.close();
    }

    /// Lets pass what is of now. A picture that is less than a frame period old is: until its successor is due, it shows
    /// now.
    fn open_gates(&self, frame_period: ClockTime) {
        let media = self.media.upgrade();
        let now = media.and_then(|media| media.element().current_running_time());
        let now = now.unwrap_or_default();
        self.picture
            .gate
            .open_at_key_frame(now.saturating_sub(frame_period));
        // Each packet of sound stands for itself.
        self.sound.gate.open_at_key_frame(now);
    }

    /// Sends sender reports at once: until a new player has them, it cannot know which sound belongs to which picture.
    fn report(&self) {
        for session in self.media.upgrade().iter().flat_map(rtp_sessions) {
            session.emit_by_name::<()>("send-rtcp", &[&0_u64]);
        }
    }

    /// Lets the streaming thread itself end the stream, before its RTP session: an event sent to the pipeline from
    /// elsewhere takes the elements' state locks, and could meet a last viewer's leaving that waits for the stream's.
    fn obey_the_end(self: &Arc<Self>) {
        for medium in [&self.picture, &self.sound] {
            if let Some(pad) = medium.pad() {
                self.end_at(&pad);
            }
        }
    }

    /// What an encoder delays is made up for by the sources' lead time: to the sinks there is no latency, and GStreamer
    /// need not warn of any.
    fn answer_for_encoders(&self) {
        for pad in [&self.picture, &self.sound].into_iter().filter_map(Medium::pad) {
            // After the elements upstream have answered: that is what PULL says of a query.
            let answered = gst::PadProbeType::QUERY_UPSTREAM | gst::PadProbeType::PULL;
            pad.add_probe(answered, |_, info| {
                if let Some(gst::QueryViewMut::Latency(latency)) =
                    info.query_mut().map(gst::QueryRef::view_mut)
                {
                    let (is_live, _, most) = latency.result();
                    latency.set(is_live, ClockTime::ZERO, most);
                }
                gst::PadProbeReturn::Ok
            });
        }
    }

    fn end_at(self: &Arc<Self>, pad: &gst::Pad) {
        let running = Arc::downgrade(self);
        let has_ended = AtomicBool::new(false);
        pad.add_probe(
            gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
            move |pad, _| {
                if !running
                    .upgrade()
                    .is_some_and(|running| running.is_ending.load(Ordering::Relaxed))
                {
                    return gst::PadProbeReturn::Ok;
                }
                if !has_ended.swap(true, Ordering::Relaxed) {
                    pad.push_event(gst::event::Eos::new());
                }
                gst::PadProbeReturn::Drop
            },
        );
    }

    fn note(&self, message: &gst::Message) {
        if let gst::MessageView::Eos(_) = message.view() {
            *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.has_ended.notify_all();
        }
    }
}

/// The number of the session whose packets rtpbin hands on at `pad`; `None` for a pad of another kind.
fn session_number(pad: &gst::Pad) -> Option<u32> {
    pad.name().strip_prefix("send_rtp_src_")?.parse().ok()
}

/// The RTP sessions of a media that is prepared.
fn rtp_sessions(media: &RTSPMedia) -> Vec<glib::Object> {
    let streams = (0..media.n_streams()).filter_map(|index| media.stream(index));
    streams.filter_map(|stream| stream.rtpsession()).collect()
}

/// Lets sender reports come sooner than RTCP's usual 5 s.
fn report_often(media: &RTSPMedia) {
    for session in rtp_sessions(media) {
        session.set_property("rtcp-min-interval", REPORT_INTERVAL.nseconds());
    }
}

/// What the gate wants to know of the buffer or the list that passes `pad`. One list holds packets of one frame.
fn packet(pad: &gst::Pad, info: &gst::PadProbeInfo<'_>) -> Option<Packet> {
    let buffer = info
        .buffer()
        .map(AsRef::as_ref)
        .or_else(|| info.buffer_list().and_then(|list| list.get(0)))?;
    let segment = pad.sticky_event::<gst::event::Segment>(0);
    let running_time = segment
        .as_ref()
        .and_then(|event| event.segment().downcast_ref::<ClockTime>())
        .and_then(|segment| segment.to_running_time(buffer.pts()?));
    Some(Packet {
        running_time,
        is_delta: buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
    })
}

/// gst-rtsp-server parts UDP from TCP with queues that hold one packet and then make everybody wait: one TCP viewer that
/// does not read would stop the picture for all who watch over UDP. A queue that throws away loses that viewer's only.
fn keep_flowing(queue: &gst::Element) {
    queue.set_property("max-size-buffers", 0u32);
    queue.set_property("max-size-bytes", 0u32);
    queue.set_property("max-size-time", QUEUE_TIME.nseconds());
    queue.set_property_from_str("leaky", "downstream");
}

/// What goes wrong in a pipeline, as GStreamer puts it, with the package to install where an element is missing.
fn log_trouble(stream: &str, message: &gst::Message) {
    let source = || {
        message
            .src()
            .map(|source| source.path_string().to_string())
            .unwrap_or_default()
    };
    match message.view() {
        gst::MessageView::Error(error) => {
            let details = details(error.debug());
            tracing::error!(
                stream,
                "the pipeline failed at {}: {} {details}",
                source(),
                error.error()
            );
        }
        gst::MessageView::Warning(warning) => {
            let details = details(warning.debug());
            tracing::warn!(
                stream,
                "the pipeline warns at {}: {} {details}",
                source(),
                warning.error()
            );
        }
        gst::MessageView::Element(element) => {
            if let Some(missing) = element.structure().filter(|s| s.name() == "missing-plugin") {
                let name = missing.get::<String>("detail").unwrap_or_default();
                tracing::error!(stream, "the pipeline lacks {}", elements::with_package(&name));
            }
        }
        _ => {}
    }
}

fn details(debug: Option<glib::GString>) -> String {
    debug.map(|debug| format!("({debug})")).unwrap_or_default()
}

//! One camera: its media factory, its pipeline's life, its errors.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use gst::{ClockTime, glib, prelude::*};
use gst_rtsp::RTSPLowerTrans;
use gst_rtsp_server::{
    RTSPAddressPool, RTSPFilterResult, RTSPMedia, RTSPMediaFactory, RTSPServer, RTSPSuspendMode, prelude::*,
};
use gst_video::UpstreamForceKeyUnitEvent;

use crate::{
    config::StreamConfig,
    elements,
    gate::{Gate, Packet, Verdict},
    launch::launch_string,
    pacer::{Pacer, When},
    viewers::Viewers,
};

/// Key frames cost many times what other frames do: a crowd that joins together shares them.
const KEY_FRAME_INTERVAL: Duration = Duration::from_millis(250);

/// What the last packet may take from a sink to the connections.
const DELIVERY: Duration = Duration::from_millis(100);

/// How long a viewer that does not read may hold up what others wait for.
const QUEUE_TIME: ClockTime = ClockTime::from_mseconds(500);

/// One camera.
#[derive(Debug)]
pub struct Stream {
    config: StreamConfig,
    factory: RTSPMediaFactory,
    /// Whose clients are sent away when the pipeline fails.
    server: glib::WeakRef<RTSPServer>,
    viewers: Viewers,
    key_frames: Pacer,
    /// Where is done what cannot be done at once.
    context: glib::MainContext,
    pipeline: Mutex<Option<Arc<Running>>>,
    /// How many clients there are, watching or not.
    clients: Mutex<usize>,
    has_no_clients: Condvar,
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

impl Drop for Presence {
    fn drop(&mut self) {
        self.stream.depart();
    }
}

/// The pipeline that serves all viewers, from the first's DESCRIBE until the last client has gone.
#[derive(Debug)]
struct Running {
    media: glib::WeakRef<RTSPMedia>,
    payloader: glib::WeakRef<gst::Element>,
    /// The media is in use by the stream itself.
    is_held: AtomicBool,
    has_failed: AtomicBool,
    /// On its way down: its elements may stumble over each other.
    is_let_go: AtomicBool,
    gate: Gate,
    /// A PLAY on its way has already asked for its key frame.
    has_asked: AtomicBool,
    /// The next packet is to be the stream's end instead.
    is_ending: AtomicBool,
    /// Set once the end is out.
    ended: Mutex<bool>,
    has_ended: Condvar,
}

impl Stream {
    /// The camera that `config` describes, for the clients of `server`. What it puts off, it does in `context`.
    #[must_use]
    pub fn new(config: &StreamConfig, server: &RTSPServer, context: &glib::MainContext) -> Arc<Self> {
        let factory = RTSPMediaFactory::new();
        factory.set_launch(&launch_string(config));
        factory.set_shared(true);
        factory.set_suspend_mode(RTSPSuspendMode::None);
        factory.set_protocols(RTSPLowerTrans::UDP | RTSPLowerTrans::TCP);
        factory.set_latency(0);
        let stream = Arc::new(Self {
            config: config.clone(),
            factory,
            server: server.downgrade(),
            viewers: Viewers::default(),
            key_frames: Pacer::new(KEY_FRAME_INTERVAL),
            context: context.clone(),
            pipeline: Mutex::default(),
            clients: Mutex::default(),
            has_no_clients: Condvar::new(),
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

    /// The path at which it is mounted.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.config.path
    }

    /// Who plays it.
    #[must_use]
    pub fn viewers(&self) -> &Viewers {
        &self.viewers
    }

    /// RTP and RTCP over UDP come from the ports of `pool`.
    pub fn set_address_pool(&self, pool: &RTSPAddressPool) {
        self.factory.set_address_pool(Some(pool));
    }

    /// A client has connected; it has gone when the answer is dropped.
    #[must_use]
    pub fn arrive(self: &Arc<Self>) -> Presence {
        *self.clients() += 1;
        Presence {
            stream: Arc::clone(self),
        }
    }

    /// Under the lock, so that nobody arrives while the pipeline is taken down.
    fn depart(&self) {
        let mut clients = self.clients();
        *clients -= 1;
        if *clients == 0 {
            // Its lock goes first: the streaming thread, which is waited for, may want it.
            let running = self.lock().take();
            if let Some(running) = running {
                running.let_go();
            }
            self.has_no_clients.notify_all();
        }
    }

    /// Waits until the last client has gone, no longer than `patience`.
    pub fn wait_until_deserted(&self, patience: Duration) {
        let clients = self.clients();
        let _gone = self
            .has_no_clients
            .wait_timeout_while(clients, patience, |clients| *clients > 0);
    }

    fn clients(&self) -> MutexGuard<'_, usize> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody is about to play: packets flow as soon as gst-rtsp-server has answered.
    pub fn before_play(self: &Arc<Self>) {
        let Some(running) = self.running() else { return };
        let is_new = !running.gate.is_open();
        running.has_asked.store(is_new, Ordering::Relaxed);
        if is_new {
            // While the pipeline is held, the encoder waits too: what it makes next is the key frame.
            running.open_gate(self.frame_period());
            self.force_key_frame();
        }
    }

    /// Somebody plays.
    pub fn after_play(self: &Arc<Self>) {
        let has_asked = self
            .running()
            .is_some_and(|running| running.has_asked.swap(false, Ordering::Relaxed));
        if !has_asked {
            self.ask_for_key_frame();
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

    /// The bin of the running pipeline.
    #[cfg(test)]
    pub(crate) fn element(&self) -> Option<gst::Element> {
        Some(self.running()?.media.upgrade()?.element())
    }

    fn configure(self: &Arc<Self>, media: &RTSPMedia) {
        let element = media.element();
        let Some(bin) = element.downcast_ref::<gst::Bin>() else {
            return;
        };
        if let Some(source) = bin.by_name("source") {
            self.viewers.show_on(&source);
        }
        let running = Arc::new(Running {
            media: media.downgrade(),
            payloader: bin
                .by_name("pay0")
                .map(|payloader| payloader.downgrade())
                .unwrap_or_default(),
            is_held: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            is_let_go: AtomicBool::new(false),
            gate: Gate::default(),
            has_asked: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
            ended: Mutex::new(false),
            has_ended: Condvar::new(),
        });
        running.obey_the_end();
        self.hold(media, &running);
        *self.lock() = Some(Arc::clone(&running));
        if let Some(pipeline) = element.parent().and_downcast::<gst::Pipeline>() {
            self.prepare_pipeline(&pipeline, &running);
        }
        let stream = Arc::downgrade(self);
        media.connect_handle_message(None, move |_, message| {
            running.note(message);
            if running.is_let_go.load(Ordering::Relaxed) {
                tracing::debug!("from a pipeline on its way down: {message:?}");
                return true;
            }
            log_trouble(message);
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
        if is_first && running.is_held.load(Ordering::SeqCst) {
            self.send_everybody_away();
        }
    }

    /// Closes all connections: whoever comes back gets a new pipeline.
    fn send_everybody_away(&self) {
        let server = self.server.clone();
        self.context.invoke(move || {
            if let Some(server) = server.upgrade() {
                tracing::warn!("closing all connections, so that viewers can come back to a new pipeline");
                server.client_filter(Some(&mut |_, _| RTSPFilterResult::Remove));
            }
        });
    }

    fn prepare_pipeline(self: &Arc<Self>, pipeline: &gst::Pipeline, running: &Arc<Running>) {
        // A sink adds the pipeline's latency to a buffer's time, and the encoder's share of it is what the source's
        // lead time is for.
        pipeline.set_latency(Some(ClockTime::ZERO));
        let stream = Arc::downgrade(self);
        let running = Arc::downgrade(running);
        pipeline.connect_element_added(move |_, element| {
            if element.has_property("processing-deadline") {
                // Each sink would ask for 20 ms more.
                element.set_property("processing-deadline", ClockTime::ZERO);
            }
            match element.factory().as_ref().map(GstObjectExt::name).as_deref() {
                Some("rtpbin") => {
                    // Sender reports tie RTP time to the instant shown, not to that of sending.
                    element.set_property("rtcp-sync-send-time", false);
                    let (stream, running) = (stream.clone(), running.clone());
                    element.connect_pad_added(move |_, pad| {
                        if pad.name().starts_with("send_rtp_src_")
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
        pad.add_probe(gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST, move |pad, info| {
            let Some(packet) = packet(pad, info) else { return gst::PadProbeReturn::Ok };
            match running.gate.judge(packet) {
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
        let payloader = self.running().and_then(|running| running.payloader.upgrade());
        if let Some(pad) = payloader.and_then(|payloader| payloader.static_pad("src")) {
            // Nothing upstream handles it where every frame is a key frame.
            let _handled = pad.send_event(UpstreamForceKeyUnitEvent::builder().all_headers(true).build());
        }
    }

    fn frame_period(&self) -> ClockTime {
        ClockTime::SECOND / u64::from(self.config.frames_per_second.max(1))
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

    /// Lets pass what is less than a frame period old: until its successor is due, a frame shows now.
    fn open_gate(&self, frame_period: ClockTime) {
        let now = self
            .media
            .upgrade()
            .and_then(|media| media.element().current_running_time());
        self.gate
            .open_at_key_frame(now.unwrap_or_default().saturating_sub(frame_period));
    }

    /// Lets the streaming thread itself end the stream, before its RTP session: an event sent to the pipeline from
    /// elsewhere takes the elements' state locks, and could meet a last viewer's leaving that waits for the stream's.
    fn obey_the_end(self: &Arc<Self>) {
        let pad = self
            .payloader
            .upgrade()
            .and_then(|payloader| payloader.static_pad("src"));
        let Some(pad) = pad else { return };
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
fn log_trouble(message: &gst::Message) {
    let source = || {
        message
            .src()
            .map(|source| source.path_string().to_string())
            .unwrap_or_default()
    };
    match message.view() {
        gst::MessageView::Error(error) => {
            let details = details(error.debug());
            tracing::error!("the pipeline failed at {}: {} {details}", source(), error.error());
        }
        gst::MessageView::Warning(warning) => {
            let details = details(warning.debug());
            tracing::warn!(
                "the pipeline warns at {}: {} {details}",
                source(),
                warning.error()
            );
        }
        gst::MessageView::Element(element) => {
            if let Some(missing) = element.structure().filter(|s| s.name() == "missing-plugin") {
                let name = missing.get::<String>("detail").unwrap_or_default();
                tracing::error!("the pipeline lacks {}", elements::with_package(&name));
            }
        }
        _ => {}
    }
}

fn details(debug: Option<glib::GString>) -> String {
    debug.map(|debug| format!("({debug})")).unwrap_or_default()
}

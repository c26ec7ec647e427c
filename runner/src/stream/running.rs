//! A pipeline from the first viewer's DESCRIBE until the last client has gone: its gates, its reports, its end.
//!
//! It does what its stream tells it, and knows nothing of viewers.
//!
//! | module | job |
//! | --- | --- |
//! | `phase` | how far its life has come |

use std::{
    collections::HashSet,
    fmt, ops,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use gst::{ClockTime, glib, prelude::*};
use gst_rtsp::RTSPLowerTrans;
use gst_rtsp_server::{RTSPMedia, prelude::*};
use gst_video::UpstreamForceKeyUnitEvent;
use gstclocksrc::clocksrc::Stats;
use jiff::Timestamp;
use parking_lot::{Condvar, Mutex};

use super::{gate::Gate, media::Medium, receivers::Source};
use crate::{
    ffi::rtsp::{self, HeldTransport},
    launch::syntax::{PICTURE_PAYLOADER, SOUND_PAYLOADER},
};

mod phase;

pub(super) use phase::{Failure, Hold, Phase};

/// The time that the last packet may take from a sink to the connections.
const DELIVERY: Duration = Duration::from_millis(100);

/// No packet comes earlier than this in a pipeline that keeps to the clock: a source's lead time is 100 ms at most.
const FURTHEST: ClockTime = ClockTime::from_mseconds(200);

/// The time that the pipeline may take, once the end is on its way to the sinks, to say that it is out. GStreamer 1.22
/// sometimes never says so, although BYE and all are sent.
const REPORTED: Duration = Duration::from_millis(300);

/// The shortest time between two sender reports, on average. RFC 3550, section 6.2, allows 360 s divided by the bandwidth
/// in kbit/s: a player puts picture and sound in step by the first ones.
const REPORT_INTERVAL: ClockTime = ClockTime::from_mseconds(500);

/// The pipeline that serves all viewers, from the first's DESCRIBE until the last client has gone.
#[derive(Debug)]
pub(super) struct Running {
    media: glib::WeakRef<RTSPMedia>,
    source: glib::WeakRef<gst::Element>,
    pub(super) picture: Track,
    /// The sound; in a stream without any, nobody asks for it.
    pub(super) sound: Track,
    state: Mutex<State>,
    has_ended: Condvar,
    /// Whether packets come as far as the gate although nobody plays, because gst-rtsp-server does not hold them. It
    /// becomes so once, in whichever phase, and is looked at for each packet: hence it is not among what the lock
    /// guards.
    is_flowing: AtomicBool,
    /// Whether the stream's end is to take the place of the next packet. As with `is_flowing`, a thread that sees it
    /// one packet later loses nothing.
    is_ending: AtomicBool,
}

/// The state of a pipeline that its lock guards; nothing of GStreamer's is called under that lock.
#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// The frames that have been counted so far.
    frames: Frames,
    /// How many media have sent their end towards the sinks.
    ends_sent: usize,
    /// Whether the end has left the sinks.
    is_out: bool,
}

impl State {
    /// Whether the end has left the sinks, or never will.
    fn is_over(&self) -> bool {
        self.is_out || self.phase == Phase::LetGo
    }
}

/// The picture or the sound of a pipeline.
#[derive(Debug, Default)]
pub(super) struct Track {
    payloader: glib::WeakRef<gst::Element>,
    pub(super) gate: Gate,
}

impl Track {
    /// The track that goes through the element named `payloader`, if `bin` has one.
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

impl Running {
    /// The pipeline that runs in `media`, whose elements `bin` holds; `source` paints the clock.
    pub(super) fn new(media: &RTSPMedia, bin: &gst::Bin, source: Option<&gst::Element>) -> Arc<Self> {
        let running = Arc::new(Self {
            media: media.downgrade(),
            source: source.map(ObjectExt::downgrade).unwrap_or_default(),
            picture: Track::of(bin, PICTURE_PAYLOADER),
            sound: Track::of(bin, SOUND_PAYLOADER),
            state: Mutex::default(),
            has_ended: Condvar::new(),
            is_flowing: AtomicBool::new(false),
            is_ending: AtomicBool::new(false),
        });
        running.obey_the_end();
        running.answer_for_encoders();
        running
    }

    /// The media that runs the pipeline.
    pub(super) fn media(&self) -> Option<RTSPMedia> {
        self.media.upgrade()
    }

    /// The element that paints the clock.
    pub(super) fn source(&self) -> Option<gst::Element> {
        self.source.upgrade()
    }

    /// The pad at which its encoded picture comes to the payloader.
    pub(super) fn encoded(&self) -> Option<gst::Pad> {
        self.picture.payloader.upgrade()?.static_pad("sink")
    }

    /// The element of that kind, of which a pipeline has one at most.
    pub(super) fn element_of(&self, kind: &str) -> Option<gst::Element> {
        let bin = self.media.upgrade()?.element().downcast::<gst::Bin>().ok()?;
        let mut elements = bin
            .iterate_all_by_element_factory_name(kind)
            .into_iter()
            .flatten();
        elements.next()
    }

    /// How far its life has come.
    pub(super) fn phase(&self) -> Phase {
        self.state.lock().phase
    }

    /// Notes that its media is ready, and in use by the stream itself; answers what becomes of that use.
    pub(super) fn hold(&self) -> Hold {
        self.state.lock().phase.hold(Timestamp::now())
    }

    /// Notes that it has failed; answers what that means.
    pub(super) fn fail(&self) -> Failure {
        self.state.lock().phase.fail()
    }

    /// Lets the pipeline go, once; answers whether that was this time.
    pub(super) fn let_go(&self) -> bool {
        // The frames are counted now, as the source may be gone when they are asked for next.
        self.frames();
        let (is_first, was_held) = {
            let phase = &mut self.state.lock().phase;
            (*phase != Phase::LetGo, phase.let_go())
        };
        self.has_ended.notify_all();
        if let Some(media) = self.media.upgrade().filter(|_| was_held) {
            end_use(&media);
        }
        is_first
    }

    /// The frames that its source has made, and those that it skipped because it was late. Once the source is gone,
    /// these are the frames that were counted before.
    pub(super) fn frames(&self) -> Frames {
        let now = self.source.upgrade().map(|source| counted(&source));
        let mut state = self.state.lock();
        state.frames = state.frames.at_least(now.unwrap_or_default());
        state.frames
    }

    /// Whether packets come as far as the gate although nobody plays.
    pub(super) fn is_flowing(&self) -> bool {
        self.is_flowing.load(Ordering::Relaxed)
    }

    /// The gate on the packets of `medium`.
    pub(super) fn gate(&self, medium: Medium) -> &Gate {
        match medium {
            Medium::Picture => &self.picture.gate,
            Medium::Sound => &self.sound.gate,
        }
    }

    /// Whether the medium that a URL names `medium` has ports for transports of the kind `way`, or gets them now.
    pub(super) fn has_ports(&self, medium: Option<&str>, way: RTSPLowerTrans, is_ipv6: bool) -> bool {
        let Some(media) = self.media.upgrade() else {
            return true;
        };
        let stream = match medium {
            Some(control) => media.find_stream(control),
            None => media.stream(0),
        };
        let needs_ports = way.intersects(RTSPLowerTrans::UDP | RTSPLowerTrans::UDP_MCAST);
        stream.is_none_or(|stream| !needs_ports || rtsp::take_ports(&stream, way, is_ipv6))
    }

    /// Whether the medium of that number goes to anybody by one of these transports.
    pub(super) fn goes_by(&self, medium: u32, transports: &HashSet<usize>) -> bool {
        let stream = self.media.upgrade().and_then(|media| media.stream(medium));
        let mut all = stream.iter().flat_map(|stream| stream.transport_filter(None));
        all.any(|transport| transports.contains(&HeldTransport::new(&transport).number()))
    }

    /// How long it is until a packet of the running time `due` is due.
    pub(super) fn time_until(&self, due: Option<ClockTime>) -> Option<Duration> {
        Some(due?.saturating_sub(self.now()?).min(FURTHEST).into())
    }

    /// Waits until a packet of the running time `due` is due.
    pub(super) fn sleep_until(&self, due: Option<ClockTime>) {
        if let Some(wait) = self.time_until(due) {
            std::thread::sleep(wait);
        }
    }

    /// Has packets come as far as the gate from now on, whether anybody plays or not.
    pub(super) fn let_flow(&self) {
        if self.is_flowing() {
            return;
        }
        let Some(media) = self.media.upgrade() else { return };
        for stream in (0..media.n_streams()).filter_map(|index| media.stream(index)) {
            if let Err(error) = stream.set_blocked(false) {
                tracing::error!(target: "stream", "the pipeline is held up: {error}");
            }
        }
        self.is_flowing.store(true, Ordering::Relaxed);
    }

    /// The running time.
    pub(super) fn now(&self) -> Option<ClockTime> {
        self.media.upgrade()?.element().current_running_time()
    }

    /// Lets packets pass that are of now. A picture that is less than a frame period old is of now: it is the one to be
    /// shown until its successor is due.
    pub(super) fn open_gates(&self, frame_period: ClockTime) {
        let now = self.now().unwrap_or_default();
        let not_before = now.saturating_sub(frame_period);
        if self.is_flowing() {
            self.picture.gate.open_at_key_frame(not_before);
        } else {
            self.picture.gate.open_behind_the_held(not_before);
        }
        // Each packet of sound can be decoded alone, and counts as a key frame.
        self.sound.gate.open_at_key_frame(now);
    }

    /// Sends sender reports at once: until a new player has them, it cannot know which sound belongs to which picture.
    pub(super) fn report(&self) {
        for session in self.media.upgrade().iter().flat_map(rtp_sessions) {
            session.emit_by_name::<()>("send-rtcp", &[&0_u64]);
        }
    }

    /// Asks the encoder for a key frame.
    pub(super) fn force_key_frame(&self) {
        if let Some(pad) = self.picture.pad() {
            // Nothing upstream handles the request where every frame is a key frame.
            let request = UpstreamForceKeyUnitEvent::builder().all_headers(true);
            let _handled = pad.send_event(request.other_field(OURS, true).build());
        }
    }

    /// Ends picture and sound, RTCP's BYE included. Each ends in place of its next packet, for which this waits no
    /// longer than `patience`.
    pub(super) fn end(&self, patience: Duration) {
        self.is_ending.store(true, Ordering::Relaxed);
        let media = [&self.picture, &self.sound]
            .into_iter()
            .filter_map(Track::pad)
            .count();
        if self.comes_to(patience, |state| state.is_over() || state.ends_sent == media) {
            self.comes_to(REPORTED, State::is_over);
            // gst-rtsp-server's own threads bring what the sinks took to the connections, and do not say when they
            // have.
            std::thread::sleep(DELIVERY);
        }
    }

    /// Whether it is ending: no packets of media come any more.
    pub(super) fn is_ending(&self) -> bool {
        self.is_ending.load(Ordering::Relaxed)
    }

    /// Waits until the end has come as far as `is_there` says, no longer than `patience`.
    fn comes_to(&self, patience: Duration, is_there: impl Fn(&State) -> bool) -> bool {
        let mut state = self.state.lock();
        self.has_ended
            .wait_while_for(&mut state, |state| !is_there(state), patience);
        is_there(&state)
    }

    fn note_end(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.has_ended.notify_all();
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

    /// Answers queries for the latency: the sources' lead time makes up for an encoder's delay, so that for the sinks
    /// there is no latency, and GStreamer need not warn of any.
    fn answer_for_encoders(&self) {
        for pad in [&self.picture, &self.sound].into_iter().filter_map(Track::pad) {
            // The probe runs after the elements upstream have answered: that is what PULL means for a query.
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
                let running = running.upgrade();
                let Some(running) = running.filter(|running| running.is_ending()) else {
                    return gst::PadProbeReturn::Ok;
                };
                if !has_ended.swap(true, Ordering::Relaxed) {
                    pad.push_event(gst::event::Eos::new());
                    running.note_end(|state| state.ends_sent += 1);
                }
                gst::PadProbeReturn::Drop
            },
        );
    }

    /// Notes what a message on its bus says about the end.
    pub(super) fn note(&self, message: &gst::Message) {
        if let gst::MessageView::Eos(_) = message.view() {
            self.note_end(|state| state.is_out = true);
        }
    }
}

/// The mark that tells our requests for key frames from those that rtpbin makes of what viewers ask for.
const OURS: &str = "rtsp-clock-server";

/// Whether a request for a key frame is one of ours.
pub(super) fn is_our_request(event: &gst::EventRef) -> bool {
    event
        .structure()
        .is_some_and(|structure| structure.has_field(OURS))
}

/// The frames of a pipeline so far, or of several.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frames {
    /// How many were made.
    pub(crate) rendered: u64,
    /// How many were skipped, because they would have come late.
    pub(crate) skipped: u64,
}

impl ops::Add for Frames {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            rendered: self.rendered + other.rendered,
            skipped: self.skipped + other.skipped,
        }
    }
}

impl Frames {
    /// The larger number of each kind, of these and the `other` frames.
    fn at_least(self, other: Self) -> Self {
        Self {
            rendered: self.rendered.max(other.rendered),
            skipped: self.skipped.max(other.skipped),
        }
    }

    /// The frames that were made and skipped after `before` was counted.
    pub(super) fn since(self, before: Self) -> Self {
        Self {
            rendered: self.rendered.saturating_sub(before.rendered),
            skipped: self.skipped.saturating_sub(before.skipped),
        }
    }
}

impl fmt::Display for Frames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.rendered + self.skipped;
        write!(f, "skipped {} of {all} frames", self.skipped)
    }
}

/// Takes back one `prepare` of `media`.
pub(super) fn end_use(media: &RTSPMedia) {
    if let Err(error) = media.unprepare() {
        tracing::error!(target: "stream", "cannot take the pipeline down: {error}");
    }
}

/// The frames that `source` says it has made and skipped.
fn counted(source: &gst::Element) -> Frames {
    let has_stats = source.has_property_with_type("stats", gst::Structure::static_type());
    let stats = has_stats.then(|| source.property::<gst::Structure>("stats"));
    let stats = stats.and_then(|stats| Stats::from_structure(&stats));
    let Stats {
        rendered, dropped, ..
    } = stats.unwrap_or_default();
    Frames {
        rendered,
        skipped: dropped,
    }
}

/// The RTP sessions of a media that is prepared.
fn rtp_sessions(media: &RTSPMedia) -> Vec<glib::Object> {
    let streams = (0..media.n_streams()).filter_map(|index| media.stream(index));
    streams.filter_map(|stream| stream.rtpsession()).collect()
}

/// The sources that a media which is prepared sends.
pub(super) fn sources(media: &RTSPMedia) -> Vec<Source> {
    let source = |index| {
        let stream = media.stream(index)?;
        let caps = stream.caps();
        let rate = caps
            .as_ref()
            .and_then(|caps| caps.structure(0)?.get::<i32>("clock-rate").ok());
        Some(Source {
            medium: Medium::numbered(index),
            ssrc: stream.ssrc(),
            clock_rate: rate.and_then(|rate| u32::try_from(rate).ok()),
        })
    };
    (0..media.n_streams()).filter_map(source).collect()
}

/// Lets sender reports come sooner than RTCP's usual 5 s.
pub(super) fn report_often(media: &RTSPMedia) {
    for session in rtp_sessions(media) {
        session.set_property("rtcp-min-interval", REPORT_INTERVAL.nseconds());
    }
}

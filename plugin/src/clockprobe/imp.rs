//! The pads and virtual methods of `clockprobe`.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_video::VideoInfo;
use parking_lot::Mutex;

use super::figures::{self, Figures};
use super::lips::Settled;
use super::listener::{self, Heard, Listener};
use super::luma;
use super::messages::Message;
use super::settings::{self, Settings};
use super::stats::Stats;
use super::stillness::Moment;
use super::video::Video;
use crate::clock::{PipelineClock, Wall, machine_clock};
use crate::schedule::held;

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "clockprobe",
        gst::DebugColorFlags::empty(),
        Some("Reader of the millisecond clock"),
    )
});

pub struct ClockProbe {
    sink: gst::Pad,
    src: gst::Pad,
    settings: Mutex<Settings>,
    /// Of the video's streaming thread.
    video: Mutex<Video>,
    audio: Mutex<Option<AudioPads>>,
    /// Of the audio's streaming thread.
    listener: Mutex<Listener>,
    figures: Mutex<Figures>,
}

/// The pads of a sound that is listened to. They come and go together.
#[derive(Clone)]
struct AudioPads {
    sink: gst::Pad,
    src: gst::Pad,
}

#[glib::object_subclass]
impl ObjectSubclass for ClockProbe {
    const NAME: &'static str = "GstClockProbe";
    type Type = super::ClockProbe;
    type ParentType = gst::Element;

    fn with_class(_class: &Self::Class) -> Self {
        Self {
            sink: pad("sink")
                .chain_function(|_, parent, buffer| {
                    Self::catch_panic_pad_function(parent, flow_error, |probe| probe.video(buffer))
                })
                .event_function(|pad, parent, event| {
                    Self::catch_panic_pad_function(parent, || false, |probe| probe.video_event(pad, event))
                })
                .build(),
            src: pad("src").build(),
            settings: Mutex::default(),
            video: Mutex::default(),
            audio: Mutex::default(),
            listener: Mutex::default(),
            figures: Mutex::default(),
        }
    }
}

impl ObjectImpl for ClockProbe {
    fn constructed(&self) {
        self.parent_constructed();
        self.add(&self.sink);
        self.add(&self.src);
    }

    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        self.settings.lock().set(pspec.name(), value);
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let setting = self.settings.lock().get(pspec.name());
        setting.unwrap_or_else(|| self.stats().to_structure().to_value())
    }
}

impl GstObjectImpl for ClockProbe {}

impl ElementImpl for ClockProbe {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Millisecond clock probe",
                "Filter/Analyzer/Video/Audio",
                "Passes a millisecond clock's video through, and measures its latency and what is missing",
                "The rtsp-clock-server authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let video = gst_video::VideoCapsBuilder::new()
                .format_list(luma::formats())
                .build();
            let audio = gst_audio::AudioCapsBuilder::new_interleaved()
                .format_list(listener::FORMATS)
                .build();
            [
                ("sink", gst::PadDirection::Sink, gst::PadPresence::Always, &video),
                ("src", gst::PadDirection::Src, gst::PadPresence::Always, &video),
                (
                    "audio_sink",
                    gst::PadDirection::Sink,
                    gst::PadPresence::Request,
                    &audio,
                ),
                (
                    "audio_src",
                    gst::PadDirection::Src,
                    gst::PadPresence::Sometimes,
                    &audio,
                ),
            ]
            .into_iter()
            .filter_map(|(name, direction, presence, caps)| {
                gst::PadTemplate::new(name, direction, presence, caps).ok()
            })
            .collect()
        });
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        _template: &gst::PadTemplate,
        _name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let pads = {
            let mut audio = self.audio.lock();
            if audio.is_some() {
                gst::warning!(CAT, imp = self, "there is an audio_sink already");
                return None;
            }
            audio.insert(AudioPads::new()).clone()
        };
        *self.listener.lock() = Listener::default();
        for pad in [&pads.sink, &pads.src] {
            self.add(pad);
        }
        Some(pads.sink)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        let Some(pads) = self.audio.lock().take_if(|pads| pads.sink == *pad) else {
            return;
        };
        self.settle_all_ticks();
        // Downstream first, so that whatever waits there lets go of what comes in.
        for pad in [&pads.src, &pads.sink] {
            let removed = pad.set_active(false).and_then(|()| self.obj().remove_pad(pad));
            if let Err(error) = removed {
                gst::warning!(CAT, imp = self, "{} stays: {error}", pad.name());
            }
        }
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        match transition {
            gst::StateChange::ReadyToPaused => {
                *self.video.lock() = Video::default();
                *self.figures.lock() = Figures::default();
                self.listener.lock().interrupt();
            }
            // What a live source left out while the pipeline paused was not asked for.
            gst::StateChange::PausedToPlaying if self.is_live() => self.cut(Moment::default()),
            gst::StateChange::PlayingToPaused if self.is_live() => self.cut(self.now()),
            _ => {}
        }
        let success = self.parent_change_state(transition)?;
        if transition == gst::StateChange::PausedToReady {
            self.cut(Moment::default());
            self.settle_all_ticks();
        }
        Ok(success)
    }
}

// Video.
impl ClockProbe {
    fn video(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let (arrival, clock) = (self.instant(), self.clock_time());
        let live = self.ask_whether_live();
        let settings = *self.settings.lock();
        let seen = self.video.lock().look(&buffer, (arrival, clock), &settings);
        let finding = self
            .figures
            .lock()
            .frame(seen.look, &seen.times, live, settings.freeze_threshold);
        if settings.post_messages {
            let reading = figures::look_message(seen.look, &seen.times, finding);
            for message in reading.into_iter().chain(seen.stamps_message()) {
                self.post(&message);
            }
        }
        let ticks = self.figures.lock().settle_ticks();
        self.post_ticks(&ticks);
        self.src.push(buffer)
    }

    fn video_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::StreamStart(_) => self.video.lock().live = None,
            gst::EventView::Caps(caps) => self.video.lock().info = VideoInfo::from_caps(caps.caps()).ok(),
            gst::EventView::Segment(segment) => {
                self.video.lock().segment = segment.segment().downcast_ref().cloned();
            }
            gst::EventView::FlushStop(_) => {
                self.video.lock().segment = None;
                self.cut(self.now());
                self.settle_all_ticks();
                self.figures.lock().forget_pictures();
            }
            gst::EventView::Eos(_) => {
                self.cut(self.now());
                let ticks = {
                    let mut figures = self.figures.lock();
                    figures.video_ends();
                    figures.settle_ticks()
                };
                self.post_ticks(&ticks);
            }
            _ => {}
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    /// Asks upstream, until it has said so.
    fn ask_whether_live(&self) -> bool {
        if self.settings.lock().force_live {
            return true;
        }
        if let Some(live) = self.video.lock().live {
            return live;
        }
        let mut query = gst::query::Latency::new();
        if !self.sink.peer_query(&mut query) {
            return false;
        }
        let (live, ..) = query.result();
        gst::debug!(CAT, imp = self, "upstream is live: {live}");
        self.video.lock().live = Some(live);
        live
    }

    fn is_live(&self) -> bool {
        self.settings.lock().force_live || self.video.lock().live == Some(true)
    }
}

// Audio.
impl ClockProbe {
    fn audio(&self, buffer: gst::Buffer) -> Result<gst::FlowSuccess, gst::FlowError> {
        let arrival = self.instant();
        let ticks = self.listener.lock().hear(&buffer, arrival);
        self.note_ticks(&ticks);
        let Some(pads) = self.audio.lock().clone() else {
            return Err(gst::FlowError::Flushing);
        };
        match pads.src.push(buffer) {
            // To be listened to may be all that the sound is for.
            Err(gst::FlowError::NotLinked) if !pads.src.is_linked() => Ok(gst::FlowSuccess::Ok),
            result => result,
        }
    }

    fn audio_event(&self, pad: &gst::Pad, event: gst::Event) -> bool {
        match event.view() {
            gst::EventView::Caps(caps) => self.listener.lock().set_caps(caps.caps()),
            gst::EventView::Segment(segment) => {
                let segment = segment.segment().downcast_ref().cloned();
                self.listener.lock().set_segment(segment);
            }
            gst::EventView::FlushStop(_) => {
                let mut listener = self.listener.lock();
                listener.set_segment(None);
                listener.interrupt();
            }
            gst::EventView::Eos(_) => {
                let ticks = self.listener.lock().finish();
                self.note_ticks(&ticks);
            }
            _ => {}
        }
        gst::Pad::event_default(pad, Some(&*self.obj()), event)
    }

    fn note_ticks(&self, ticks: &[Heard]) {
        let settled = {
            let mut figures = self.figures.lock();
            for tick in ticks {
                figures.tick(*tick);
            }
            if self.sink.is_linked() {
                figures.settle_ticks()
            } else {
                figures.settle_all_ticks()
            }
        };
        self.post_ticks(&settled);
    }

    /// Has all ticks told by the pictures that there are.
    fn settle_all_ticks(&self) {
        let ticks = self.figures.lock().settle_all_ticks();
        self.post_ticks(&ticks);
    }

    fn post_ticks(&self, ticks: &[Settled]) {
        for tick in ticks {
            gst::log!(CAT, imp = self, "a tick: {tick:?}");
            if self.settings.lock().post_messages {
                self.post(&figures::tick_message(tick));
            }
        }
    }
}

impl AudioPads {
    fn new() -> Self {
        Self {
            sink: pad("audio_sink")
                .chain_function(|_, parent, buffer| {
                    ClockProbe::catch_panic_pad_function(parent, flow_error, |probe| probe.audio(buffer))
                })
                .event_function(|pad, parent, event| {
                    ClockProbe::catch_panic_pad_function(
                        parent,
                        || false,
                        |probe| probe.audio_event(pad, event),
                    )
                })
                .build(),
            src: pad("audio_src").build(),
        }
    }
}

// What sound and picture share.
impl ClockProbe {
    /// The pad at which what comes in by `pad` leaves, or the other way round.
    fn other_side(&self, pad: &gst::Pad) -> Option<gst::Pad> {
        let audio = self.audio.lock().clone();
        let audio = audio.as_ref().map(|audio| (&audio.sink, &audio.src));
        let sides = [Some((&self.sink, &self.src)), audio];
        sides.into_iter().flatten().find_map(|(sink, src)| {
            let other = if pad == sink { src } else { sink };
            (pad == sink || pad == src).then(|| other.clone())
        })
    }

    fn add(&self, pad: &gst::Pad) {
        if let Err(error) = self.obj().add_pad(pad) {
            gst::error!(CAT, imp = self, "no {}: {error}", pad.name());
        }
    }

    /// The instant of now, in ns since the Unix epoch.
    fn instant(&self) -> i64 {
        let wall = self.settings.lock().wall();
        match (PipelineClock::of(&*self.obj()), wall) {
            (Some(clock), _) => clock.instant(wall),
            (None, Wall::TimeOfDay) => held(machine_clock()),
            (None, Wall::From(start)) => start,
        }
    }

    /// The pipeline's clock in ns; the machine's where it has none.
    fn clock_time(&self) -> i64 {
        PipelineClock::of(&*self.obj()).map_or_else(|| held(machine_clock()), |clock| clock.running())
    }

    /// Now, as far as it tells that the picture stands still.
    fn now(&self) -> Moment {
        if self.is_live() && self.obj().current_state() == gst::State::Playing {
            Moment::arrival(self.clock_time())
        } else {
            Moment::default()
        }
    }

    fn cut(&self, now: Moment) {
        let threshold = self.settings.lock().freeze_threshold;
        self.figures.lock().cut(now, threshold);
    }

    fn stats(&self) -> Stats {
        let now = self.now();
        let threshold = self.settings.lock().freeze_threshold;
        self.figures.lock().stats(now, threshold)
    }

    fn post(&self, message: &Message) {
        let element = self.obj();
        let message = gst::message::Element::builder(message.to_structure())
            .src(&*element)
            .build();
        if element.post_message(message).is_err() {
            gst::trace!(CAT, imp = self, "nobody listens");
        }
    }
}

/// The builder of a pad of a template of ours. Buffers pass as they are, so caps and pools are for the
/// neighbours to agree on.
fn pad(name: &str) -> gst::PadBuilder<gst::Pad> {
    let mut templates = ClockProbe::pad_templates().iter();
    let Some(template) = templates.find(|template| template.name_template() == name) else {
        unreachable!("{name} has a template");
    };
    gst::Pad::builder_from_template(template)
        .flags(gst::PadFlags::PROXY_CAPS | gst::PadFlags::PROXY_ALLOCATION)
        .iterate_internal_links_function(|pad, parent| {
            let none = || gst::Iterator::from_vec(Vec::new());
            ClockProbe::catch_panic_pad_function(parent, none, |probe| {
                gst::Iterator::from_vec(probe.other_side(pad).into_iter().collect())
            })
        })
}

fn flow_error() -> Result<gst::FlowSuccess, gst::FlowError> {
    Err(gst::FlowError::Error)
}

//! The virtual methods of `clocksrc`.

use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use clockface::{Colorimetry, Face, FrameSpec, Matrix, PixelFormat, Range, Reading};
use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_src::CreateSuccess;
use gst_base::subclass::prelude::*;
use jiff::Timestamp;

use super::settings::{self, Effect, Settings, Timing};
use crate::canvas::Canvases;
use crate::clock::{PipelineClock, Wait, Wall, machine_clock};
use crate::schedule::{Frame, Grid, Now, Schedule};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "clocksrc",
        gst::DebugColorFlags::empty(),
        Some("Millisecond clock source"),
    )
});

/// What `clocksrc` makes where downstream does not care.
const WIDTH: i32 = 640;
const HEIGHT: i32 = 480;
const FRAMERATE: gst::Fraction = gst::Fraction::new_raw(15, 1);
/// Above it, milliseconds could not tell frames apart.
const MAX_FRAMERATE: gst::Fraction = gst::Fraction::new_raw(1000, 1);
const MAX_SIDE: i32 = 32_767;
const _: () = assert!(clockface::frame::MAX_SIDE == MAX_SIDE.unsigned_abs() as usize);
/// Seconds from the epoch of NTP (1900, RFC 5905) to that of Unix (1970).
const NTP_TO_UNIX: u64 = 2_208_988_800;

/// Formats in the order of preference: the encoders' own first.
const FORMATS: [(gst_video::VideoFormat, PixelFormat); 17] = [
    (gst_video::VideoFormat::I420, PixelFormat::I420),
    (gst_video::VideoFormat::Nv12, PixelFormat::Nv12),
    (gst_video::VideoFormat::Yv12, PixelFormat::Yv12),
    (gst_video::VideoFormat::Nv21, PixelFormat::Nv21),
    (gst_video::VideoFormat::Y42b, PixelFormat::Y42b),
    (gst_video::VideoFormat::Y444, PixelFormat::Y444),
    (gst_video::VideoFormat::Gray8, PixelFormat::Gray8),
    (gst_video::VideoFormat::Rgbx, PixelFormat::Rgbx),
    (gst_video::VideoFormat::Xrgb, PixelFormat::Xrgb),
    (gst_video::VideoFormat::Bgrx, PixelFormat::Bgrx),
    (gst_video::VideoFormat::Xbgr, PixelFormat::Xbgr),
    (gst_video::VideoFormat::Rgba, PixelFormat::Rgba),
    (gst_video::VideoFormat::Bgra, PixelFormat::Bgra),
    (gst_video::VideoFormat::Argb, PixelFormat::Argb),
    (gst_video::VideoFormat::Abgr, PixelFormat::Abgr),
    (gst_video::VideoFormat::Rgb, PixelFormat::Rgb),
    (gst_video::VideoFormat::Bgr, PixelFormat::Bgr),
];

static UNIX_CAPS: LazyLock<gst::Caps> = LazyLock::new(|| gst::Caps::new_empty_simple("timestamp/x-unix"));
static NTP_CAPS: LazyLock<gst::Caps> = LazyLock::new(|| gst::Caps::new_empty_simple("timestamp/x-ntp"));

#[derive(Default)]
pub struct ClockSrc {
    settings: Mutex<Settings>,
    /// Of the stream; there is none before caps are known, or after `stop()`.
    stream: Mutex<Option<Stream>>,
    life: Mutex<Life>,
    counts: Mutex<Counts>,
    wait: Wait,
    /// The thread that takes the element from PLAYING to PAUSED now.
    pausing: Mutex<Option<ThreadId>>,
}

/// What a running stream needs.
struct Stream {
    rate: gst::Fraction,
    face: Face,
    canvases: Canvases,
    /// Made with the first frame, for then the clock runs.
    schedule: Option<Schedule>,
    /// How many frames this stream has handed out.
    made: u64,
    /// The look of the face is not that of the settings any more.
    look_changed: bool,
}

/// What holds from `start()` to `stop()`.
#[derive(Debug, Clone, Copy, Default)]
struct Life {
    timing: Timing,
    /// What the pipeline gives each frame on top of its PTS, in ns.
    latency: i64,
}

/// What the stream has done so far.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    rendered: u64,
    dropped: u64,
    /// In ns.
    max_lateness: u64,
    total_lateness: u64,
}

#[glib::object_subclass]
impl ObjectSubclass for ClockSrc {
    const NAME: &'static str = "GstClockSrc";
    type Type = super::ClockSrc;
    type ParentType = gst_base::PushSrc;
}

impl ObjectImpl for ClockSrc {
    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        element.set_format(gst::Format::Time);
        element.set_live(lock(&self.settings).timing.is_live);
    }

    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let result = lock(&self.settings).set(pspec.name(), value);
        match result {
            Ok(Effect::None) => {}
            Ok(Effect::Live(is_live)) => self.obj().set_live(is_live),
            Ok(Effect::Look) => {
                if let Some(stream) = lock(&self.stream).as_mut() {
                    stream.look_changed = true;
                }
            }
            Err(error) => {
                gst::warning!(CAT, imp = self, "{} stays as it was: {error}", pspec.name());
            }
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        lock(&self.settings)
            .get(pspec.name())
            .unwrap_or_else(|| lock(&self.counts).structure().to_value())
    }
}

impl GstObjectImpl for ClockSrc {}

impl ElementImpl for ClockSrc {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Millisecond clock source",
                "Source/Video",
                "Shows the wall-clock instant of each frame's PTS with milliseconds, and a number of viewers",
                "The rtsp-clock-server authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = gst_video::VideoCapsBuilder::new()
                .format_list(FORMATS.map(|(format, _)| format))
                .width_range(1..=MAX_SIDE)
                .height_range(1..=MAX_SIDE)
                .framerate_range(gst::Fraction::new(1, i32::MAX)..=MAX_FRAMERATE)
                .build();
            let template =
                gst::PadTemplate::new("src", gst::PadDirection::Src, gst::PadPresence::Always, &caps);
            template.into_iter().collect()
        });
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::PausedToPlaying {
            // A wait goes on through a pause (see `unlock`): it may be by the old base time.
            self.wait.restart();
        }
        let is_pausing = transition == gst::StateChange::PlayingToPaused;
        *lock(&self.pausing) = is_pausing.then(|| thread::current().id());
        let result = self.parent_change_state(transition);
        *lock(&self.pausing) = None;
        result
    }

    fn send_event(&self, event: gst::Event) -> bool {
        // The base class refuses a seek that comes through the pad, and would perform this one.
        !matches!(event.view(), gst::EventView::Seek(_)) && self.parent_send_event(event)
    }
}

impl BaseSrcImpl for ClockSrc {
    fn start(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.stream) = None;
        *lock(&self.counts) = Counts::default();
        let timing = lock(&self.settings).timing;
        *lock(&self.life) = Life { timing, latency: 0 };
        self.parent_start()
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *lock(&self.stream) = None;
        self.parent_stop()
    }

    fn is_seekable(&self) -> bool {
        false
    }

    fn unlock(&self) -> Result<(), gst::ErrorMessage> {
        // GStreamer 1.26's base class unlocks for a pause, 1.22's does not. Whoever played again before `create`
        // was back would have the stream end, for it would then answer that it flushes: so a pause ends no wait.
        if *lock(&self.pausing) != Some(thread::current().id()) {
            self.wait.unlock();
        }
        Ok(())
    }

    fn unlock_stop(&self) -> Result<(), gst::ErrorMessage> {
        self.wait.unlock_stop();
        Ok(())
    }

    fn fixate(&self, mut caps: gst::Caps) -> gst::Caps {
        caps.truncate();
        if let Some(structure) = caps.make_mut().structure_mut(0) {
            structure.fixate_field_nearest_int("width", WIDTH);
            structure.fixate_field_nearest_int("height", HEIGHT);
            structure.fixate_field_nearest_fraction("framerate", FRAMERATE);
            if structure.has_field("pixel-aspect-ratio") {
                structure.fixate_field_nearest_fraction("pixel-aspect-ratio", gst::Fraction::new(1, 1));
            }
        }
        self.parent_fixate(caps)
    }

    fn set_caps(&self, caps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(caps)
            .map_err(|error| gst::loggable_error!(CAT, "cannot read the caps {caps}: {error}"))?;
        let spec = frame_spec(&info)
            .ok_or_else(|| gst::loggable_error!(CAT, "no frame can be painted for the caps {caps}"))?;
        gst::debug!(CAT, imp = self, "painting {caps}");
        let mut stream = lock(&self.stream);
        // Under the lock of the stream, so that no change of them is missed.
        let settings = lock(&self.settings).clone();
        let face = Face::new(spec, settings.style, settings.wording);
        let (rate, canvases) = (info.fps(), Canvases::new(spec, &info));
        if let Some(stream) = stream.as_mut() {
            (stream.face, stream.canvases) = (face, canvases);
            stream.change_rate(rate);
        } else {
            *stream = Some(Stream {
                rate,
                face,
                canvases,
                schedule: None,
                made: 0,
                look_changed: false,
            });
        }
        Ok(())
    }

    fn decide_allocation(&self, query: &mut gst::query::Allocation) -> Result<(), gst::LoggableError> {
        // Frames are painted on canvases of our own, which a pool could not keep for us.
        while query.allocation_pools().next().is_some() {
            query.remove_nth_allocation_pool(0);
        }
        Ok(())
    }

    fn query(&self, query: &mut gst::QueryRef) -> bool {
        match query.view_mut() {
            gst::QueryViewMut::Latency(latency) => {
                // A frame leaves at its instant or before it, whatever painting costs.
                latency.set(
                    lock(&self.settings).timing.is_live,
                    gst::ClockTime::ZERO,
                    gst::ClockTime::NONE,
                );
                true
            }
            // A clock has no end.
            gst::QueryViewMut::Duration(_) => false,
            _ => BaseSrcImplExt::parent_query(self, query),
        }
    }

    fn event(&self, event: &gst::Event) -> bool {
        if let gst::EventView::Latency(latency) = event.view() {
            let latency = latency.latency().nseconds();
            lock(&self.life).latency = i64::try_from(latency).unwrap_or(i64::MAX);
        }
        self.parent_event(event)
    }
}

impl PushSrcImpl for ClockSrc {
    fn create(&self, _buffer: Option<&mut gst::BufferRef>) -> Result<CreateSuccess, gst::FlowError> {
        let timing = lock(&self.life).timing;
        let frame = self.next_frame(timing)?;
        let buffer = self.paint(&frame)?;
        self.count(&frame, timing);
        Ok(CreateSuccess::NewBuffer(buffer))
    }
}

impl ClockSrc {
    /// The frame to make now, once it is time to make it.
    fn next_frame(&self, timing: Timing) -> Result<Frame, gst::FlowError> {
        loop {
            let clock = self.clock(timing)?;
            let (frame, is_first) = self.plan(timing, clock.as_ref())?;
            let Some(clock) = clock else { return Ok(frame) };
            // The first frame's instant is known, and somebody may be waiting for preroll.
            let leaves_at = leaves_at(&frame, timing);
            if is_first || leaves_at <= clock.running() {
                return Ok(frame);
            }
            self.wait
                .until(leaves_at, &clock)
                .map_err(|_| gst::FlowError::Flushing)?;
        }
    }

    /// The clock to live by; none for a source that is not live.
    fn clock(&self, timing: Timing) -> Result<Option<PipelineClock>, gst::FlowError> {
        if !timing.is_live {
            return Ok(None);
        }
        let clock = PipelineClock::of(&*self.obj());
        if clock.is_none() {
            gst::element_imp_error!(
                self,
                gst::CoreError::Clock,
                ("a live clocksrc needs a pipeline clock")
            );
        }
        clock.ok_or(gst::FlowError::Error).map(Some)
    }

    /// The frame that is next, and whether it is the first.
    fn plan(&self, timing: Timing, clock: Option<&PipelineClock>) -> Result<(Frame, bool), gst::FlowError> {
        let latency = lock(&self.life).latency;
        let mut stream = lock(&self.stream);
        let stream = stream.as_mut().ok_or(gst::FlowError::NotNegotiated)?;
        let wall = timing.start_time().map_or(Wall::Machine, Wall::From);
        let now = clock.map(|clock| clock.now(wall));
        let is_first = stream.schedule.is_none();
        let rate = stream.rate;
        let schedule = stream.schedule.get_or_insert_with(|| begin(timing, rate, now));
        let now = now.unwrap_or_else(|| schedule.not_live());
        // The push of the first frame lasts until somebody watches.
        if stream.made == 1 && timing.is_live {
            schedule.forget_what_was_held(now);
        }
        Ok((schedule.frame(now, latency), is_first || stream.made == 0))
    }

    fn paint(&self, frame: &Frame) -> Result<gst::Buffer, gst::FlowError> {
        let mut stream = lock(&self.stream);
        let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
        let settings = lock(&self.settings);
        if std::mem::take(&mut stream.look_changed) {
            stream
                .face
                .restyle(settings.style.clone(), settings.wording.clone());
        }
        let viewers = settings.clients;
        drop(settings);
        let reading = Reading {
            instant: Timestamp::from_nanosecond(frame.instant.into()).unwrap_or_default(),
            viewers,
            frame: frame.number,
        };
        let mut buffer = stream
            .canvases
            .paint(&mut stream.face, &reading)
            .map_err(|error| {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("cannot paint a frame: {error}"));
                gst::FlowError::Error
            })?;
        label(buffer.make_mut(), frame);
        if let Some(schedule) = &mut stream.schedule {
            schedule.made(frame);
        }
        stream.made += 1;
        Ok(buffer)
    }

    fn count(&self, frame: &Frame, timing: Timing) {
        let clock = if timing.is_live {
            PipelineClock::of(&*self.obj())
        } else {
            None
        };
        let lateness = clock.map_or(0, |clock| {
            clock.running().saturating_sub(leaves_at(frame, timing))
        });
        let lateness = lateness.max(0).unsigned_abs();
        let mut counts = lock(&self.counts);
        counts.rendered += 1;
        counts.dropped += frame.dropped;
        counts.max_lateness = counts.max_lateness.max(lateness);
        counts.total_lateness = counts.total_lateness.saturating_add(lateness);
        if frame.dropped > 0 {
            gst::debug!(
                CAT,
                imp = self,
                "skipped {} frames before {}",
                frame.dropped,
                frame.number
            );
        }
    }
}

impl Stream {
    fn change_rate(&mut self, rate: gst::Fraction) {
        if rate != self.rate {
            self.rate = rate;
            if let Some(schedule) = &mut self.schedule {
                schedule.change_rate(numerator(rate), denominator(rate));
            }
        }
    }
}

impl Counts {
    fn structure(&self) -> gst::Structure {
        gst::Structure::builder("application/x-clocksrc-stats")
            .field("rendered", self.rendered)
            .field("dropped", self.dropped)
            .field("max-lateness", self.max_lateness)
            .field(
                "mean-lateness",
                self.total_lateness.checked_div(self.rendered).unwrap_or_default(),
            )
            .build()
    }
}

/// The schedule of a new stream. One that is not live begins at running time 0 with the grid's last instant.
fn begin(timing: Timing, rate: gst::Fraction, now: Option<Now>) -> Schedule {
    let (num, den) = (numerator(rate), denominator(rate));
    let first_instant = match now {
        Some(now) => now.offset.saturating_add(now.running),
        None => timing.start_time().unwrap_or_else(machine_clock),
    };
    let origin = if timing.align { timing.phase } else { first_instant };
    let grid = Grid::new(num, den, origin);
    let now = now.unwrap_or_else(|| {
        let offset = timing
            .start_time()
            .unwrap_or_else(|| grid.at_or_before(first_instant));
        Now {
            running: 0,
            offset,
            uncertainty: 0,
        }
    });
    Schedule::new(grid, now)
}

/// The running time at which a frame should leave, in ns.
fn leaves_at(frame: &Frame, timing: Timing) -> i64 {
    frame
        .pts
        .saturating_sub(i64::try_from(timing.lead_time).unwrap_or(i64::MAX))
}

/// Writes what a frame is on its buffer.
fn label(buffer: &mut gst::BufferRef, frame: &Frame) {
    let time = |ns: i64| gst::ClockTime::from_nseconds(ns.max(0).unsigned_abs());
    let unix = time(frame.instant);
    buffer.set_pts(time(frame.pts));
    buffer.set_duration(time(frame.duration));
    buffer.set_offset(frame.number);
    buffer.set_offset_end(frame.number + 1);
    if frame.discont {
        buffer.set_flags(gst::BufferFlags::DISCONT);
    }
    gst::ReferenceTimestampMeta::add(buffer, &UNIX_CAPS, unix, gst::ClockTime::NONE);
    let ntp = unix.saturating_add(gst::ClockTime::from_seconds(NTP_TO_UNIX));
    gst::ReferenceTimestampMeta::add(buffer, &NTP_CAPS, ntp, gst::ClockTime::NONE);
}

/// What a face needs to know of the caps; `None` for what it cannot paint.
fn frame_spec(info: &gst_video::VideoInfo) -> Option<FrameSpec> {
    let (_, format) = *FORMATS.iter().find(|(format, _)| *format == info.format())?;
    let (width, height) = (
        usize::try_from(info.width()).ok()?,
        usize::try_from(info.height()).ok()?,
    );
    FrameSpec::new(format, width, height, colorimetry(info)).ok()
}

fn colorimetry(info: &gst_video::VideoInfo) -> Colorimetry {
    let colorimetry = info.colorimetry();
    let matrix = match colorimetry.matrix() {
        gst_video::VideoColorMatrix::Bt709 => Matrix::BT709,
        gst_video::VideoColorMatrix::Fcc => Matrix { kr: 0.30, kb: 0.11 },
        gst_video::VideoColorMatrix::Smpte240m => Matrix { kr: 0.212, kb: 0.087 },
        gst_video::VideoColorMatrix::Bt2020 => Matrix {
            kr: 0.2627,
            kb: 0.0593,
        },
        _ => Matrix::BT601,
    };
    let range = match colorimetry.range() {
        gst_video::VideoColorRange::Range0_255 => Range::Full,
        gst_video::VideoColorRange::Range16_235 => Range::Limited,
        _ if info.is_rgb() || info.is_gray() => Range::Full,
        _ => Range::Limited,
    };
    Colorimetry { matrix, range }
}

fn numerator(rate: gst::Fraction) -> u32 {
    rate.numer().unsigned_abs()
}

fn denominator(rate: gst::Fraction) -> u32 {
    rate.denom().unsigned_abs()
}

/// A panic elsewhere leaves values that are whole; a streaming thread must not follow it down.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

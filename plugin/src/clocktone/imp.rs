//! The virtual methods of `clocktone`.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_src::CreateSuccess;
use gst_base::subclass::prelude::*;
use parking_lot::Mutex;

use super::samples::{FORMATS, interleaved};
use super::settings::{self, Settings};
use super::ticks::{Span, Tick, Ticks};
use crate::clock::{PipelineClock, machine_clock};
use crate::live::{Life, Live, LiveSource, Stats, Timing, label};
use crate::schedule::{Frame, Grid, Now, Schedule, held};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "clocktone",
        gst::DebugColorFlags::empty(),
        Some("Clock tick source"),
    )
});

/// What `clocktone` makes where downstream does not care.
const RATE: i32 = 48_000;
const CHANNELS: i32 = 1;
/// Twice the frequency of a usual tick and more, up to the fastest converters.
const RATES: std::ops::RangeInclusive<i32> = 4_000..=768_000;
/// As many as a channel mask has bits.
const MAX_CHANNELS: i32 = 64;
/// Above it, channels say where they are.
const UNPLACED_CHANNELS: i32 = 2;
/// Buffers of 10 ms.
const BUFFERS_PER_SECOND: u32 = 100;
const SECOND: i128 = 1_000_000_000;

#[derive(Default)]
pub struct ClockTone {
    settings: Mutex<Settings>,
    /// Of the stream; there is none before caps are known, or after `stop()`.
    stream: Mutex<Option<Stream>>,
    live: Live<TsOffset>,
    /// Ticks begun since `start()`.
    ticks: Mutex<u64>,
}

/// What is added to each PTS, in ns.
type TsOffset = i64;

/// What a running stream needs.
struct Stream {
    info: gst_audio::AudioInfo,
    /// Made with the first buffer, for then the clock runs.
    course: Option<Course>,
    /// The number of the next buffer's first sample; skipped samples have used theirs up.
    next_sample: u64,
    /// Real time has been waited for: what leaves late from now on is late.
    has_waited: bool,
}

/// Where a stream stands in time.
struct Course {
    /// Of the buffers, which lie on a grid of running time.
    schedule: Schedule,
    ticks: Ticks,
}

#[glib::object_subclass]
impl ObjectSubclass for ClockTone {
    const NAME: &'static str = "GstClockTone";
    type Type = super::ClockTone;
    type ParentType = gst_base::PushSrc;
}

impl ObjectImpl for ClockTone {
    fn constructed(&self) {
        self.parent_constructed();
        self.live_constructed();
    }

    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        let is_live = {
            let mut settings = self.settings.lock();
            settings.set(pspec.name(), value);
            settings.timing.is_live
        };
        if pspec.name() == "is-live" {
            self.obj().set_live(is_live);
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let setting = self.settings.lock().get(pspec.name());
        setting.unwrap_or_else(|| {
            let stats = Stats {
                ticks: Some(*self.ticks.lock()),
                ..self.live.counts().stats()
            };
            stats.to_structure().to_value()
        })
    }
}

impl GstObjectImpl for ClockTone {}

impl ElementImpl for ClockTone {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Clock tick source",
                "Source/Audio",
                "Ticks at each whole second of the wall clock, and is silent in between",
                "The rtsp-clock-server authors",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let caps = gst_audio::AudioCapsBuilder::new_interleaved()
                .format_list(FORMATS)
                .rate_range(RATES)
                .channels_range(1..=MAX_CHANNELS)
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
        self.live_change_state(transition)
    }

    fn send_event(&self, event: gst::Event) -> bool {
        self.live_send_event(event)
    }
}

impl BaseSrcImpl for ClockTone {
    fn start(&self) -> Result<(), gst::ErrorMessage> {
        *self.stream.lock() = None;
        self.live.clear_counts();
        *self.ticks.lock() = 0;
        let settings = *self.settings.lock();
        self.live.begin(settings.timing, settings.ts_offset);
        self.parent_start()
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        *self.stream.lock() = None;
        self.parent_stop()
    }

    fn is_seekable(&self) -> bool {
        false
    }

    fn unlock(&self) -> Result<(), gst::ErrorMessage> {
        self.live.unlock();
        Ok(())
    }

    fn unlock_stop(&self) -> Result<(), gst::ErrorMessage> {
        self.live.unlock_stop();
        Ok(())
    }

    fn fixate(&self, mut caps: gst::Caps) -> gst::Caps {
        caps.truncate();
        if let Some(structure) = caps.make_mut().structure_mut(0) {
            structure.fixate_field_nearest_int("rate", RATE);
            structure.fixate_field_nearest_int("channels", CHANNELS);
            let channels = structure.get::<i32>("channels").unwrap_or(CHANNELS);
            if channels > UNPLACED_CHANNELS && !structure.has_field("channel-mask") {
                structure.set("channel-mask", gst::Bitmask::new(usual_places(channels)));
            }
        }
        self.parent_fixate(caps)
    }

    fn set_caps(&self, caps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_audio::AudioInfo::from_caps(caps)
            .map_err(|error| gst::loggable_error!(CAT, "cannot read the caps {caps}: {error}"))?;
        gst::debug!(CAT, imp = self, "sounding {caps}");
        let mut stream = self.stream.lock();
        if let Some(stream) = stream.as_mut() {
            stream.change_format(info);
        } else {
            *stream = Some(Stream {
                info,
                course: None,
                next_sample: 0,
                has_waited: false,
            });
        }
        Ok(())
    }

    fn query(&self, query: &mut gst::QueryRef) -> bool {
        self.live_query(query)
    }

    fn event(&self, event: &gst::Event) -> bool {
        self.live_event(event)
    }
}

impl PushSrcImpl for ClockTone {
    fn create(&self, _buffer: Option<&mut gst::BufferRef>) -> Result<CreateSuccess, gst::FlowError> {
        let timing = self.live.life().timing;
        let frame = self.next_frame()?;
        let clock = self.clock(timing)?;
        let (buffer, instant) = self.sound(&frame, timing, clock.as_ref())?;
        self.count(&frame, timing, clock.as_ref());
        self.warn_of_instant(instant);
        Ok(CreateSuccess::NewBuffer(buffer))
    }
}

impl LiveSource for ClockTone {
    type Settled = TsOffset;
    const ELEMENT: &'static str = "clocktone";
    const FRAMES: &'static str = "buffers";

    fn category() -> gst::DebugCategory {
        *CAT
    }

    fn live(&self) -> &Live<TsOffset> {
        &self.live
    }

    fn timing(&self) -> Timing {
        self.settings.lock().timing
    }

    fn plan(
        &self,
        life: &Life<TsOffset>,
        clock: Option<&PipelineClock>,
    ) -> Result<(Frame, bool), gst::FlowError> {
        let mut stream = self.stream.lock();
        let stream = stream.as_mut().ok_or(gst::FlowError::NotNegotiated)?;
        let (is_held, is_first) = (!stream.has_waited, stream.next_sample == 0);
        let (num, den) = buffer_rate(&stream.info);
        let course = stream
            .course
            .get_or_insert_with(|| begin(life, Grid::new(num, den, 0), clock));
        let schedule = &mut course.schedule;
        let now = clock.map_or_else(
            || schedule.not_live(),
            |clock| shifted(life.settled, clock.running()),
        );
        // The pushes of an encoder's first frame last until somebody listens.
        if is_held && life.timing.is_live {
            schedule.forget_what_was_held(now);
        }
        Ok((schedule.frame(now, life.latency), is_first))
    }

    fn will_wait(&self) {
        if let Some(stream) = self.stream.lock().as_mut() {
            stream.has_waited = true;
        }
    }
}

impl ClockTone {
    /// The buffer of a frame, and the instant of its PTS.
    fn sound(
        &self,
        frame: &Frame,
        timing: Timing,
        clock: Option<&PipelineClock>,
    ) -> Result<(gst::Buffer, i64), gst::FlowError> {
        let settings = *self.settings.lock();
        let now = clock.map(|clock| clock.now(timing.wall()));
        let mut stream = self.stream.lock();
        let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
        let course = stream.course.as_mut().ok_or(gst::FlowError::Flushing)?;
        let span = Span {
            from: frame.instant,
            to: frame.instant.saturating_add(frame.duration),
        };
        let ticks = &mut course.ticks;
        if frame.discont {
            ticks.interrupt();
        }
        if let Some(now) = now {
            ticks.follow(now, span);
        }
        let interval = i64::try_from(settings.tick_interval).unwrap_or(i64::MAX);
        let tick = ticks.tick(span, interval, settings.sound);
        if tick.is_some_and(|tick| tick.begins_in(span)) {
            *self.ticks.lock() += 1;
        }
        let instant = held(ticks.instant_at(frame.pts));
        course.schedule.made(frame);
        let mut buffer = gst::Buffer::from_mut_slice(samples(&stream.info, tick, frame.instant));
        let written = buffer.make_mut();
        label(written, frame, instant);
        let length = u64::from(samples_per_buffer(&stream.info));
        let first = stream.next_sample + frame.dropped.saturating_mul(length);
        stream.next_sample = first + length;
        written.set_offset(first);
        written.set_offset_end(stream.next_sample);
        Ok((buffer, instant))
    }
}

impl Stream {
    fn change_format(&mut self, info: gst_audio::AudioInfo) {
        if let Some(course) = self.course.as_mut().filter(|_| info.rate() != self.info.rate()) {
            let (num, den) = buffer_rate(&info);
            course.schedule.change_rate(num, den);
        }
        self.info = info;
    }
}

/// The course of a new stream. One that is not live begins at running time 0.
fn begin(life: &Life<TsOffset>, grid: Grid, clock: Option<&PipelineClock>) -> Course {
    let timing = life.timing;
    let running = clock.map_or(0, PipelineClock::running);
    let offset = clock.map_or_else(
        || timing.start_time().map_or_else(machine_clock, i128::from),
        |clock| clock.now(timing.wall()).offset,
    );
    Course {
        schedule: Schedule::new(grid, shifted(life.settled, running)),
        ticks: Ticks::new(offset),
    }
}

/// Running time for a schedule whose instants are running times too, and whose PTS are these plus `ts-offset`.
fn shifted(ts_offset: TsOffset, running: i64) -> Now {
    Now {
        running,
        offset: -i128::from(ts_offset),
        uncertainty: 0,
    }
}

fn samples_per_buffer(info: &gst_audio::AudioInfo) -> u32 {
    info.rate() / BUFFERS_PER_SECOND
}

/// Buffers a second, as a fraction.
fn buffer_rate(info: &gst_audio::AudioInfo) -> (u32, u32) {
    (info.rate(), samples_per_buffer(info))
}

/// The bytes of the buffer that begins at the running time `from`.
fn samples(info: &gst_audio::AudioInfo, tick: Option<Tick>, from: i64) -> Vec<u8> {
    let count = samples_per_buffer(info) as usize;
    if let Some(tick) = tick {
        let values = tick.samples(first_sample(from, info.rate()), count, info.rate());
        return interleaved(values, info.format(), info.channels() as usize);
    }
    let mut silence = vec![0; count * info.bpf() as usize];
    info.format_info().fill_silence(&mut silence);
    silence
}

/// The number of the sample at a running time that was scaled from it, and rounded down.
fn first_sample(running: i64, rate: u32) -> i64 {
    let sample = (i128::from(running) * i128::from(rate) + SECOND - 1).div_euclid(SECOND);
    i64::try_from(sample).unwrap_or(i64::MAX)
}

/// Where so many channels usually are, as a channel mask; 0 for nowhere.
fn usual_places(channels: i32) -> u64 {
    u32::try_from(channels).map_or(0, gst_audio::AudioChannelPosition::fallback_mask)
}

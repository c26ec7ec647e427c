//! The virtual methods of `clocksrc`.

use std::sync::LazyLock;

use clockface::{Face, FrameSpec, Reading, stamp};
use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::base_src::CreateSuccess;
use gst_base::subclass::prelude::*;
use jiff::Timestamp;
use parking_lot::Mutex;

use super::formats;
use super::settings::{self, Alignment, Effect, Settings};
use crate::canvas::Canvases;
use crate::clock::{PipelineClock, machine_clock};
use crate::live::{Life, Live, LiveSource, Timing, label};
use crate::schedule::{Frame, Grid, Now, Schedule};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "clocksrc",
        gst::DebugColorFlags::empty(),
        Some("Millisecond clock source"),
    )
});

#[derive(Default)]
pub struct ClockSrc {
    settings: Mutex<Settings>,
    /// What the stream needs; there is none before caps are known, or after `stop()`.
    stream: Mutex<Option<Stream>>,
    live: Live<Settled>,
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
    spec: FrameSpec,
    /// What the last frame shows.
    last: Reading,
    /// It has been said that a frame has no room for the stamp.
    warned: bool,
}

/// What holds from `start()` to `stop()`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Settled {
    alignment: Alignment,
    /// What the stamp calls this run.
    run: u32,
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
        self.live_constructed();
    }

    fn properties() -> &'static [glib::ParamSpec] {
        settings::properties()
    }

    fn set_property(&self, _id: usize, value: &glib::Value, pspec: &glib::ParamSpec) {
        if pspec.name() == "logo-location" {
            return self.set_logo(settings::text(value));
        }
        let result = self.settings.lock().set(pspec.name(), value);
        match result {
            Ok(Effect::None) => {}
            Ok(Effect::Live(is_live)) => self.obj().set_live(is_live),
            Ok(Effect::Look) => {
                if settings::TEXTS.contains(&pspec.name()) && self.settings.lock().is_started {
                    self.warn_of_missing_characters();
                }
                self.look_changed();
            }
            Err(error) => self.refuse(pspec.name(), &error),
        }
    }

    fn property(&self, _id: usize, pspec: &glib::ParamSpec) -> glib::Value {
        let setting = self.settings.lock().get(pspec.name());
        setting.unwrap_or_else(|| self.live.counts().stats().to_structure().to_value())
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
            let (source, always) = (gst::PadDirection::Src, gst::PadPresence::Always);
            let template = gst::PadTemplate::new("src", source, always, &formats::caps());
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

impl BaseSrcImpl for ClockSrc {
    fn start(&self) -> Result<(), gst::ErrorMessage> {
        *self.stream.lock() = None;
        self.live.clear_counts();
        let location = self.settings.lock().logo_location().to_owned();
        let logo = settings::open_logo(&location)
            .map_err(|error| gst::error_msg!(gst::ResourceError::OpenRead, ("logo-location: {error}")))?;
        self.settings
            .lock()
            .start(logo)
            .map_err(|mistakes| gst::error_msg!(gst::LibraryError::Settings, ("{mistakes}")))?;
        self.begin_life();
        self.warn_of_missing_characters();
        self.parent_start()
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        self.settings.lock().is_started = false;
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
        formats::fixate(&mut caps);
        self.parent_fixate(caps)
    }

    fn set_caps(&self, caps: &gst::Caps) -> Result<(), gst::LoggableError> {
        let info = gst_video::VideoInfo::from_caps(caps)
            .map_err(|error| gst::loggable_error!(CAT, "cannot read the caps {caps}: {error}"))?;
        let spec = formats::frame_spec(&info)
            .ok_or_else(|| gst::loggable_error!(CAT, "no frame can be painted for the caps {caps}"))?;
        gst::debug!(CAT, imp = self, "painting {caps}");
        let mut stream = self.stream.lock();
        // Under the lock of the stream, so that no change of them is missed.
        let settings = self.settings.lock().clone();
        let face = Face::new(spec, settings.style(), settings.wording);
        let (rate, canvases) = (info.fps(), Canvases::new(spec, &info));
        if let Some(stream) = stream.as_mut() {
            (stream.face, stream.canvases, stream.spec) = (face, canvases, spec);
            stream.change_rate(rate);
        } else {
            *stream = Some(Stream {
                rate,
                face,
                canvases,
                schedule: None,
                made: 0,
                spec,
                last: Reading::default(),
                warned: false,
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
        self.live_query(query)
    }

    fn event(&self, event: &gst::Event) -> bool {
        self.live_event(event)
    }
}

impl PushSrcImpl for ClockSrc {
    fn create(&self, _buffer: Option<&mut gst::BufferRef>) -> Result<CreateSuccess, gst::FlowError> {
        let Life { timing, settled, .. } = self.live.life();
        let frame = self.next_frame()?;
        let buffer = self.paint(&frame, settled.run)?;
        let clock = timing.is_live.then(|| PipelineClock::of(&*self.obj())).flatten();
        self.count(&frame, timing, clock.as_ref());
        self.warn_of_instant(frame.instant);
        self.warn_of_no_room();
        Ok(CreateSuccess::NewBuffer(buffer))
    }
}

impl LiveSource for ClockSrc {
    type Settled = Settled;
    const ELEMENT: &'static str = "clocksrc";
    const FRAMES: &'static str = "frames";

    fn category() -> gst::DebugCategory {
        *CAT
    }

    fn live(&self) -> &Live<Settled> {
        &self.live
    }

    fn timing(&self) -> Timing {
        self.settings.lock().timing
    }

    fn plan(
        &self,
        life: &Life<Settled>,
        clock: Option<&PipelineClock>,
    ) -> Result<(Frame, bool), gst::FlowError> {
        let mut stream = self.stream.lock();
        let stream = stream.as_mut().ok_or(gst::FlowError::NotNegotiated)?;
        let now = clock.map(|clock| clock.now(life.timing.wall()));
        let is_first = stream.schedule.is_none();
        let rate = stream.rate;
        let schedule = stream.schedule.get_or_insert_with(|| begin(life, rate, now));
        let now = now.unwrap_or_else(|| schedule.not_live());
        // The push of the first frame lasts until somebody watches.
        if stream.made == 1 && life.timing.is_live {
            schedule.forget_what_was_held(now);
        }
        Ok((schedule.frame(now, life.latency), is_first || stream.made == 0))
    }
}

impl ClockSrc {
    /// Settles what the properties say of time.
    fn begin_life(&self) {
        let (timing, alignment, run) = {
            let settings = self.settings.lock();
            (settings.timing, settings.alignment, settings.run_of_its_own())
        };
        let run = run.unwrap_or_else(glib::random_int);
        self.live.begin(timing, Settled { alignment, run });
    }

    /// Names the logo's file, which is read at once if the element runs, while nobody waits for the settings.
    fn set_logo(&self, location: String) {
        let is_started = self.settings.lock().is_started;
        let logo = if is_started {
            settings::open_logo(&location)
        } else {
            Ok(None)
        };
        match logo {
            Ok(logo) => {
                self.settings.lock().set_logo(location, logo);
                self.look_changed();
            }
            Err(error) => self.refuse("logo-location", &error),
        }
    }

    /// Has the next frame take over the look of the settings. Text and logo are drawn here and now: on the streaming
    /// thread frames would be late for it.
    fn look_changed(&self) {
        let Some((spec, last)) = self
            .stream
            .lock()
            .as_ref()
            .map(|stream| (stream.spec, stream.last))
        else {
            return;
        };
        let settings = self.settings.lock().clone();
        let mut face = Face::new(spec, settings.style(), settings.wording);
        if let Err(error) = face.prepare(&last) {
            // It will fail again where it is painted, and stop the stream there.
            gst::warning!(CAT, imp = self, "cannot prepare the new look: {error}");
        }
        let mut stream = self.stream.lock();
        // Who set new caps meanwhile took over the settings with them; who set a property meanwhile comes after.
        let is_latest = self.settings.lock().looks == settings.looks;
        if let Some(stream) = stream.as_mut().filter(|stream| is_latest && stream.spec == spec) {
            stream.face = face;
        }
    }

    /// Says why a property keeps its value, to the application too if the element runs. Before that, the start will
    /// fail for it.
    fn refuse(&self, property: &str, error: &dyn std::error::Error) {
        gst::warning!(CAT, imp = self, "{property} stays as it was: {error}");
        if self.settings.lock().is_started {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Settings,
                ("{property} stays as it was: {error}")
            );
        }
    }

    fn paint(&self, frame: &Frame, run: u32) -> Result<gst::Buffer, gst::FlowError> {
        let mut stream = self.stream.lock();
        let stream = stream.as_mut().ok_or(gst::FlowError::Flushing)?;
        let settings = self.settings.lock();
        let reading = Reading {
            instant: Timestamp::from_nanosecond(frame.instant.into()).unwrap_or_default(),
            viewers: settings.clients,
            frame: frame.number,
            stream: settings.stamp_id,
            run,
        };
        drop(settings);
        stream.last = reading;
        let mut buffer = stream
            .canvases
            .paint(&mut stream.face, &reading)
            .map_err(|error| {
                gst::element_imp_error!(self, gst::LibraryError::Failed, ("cannot paint a frame: {error}"));
                gst::FlowError::Error
            })?;
        let written = buffer.make_mut();
        label(written, frame, frame.instant);
        written.set_offset(frame.number);
        written.set_offset_end(frame.number + 1);
        if let Some(schedule) = &mut stream.schedule {
            schedule.made(frame);
        }
        stream.made += 1;
        Ok(buffer)
    }

    /// Says which characters of the texts will be boxes.
    fn warn_of_missing_characters(&self) {
        let settings = self.settings.lock().clone();
        if let Some(missing) = settings.missing_characters() {
            gst::warning!(CAT, imp = self, "{missing}");
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{missing}"));
        }
    }

    /// Says once in a stream's life that its frames have no room for the stamp that is asked for.
    fn warn_of_no_room(&self) {
        let (width, height) = {
            let mut stream = self.stream.lock();
            let Some(stream) = stream.as_mut().filter(|stream| !stream.warned) else {
                return;
            };
            let (width, height) = (stream.spec.width(), stream.spec.height());
            stream.warned = self.settings.lock().has_stamp() && stamp::module_size(width, height).is_none();
            if !stream.warned {
                return;
            }
            (width, height)
        };
        let (least_width, least_height) = stamp::SMALLEST_PICTURE;
        let text = format!(
            "a picture of {width}x{height} px has no room for a stamp: make it at least {least_width}x{least_height} px, \
             or set stamp=none"
        );
        gst::warning!(CAT, imp = self, "{text}");
        gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{text}"));
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

/// The schedule of a new stream. One that is not live begins at running time 0 with the grid's last instant.
fn begin(life: &Life<Settled>, rate: gst::Fraction, now: Option<Now>) -> Schedule {
    let start_time = life.timing.start_time();
    let Alignment { align, phase } = life.settled.alignment;
    let (num, den) = (numerator(rate), denominator(rate));
    let first_instant = match now {
        Some(now) => now.offset + i128::from(now.running),
        None => start_time.map_or_else(machine_clock, i128::from),
    };
    let origin = if align { phase.into() } else { first_instant };
    let grid = Grid::new(num, den, origin);
    let now = now.unwrap_or_else(|| {
        let offset = start_time.map_or_else(|| grid.at_or_before(first_instant), i128::from);
        Now {
            running: 0,
            offset,
            uncertainty: 0,
        }
    });
    Schedule::new(grid, now)
}

fn numerator(rate: gst::Fraction) -> u32 {
    rate.numer().unsigned_abs()
}

fn denominator(rate: gst::Fraction) -> u32 {
    rate.denom().unsigned_abs()
}

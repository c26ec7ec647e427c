//! The properties of `clocksrc` and their defaults.

use std::sync::LazyLock;

use clockface::{Argb, Style, TimeFormat, Wording, WordingError, time_zone};
use gst::glib;
use gst::prelude::*;

const DEFAULT_CLIENTS: u32 = 0;
const DEFAULT_IS_LIVE: bool = true;
const DEFAULT_LEAD_TIME: u64 = 0;
const DEFAULT_ALIGN: bool = true;
const DEFAULT_PHASE: i64 = 0;
/// The instant shown is that of the wall clock.
const WALL_CLOCK: i64 = -1;

/// What the properties say.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) clients: u32,
    pub(super) style: Style,
    pub(super) wording: Wording,
    /// The time zone as it was given.
    time_zone: String,
    pub(super) timing: Timing,
}

/// What the properties say of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) is_live: bool,
    /// In ns.
    pub(super) lead_time: u64,
    pub(super) align: bool,
    /// In ns.
    pub(super) phase: i64,
    /// In ns since the Unix epoch, or [`WALL_CLOCK`].
    start_time: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clients: DEFAULT_CLIENTS,
            style: Style::default(),
            wording: Wording::default(),
            time_zone: String::new(),
            timing: Timing::default(),
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            is_live: DEFAULT_IS_LIVE,
            lead_time: DEFAULT_LEAD_TIME,
            align: DEFAULT_ALIGN,
            phase: DEFAULT_PHASE,
            start_time: WALL_CLOCK,
        }
    }
}

impl Timing {
    /// The instant at running time 0 in ns since the Unix epoch; `None` for the wall clock's.
    pub(super) fn start_time(self) -> Option<i64> {
        (self.start_time != WALL_CLOCK).then_some(self.start_time)
    }
}

/// What setting a property means for a running stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    /// The next frame looks it up by itself.
    None,
    /// The face has to be told.
    Look,
    /// The base class has to be told.
    Live(bool),
}

impl Settings {
    /// Sets a property, or says why the value is impossible and keeps the old one.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) -> Result<Effect, WordingError> {
        match name {
            "clients" => self.clients = take(value),
            "is-live" => {
                self.timing.is_live = take(value);
                return Ok(Effect::Live(self.timing.is_live));
            }
            "lead-time" => self.timing.lead_time = take(value),
            "align" => self.timing.align = take(value),
            "phase" => self.timing.phase = take(value),
            "start-time" => self.timing.start_time = take(value),
            _ => return self.set_look(name, value).map(|()| Effect::Look),
        }
        Ok(Effect::None)
    }

    fn set_look(&mut self, name: &str, value: &glib::Value) -> Result<(), WordingError> {
        match name {
            "clients-format" => self.wording.clients_format = text(value),
            "time-format" => self.wording.time_format = TimeFormat::new(&text(value))?,
            "time-zone" => {
                let name = text(value);
                self.wording.time_zone = time_zone(&name)?;
                self.time_zone = name;
            }
            "text" => self.wording.label = text(value),
            "font-desc" => self.style.font = text(value),
            "foreground-color" => self.style.foreground = Argb(take(value)),
            "background-color" => self.style.background = Argb(take(value)),
            _ => {}
        }
        Ok(())
    }

    /// The value of a property; `None` for one that is not a setting.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "clients" => self.clients.to_value(),
            "clients-format" => self.wording.clients_format.to_value(),
            "time-format" => self.wording.time_format.as_str().to_value(),
            "time-zone" => self.time_zone.to_value(),
            "text" => self.wording.label.to_value(),
            "font-desc" => self.style.font.to_value(),
            "foreground-color" => self.style.foreground.0.to_value(),
            "background-color" => self.style.background.0.to_value(),
            "is-live" => self.timing.is_live.to_value(),
            "lead-time" => self.timing.lead_time.to_value(),
            "align" => self.timing.align.to_value(),
            "phase" => self.timing.phase.to_value(),
            "start-time" => self.timing.start_time.to_value(),
            _ => return None,
        })
    }
}

/// The value as the type that GObject has already checked it for.
fn take<'a, T: glib::value::FromValue<'a> + Default>(value: &'a glib::Value) -> T
where
    T::Checker: glib::value::ValueTypeChecker<Error = glib::value::ValueTypeMismatchError>,
{
    value.get().unwrap_or_default()
}

/// A string; NULL is as good as an empty one.
fn text(value: &glib::Value) -> String {
    value.get::<Option<String>>().ok().flatten().unwrap_or_default()
}

/// The properties as `gst-inspect-1.0` shows them.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let mut properties = look_properties();
        properties.extend(time_properties());
        properties
    });
    &PROPERTIES
}

fn look_properties() -> Vec<glib::ParamSpec> {
    let string = |name, nick, blurb, default: &'static str| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default)
            .mutable_playing()
    };
    let color = |name, nick, blurb, default: Argb| {
        glib::ParamSpecUInt::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default.0)
            .mutable_playing()
    };
    vec![
        glib::ParamSpecUInt::builder("clients")
            .nick("Clients")
            .blurb("Number of viewers to show, from the next frame on")
            .default_value(DEFAULT_CLIENTS)
            .mutable_playing()
            .build(),
        string(
            "clients-format",
            "Clients format",
            "Line that shows the number of viewers, which stands for {}; empty hides it",
            "Connected Clients: {}",
        )
        .build(),
        string(
            "time-format",
            "Time format",
            "Format of the time as in strftime, with %.3f for a point and milliseconds (cut off, not rounded); \
             empty hides it",
            "%H:%M:%S%.3f",
        )
        .build(),
        string(
            "time-zone",
            "Time zone",
            "IANA name of the time zone such as Europe/Berlin, or UTC; empty is the machine's",
            "",
        )
        .build(),
        string("text", "Text", "Line above the time, such as a camera's name; empty hides it", "").build(),
        string(
            "font-desc",
            "Font description",
            "Pango font description; without a size, text is fitted to the frame",
            "monospace bold",
        )
        .build(),
        color("foreground-color", "Foreground color", "Color of the text (big-endian ARGB)", Argb::WHITE).build(),
        color("background-color", "Background color", "Color of the rest (big-endian ARGB)", Argb::BLACK).build(),
    ]
}

fn time_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecBoolean::builder("is-live")
            .nick("Is live")
            .blurb("Whether frames leave when they are due, or as fast as downstream takes them")
            .default_value(DEFAULT_IS_LIVE)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt64::builder("lead-time")
            .nick("Lead time")
            .blurb(
                "How long before its instant a frame leaves, to give encoders time; the sink releases it on time \
                 (ns)",
            )
            .default_value(DEFAULT_LEAD_TIME)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoolean::builder("align")
            .nick("Align")
            .blurb("Whether frames fall on whole frame periods of the wall clock, rather than on the first frame's")
            .default_value(DEFAULT_ALIGN)
            .mutable_ready()
            .build(),
        glib::ParamSpecInt64::builder("phase")
            .nick("Phase")
            .blurb("Shift of the frames against whole frame periods of the wall clock (ns)")
            .default_value(DEFAULT_PHASE)
            .mutable_ready()
            .build(),
        glib::ParamSpecInt64::builder("start-time")
            .nick("Start time")
            .blurb(
                "Instant to show at running time 0, so that output is reproducible (ns since the Unix epoch, -1 = \
                 the wall clock's)",
            )
            .minimum(WALL_CLOCK)
            .default_value(WALL_CLOCK)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb("Frames rendered and dropped, and how late frames left (max-lateness, mean-lateness in ns)")
            .read_only()
            .build(),
    ]
}

//! The properties of `clocksrc` and their defaults.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clockface::{
    Argb, Fonts, Logo, LogoError, LogoStyle, Share, Style, TimeFormat, Wording, WordingError, stamp,
    time_zone, zone::machine_zone,
};
use gst::glib;
use gst::prelude::*;

use super::enums::{ClockSrcCorner, ClockSrcHAlign, ClockSrcStamp, ClockSrcVAlign};
use crate::live::{Timing, take, timing};

const DEFAULT_CLIENTS: u32 = 0;
const DEFAULT_STAMP: ClockSrcStamp = ClockSrcStamp::None;
const DEFAULT_STAMP_POSITION: ClockSrcCorner = ClockSrcCorner::TopRight;
const DEFAULT_STAMP_ID: u32 = 0;
const DEFAULT_FLASH: bool = false;
const DEFAULT_TEXT_SCALE: f64 = 1.0;
const DEFAULT_LOGO_POSITION: ClockSrcCorner = ClockSrcCorner::BottomRight;
const DEFAULT_LOGO_SCALE: f64 = 0.15;
const DEFAULT_ALIGN: bool = true;
const DEFAULT_PHASE: i64 = 0;

/// The properties that say what is written, and by which font.
pub(super) const TEXTS: [&str; 4] = ["text", "time-format", "clients-format", "font-desc"];

/// What the properties say.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) clients: u32,
    pub(super) stamp_id: u32,
    /// But for the logo.
    style: Style,
    logo: LogoSettings,
    pub(super) wording: Wording,
    /// The time zone as it was given.
    time_zone: String,
    pub(super) timing: Timing,
    pub(super) alignment: Alignment,
    /// How often the look has changed.
    pub(super) looks: u64,
    /// Between `start()` and `stop()`.
    pub(super) is_started: bool,
    /// Properties whose last value, set before the start, is impossible; and why.
    mistakes: BTreeMap<String, String>,
}

/// What the properties say of the logo.
#[derive(Debug, Clone)]
struct LogoSettings {
    /// The file as it was given; an empty one is none.
    location: String,
    /// Read when the element starts, and when the location is set after that.
    logo: Option<Logo>,
    position: ClockSrcCorner,
    scale: f64,
}

/// How frames fall on the wall clock's frame periods.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alignment {
    pub(super) align: bool,
    /// In ns.
    pub(super) phase: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            clients: DEFAULT_CLIENTS,
            stamp_id: DEFAULT_STAMP_ID,
            style: Style {
                stamp: DEFAULT_STAMP == ClockSrcStamp::Qr,
                corner: DEFAULT_STAMP_POSITION.into(),
                flash: DEFAULT_FLASH,
                ..Style::default()
            },
            logo: LogoSettings {
                location: String::new(),
                logo: None,
                position: DEFAULT_LOGO_POSITION,
                scale: DEFAULT_LOGO_SCALE,
            },
            wording: Wording::default(),
            time_zone: String::new(),
            timing: Timing::default(),
            alignment: Alignment::default(),
            looks: 0,
            is_started: false,
            // Whoever names a zone does not need the machine's.
            mistakes: machine_zone()
                .err()
                .map(|error| ("time-zone".to_owned(), error.to_string()))
                .into_iter()
                .collect(),
        }
    }
}

impl Default for Alignment {
    fn default() -> Self {
        Self {
            align: DEFAULT_ALIGN,
            phase: DEFAULT_PHASE,
        }
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

/// The logo of that file; none for an empty name.
pub(super) fn open_logo(location: &str) -> Result<Option<Logo>, LogoError> {
    if location.is_empty() {
        return Ok(None);
    }
    Logo::open(location).map(Some)
}

impl Settings {
    /// How the face looks.
    pub(super) fn style(&self) -> Style {
        let logo = self.logo.logo.clone().map(|logo| LogoStyle {
            logo,
            corner: self.logo.position.into(),
            scale: Share::new(self.logo.scale),
        });
        Style {
            logo,
            ..self.style.clone()
        }
    }

    /// What the stamp calls a run whose output is reproducible; `None` for one that is like no other.
    pub(super) fn run_of_its_own(&self) -> Option<u32> {
        let start_time = self.timing.start_time().filter(|_| !self.timing.is_live)?;
        let start_time = start_time.cast_unsigned();
        u32::try_from((start_time ^ (start_time >> 32)) & u64::from(u32::MAX)).ok()
    }

    /// What no installed font has of the texts.
    pub(super) fn missing_characters(&self) -> Option<String> {
        let Wording {
            label,
            time_format,
            clients_format,
            ..
        } = &self.wording;
        let texts = [label, time_format.as_str(), clients_format];
        if texts.iter().all(|text| text.is_ascii()) {
            return None;
        }
        // Where there is no font at all, painting says so.
        let missing = Fonts::new().ok()?.missing(&self.style.font, &texts)?;
        Some(missing.to_string())
    }

    /// Whether the picture is to carry a stamp.
    pub(super) fn has_stamp(&self) -> bool {
        self.style.stamp
    }

    /// The logo's file.
    pub(super) fn logo_location(&self) -> &str {
        &self.logo.location
    }

    /// Takes a logo and the name of its file.
    pub(super) fn set_logo(&mut self, location: String, logo: Option<Logo>) {
        (self.logo.location, self.logo.logo) = (location, logo);
        self.looks += 1;
    }

    /// Begins to run with the logo that was read; or says which properties were set to impossible values.
    pub(super) fn start(&mut self, logo: Option<Logo>) -> Result<(), String> {
        if !self.mistakes.is_empty() {
            let mistakes = self.mistakes.iter();
            let said: Vec<String> = mistakes.map(|(name, error)| format!("{name}: {error}")).collect();
            return Err(said.join("; "));
        }
        self.logo.logo = logo;
        self.is_started = true;
        Ok(())
    }

    /// Sets a property, or says why the value is impossible and keeps the old one. Until the start, it also notes
    /// that the value is impossible.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) -> Result<Effect, WordingError> {
        let result = self.try_set(name, value);
        match &result {
            Err(error) if !self.is_started => {
                self.mistakes.insert(name.to_owned(), error.to_string());
            }
            Err(_) => {}
            Ok(_) => {
                self.mistakes.remove(name);
            }
        }
        result
    }

    fn try_set(&mut self, name: &str, value: &glib::Value) -> Result<Effect, WordingError> {
        match name {
            "clients" => self.clients = take(value),
            "stamp-id" => self.stamp_id = take(value),
            "is-live" => {
                self.timing.set(name, value);
                return Ok(Effect::Live(self.timing.is_live));
            }
            "lead-time" | "start-time" => self.timing.set(name, value),
            "align" => self.alignment.align = take(value),
            "phase" => self.alignment.phase = take(value),
            _ => {
                self.set_look(name, value)?;
                self.looks += 1;
                return Ok(Effect::Look);
            }
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
            "stamp" => self.style.stamp = value.get() == Ok(ClockSrcStamp::Qr),
            "stamp-position" => {
                let position = value.get().unwrap_or(DEFAULT_STAMP_POSITION);
                self.style.corner = position.into();
            }
            "flash" => self.style.flash = take(value),
            "text-scale" => self.style.text_scale = Share::new(take(value)),
            "halignment" => self.style.horizontal = value.get().unwrap_or(ClockSrcHAlign::Center).into(),
            "valignment" => self.style.vertical = value.get().unwrap_or(ClockSrcVAlign::Center).into(),
            "logo-position" => self.logo.position = value.get().unwrap_or(DEFAULT_LOGO_POSITION),
            "logo-scale" => self.logo.scale = take(value),
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
            "stamp" => ClockSrcStamp::from(self.style.stamp).to_value(),
            "stamp-position" => ClockSrcCorner::from(self.style.corner).to_value(),
            "stamp-id" => self.stamp_id.to_value(),
            "flash" => self.style.flash.to_value(),
            "text-scale" => self.style.text_scale.value().to_value(),
            "halignment" => ClockSrcHAlign::from(self.style.horizontal).to_value(),
            "valignment" => ClockSrcVAlign::from(self.style.vertical).to_value(),
            "logo-location" => self.logo.location.to_value(),
            "logo-position" => self.logo.position.to_value(),
            "logo-scale" => self.logo.scale.to_value(),
            "align" => self.alignment.align.to_value(),
            "phase" => self.alignment.phase.to_value(),
            _ => return self.timing.get(name),
        })
    }
}

/// A string; NULL is as good as an empty one.
pub(super) fn text(value: &glib::Value) -> String {
    value.get::<Option<String>>().ok().flatten().unwrap_or_default()
}

/// The properties as `gst-inspect-1.0` shows them.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let mut properties = look_properties();
        properties.extend(placement_properties());
        properties.extend(mark_properties());
        properties.extend(logo_properties());
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
            "Text below the time, with {} for the number of viewers; empty hides it",
            "Connected Clients: {}",
        )
        .build(),
        string(
            "time-format",
            "Time format",
            "Format of the time as in strftime, with %.3f for a point and milliseconds (cut off, not rounded) and %n for a \
             new line; empty hides it",
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
        string("text", "Text", "Text above the time, such as a camera's name, of one line or several; empty hides it", "").build(),
        string(
            "font-desc",
            "Font description",
            "Pango font description; without a size, text is fitted to the frame",
            "monospace bold",
        )
        .build(),
        color("foreground-color", "Foreground color", "Color of the text (big-endian ARGB)", Argb::WHITE).build(),
        color("background-color", "Background color", "Color of the rest (big-endian ARGB); video formats with alpha keep its alpha, others show it over black", Argb::BLACK).build(),
    ]
}

fn placement_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecEnum::builder_with_default("halignment", ClockSrcHAlign::Center)
            .nick("Horizontal alignment")
            .blurb("Where the text stands from left to right, and each of its lines among the others")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("valignment", ClockSrcVAlign::Center)
            .nick("Vertical alignment")
            .blurb("Where the text stands from top to bottom")
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("text-scale")
            .nick("Text scale")
            .blurb("Size of the text as a share of the largest that fits, or of the size in font-desc")
            .minimum(0.1)
            .maximum(1.0)
            .default_value(DEFAULT_TEXT_SCALE)
            .mutable_playing()
            .build(),
    ]
}

fn logo_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecString::builder("logo-location")
            .nick("Logo location")
            .blurb("PNG file of a logo, laid over the background with its alpha; empty for none")
            .default_value("")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("logo-position", DEFAULT_LOGO_POSITION)
            .nick("Logo position")
            .blurb("Corner in which the logo stands; where stamp or flash is in the way, beside it")
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("logo-scale")
            .nick("Logo scale")
            .blurb("Height of the logo as a share of the picture's; smaller where the picture is too narrow for it")
            .minimum(0.01)
            .maximum(0.5)
            .default_value(DEFAULT_LOGO_SCALE)
            .mutable_playing()
            .build(),
    ]
}

fn mark_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecEnum::builder_with_default("stamp", DEFAULT_STAMP)
            .nick("Stamp")
            .blurb("Machine-readable stamp with the instant shown; pictures of less than 66x165 px have no room for it")
            .mutable_playing()
            .build(),
        glib::ParamSpecEnum::builder_with_default("stamp-position", DEFAULT_STAMP_POSITION)
            .nick("Stamp position")
            .blurb("Corner in which the stamp stands; the flash stands in the one horizontally opposite")
            .mutable_playing()
            .build(),
        glib::ParamSpecUInt::builder("stamp-id")
            .nick("Stamp id")
            .blurb("Number of this stream in its stamp")
            .maximum(stamp::MAX_STREAM)
            .default_value(DEFAULT_STAMP_ID)
            .mutable_playing()
            .build(),
        glib::ParamSpecBoolean::builder("flash")
            .nick("Flash")
            .blurb("Whether to show a disc that is lit for the first 100 ms of each second")
            .default_value(DEFAULT_FLASH)
            .mutable_playing()
            .build(),
    ]
}

fn time_properties() -> Vec<glib::ParamSpec> {
    vec![
        timing::is_live("Whether frames leave when they are due, or as fast as downstream takes them"),
        timing::lead_time(
            "How long before its instant a frame leaves, to give encoders time; the sink releases it on time (ns)",
        ),
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
        timing::start_time(
            "Instant to show at running time 0, so that output is reproducible (ns since the Unix epoch, -1 = the \
             wall clock's)",
        ),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb("Frames rendered and dropped, and how late frames left (max-lateness, mean-lateness in ns)")
            .read_only()
            .build(),
    ]
}

//! The properties of `clocktone` and their defaults.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use super::tick::Sound;
use crate::live::take;

const DEFAULT_IS_LIVE: bool = true;
const DEFAULT_LEAD_TIME: u64 = 0;
const DEFAULT_TS_OFFSET: i64 = 0;
const DEFAULT_TICK_INTERVAL: u64 = 1_000_000_000;
/// Ticks are told apart by ear and by machine.
const SHORTEST_TICK_INTERVAL: u64 = 100_000_000;
/// A day.
const LONGEST_TICK_INTERVAL: u64 = 86_400_000_000_000;
const DEFAULT_FREQUENCY: f64 = 1000.0;
const DEFAULT_VOLUME: f64 = 0.8;
/// A source further ahead of its PTS, or behind them, is not meant.
const LARGEST_TS_OFFSET: i64 = 10_000_000_000;
/// The first instant is that of the wall clock.
const WALL_CLOCK: i64 = -1;

/// What the properties say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) timing: Timing,
    /// In ns.
    pub(super) tick_interval: u64,
    pub(super) sound: Sound,
}

/// What the properties say of time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Timing {
    pub(super) is_live: bool,
    /// In ns.
    pub(super) lead_time: u64,
    /// In ns.
    pub(super) ts_offset: i64,
    /// In ns since the Unix epoch, or [`WALL_CLOCK`].
    start_time: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            tick_interval: DEFAULT_TICK_INTERVAL,
            sound: Sound {
                frequency: DEFAULT_FREQUENCY,
                volume: DEFAULT_VOLUME,
            },
        }
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            is_live: DEFAULT_IS_LIVE,
            lead_time: DEFAULT_LEAD_TIME,
            ts_offset: DEFAULT_TS_OFFSET,
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

impl Settings {
    /// Sets a property.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "is-live" => self.timing.is_live = take(value),
            "lead-time" => self.timing.lead_time = take(value),
            "start-time" => self.timing.start_time = take(value),
            "ts-offset" => self.timing.ts_offset = take(value),
            "tick-interval" => self.tick_interval = take(value),
            "frequency" => self.sound.frequency = take(value),
            "volume" => self.sound.volume = take(value),
            _ => {}
        }
    }

    /// The value of a property; `None` for one that is not a setting.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "is-live" => self.timing.is_live.to_value(),
            "lead-time" => self.timing.lead_time.to_value(),
            "start-time" => self.timing.start_time.to_value(),
            "ts-offset" => self.timing.ts_offset.to_value(),
            "tick-interval" => self.tick_interval.to_value(),
            "frequency" => self.sound.frequency.to_value(),
            "volume" => self.sound.volume.to_value(),
            _ => return None,
        })
    }
}

/// The properties as `gst-inspect-1.0` shows them.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        let mut properties = sound_properties();
        properties.extend(time_properties());
        properties
    });
    &PROPERTIES
}

fn sound_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecUInt64::builder("tick-interval")
            .nick("Tick interval")
            .blurb("Time from one tick to the next; ticks begin at its multiples since the Unix epoch (ns)")
            .minimum(SHORTEST_TICK_INTERVAL)
            .maximum(LONGEST_TICK_INTERVAL)
            .default_value(DEFAULT_TICK_INTERVAL)
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("frequency")
            .nick("Frequency")
            .blurb("Frequency of the tick, from the next one on (Hz)")
            .minimum(1.0)
            .maximum(100_000.0)
            .default_value(DEFAULT_FREQUENCY)
            .mutable_playing()
            .build(),
        glib::ParamSpecDouble::builder("volume")
            .nick("Volume")
            .blurb("Amplitude of the tick, from the next one on; 1 is full scale")
            .minimum(0.0)
            .maximum(1.0)
            .default_value(DEFAULT_VOLUME)
            .mutable_playing()
            .build(),
    ]
}

fn time_properties() -> Vec<glib::ParamSpec> {
    vec![
        glib::ParamSpecBoolean::builder("is-live")
            .nick("Is live")
            .blurb("Whether buffers leave when they are due, or as fast as downstream takes them")
            .default_value(DEFAULT_IS_LIVE)
            .mutable_ready()
            .build(),
        glib::ParamSpecUInt64::builder("lead-time")
            .nick("Lead time")
            .blurb("How long before its PTS a buffer leaves, to give encoders time; the sink releases it on time (ns)")
            .default_value(DEFAULT_LEAD_TIME)
            .mutable_ready()
            .build(),
        glib::ParamSpecInt64::builder("start-time")
            .nick("Start time")
            .blurb(
                "Instant at running time 0, so that output is reproducible (ns since the Unix epoch, -1 = the wall \
                 clock's)",
            )
            .minimum(WALL_CLOCK)
            .default_value(WALL_CLOCK)
            .mutable_ready()
            .build(),
        glib::ParamSpecInt64::builder("ts-offset")
            .nick("Timestamp offset")
            .blurb(
                "Added to each PTS: with minus the delay of an encoder and its decoder, a tick is presented at its \
                 instant. What would come before running time 0 is left out (ns)",
            )
            .minimum(-LARGEST_TS_OFFSET)
            .maximum(LARGEST_TS_OFFSET)
            .default_value(DEFAULT_TS_OFFSET)
            .mutable_ready()
            .build(),
        glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
            .nick("Statistics")
            .blurb(
                "Buffers rendered and dropped, how late they left (max-lateness, mean-lateness in ns), and ticks \
                 begun",
            )
            .read_only()
            .build(),
    ]
}

//! The properties of `clocktone` and their defaults.

use std::sync::LazyLock;

use clockface::tick::{FREQUENCY, Sound};
use gst::glib;
use gst::prelude::*;

use crate::live::{Timing, take, timing};

const DEFAULT_TS_OFFSET: i64 = 0;
const DEFAULT_TICK_INTERVAL: u64 = 1_000_000_000;
/// Ticks are told apart by ear and by machine.
const SHORTEST_TICK_INTERVAL: u64 = 100_000_000;
/// A day.
const LONGEST_TICK_INTERVAL: u64 = 86_400_000_000_000;
const DEFAULT_FREQUENCY: f64 = FREQUENCY;
const DEFAULT_VOLUME: f64 = 0.8;
/// A source further ahead of its PTS, or behind them, is not meant.
const LARGEST_TS_OFFSET: i64 = 10_000_000_000;

/// What the properties say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) timing: Timing,
    /// In ns.
    pub(super) ts_offset: i64,
    /// In ns.
    pub(super) tick_interval: u64,
    pub(super) sound: Sound,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            timing: Timing::default(),
            ts_offset: DEFAULT_TS_OFFSET,
            tick_interval: DEFAULT_TICK_INTERVAL,
            sound: Sound {
                frequency: DEFAULT_FREQUENCY,
                volume: DEFAULT_VOLUME,
            },
        }
    }
}

impl Settings {
    /// Sets a property.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "ts-offset" => self.ts_offset = take(value),
            "tick-interval" => self.tick_interval = take(value),
            "frequency" => self.sound.frequency = take(value),
            "volume" => self.sound.volume = take(value),
            _ => self.timing.set(name, value),
        }
    }

    /// The value of a property; `None` for one that is not a setting.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "ts-offset" => self.ts_offset.to_value(),
            "tick-interval" => self.tick_interval.to_value(),
            "frequency" => self.sound.frequency.to_value(),
            "volume" => self.sound.volume.to_value(),
            _ => return self.timing.get(name),
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
        timing::is_live("Whether buffers leave when they are due, or as fast as downstream takes them"),
        timing::lead_time(
            "How long before its PTS a buffer leaves, to give encoders time; the sink releases it on time (ns)",
        ),
        timing::start_time(
            "Instant at running time 0, so that output is reproducible (ns since the Unix epoch, -1 = the wall \
             clock's)",
        ),
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

//! The properties by which a live source lives in time.

use gst::glib;
use gst::prelude::*;

use super::take;
use crate::clock::Wall;

const DEFAULT_IS_LIVE: bool = true;
const DEFAULT_LEAD_TIME: u64 = 0;
/// The first instant is that of the wall clock.
const WALL_CLOCK: i64 = -1;

/// What the properties that all live sources have say of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timing {
    pub(crate) is_live: bool,
    /// In ns.
    pub(crate) lead_time: u64,
    /// In ns since the Unix epoch, or [`WALL_CLOCK`].
    start_time: i64,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            is_live: DEFAULT_IS_LIVE,
            lead_time: DEFAULT_LEAD_TIME,
            start_time: WALL_CLOCK,
        }
    }
}

impl Timing {
    /// The instant at running time 0 in ns since the Unix epoch; `None` for the wall clock's.
    pub(crate) fn start_time(self) -> Option<i64> {
        (self.start_time != WALL_CLOCK).then_some(self.start_time)
    }

    /// What an instant is counted from.
    pub(crate) fn wall(self) -> Wall {
        self.start_time().map_or(Wall::TimeOfDay, Wall::From)
    }

    /// Sets a property.
    pub(crate) fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "is-live" => self.is_live = take(value),
            "lead-time" => self.lead_time = take(value),
            "start-time" => self.start_time = take(value),
            _ => {}
        }
    }

    /// The value of a property; `None` for one that is none of these.
    pub(crate) fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "is-live" => self.is_live.to_value(),
            "lead-time" => self.lead_time.to_value(),
            "start-time" => self.start_time.to_value(),
            _ => return None,
        })
    }
}

/// The property `is-live`.
pub(crate) fn is_live(blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecBoolean::builder("is-live")
        .nick("Is live")
        .blurb(blurb)
        .default_value(DEFAULT_IS_LIVE)
        .mutable_ready()
        .build()
}

/// The property `lead-time`.
pub(crate) fn lead_time(blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecUInt64::builder("lead-time")
        .nick("Lead time")
        .blurb(blurb)
        .default_value(DEFAULT_LEAD_TIME)
        .mutable_ready()
        .build()
}

/// The property `start-time`.
pub(crate) fn start_time(blurb: &str) -> glib::ParamSpec {
    glib::ParamSpecInt64::builder("start-time")
        .nick("Start time")
        .blurb(blurb)
        .minimum(WALL_CLOCK)
        .default_value(WALL_CLOCK)
        .mutable_ready()
        .build()
}

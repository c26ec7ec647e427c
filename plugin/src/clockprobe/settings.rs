//! The properties of `clockprobe` and their defaults.

use std::sync::LazyLock;

use gst::glib;
use gst::prelude::*;

use crate::clock::Wall;

const DEFAULT_EVERY: u32 = 1;
const DEFAULT_FREEZE_THRESHOLD: u64 = 500_000_000;
const DEFAULT_POST_MESSAGES: bool = true;
const DEFAULT_FORCE_LIVE: bool = false;
const DEFAULT_EVERY_STAMP: bool = false;
/// Arrival is by the wall clock.
const WALL_CLOCK: i64 = -1;

/// What the properties say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    /// One of so many frames is examined.
    pub(super) every: u32,
    /// In ns.
    pub(super) freeze_threshold: u64,
    pub(super) post_messages: bool,
    pub(super) force_live: bool,
    pub(super) every_stamp: bool,
    /// In ns since the Unix epoch, or [`WALL_CLOCK`].
    start_time: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            every: DEFAULT_EVERY,
            freeze_threshold: DEFAULT_FREEZE_THRESHOLD,
            post_messages: DEFAULT_POST_MESSAGES,
            force_live: DEFAULT_FORCE_LIVE,
            every_stamp: DEFAULT_EVERY_STAMP,
            start_time: WALL_CLOCK,
        }
    }
}

impl Settings {
    /// What the instant of arrival is counted from.
    pub(super) fn wall(&self) -> Wall {
        match self.start_time {
            WALL_CLOCK => Wall::TimeOfDay,
            instant => Wall::From(instant),
        }
    }

    /// Sets a property to a value that GObject has checked for its type and range.
    pub(super) fn set(&mut self, name: &str, value: &glib::Value) {
        match name {
            "every" => self.every = value.get().unwrap_or(DEFAULT_EVERY),
            "freeze-threshold" => self.freeze_threshold = value.get().unwrap_or(DEFAULT_FREEZE_THRESHOLD),
            "post-messages" => self.post_messages = value.get().unwrap_or(DEFAULT_POST_MESSAGES),
            "every-stamp" => self.every_stamp = value.get().unwrap_or(DEFAULT_EVERY_STAMP),
            "force-live" => self.force_live = value.get().unwrap_or(DEFAULT_FORCE_LIVE),
            "start-time" => self.start_time = value.get().unwrap_or(WALL_CLOCK),
            _ => {}
        }
    }

    /// The value of a property; `None` for one that is not a setting.
    pub(super) fn get(&self, name: &str) -> Option<glib::Value> {
        Some(match name {
            "every" => self.every.to_value(),
            "freeze-threshold" => self.freeze_threshold.to_value(),
            "post-messages" => self.post_messages.to_value(),
            "every-stamp" => self.every_stamp.to_value(),
            "force-live" => self.force_live.to_value(),
            "start-time" => self.start_time.to_value(),
            _ => return None,
        })
    }
}

/// The properties as `gst-inspect-1.0` shows them.
pub(super) fn properties() -> &'static [glib::ParamSpec] {
    static PROPERTIES: LazyLock<Vec<glib::ParamSpec>> = LazyLock::new(|| {
        vec![
            glib::ParamSpecUInt::builder("every")
                .nick("Every")
                .blurb("Examine one of so many frames; the others count, but are not read")
                .minimum(1)
                .default_value(DEFAULT_EVERY)
                .mutable_playing()
                .build(),
            glib::ParamSpecUInt64::builder("freeze-threshold")
                .nick("Freeze threshold")
                .blurb("The picture is frozen once it stood still for longer than this (ns)")
                .default_value(DEFAULT_FREEZE_THRESHOLD)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("post-messages")
                .nick("Post messages")
                .blurb("Whether each reading, unreadable frame and tick is posted on the bus")
                .default_value(DEFAULT_POST_MESSAGES)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("force-live")
                .nick("Force live")
                .blurb(
                    "Take upstream for live although it does not say so, as HTTP sources do not: while nothing comes, the \
                     picture stands still",
                )
                .default_value(DEFAULT_FORCE_LIVE)
                .mutable_playing()
                .build(),
            glib::ParamSpecBoolean::builder("every-stamp")
                .nick("Every stamp")
                .blurb("Read all stamps of a picture, not only the one that is followed, and post clockprobe-stamps")
                .default_value(DEFAULT_EVERY_STAMP)
                .mutable_playing()
                .build(),
            glib::ParamSpecInt64::builder("start-time")
                .nick("Start time")
                .blurb(
                    "Instant at running time 0 that arrival is counted from, as clocksrc has it (ns since the \
                     Unix epoch, -1 = the wall clock's)",
                )
                .minimum(WALL_CLOCK)
                .default_value(WALL_CLOCK)
                .mutable_ready()
                .build(),
            glib::ParamSpecBoxed::builder::<gst::Structure>("stats")
                .nick("Statistics")
                .blurb("What became of the frames, how long they were on their way, how late the sound is (ns)")
                .read_only()
                .build(),
        ]
    });
    &PROPERTIES
}

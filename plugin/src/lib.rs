//! `libgstclocksrc.so`: GStreamer elements of a clock that tells the truth about time.

#![allow(missing_docs, reason = "plugin_define! makes public items without any")]

mod canvas;
mod clock;
pub mod clocksrc;
mod schedule;

use gst::glib;

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    clocksrc::register(plugin)
}

gst::plugin_define!(
    clocksrc,
    env!("CARGO_PKG_DESCRIPTION"),
    plugin_init,
    concat!(env!("CARGO_PKG_VERSION"), "-", env!("COMMIT_ID")),
    "MIT/X11",
    env!("CARGO_PKG_NAME"),
    env!("CARGO_PKG_NAME"),
    "Unknown package origin",
    env!("BUILD_REL_DATE")
);

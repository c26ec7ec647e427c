//! `libgstclocksrc.so`: GStreamer elements of a clock that tells the truth about time.

#![allow(missing_docs, reason = "plugin_define! makes public items without any")]

mod canvas;
mod clock;
pub mod clockprobe;
pub mod clocksrc;
pub mod clocktone;
mod live;
mod schedule;

use once_cell::sync::OnceCell;

use gst::glib;

/// Makes the elements known to this process, once: GStreamer would take the elements of an earlier registration from
/// pipelines that play.
///
/// # Errors
/// When GStreamer refuses; the next call tries again.
pub fn register_static() -> Result<(), glib::BoolError> {
    static REGISTERED: OnceCell<()> = OnceCell::new();
    REGISTERED.get_or_try_init(plugin_register_static).copied()
}

fn plugin_init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    clocksrc::register(plugin)?;
    clockprobe::register(plugin)?;
    clocktone::register(plugin)
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

//! The element `clocktone`.

use gst::glib;
use gst::prelude::*;

mod imp;
mod samples;
mod settings;
mod ticks;

pub use crate::live::Stats;

glib::wrapper! {
    /// SECTION:element-clocktone
    /// @short_description: a tick on each whole second of the clock that clocksrc shows
    ///
    /// `clocktone` is silent, save for a tick of 20 ms that begins at each whole second of the wall clock, or at each
    /// other multiple of #clocktone:tick-interval since the Unix epoch. The tick is a sine of #clocktone:frequency that
    /// fades in and out along half a period of a cosine, 2 ms each. It begins at its instant exactly, between two
    /// samples where need be.
    ///
    /// Samples follow each other without a gap while the wall clock is slewed or stepped, and only ticks move with it.
    /// A buffer of 10 ms is skipped once its successor is due; it is counted in #clocktone:stats, and the next one
    /// carries DISCONT.
    ///
    /// A lossy encoder delays the sound: what goes in with one PTS comes out of the decoder with a later one.
    /// #clocktone:ts-offset takes that back.
    ///
    /// ## Example launch lines
    /// |[
    /// gst-launch-1.0 clocktone ! audioconvert ! autoaudiosink
    /// ]|
    /// A tick every second.
    /// |[
    /// gst-launch-1.0 clocktone is-live=false start-time=0 num-buffers=1000 !
    ///     audio/x-raw,rate=48000,channels=2 ! wavenc ! filesink location=ticks.wav
    /// ]|
    /// Ten seconds of ticks as fast as they can be written, the same bytes each time.
    /// |[
    /// gst-launch-1.0 mp4mux name=file ! filesink location=clock.mp4
    ///     clocksrc ! video/x-raw,framerate=25/1 ! x264enc tune=zerolatency ! file.
    ///     clocktone ! opusenc ! file.  -e
    /// ]|
    /// A recording with sound.
    pub struct ClockTone(ObjectSubclass<imp::ClockTone>)
        @extends gst_base::PushSrc, gst_base::BaseSrc, gst::Element, gst::Object;
}

/// Makes the element known to GStreamer.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "clocktone",
        gst::Rank::NONE,
        ClockTone::static_type(),
    )
}

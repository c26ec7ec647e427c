//! The element `clocksrc`.

use gst::glib;
use gst::prelude::*;

mod imp;
mod settings;

glib::wrapper! {
    /// SECTION:element-clocksrc
    /// @short_description: a millisecond clock that tells the truth about time
    ///
    /// `clocksrc` shows the time with milliseconds and a number of viewers. The picture shows the wall-clock
    /// instant of its own PTS, not the instant at which it happened to be drawn: text, PTS and the
    /// `GstReferenceTimestampMeta`s (`timestamp/x-unix`, `timestamp/x-ntp`) of a buffer agree under any load.
    ///
    /// Frames fall on whole frame periods of the wall clock (#clocksrc:align, #clocksrc:phase): at 25 frames a
    /// second, at .000, .040, .080. A frame is skipped once its successor is due; it is counted in
    /// #clocksrc:stats, and its number (the buffer's offset) is used up.
    ///
    /// Painting costs what changed: some microseconds for a 1080p frame. I420 and NV12 are painted directly,
    /// so a `videoconvert` between the source and an encoder passes them through.
    ///
    /// ## Example launch lines
    /// |[
    /// gst-launch-1.0 clocksrc ! autovideosink
    /// ]|
    /// A clock in a window.
    /// |[
    /// gst-launch-1.0 clocksrc text="Camera 1" clients-format="" time-zone=UTC time-format="%F %T%.3f" !
    ///     video/x-raw,width=1280,height=720,framerate=25/1 ! x264enc tune=zerolatency ! mp4mux ! filesink
    ///     location=clock.mp4 -e
    /// ]|
    /// A recording with date and name.
    /// |[
    /// gst-launch-1.0 clocksrc is-live=false start-time=0 time-zone=UTC num-buffers=250 !
    ///     video/x-raw,framerate=25/1 ! pngenc ! multifilesink location=%05d.png
    /// ]|
    /// Ten seconds of clock as fast as they can be written, the same bytes each time.
    pub struct ClockSrc(ObjectSubclass<imp::ClockSrc>)
        @extends gst_base::PushSrc, gst_base::BaseSrc, gst::Element, gst::Object;
}

/// Makes the element known to GStreamer.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(Some(plugin), "clocksrc", gst::Rank::NONE, ClockSrc::static_type())
}

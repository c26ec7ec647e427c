//! The element `clocksrc`.

use gst::glib;
use gst::prelude::*;

mod enums;
mod formats;
mod imp;
mod settings;

pub use crate::live::Stats;
pub use enums::{ClockSrcCorner, ClockSrcHAlign, ClockSrcStamp, ClockSrcVAlign};

glib::wrapper! {
    /// SECTION:element-clocksrc
    /// @short_description: a millisecond clock that tells the truth about time
    ///
    /// `clocksrc` shows the time with milliseconds and a number of viewers. The picture shows the wall-clock
    /// instant of its own PTS, not the instant at which it happened to be drawn: text, PTS and the
    /// `GstReferenceTimestampMeta`s (`timestamp/x-unix`, `timestamp/x-ntp`) of a buffer agree under any load.
    ///
    /// Where the pipeline runs by a `GstNtpClock` or a `GstPtpClock` that has the time, the wall clock is that clock (of
    /// PTP's TAI, 37 s are taken off for UTC); otherwise it is the machine's.
    ///
    /// Frames fall on whole frame periods of the wall clock (#clocksrc:align, #clocksrc:phase): at 25 frames a
    /// second, at .000, .040, .080. A frame is skipped once its successor is due; it is counted in
    /// #clocksrc:stats, and its number (the buffer's offset) is used up.
    ///
    /// Painting costs what changed: some microseconds for a 1080p frame. I420 and NV12 are painted directly,
    /// so a `videoconvert` between the source and an encoder passes them through. I420 is made wherever downstream can
    /// have it, in whatever order that offers formats, and grey only where nothing else can be had; caps ask for others,
    /// such as NV12 for an encoder in hardware.
    ///
    /// What the clock shows is told from 1970 to 2262-04-11T23:47:16Z, the last instant that ns since 1970 in 64 bits can
    /// tell. Where the clock is set to a time beyond that, frames go on in step and tell the nearest one, and a warning
    /// says so.
    ///
    /// With #clocksrc:stamp the picture carries what it says as a QR code too, which any reader of QR codes reads: 57
    /// digits, of which 1 is the version (`1`), 16 are the instant shown in µs since the Unix epoch, 10 the frame's
    /// number (the buffer's offset), 5 the viewers, 5 the #clocksrc:stamp-id, 10 the run, and 10 the CRC-32 of the
    /// 47 before. The run is a number drawn at random when the element starts, so that a restart is not read as loss;
    /// with #clocksrc:start-time and without #clocksrc:is-live it follows from the start time, so that output is
    /// reproducible. Modules are 8, 4 or 2 px large; a picture of less than 66x165 px has no room for a stamp, which
    /// the element says in a warning. With #clocksrc:flash a disc is lit for the first 100 ms of each second. The text
    /// keeps clear of both.
    ///
    /// All that concerns the look may change while playing, shows from the next frame on, and costs nothing in the
    /// frames after that. #clocksrc:logo-location puts a PNG file over the background, in the corner that
    /// #clocksrc:logo-position names or next to the stamp or the flash that stands there. The file is read when the
    /// element starts, or when it is named after that. #clocksrc:text, #clocksrc:time-format and
    /// #clocksrc:clients-format may have several lines.
    ///
    /// A time format, a time zone or a logo that cannot be used is an error when the element starts. While it runs,
    /// such a value is refused: the element posts a warning with the cause, and the old value stays.
    ///
    /// Characters that no installed font has are boxes: the element posts a warning that names them and what to install,
    /// when it starts and when a text is set after that. Where the variable `TZ` has no time zone, it does not start unless
    /// #clocksrc:time-zone says which it is.
    ///
    /// Formats with alpha (RGBA and its like) keep the alpha of #clocksrc:background-color, as straight alpha; others
    /// show that colour over black.
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
    /// gst-launch-1.0 clocksrc logo-location=logo.png logo-position=top-left text-scale=0.5 halignment=right
    ///     valignment=bottom ! video/x-raw,width=1280,height=720 ! autovideosink
    /// ]|
    /// A small clock in one corner, a logo in the other.
    /// |[
    /// gst-launch-1.0 clocksrc is-live=false start-time=1767225600000000000 time-zone=UTC num-buffers=250 !
    ///     video/x-raw,framerate=25/1 ! pngenc ! multifilesink location=%05d.png
    /// ]|
    /// Ten seconds of clock as fast as they can be written, the same bytes each time.
    /// |[
    /// gst-launch-1.0 -m clocksrc stamp=qr flash=true ! video/x-raw,width=1280,height=720 ! videoconvert ! zbar ! videoconvert !
    ///     autovideosink
    /// ]|
    /// A clock for machines too; GStreamer's `zbar` posts what each frame's stamp says.
    pub struct ClockSrc(ObjectSubclass<imp::ClockSrc>)
        @extends gst_base::PushSrc, gst_base::BaseSrc, gst::Element, gst::Object;
}

/// Makes the element known to GStreamer.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    for api in [
        ClockSrcStamp::static_type(),
        ClockSrcCorner::static_type(),
        ClockSrcHAlign::static_type(),
        ClockSrcVAlign::static_type(),
    ] {
        api.mark_as_plugin_api(gst::PluginAPIFlags::empty());
    }
    gst::Element::register(Some(plugin), "clocksrc", gst::Rank::NONE, ClockSrc::static_type())
}

//! The element `clockprobe`.

use gst::glib;
use gst::prelude::*;

mod distribution;
mod figures;
mod imp;
mod lips;
mod listener;
mod luma;
pub mod messages;
mod settings;
mod slope;
pub mod stats;
mod stillness;
mod tally;
mod verdict;
mod video;

glib::wrapper! {
    /// SECTION:element-clockprobe
    /// @short_description: reads the stamps of `clocksrc` and measures what the chain does to them
    ///
    /// `clockprobe` passes video through as it is and reads the stamp (`clocksrc stamp=qr`) in each frame,
    /// wherever in the picture it stands. Where there are several, as on a wall of cameras, it stays with the
    /// first one found for as long as that one can be read there. It tells how long each frame has been on its way, and which frames
    /// are missing. On its request pad `audio_sink` it listens for the ticks of `clocktone`, and tells how
    /// far sound and picture are apart; what comes in there leaves by `audio_src`, which need not be linked.
    ///
    /// ## Messages
    /// Element messages on the bus, unless #clockprobe:post-messages is off. All times are in ns, all
    /// instants since the Unix epoch.
    ///
    /// `clockprobe-reading`, for each frame whose stamp was read:
    ///
    /// * `instant` (guint64): the instant that the frame shows
    /// * `arrival` (guint64): when it came to this element
    /// * `latency` (gint64): `arrival` - `instant`; negative where the camera's clock is ahead of this
    ///   machine's
    /// * `frame` (guint64), `run`, `stream`, `viewers` (guint): what else the stamp says
    /// * `mirrored` (gboolean): left and right have changed places; `turned` (guint): by 0, 90, 180 or 270 degrees
    ///   clockwise, to the nearest of them, before it was mirrored; `inverted` (gboolean): light and dark have changed
    ///   places. All of that is read.
    /// * `pts`, `running-time` (guint64): of the buffer; `GST_CLOCK_TIME_NONE` without one
    /// * `kind` (string): `first` of a run (or after a step back of more than 1000 numbers), `next` (newer than all
    ///   before), `late` (after a higher number), `repeated`
    /// * `missing` (guint64): frames between the reading before and this one that are counted as lost;
    ///   `missing-after` (guint64, where there are any): the number of the frame before them
    /// * `found` (gboolean): this late frame had been counted as lost
    ///
    /// `clockprobe-unreadable`, for each frame that was examined in vain: `arrival`, `pts`, `running-time`.
    ///
    /// `clockprobe-stamps`, with #clockprobe:every-stamp, for each frame that was examined: `arrival`, `pts`,
    /// `running-time`, and `stamps` (GstValueArray): a structure `stamp` for each stamp in the picture, from left to
    /// right, 16 at most, with `instant`, `frame`, `run`, `stream`, `viewers`, `mirrored`, `turned`, `inverted` as above,
    /// `x`, `y` (guint): where its middle is (px), and `size` (guint): the length of its side (px).
    ///
    /// `clockprobe-tick`, for each tick that was heard:
    ///
    /// * `second` (guint64): the whole second that it marks; 0 where no stamp was read around it
    /// * `running-time` (guint64): of its first sample
    /// * `arrival` (guint64): of the buffer with its first sample
    /// * `av-offset` (gint64): how much later than the picture of the same instant it is presented; absent
    ///   where no stamp was read around it
    ///
    /// A tick is held against the pictures of half a second before and after it, so that its message comes when these
    /// have come; where they do not, once the video is 5 s or the sound 30 s further, or the video ends. Without any video
    /// it comes at once.
    ///
    /// ## Statistics
    /// #clockprobe:stats is a structure `clockprobe-stats` of what came since the element left READY.
    ///
    /// * `frames`, `readings`, `unreadable` (guint64): buffers that passed, that were read, that could not be
    ///   read. Those that #clockprobe:every leaves out are neither of the latter.
    /// * `lost` (guint64): frames missing within a run. Between two readings, that is the distance of their
    ///   numbers less the buffers that passed: one that could not be read is not lost.
    /// * `out-of-order` (guint64): frames that came after a later one. They are not lost any more.
    /// * `repeated` (guint64): frames that came again.
    /// * `frozen`, `frozen-time` (guint64): how often the picture stood still for longer than
    ///   #clockprobe:freeze-threshold, and for how long altogether. It stands still while the same frame is
    ///   repeated, and while nothing comes: by running time, and by arrival too where upstream is live. A
    ///   freeze counts as soon as it is one, be it over or not. What could not be read may have moved on.
    /// * `runs` (guint64): how many runs of sources were seen. A new one is no loss.
    /// * `latency-min`, `-mean`, `-p50`, `-p90`, `-p99`, `-max` (gint64): the latency of each frame as it
    ///   came first, not of its repetitions
    /// * `drift-ppm` (gdouble): the slope of the latency over time
    /// * `ticks` (guint64), `av-offset-median`, `av-offset-max` (gint64): ticks that were heard, and how much
    ///   later than the picture; the maximum is by magnitude
    ///
    /// A camera of two frames a second or less needs a higher #clockprobe:freeze-threshold than the default,
    /// or each of its frames is a freeze.
    ///
    /// A tick is 20 ms of 1 kHz (`clocktone`'s default) at a whole second, with some 20 ms of quiet around it. It is
    /// held against the nearest second of the picture: sound that is 700 ms late from the start is told as 300 ms early.
    /// An offset that grows from tick to tick is followed beyond half a second.
    ///
    /// What there are no data for is absent. Seeks and pauses of live streams begin anew: what they leave out
    /// is neither lost nor frozen.
    ///
    /// ## Example launch lines
    /// |[
    /// gst-launch-1.0 -m clocksrc stamp=qr ! video/x-raw,width=1280,height=720 ! x264enc tune=zerolatency !
    ///     avdec_h264 ! clockprobe ! fakesink
    /// ]|
    /// How long each frame takes through an encoder and a decoder.
    /// |[
    /// gst-launch-1.0 clocksrc stamp=qr num-buffers=250 ! x264enc ! mp4mux ! filesink location=clock.mp4
    /// gst-launch-1.0 -m filesrc location=clock.mp4 ! decodebin ! clockprobe ! fakesink
    /// ]|
    /// Which frames of a recording are there.
    /// |[
    /// gst-launch-1.0 -m clocksrc stamp=qr ! clockprobe name=p ! fakesink clocktone ! audioconvert !
    ///     opusenc ! opusdec ! p.audio_sink p.audio_src ! fakesink
    /// ]|
    /// How far a codec moves the sound from the picture.
    pub struct ClockProbe(ObjectSubclass<imp::ClockProbe>) @extends gst::Element, gst::Object;
}

/// Makes the element known to GStreamer.
pub(crate) fn register(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    gst::Element::register(
        Some(plugin),
        "clockprobe",
        gst::Rank::NONE,
        ClockProbe::static_type(),
    )
}

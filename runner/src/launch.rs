//! One stream's configuration to its launch string. Pure.

use crate::config::StreamConfig;

/// The launch string of one stream, as gst-rtsp-server's media factory takes it.
#[must_use]
pub fn launch_string(stream: &StreamConfig) -> String {
    format!(
        "( videotestsrc is-live=true name=source ! video/x-raw,width={},height={},framerate={}/1 ! videoconvert ! x264enc tune=zerolatency bframes=0 speed-preset=ultrafast ! rtph264pay name=pay0 pt=96 config-interval=-1 )",
        stream.width, stream.height, stream.frames_per_second
    )
}

//! The picture of a stream: its source, its encoder, and its part of the launch string.
//!
//! ```text
//! clocksrc name=source lead-time=… ! video/x-raw,… ! videoconvert ! x264enc … ! rtph264pay name=pay0 …
//! ```
//!
//! Where the settings come from (for the encoders' see [`crate::launch::encoders`]):
//!
//! - **Lead time**: the picture of an instant is known beforehand, so that it is painted and encoded three
//!   quarters of a frame period early, 100 ms at most, and released at its instant by the sink. A whole period would
//!   make the encoder start at the very instant at which the frame before is to be released, and the two would
//!   compete for the processor: one frame in fifty left 2 to 4 ms late.
//! - **The encoder's own format** is painted: I420 for those in software, NV12 for hardware.
//! - **`config-interval=-1`**: what a decoder needs to begin (SPS, PPS, VPS) goes out with each key frame, and in the SDP. The
//!   parser has it, for the payloader would split pictures by it (see [`crate::launch::access_units`]).
//! - **The payloader's** words are the codec's: see [`crate::launch::codecs`].

use super::{
    codecs,
    encoders::{EncoderElement, HasProperty},
    syntax::{Chain, PICTURE_PAYLOADER, SOURCE_NAME, launch_quoted},
};
use crate::config::{FrameRate, StreamConfig, VideoCodec};

/// The UDP port of this machine to which the picture of [`crate::launch::gst_launch_line`] goes.
pub(crate) const GST_LAUNCH_PORT: u16 = 5004;

const NANOSECONDS: u64 = 1_000_000_000;

/// The longest lead time, in ns. A slow stream is not made much earlier than it is shown: a picture that is on its way
/// when the number of viewers changes still shows the old number.
const LONGEST_LEAD: u64 = NANOSECONDS / 10;

/// The launch string's part for the picture, from the source to the payloader `pay0`, on a machine that can run `cores`
/// threads at once and has the properties for which `has_property` holds.
pub(crate) fn elements(
    stream: &StreamConfig,
    encoder: &EncoderElement,
    cores: u64,
    has_property: HasProperty,
) -> Chain {
    let codec = codecs::video(stream.codec);
    let mut chain = vec![
        source(stream),
        vec![caps(
            stream,
            stream.frames_per_second,
            encoder.format,
            codec.colorimetry,
        )],
        // It passes the picture through as it is, and is there for a source that does not paint the encoder's format.
        vec!["videoconvert".into()],
        encoder.words(stream, cores, has_property),
    ];
    chain.extend(encoder.caps.map(|caps| vec![caps.to_owned()]));
    let parser = codec
        .parser
        .map(|(parser, _)| vec![parser.into(), "config-interval=-1".into()]);
    chain.extend(parser);
    chain.push(codec.payload.words(PICTURE_PAYLOADER, stream.rtp_packet_size));
    chain
}

/// The clock source, with the properties that differ from its defaults.
pub(super) fn source(stream: &StreamConfig) -> Vec<String> {
    let mut words = vec![
        "clocksrc".into(),
        format!("name={SOURCE_NAME}"),
        format!("lead-time={}", lead_time(stream)),
    ];
    if stream.phase != 0 {
        words.push(format!("phase={}", stream.phase));
    }
    let look = stream.look.properties().into_iter();
    words.extend(look.map(|(name, value)| format!("{name}={}", launch_quoted(&value))));
    words
}

/// Three quarters of a frame period in ns, 100 ms at most.
fn lead_time(stream: &StreamConfig) -> u64 {
    let period = stream.frames_per_second.period();
    (period / 4 * 3).min(LONGEST_LEAD)
}

/// The caps of its frames, of which there are `rate` a second.
pub(super) fn caps(
    stream: &StreamConfig,
    rate: FrameRate,
    format: &str,
    colorimetry: Option<&str>,
) -> String {
    let StreamConfig { width, height, .. } = stream;
    let rate = rate.fraction();
    let colorimetry = colorimetry.map_or_else(String::new, |name| format!(",colorimetry={name}"));
    format!("video/x-raw,format={format},width={width},height={height},framerate={rate}{colorimetry}")
}

/// The command that plays the picture that [`crate::launch::gst_launch_line`] sends.
#[must_use]
pub(crate) fn receiver_line(codec: VideoCodec) -> String {
    let playing = "videoconvert ! autovideosink";
    let payload = &codecs::video(codec).payload;
    payload.receiver_line("video", GST_LAUNCH_PORT, playing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lead_is_less_than_a_frame_period_and_100_ms_at_most() {
        let lead = |frames_per_second| {
            lead_time(&StreamConfig {
                frames_per_second: FrameRate::whole(frames_per_second),
                ..StreamConfig::default()
            })
        };
        assert_eq!(
            [1, 5, 10, 25, 30, 240].map(lead),
            [
                100_000_000,
                100_000_000,
                75_000_000,
                30_000_000,
                24_999_999,
                3_124_998
            ]
        );
    }
}

//! Which changes an encoder takes while it encodes: a stream that changes in nothing else needs no other pipeline.

use super::{Machine, chosen_encoder, elements};
use crate::config::StreamConfig;

/// An element that encodes, and its properties.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct EncoderSettings {
    pub(crate) element: &'static str,
    /// The names and values, in the order of the launch string.
    pub(crate) properties: Vec<(String, String)>,
}

/// The settings of the encoder of `stream` on this machine; `None` for a pipeline of one's own.
pub(crate) fn encoder_settings(stream: &StreamConfig) -> Option<EncoderSettings> {
    if stream.pipeline.is_some() {
        return None;
    }
    let machine = Machine::here();
    let encoder = chosen_encoder(stream, machine);
    let words = encoder.words(stream, machine.cores.get() as u64, machine.has_property);
    let pair = |word: &String| {
        word.split_once('=')
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
    };
    Some(EncoderSettings {
        element: encoder.name,
        properties: words.iter().skip(1).filter_map(pair).collect(),
    })
}

/// Whether an encoder that encodes as `before` says can go on as `after` says while it plays. The two differ in nothing
/// but the bitrate and the quality.
pub(crate) fn is_taken_while_playing(before: &StreamConfig, after: &StreamConfig) -> bool {
    // x264 changes nothing of a stream that promises its receivers a bitrate (`nal-hrd`).
    let is_filled_up = after.constant_bitrate;
    let (Some(one), Some(other)) = (encoder_settings(before), encoder_settings(after)) else {
        // A pipeline of one's own says itself how it encodes.
        return before.pipeline == after.pipeline;
    };
    one == other || !is_filled_up && differ_in_what_is_taken(&one, &other)
}

/// Whether all properties in which the two differ can be changed in GStreamer's state PLAYING.
fn differ_in_what_is_taken(one: &EncoderSettings, other: &EncoderSettings) -> bool {
    let names = |settings: &EncoderSettings| {
        settings
            .properties
            .iter()
            .map(|(name, _)| name.clone())
            .collect::<Vec<_>>()
    };
    let pairs = || one.properties.iter().zip(&other.properties);
    one.element == other.element
        && names(one) == names(other)
        && pairs()
            .filter(|(before, after)| before != after)
            .all(|((name, _), _)| elements::is_changed_while_playing(one.element, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Encoder, VideoCodec};

    fn takes(codec: VideoCodec, encoder: &str, bitrates: [Option<u32>; 2], is_filled_up: bool) -> bool {
        let stream = |bitrate_kbps| StreamConfig {
            codec,
            encoder: Encoder::Named(encoder.into()),
            bitrate_kbps,
            constant_bitrate: is_filled_up,
            ..StreamConfig::default()
        };
        is_taken_while_playing(&stream(bitrates[0]), &stream(bitrates[1]))
    }

    #[test]
    fn another_bitrate_is_taken_by_encoders_that_say_so() {
        let change = [Some(500), Some(900)];
        for (codec, encoder, is_taken) in [
            (VideoCodec::H264, "x264enc", true),
            (VideoCodec::H264, "openh264enc", true),
            (VideoCodec::H265, "x265enc", true),
            (VideoCodec::Vp8, "vp8enc", false),
        ] {
            assert_eq!(takes(codec, encoder, change, false), is_taken, "{encoder}");
            assert!(takes(codec, encoder, [change[0]; 2], false), "{encoder}");
            assert!(!takes(codec, encoder, [None, change[1]], false), "{encoder}");
            assert!(!takes(codec, encoder, [change[0], None], false), "{encoder}");
        }
        assert!(!takes(VideoCodec::H264, "x264enc", change, true));
    }

    #[test]
    fn another_quality_is_taken() {
        let stream = |jpeg_quality| StreamConfig {
            codec: VideoCodec::Mjpeg,
            encoder: Encoder::Named("jpegenc".into()),
            jpeg_quality,
            ..StreamConfig::default()
        };
        assert!(is_taken_while_playing(&stream(50), &stream(90)));
    }
}

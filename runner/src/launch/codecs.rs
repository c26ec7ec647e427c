//! The codecs, one row each: how RTP carries it, which sizes it can carry, and what encodes it. All else that is said
//! of a codec comes from its row.
//!
//! Where the settings come from:
//!
//! - **`picture-id-mode=15-bit`**: a depayloader of VP8 or VP9 can tell that a picture is missing.
//! - **JPEG in full range** (`1:4:0:0`), as JFIF has it: black would be dark grey otherwise.
//! - **`perfect-rtptime=false`**: RTP time is that of each packet's time stamp. Where it was counted from sample to
//!   sample, as by default, it was seen to be a packet late for good after the gap between DESCRIBE and PLAY.

use strum::IntoEnumIterator as _;

use super::{
    debian,
    encoders::{EncoderElement, h264, h265, mjpeg, sound, sound::SoundEncoder, vpx},
    syntax::shell_quoted,
};
use crate::config::{AudioCodec, VideoCodec};

/// A codec of the picture.
#[derive(Debug)]
pub struct Video {
    /// How RTP carries it.
    pub(crate) payload: Payload,
    /// The parser without which the payloader would split pictures (see [`crate::launch::access_units`]), and the media
    /// type that it takes.
    pub(crate) parser: Option<(&'static str, &'static str)>,
    /// Whether the payloader forgets which pictures can be decoded alone.
    pub(crate) forgets_key_frames: bool,
    /// Whether each picture is a key frame, as crisp as `quality` says: no bitrate can be aimed at.
    pub(crate) has_quality: bool,
    /// The colorimetry of the raw picture, where it is not the one that GStreamer takes for its size.
    pub(crate) colorimetry: Option<&'static str>,
    /// The sizes that it can carry.
    pub(crate) sizes: Sizes,
    /// What encodes it, the best one first.
    pub encoders: &'static [EncoderElement],
}

/// A codec of the sound.
#[derive(Debug)]
pub struct Audio {
    /// How RTP carries it.
    pub payload: Payload,
    /// What encodes it, the best one first.
    pub encoders: &'static [SoundEncoder],
}

/// How RTP carries what a codec makes. The payloaders are in Debian's `gstreamer1.0-plugins-good`.
#[derive(Debug)]
pub struct Payload {
    /// The element that makes packets of it; the one that takes them apart has `depay` for `pay` in its name.
    pub(crate) payloader: &'static str,
    /// The payload type in RTP's header.
    rtp_type: u8,
    /// The codec's name in the SDP.
    encoding_name: &'static str,
    /// How many ticks RTP time has in a second.
    clock_rate: u32,
    /// The payloader's properties besides its name and the payload type.
    words: &'static [&'static str],
    /// What a receiver has to know besides, as fields of caps with a comma before each; empty for nothing.
    parameters: &'static str,
}

/// The widths and heights that a picture may have, in px.
#[derive(Debug)]
pub(crate) struct Sizes {
    /// Widths and heights are multiples of this.
    multiple_of: u32,
    largest: u32,
    /// The rule as a sentence.
    pub(crate) rule: &'static str,
}

const EVEN_SIZES: Sizes = Sizes {
    multiple_of: 2,
    // Every size that the configuration allows fits into VP8's 14 bits.
    largest: u32::MAX,
    rule: "width and height must be even, as colour is sent for every second pixel and line",
};

/// Sizes are counted in blocks of 8 px in one byte (RFC 2435, section 3.1.5).
const JPEG_SIZES: Sizes = Sizes {
    multiple_of: 8,
    largest: 255 * 8,
    rule: "RTP carries JPEG (RFC 2435) with width and height in multiples of 8 and up to 2040 px",
};

/// What most codecs of the picture have in common.
const VIDEO: Video = Video {
    payload: Payload {
        payloader: "",
        rtp_type: 96,
        encoding_name: "",
        clock_rate: 90_000,
        words: &[],
        parameters: "",
    },
    parser: None,
    forgets_key_frames: false,
    has_quality: false,
    colorimetry: None,
    sizes: EVEN_SIZES,
    encoders: &[],
};

/// What VP8 and VP9 have in common.
const VPX: Video = Video {
    payload: Payload {
        words: &["picture-id-mode=15-bit"],
        ..VIDEO.payload
    },
    forgets_key_frames: true,
    ..VIDEO
};

/// What AAC and Opus have in common.
const SOUND: Payload = Payload {
    rtp_type: 97,
    clock_rate: 48_000,
    words: &["perfect-rtptime=false"],
    ..VIDEO.payload
};

/// What both kinds of G.711 have in common.
const G711: Payload = Payload {
    clock_rate: 8_000,
    words: &[
        "perfect-rtptime=false",
        "min-ptime=20000000",
        "max-ptime=20000000",
    ],
    ..SOUND
};

const H264: Video = Video {
    payload: VIDEO.payload.of("rtph264pay", "H264"),
    parser: Some(("h264parse", "video/x-h264")),
    encoders: &h264::ENCODERS,
    ..VIDEO
};

const H265: Video = Video {
    payload: VIDEO.payload.of("rtph265pay", "H265"),
    parser: Some(("h265parse", "video/x-h265")),
    encoders: &h265::ENCODERS,
    ..VIDEO
};

const MJPEG: Video = Video {
    payload: VIDEO.payload.of("rtpjpegpay", "JPEG").with_type(26),
    has_quality: true,
    colorimetry: Some("1:4:0:0"),
    sizes: JPEG_SIZES,
    encoders: &mjpeg::ENCODERS,
    ..VIDEO
};

const VP8: Video = Video {
    payload: VPX.payload.of("rtpvp8pay", "VP8"),
    encoders: &vpx::VP8_ENCODERS,
    ..VPX
};

const VP9: Video = Video {
    payload: VPX.payload.of("rtpvp9pay", "VP9"),
    encoders: &vpx::VP9_ENCODERS,
    ..VPX
};

const PCMU: Audio = Audio {
    payload: G711.of("rtppcmupay", "PCMU").with_type(0),
    encoders: &sound::PCMU_ENCODERS,
};

const PCMA: Audio = Audio {
    payload: G711.of("rtppcmapay", "PCMA").with_type(8),
    encoders: &sound::PCMA_ENCODERS,
};

const AAC: Audio = Audio {
    payload: Payload {
        // The configuration is AAC-LC's for 48 kHz and one channel (ISO/IEC 14496-3, 1.6.2.1).
        parameters: ",mode=AAC-hbr,config=1188,sizelength=13,indexlength=3,indexdeltalength=3",
        ..SOUND.of("rtpmp4gpay", "MPEG4-GENERIC")
    },
    encoders: &sound::AAC_ENCODERS,
};

const OPUS: Audio = Audio {
    payload: SOUND.of("rtpopuspay", "OPUS"),
    encoders: &sound::OPUS_ENCODERS,
};

/// The row of a codec of the picture.
#[must_use]
pub const fn video(codec: VideoCodec) -> &'static Video {
    match codec {
        VideoCodec::H264 => &H264,
        VideoCodec::H265 => &H265,
        VideoCodec::Mjpeg => &MJPEG,
        VideoCodec::Vp8 => &VP8,
        VideoCodec::Vp9 => &VP9,
    }
}

/// The row of a codec of the sound.
#[must_use]
pub const fn audio(codec: AudioCodec) -> &'static Audio {
    match codec {
        AudioCodec::Pcmu => &PCMU,
        AudioCodec::Pcma => &PCMA,
        AudioCodec::Aac => &AAC,
        AudioCodec::Opus => &OPUS,
    }
}

/// The row of the codec that the payloader of this name carries.
pub(crate) fn of_payloader(name: &str) -> Option<&'static Video> {
    let mut all = VideoCodec::iter().map(video);
    all.find(|codec| codec.payload.payloader == name)
}

/// The elements of all codecs, each with the Debian package that has it.
pub(crate) fn elements() -> impl Iterator<Item = (&'static str, &'static str)> {
    let videos = || VideoCodec::iter().map(video);
    let audios = || AudioCodec::iter().map(audio);
    let payloads = videos().map(|codec| &codec.payload);
    let payloads = payloads.chain(audios().map(|codec| &codec.payload));
    let parsers = videos().filter_map(|codec| codec.parser);
    let encoders = videos().flat_map(|codec| codec.encoders);
    let sound_encoders = audios().flat_map(|codec| codec.encoders);
    payloads
        .map(|payload| (payload.payloader, debian::GOOD))
        .chain(parsers.map(|(parser, _)| (parser, debian::BAD)))
        .chain(encoders.map(|encoder| (encoder.name, encoder.package)))
        .chain(sound_encoders.map(|encoder| (encoder.name, encoder.package)))
}

impl Sizes {
    /// Whether a picture may have this width or height.
    #[must_use]
    pub(crate) const fn has(&self, side: u32) -> bool {
        side.is_multiple_of(self.multiple_of) && side <= self.largest
    }
}

impl Payload {
    const fn of(self, payloader: &'static str, encoding_name: &'static str) -> Self {
        Self {
            payloader,
            encoding_name,
            ..self
        }
    }

    const fn with_type(self, rtp_type: u8) -> Self {
        Self { rtp_type, ..self }
    }

    /// The payloader as its words in launch syntax: it is called `name`, and makes no packet of more than `mtu` bytes.
    #[must_use]
    pub fn words(&self, name: &str, mtu: Option<u32>) -> Vec<String> {
        let mut words = vec![
            self.payloader.to_owned(),
            format!("name={name}"),
            format!("pt={}", self.rtp_type),
        ];
        words.extend(self.words.iter().map(|&word| word.to_owned()));
        words.extend(mtu.map(|bytes| format!("mtu={bytes}")));
        words
    }

    /// The command that plays the `media` that comes to this machine's UDP port `port`: by the elements of `playing`, once
    /// it is decoded.
    pub(crate) fn receiver_line(&self, media: &str, port: u16, playing: &str) -> String {
        let caps = format!(
            "application/x-rtp,media={media},clock-rate={},encoding-name={},payload={}{}",
            self.clock_rate, self.encoding_name, self.rtp_type, self.parameters
        );
        let depayloader = self.payloader.replace("pay", "depay");
        format!(
            "gst-launch-1.0 udpsrc address=127.0.0.1 port={port} caps={} ! {depayloader} ! decodebin ! {playing} sync=false",
            shell_quoted(&caps)
        )
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_codec_is_carried_and_encoded_by_elements_of_its_own() {
        let videos = VideoCodec::iter().map(|codec| (&video(codec).payload, video(codec).encoders.len()));
        let audios = AudioCodec::iter().map(|codec| (&audio(codec).payload, audio(codec).encoders.len()));
        for (payload, encoders) in videos.chain(audios) {
            assert!(!payload.encoding_name.is_empty() && encoders > 0, "{payload:?}");
        }
        let names: Vec<_> = elements().map(|(name, _)| name).collect();
        assert_eq!(
            names.iter().collect::<BTreeSet<_>>().len(),
            names.len(),
            "{names:?}"
        );
    }

    #[test]
    fn the_receivers_line_is_what_gst_launch_takes() {
        assert_eq!(
            video(VideoCodec::Mjpeg)
                .payload
                .receiver_line("video", 1, "fakesink"),
            "gst-launch-1.0 udpsrc address=127.0.0.1 port=1 \
             caps=application/x-rtp,media=video,clock-rate=90000,encoding-name=JPEG,payload=26 ! rtpjpegdepay \
             ! decodebin ! fakesink sync=false"
        );
    }
}

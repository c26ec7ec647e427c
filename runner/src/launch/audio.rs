//! The sound of a stream: its encoder, and its part of the launch string.
//!
//! ```text
//! clocktone name=tone lead-time=… ts-offset=… ! audio/x-raw,… ! voaacenc … ! rtpmp4gpay name=pay1 …
//! ```
//!
//! Where the settings come from:
//!
//! - **`ts-offset`** takes back what encoder and decoder delay the sound by (see [`crate::launch::encoder_delay`]).
//! - **Lead time**: a packet leaves the encoder with its last sample, 20 ms (Opus, G.711) to 43 ms (an AAC frame, and the one
//!   before it) after it began; the sink releases it at its instant.
//! - **`tolerance`**: an encoder takes a gap of up to 40 ms for none, and everything after it would be early by the gap.
//! - **`perfect-rtptime=false`**: RTP time is that of each packet's time stamp. Counted from sample to sample, as by default,
//!   it was seen to be a packet late for good after the gap between DESCRIBE and PLAY.
//! - **`restricted-lowdelay`**: Opus without its speech mode, whose look-ahead is longer and which has no use for ticks.

use super::{
    elements,
    encoder_delay::Delay,
    syntax::{Chain, shell_quoted},
};
use crate::config::AudioCodec;

/// The UDP port of this machine to which the sound of [`crate::launch::gst_launch_line`] goes.
pub const GST_LAUNCH_PORT: u16 = 5006;

/// How much earlier than its time stamp a sample leaves the source, in ns.
const LEAD_TIME: u64 = 100_000_000;

/// What an encoder takes for a gap, in ns: more than time stamps are rounded by, less than a buffer.
const TOLERANCE: u64 = 1_000_000;

/// Bits a second: the tick comes out of either codec as it went in.
const BITRATE: u32 = 64_000;

/// AAC's encoders, the preferred one first. The second one comes with all of libav.
const AAC_ENCODERS: [&str; 2] = ["voaacenc", "avenc_aac"];

/// The encoder for AAC that this machine has; where there is none, the one to install.
pub(crate) fn aac_encoder() -> &'static str {
    AAC_ENCODERS
        .into_iter()
        // Without GStreamer nothing can be looked up, and nothing played.
        .find(|name| gst::init().is_ok() && elements::is_installed(name))
        .unwrap_or(AAC_ENCODERS[0])
}

/// The encoder for `codec`.
pub(crate) fn encoder(codec: AudioCodec, aac: &'static str) -> &'static str {
    match codec {
        AudioCodec::Pcmu => "mulawenc",
        AudioCodec::Pcma => "alawenc",
        AudioCodec::Opus => "opusenc",
        AudioCodec::Aac => aac,
    }
}

/// Each encoder that `codec` can be made by.
#[must_use]
pub fn encoders(codec: AudioCodec) -> Vec<&'static str> {
    match codec {
        AudioCodec::Aac => AAC_ENCODERS.into(),
        AudioCodec::Pcmu | AudioCodec::Pcma | AudioCodec::Opus => vec![encoder(codec, AAC_ENCODERS[0])],
    }
}

/// The launch string's part for `codec`, from the source to the payloader `pay1`.
pub(crate) fn elements(codec: AudioCodec, encoder: &str) -> Chain {
    let delay = Delay::of(encoder);
    let rate = delay.map_or(48_000, |delay| delay.rate);
    let source = vec![
        "clocktone".into(),
        "name=tone".into(),
        format!("lead-time={LEAD_TIME}"),
        format!(
            "ts-offset={}",
            -delay.map_or(0, |delay| delay.nanoseconds().cast_signed())
        ),
    ];
    let mut chain = vec![source, vec![format!("audio/x-raw,rate={rate},channels=1")]];
    chain.extend(coding(codec, encoder));
    chain
}

/// The encoder `encoder` of `codec`, and the payloader `pay1`.
#[must_use]
pub fn coding(codec: AudioCodec, encoder: &str) -> [Vec<String>; 2] {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let g711 = |payloader, payload_type| {
        words(&[
            payloader,
            "name=pay1",
            "perfect-rtptime=false",
            payload_type,
            "min-ptime=20000000",
            "max-ptime=20000000",
        ])
    };
    let (bitrate, tolerance) = (format!("bitrate={BITRATE}"), format!("tolerance={TOLERANCE}"));
    match codec {
        AudioCodec::Pcmu => [words(&[encoder, &tolerance]), g711("rtppcmupay", "pt=0")],
        AudioCodec::Pcma => [words(&[encoder, &tolerance]), g711("rtppcmapay", "pt=8")],
        AudioCodec::Aac => [
            words(&[encoder, &bitrate, &tolerance]),
            words(&["rtpmp4gpay", "name=pay1", "perfect-rtptime=false", "pt=97"]),
        ],
        AudioCodec::Opus => [
            words(&[encoder, &bitrate, &tolerance, "audio-type=restricted-lowdelay"]),
            words(&["rtpopuspay", "name=pay1", "perfect-rtptime=false", "pt=97"]),
        ],
    }
}

/// The command that plays the sound that [`crate::launch::gst_launch_line`] sends.
#[must_use]
pub fn receiver_line(codec: AudioCodec) -> String {
    let (parameters, depayloader) = match codec {
        AudioCodec::Pcmu => ("clock-rate=8000,encoding-name=PCMU,payload=0", "rtppcmudepay"),
        AudioCodec::Pcma => ("clock-rate=8000,encoding-name=PCMA,payload=8", "rtppcmadepay"),
        // The configuration is AAC-LC's for 48 kHz and one channel (ISO/IEC 14496-3, 1.6.2.1).
        AudioCodec::Aac => (
            "clock-rate=48000,encoding-name=MPEG4-GENERIC,payload=97,mode=AAC-hbr,config=1188,sizelength=13,\
             indexlength=3,indexdeltalength=3",
            "rtpmp4gdepay",
        ),
        AudioCodec::Opus => ("clock-rate=48000,encoding-name=OPUS,payload=97", "rtpopusdepay"),
    };
    let caps = shell_quoted(&format!("application/x-rtp,media=audio,{parameters}"));
    format!(
        "gst-launch-1.0 udpsrc address=127.0.0.1 port={GST_LAUNCH_PORT} caps={caps} ! {depayloader} ! decodebin ! \
         audioconvert ! audioresample ! autoaudiosink sync=false"
    )
}

#[cfg(test)]
mod tests {
    use strum::IntoEnumIterator as _;

    use super::*;

    #[test]
    fn every_encoder_has_its_delay_and_its_package() {
        for codec in AudioCodec::iter() {
            for encoder in encoders(codec) {
                assert!(Delay::of(encoder).is_some(), "{encoder}");
                assert!(elements::debian_package(encoder).is_some(), "{encoder}");
            }
        }
    }

    #[test]
    fn the_delay_is_taken_back() {
        let source = &elements(AudioCodec::Aac, "avenc_aac")[0];
        assert_eq!(
            source.join(" "),
            "clocktone name=tone lead-time=100000000 ts-offset=-21333333"
        );
    }
}

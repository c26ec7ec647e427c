//! The sound of a stream: its part of the launch string.
//!
//! ```text
//! clocktone name=tone lead-time=… ts-offset=… ! audio/x-raw,… ! voaacenc … ! rtpmp4gpay name=pay1 …
//! ```
//!
//! Where the settings come from:
//!
//! - **`ts-offset`** takes back what encoder and decoder delay the sound by (see [`crate::launch::encoders::sound`]).
//! - **Lead time**: a packet leaves the encoder with its last sample, 20 ms (Opus, G.711) to 43 ms (an AAC frame, and the one
//!   before it) after it began; the sink releases it at its instant.

use super::{
    codecs,
    encoders::sound::SoundEncoder,
    syntax::{Chain, SOUND_PAYLOADER},
};
use crate::config::AudioCodec;

/// The UDP port of this machine to which the sound of [`crate::launch::gst_launch_line`] goes.
pub(crate) const GST_LAUNCH_PORT: u16 = 5006;

/// How much earlier than its time stamp a sample leaves the source, in ns.
const LEAD_TIME: u64 = 100_000_000;

/// The encoder for `codec` on a machine that has the elements for which `is_installed` holds. Where there is none, it is
/// the one to install.
pub(crate) fn encoder(codec: AudioCodec, is_installed: impl Fn(&str) -> bool) -> &'static SoundEncoder {
    let all = codecs::audio(codec).encoders;
    let installed = all.iter().find(|encoder| is_installed(encoder.name));
    installed.unwrap_or(&all[0])
}

/// The launch string's part for `codec`, from the source to the payloader `pay1`, which makes no packet of more than `mtu`
/// bytes.
pub(crate) fn elements(codec: AudioCodec, encoder: &SoundEncoder, mtu: Option<u32>) -> Chain {
    let offset = -encoder.delay_in_nanoseconds().cast_signed();
    let source = vec![
        "clocktone".into(),
        "name=tone".into(),
        format!("lead-time={LEAD_TIME}"),
        format!("ts-offset={offset}"),
    ];
    vec![
        source,
        vec![format!("audio/x-raw,rate={},channels=1", encoder.rate)],
        encoder.words(),
        codecs::audio(codec).payload.words(SOUND_PAYLOADER, mtu),
    ]
}

/// The command that plays the sound that [`crate::launch::gst_launch_line`] sends.
#[must_use]
pub(crate) fn receiver_line(codec: AudioCodec) -> String {
    let playing = "audioconvert ! audioresample ! autoaudiosink";
    let payload = &codecs::audio(codec).payload;
    payload.receiver_line("audio", GST_LAUNCH_PORT, playing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_is_taken_back() {
        let encoder = encoder(AudioCodec::Aac, |name| name == "avenc_aac");
        let source = &elements(AudioCodec::Aac, encoder, None)[0];
        assert_eq!(
            source.join(" "),
            "clocktone name=tone lead-time=100000000 ts-offset=-21333333"
        );
    }
}

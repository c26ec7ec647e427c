//! What comes by the way to the server of a tunnel through HTTP: RTSP in base64.

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig, general_purpose::STANDARD},
};

use super::framing::{Framing, PacketFilter};

/// Four characters of base64.
const GROUP: usize = 4;

/// As lenient as gst-rtsp-server.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// What has come of a group.
#[derive(Debug, Default)]
pub(super) struct Tunnelled {
    group: Vec<u8>,
}

impl Tunnelled {
    /// Takes what has come, and adds to `passed`, in base64 again, what may be read of it.
    pub(super) fn take(
        &mut self,
        bytes: &[u8],
        framing: &mut Framing,
        filter: &mut impl PacketFilter,
        passed: &mut Vec<u8>,
    ) {
        let mut clear = Vec::new();
        for byte in bytes.iter().filter(|byte| is_base64(**byte)) {
            self.group.push(*byte);
            if self.group.len() < GROUP {
                continue;
            }
            // A group that means nothing is left out.
            for byte in LENIENT.decode(&self.group).unwrap_or_default() {
                framing.take(byte, filter, &mut clear);
            }
            self.group.clear();
        }
        passed.extend(STANDARD.encode(clear).into_bytes());
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)
}

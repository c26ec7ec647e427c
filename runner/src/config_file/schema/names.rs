//! The values that the schema names one by one, with what each means.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use crate::config_file::limits::{FRAME_RATES, PORTS};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Rate {
    Number(#[schemars(with = "f64", range(min = *FRAME_RATES.start(), max = *FRAME_RATES.end()))] Number),
    #[expect(dead_code, reason = "no default has it; the schema does")]
    Fraction(#[schemars(regex(pattern = r"^[0-9]+/[0-9]+$"))] String),
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub(super) enum Port {
    One(#[schemars(range(min = *PORTS.start(), max = *PORTS.end()))] u32),
    #[expect(dead_code, reason = "no default has it; the schema does")]
    Numbered(#[schemars(regex(pattern = r"^[0-9]+\+\{n\}$"))] String),
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Audio {
    /// No sound.
    None,
    /// G.711 mu-law over RTP (RFC 3551).
    Pcmu,
    /// G.711 A-law over RTP (RFC 3551).
    Pcma,
    /// AAC over RTP (RFC 3640).
    Aac,
    /// Opus over RTP (RFC 7587).
    Opus,
}

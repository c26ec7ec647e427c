//! The values that the schema names one by one, with what each means.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Number;

use crate::{
    config::{Corner, Transport},
    config_file::limits::{FRAME_RATES, PORTS},
};

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum TransportName {
    /// RTP over UDP, to the viewer.
    Udp,
    /// RTP within the RTSP connection.
    Tcp,
    /// RTP over UDP, to a group that any number of viewers join.
    Multicast,
    /// RTP within RTSP within HTTP.
    Http,
}

impl From<Transport> for TransportName {
    fn from(transport: Transport) -> Self {
        match transport {
            Transport::Udp => Self::Udp,
            Transport::Tcp => Self::Tcp,
            Transport::Multicast => Self::Multicast,
            Transport::Http => Self::Http,
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Horizontal {
    Left,
    Center,
    Right,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Vertical {
    Top,
    Center,
    Bottom,
}

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
pub(super) enum AuthenticationName {
    /// By Basic alone (RFC 7617): the password goes over the network as it is.
    Basic,
    /// By Digest alone (RFC 2617, MD5).
    Digest,
    /// By either, as the viewer's software likes.
    Both,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum LogFormat {
    /// A line for people.
    Text,
    /// A JSON object a line, for machines.
    Json,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum StampName {
    /// No stamp.
    None,
    /// A QR code, which any reader of QR codes reads.
    Qr,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(inline)]
pub(super) enum CornerName {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl From<Corner> for CornerName {
    fn from(corner: Corner) -> Self {
        match corner {
            Corner::TopLeft => Self::TopLeft,
            Corner::TopRight => Self::TopRight,
            Corner::BottomLeft => Self::BottomLeft,
            Corner::BottomRight => Self::BottomRight,
        }
    }
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

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub(super) enum Codec {
    /// H.264 over RTP (RFC 6184).
    H264,
    /// H.265 over RTP (RFC 7798).
    H265,
    /// Motion JPEG over RTP (RFC 2435).
    Mjpeg,
    /// VP8 over RTP (RFC 7741).
    Vp8,
    /// VP9 over RTP (RFC 9628).
    Vp9,
}

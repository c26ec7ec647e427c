//! The types of a configuration's values, and how its file spells them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, EnumIter};

/// A range of UDP ports, both ends included. The first is even (RTP), the one behind it RTCP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

impl fmt::Display for PortRange {
    /// Writes the range as `rtpPortRange` has it: `50000-50019`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Where an RTSP server listens. In their order, those without TLS come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListenAt {
    /// Whether it speaks TLS there.
    pub tls: bool,
    /// The address, of which an unspecified one stands for all of the machine's; port 0 takes any free one.
    pub address: SocketAddr,
}

/// Where a camera can be played.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mount {
    /// The address to listen on.
    pub address: IpAddr,
    /// The TCP port to listen on; 0 takes any free one.
    pub port: u16,
    /// Whether it is played with TLS.
    pub tls: bool,
    /// The path of its URL, with the leading slash, and with the query by which it is told from others, if there is one.
    pub path: String,
}

impl Mount {
    /// Where its RTSP server listens.
    #[must_use]
    pub(crate) fn endpoint(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }

    /// The address and port at which its RTSP server listens, and whether that is with TLS.
    #[must_use]
    pub(crate) fn listen_at(&self) -> ListenAt {
        ListenAt {
            tls: self.tls,
            address: self.endpoint(),
        }
    }
}

/// What of a frame is written into its picture for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumIter, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(inline)]
pub enum Stamp {
    /// No stamp.
    None,
    /// A QR code, which any reader of QR codes reads.
    Qr,
}

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumIter, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(inline)]
pub enum VideoCodec {
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

/// What encodes a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoder {
    /// The best one that this machine has: see [`crate::launch::encoders`].
    Auto,
    /// The GStreamer element of that name.
    Named(String),
}

impl fmt::Display for Encoder {
    /// Writes the encoder as `encoder` has it: `auto` or an element's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Named(name) => name,
        })
    }
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Display, EnumIter, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(inline)]
pub enum AudioCodec {
    /// G.711 mu-law over RTP (RFC 3551).
    Pcmu,
    /// G.711 A-law over RTP (RFC 3551).
    Pcma,
    /// AAC over RTP (RFC 3640).
    Aac,
    /// Opus over RTP (RFC 7587).
    Opus,
}

//! What the values of a configuration mean, and how its file spells them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

/// A range of UDP ports, both ends included. The first is even (RTP), the one behind it RTCP's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

impl fmt::Display for PortRange {
    /// As `rtpPortRange` has it: `50000-50019`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.first, self.last)
    }
}

/// Where a camera can be played.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mount {
    /// The address to listen on.
    pub address: IpAddr,
    /// The TCP port to listen on; 0 takes any free one.
    pub port: u16,
    /// The path of its URL, with the leading slash, and with the query by which it is told from others, if there is one.
    pub path: String,
}

impl Mount {
    /// Where its RTSP server listens.
    #[must_use]
    pub fn endpoint(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.port)
    }
}

/// What of a frame is written into its picture for machines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// Nothing.
    None,
    /// A QR code.
    Qr,
}

impl fmt::Display for Stamp {
    /// As `stamp` has it: `none` or `qr`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Qr => "qr",
        })
    }
}

/// A corner of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl fmt::Display for Corner {
    /// As `stampPosition` has it, such as `top-right`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TopLeft => "top-left",
            Self::TopRight => "top-right",
            Self::BottomLeft => "bottom-left",
            Self::BottomRight => "bottom-right",
        })
    }
}

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264, RFC 6184.
    H264,
    /// H.265, RFC 7798.
    H265,
    /// JPEG, RFC 2435.
    Mjpeg,
    /// VP8, RFC 7741.
    Vp8,
    /// VP9, RFC 9628.
    Vp9,
}

impl VideoCodec {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::H264, Self::H265, Self::Mjpeg, Self::Vp8, Self::Vp9];
}

impl fmt::Display for VideoCodec {
    /// As `videoCodec` has it, such as `h264`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::H264 => "h264",
            Self::H265 => "h265",
            Self::Mjpeg => "mjpeg",
            Self::Vp8 => "vp8",
            Self::Vp9 => "vp9",
        })
    }
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
    /// As `encoder` has it: `auto` or an element's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Auto => "auto",
            Self::Named(name) => name,
        })
    }
}

/// How sound is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioCodec {
    /// G.711 mu-law, RFC 3551.
    Pcmu,
    /// G.711 A-law, RFC 3551.
    Pcma,
    /// AAC-LC, RFC 3640.
    Aac,
    /// Opus, RFC 7587.
    Opus,
}

impl AudioCodec {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Pcmu, Self::Pcma, Self::Aac, Self::Opus];
}

impl fmt::Display for AudioCodec {
    /// As `audio` has it: `pcmu`, `pcma`, `aac` or `opus`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pcmu => "pcmu",
            Self::Pcma => "pcma",
            Self::Aac => "aac",
            Self::Opus => "opus",
        })
    }
}

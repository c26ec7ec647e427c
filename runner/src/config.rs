//! config.json and the environment to [`Config`].

use std::net::IpAddr;

/// Everything the server was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The address to listen on.
    pub address: IpAddr,
    /// The TCP port to listen on; 0 takes any free one.
    pub port: u16,
    /// The UDP ports for RTP and RTCP, both ends included; `None` leaves the choice to the system.
    pub rtp_ports: Option<PortRange>,
    /// The log-in that viewers need; `None` lets everybody in.
    pub login: Option<Login>,
    /// The camera.
    pub stream: StreamConfig,
}

/// A range of UDP ports, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortRange {
    /// The lowest port.
    pub first: u16,
    /// The highest port.
    pub last: u16,
}

/// A viewer's log-in. Its `Debug` must not show the password.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub username: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login")
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// One camera.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// The path of its URL, with the leading slash.
    pub path: String,
    /// How the picture is encoded.
    pub codec: VideoCodec,
    /// Width in px.
    pub width: u32,
    /// Height in px.
    pub height: u32,
    /// Frames a second.
    pub frames_per_second: u32,
    /// Frames from one H.264 key frame to the next.
    pub h264_key_frame_interval: u32,
}

/// How a picture is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VideoCodec {
    /// H.264, RFC 6184.
    H264,
    /// JPEG, RFC 2435.
    Mjpeg,
}

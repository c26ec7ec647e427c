//! The JSON Schema of config.json, for editors and for whoever writes one by a program.

use schemars::{JsonSchema, Schema};
use serde::Serialize;

use super::keys::{FRAME_RATES, KEY_FRAME_INTERVALS, LOGIN_CHARACTERS, PORTS};
use super::{Config, VideoCodec};

/// The configuration of rtsp-clock-server. Every key may be left out.
// The descriptions below are what `--print-schema` shows. The limits come from `keys`, which holds to them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(title = "config.json")]
struct File {
    /// The name that viewers log in with. Empty: no log-in, everybody may watch.
    #[schemars(length(max = LOGIN_CHARACTERS), regex(pattern = r#"^[^:"\\\u0000-\u001f\u007f-\u009f]*$"#))]
    viewer_username: String,
    /// The password that viewers log in with, by Basic or Digest. Used only where viewerUsername is set.
    #[schemars(length(max = LOGIN_CHARACTERS), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    viewer_password: String,
    /// The IPv4 or IPv6 address to listen on: "0.0.0.0" for every IPv4 address of the machine (and in a container), "::"
    /// for every address.
    #[serde(rename = "serverIPAddress")]
    #[schemars(extend("anyOf" = [{ "format": "ipv4" }, { "format": "ipv6" }]))]
    server_ip_address: String,
    /// The TCP port for RTSP. 0: any free one.
    #[schemars(range(min = *PORTS.start(), max = *PORTS.end()))]
    server_port: u32,
    /// How the picture is encoded.
    video_codec: Codec,
    /// Width, x and height in px, from 32x32 to 7680x4320. H.264 takes even sizes only; MJPEG takes multiples of 8 up to 2040 px
    /// (RFC 2435).
    #[schemars(regex(pattern = r"^[0-9]+x[0-9]+$"))]
    video_resolution: String,
    /// Frames a second.
    #[schemars(range(min = *FRAME_RATES.start(), max = *FRAME_RATES.end()))]
    frames_per_second: u32,
    /// Frames from one H.264 key frame to the next. Not used with MJPEG.
    #[serde(rename = "h264IFrameInterval")]
    #[schemars(range(min = *KEY_FRAME_INTERVALS.start(), max = *KEY_FRAME_INTERVALS.end()))]
    h264_i_frame_interval: u32,
    /// The path of the stream's URL.
    #[schemars(regex(
        pattern = r"^/([A-Za-z0-9\-._~!$&'()*+,;=:@%]+(/[A-Za-z0-9\-._~!$&'()*+,;=:@%]+)*)?$"
    ))]
    rtsp_stream_path: String,
    /// The UDP ports for RTP and RTCP, FIRST-LAST, within 1024 to 65535, the first one even: what a firewall or a
    /// container has to let through. Empty: the system chooses.
    #[schemars(regex(pattern = r"^([0-9]+-[0-9]+)?$"))]
    rtp_port_range: String,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
enum Codec {
    /// H.264 over RTP (RFC 6184).
    H264,
    /// Motion JPEG over RTP (RFC 2435).
    Mjpeg,
}

impl Default for File {
    /// [`Config`]'s defaults, as a file would write them.
    fn default() -> Self {
        let Config {
            address,
            port,
            rtp_ports,
            login,
            stream,
        } = Config::default();
        let (username, password) = login
            .map(|login| (login.username, login.password))
            .unwrap_or_default();
        Self {
            viewer_username: username,
            viewer_password: password,
            server_ip_address: address.to_string(),
            server_port: port.into(),
            video_codec: match stream.codec {
                VideoCodec::H264 => Codec::H264,
                VideoCodec::Mjpeg => Codec::Mjpeg,
            },
            video_resolution: format!("{}x{}", stream.width, stream.height),
            frames_per_second: stream.frames_per_second,
            h264_i_frame_interval: stream.h264_key_frame_interval,
            rtsp_stream_path: stream.path,
            rtp_port_range: rtp_ports.map(|ports| ports.to_string()).unwrap_or_default(),
        }
    }
}

/// The JSON Schema of config.json, with descriptions, defaults and limits.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(File)
}

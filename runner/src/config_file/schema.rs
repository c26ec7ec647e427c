//! The JSON Schema of config.json, for editors and for whoever writes one by a program.

use clockface::{Corner, HorizontalAlignment, VerticalAlignment};
use schemars::{JsonSchema, Schema};
use serde::Serialize;
use strum::IntoEnumIterator;

use super::{
    draft::Draft,
    limits::{
        BITRATES, COUNTS, KEY_FRAME_INTERVALS, LABEL_CHARACTERS, LOGIN_CHARACTERS, LOGO_SCALES, PACKET_SIZES,
        QUALITIES, SESSION_TIMEOUTS, STAMP_IDS, TEXT_BYTES, TEXT_SCALES, TTLS, VIEWERS,
    },
    users::MOST_USERS,
};
use crate::{
    config::{AudioCodec, Authentication, Stamp, Transport, VideoCodec, clock, look::show_color},
    log,
};

mod names;

use names::{Audio, Port, Rate};

/// The configuration of rtsp-clock-server. Every key may be left out.
// The descriptions below are what `--print-schema` shows. The limits come from `limits`: the readers hold to them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
#[schemars(title = "config.json")]
struct File {
    /// The name that viewers log in with. Empty: no log-in, everybody may watch.
    #[schemars(length(max = LOGIN_CHARACTERS), regex(pattern = r#"^[^:"\\\u0000-\u001f\u007f-\u009f]*$"#))]
    viewer_username: String,
    /// The password that viewers log in with. Used only where viewerUsername is set.
    #[schemars(length(max = LOGIN_CHARACTERS), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    viewer_password: String,
    /// How viewers may log in.
    authentication: Authentication,
    /// More who may log in, each with a name of its own.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1, max = MOST_USERS))]
    users: Vec<User>,
    /// The UDP ports for RTP and RTCP, FIRST-LAST, within 1024 to 65535, the first one even: what a firewall or a
    /// container has to let through. Empty: the system chooses.
    #[schemars(regex(pattern = r"^([0-9]+-[0-9]+)?$"))]
    rtp_port_range: String,
    /// Where streams go by multicast (IPv4): an address, or FIRST-LAST. Each stream that is watched so takes one with two
    /// ports, and as many for its sound. Empty: no multicast.
    #[schemars(regex(pattern = r"^([0-9.]+(-[0-9.]+)?)?$"))]
    multicast_address_range: String,
    /// The UDP ports of multicast, FIRST-LAST, within 1024 to 65535, the first one even.
    #[schemars(regex(pattern = r"^[0-9]+-[0-9]+$"))]
    multicast_port_range: String,
    /// How many routers multicast may pass, plus one.
    #[schemars(range(min = *TTLS.start(), max = *TTLS.end()))]
    multicast_ttl: u8,
    /// The PEM file with the server's certificate, and those that lead from it to one that viewers trust. For tlsPort.
    tls_certificate: String,
    /// The PEM file with the certificate's private key.
    tls_private_key: String,
    /// Which events are logged: "off", "error", "warn", "info", "debug" or "trace"; for parts of the server as well, with
    /// commas between, such as "info,gstreamer=warn". The variable `RUST_LOG` overrides it.
    #[schemars(regex(pattern = log::PATTERN))]
    log_level: String,
    /// How the log is written.
    log_format: log::Format,
    /// A viewer who shows no sign of life for this long, in seconds, is gone, 2 s later at most.
    #[schemars(range(min = *SESSION_TIMEOUTS.start(), max = *SESSION_TIMEOUTS.end()))]
    session_timeout_seconds: u32,
    /// How many viewers all streams have together at most: the next one is refused (453), until one has left. Without it:
    /// any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = *VIEWERS.start(), max = *VIEWERS.end()))]
    max_server_viewers: Option<u32>,
    /// Whose time the cameras show: "system" for this machine's, `ntp://HOST` or `ntp://HOST:PORT` for an NTP server's,
    /// `ptp:DOMAIN` for that of a PTP domain, 0 to 255.
    #[schemars(regex(pattern = clock::PATTERN))]
    clock: String,
    /// Whether a change of this file is followed while the server runs, as SIGHUP is in any case: streams that differ are
    /// replaced, all others keep playing.
    reload: bool,
    #[serde(flatten)]
    defaults: Stream,
    /// The streams. Each may have any key of a stream; what it has not is as at the top level. Without it there is one
    /// stream, or `count`, as the top level says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    streams: Vec<Entry>,
}

/// Somebody who may log in.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(inline)]
struct User {
    /// The name.
    #[schemars(length(min = 1, max = LOGIN_CHARACTERS), regex(pattern = r#"^[^:"\\\u0000-\u001f\u007f-\u009f]*$"#))]
    username: String,
    /// The password.
    #[schemars(length(max = LOGIN_CHARACTERS), regex(pattern = r"^[^\u0000-\u001f\u007f-\u009f]*$"))]
    password: String,
    /// The paths of the streams that the user may see, as in rtspStreamPath: with {n} all that the entry makes. Without
    /// it: every stream.
    #[schemars(with = "Vec<String>", length(min = 1))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    streams: Option<Vec<String>>,
}

/// A stream, or several that differ in their number.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(inline)]
struct Entry {
    #[serde(flatten)]
    keys: Stream,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a key of the file")]
struct Stream {
    /// The IPv4 or IPv6 address to listen on: "0.0.0.0" for every IPv4 address of the machine (and in a container), "::"
    /// for every address.
    #[serde(rename = "serverIPAddress")]
    #[schemars(extend("anyOf" = [{ "format": "ipv4" }, { "format": "ipv6" }]))]
    server_ip_address: String,
    /// The TCP port for RTSP. 0: any free one. "8553+{n}" with a count: 8554, 8555 and so on.
    server_port: Port,
    /// How the picture is encoded.
    video_codec: VideoCodec,
    /// Width, x and height in px, from 32x32 to 7680x4320. MJPEG takes multiples of 8 up to 2040 px (RFC 2435), all other
    /// codecs even sizes.
    #[schemars(regex(pattern = r"^[0-9]+x[0-9]+$"))]
    video_resolution: String,
    /// Frames a second, also as a fraction such as "30000/1001". 23.976, 29.97, 59.94 and 119.88 mean so many thousand in
    /// 1001 s.
    frames_per_second: Rate,
    /// The older name of keyFrameInterval.
    #[serde(rename = "h264IFrameInterval", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = *KEY_FRAME_INTERVALS.start(), max = *KEY_FRAME_INTERVALS.end()))]
    h264_i_frame_interval: Option<u32>,
    /// The path of the stream's URL, and perhaps a query that tells it from others there.
    #[schemars(regex(pattern = PATH))]
    rtsp_stream_path: String,
    /// The machine-readable stamp in the picture: the instant shown in µs, the frame's number, the viewers, stampId and
    /// the run of the source. It needs a picture of 66x165 px or more.
    stamp: Stamp,
    /// The corner in which the stamp stands. The flash stands in the one horizontally opposite.
    #[schemars(extend("enum" = names::<Corner>()))]
    stamp_position: String,
    /// The number of this stream in its stamp.
    #[schemars(range(min = *STAMP_IDS.start(), max = *STAMP_IDS.end()))]
    stamp_id: u32,
    /// Whether the picture has a disc that is lit for the first 100 ms of each second.
    flash: bool,
    /// How the ticks are encoded: one begins at each whole second of the clock. "none": no sound.
    audio: Audio,
    /// The bytes that an RTP packet has at most, its header included. Without it: 1400. A client's Blocksize is not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = *PACKET_SIZES.start(), max = *PACKET_SIZES.end()))]
    rtp_packet_size: Option<u32>,
    /// Whether the first packet of each frame has the instant shown as 64-bit NTP time in an RTP header extension (RFC
    /// 6051).
    ntp_extension: bool,
    /// Frames from one key frame to the next. A viewer who joins gets one at once besides. In MJPEG each frame is one.
    #[schemars(range(min = *KEY_FRAME_INTERVALS.start(), max = *KEY_FRAME_INTERVALS.end()))]
    key_frame_interval: u32,
    /// The bitrate that the encoder aims at on average, in kbit/s (1 kbit is 1000 bits). Without it each picture is as
    /// crisp as any other. Not for MJPEG.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = *BITRATES.start(), max = *BITRATES.end()))]
    bitrate_kbps: Option<u32>,
    /// The crispness of MJPEG.
    #[schemars(range(min = *QUALITIES.start(), max = *QUALITIES.end()))]
    quality: u32,
    /// Whether what the picture leaves of bitrateKbps is filled up, so that nearly black pictures load a network and a
    /// disk as any others. For H.264 and H.265.
    constant_bitrate: bool,
    /// What encodes: "auto" for the best one that is installed, or the name of a GStreamer element, such as "x264enc",
    /// "openh264enc", "vah264enc", "nvh264enc" or "v4l2h264enc".
    #[schemars(regex(pattern = r"^[A-Za-z0-9_-]+$"))]
    encoder: String,
    /// A launch string of one's own in place of all that makes the picture, with a clocksrc and a payloader named pay0 in
    /// it. Empty: none.
    #[schemars(length(max = TEXT_BYTES))]
    pipeline: String,
    /// The text above the time, such as the camera's name. {n} stands for the stream's number. Empty: none.
    #[schemars(length(max = LABEL_CHARACTERS))]
    label: String,
    /// The format of the time as in strftime; %.3f is a point and milliseconds, %n a new line. Empty: no time.
    time_format: String,
    /// The IANA name of the time zone, such as "Europe/Berlin". Empty: the machine's.
    time_zone: String,
    /// A Pango font description, such as "monospace bold" or "sans 40". Without a size, text is as large as fits.
    font: String,
    /// The color of the text, #rrggbb or #rrggbbaa.
    #[schemars(regex(pattern = COLOR))]
    text_color: String,
    /// The color of the rest.
    #[schemars(regex(pattern = COLOR))]
    background_color: String,
    /// The text below the time; {} stands for the number of viewers. Empty: none.
    #[schemars(length(max = LABEL_CHARACTERS))]
    clients_format: String,
    /// Where the text stands from left to right.
    #[schemars(extend("enum" = names::<HorizontalAlignment>()))]
    horizontal_alignment: String,
    /// Where the text stands from top to bottom.
    #[schemars(extend("enum" = names::<VerticalAlignment>()))]
    vertical_alignment: String,
    /// The size of the text as a share of the largest that fits.
    #[schemars(range(min = *TEXT_SCALES.start(), max = *TEXT_SCALES.end()))]
    text_scale: f64,
    /// A PNG file that is laid over the background. Empty: none.
    logo: String,
    /// The corner in which the logo stands.
    #[schemars(extend("enum" = names::<Corner>()))]
    logo_position: String,
    /// The height of the logo as a share of the picture's.
    #[schemars(range(min = *LOGO_SCALES.start(), max = *LOGO_SCALES.end()))]
    logo_scale: f64,
    /// Whether the camera runs before anybody looks, as a real one does. Otherwise it starts with its first viewer.
    always_on: bool,
    /// How many streams this makes, numbered from 1: {n} stands for the number in rtspStreamPath. Their frames are spread
    /// over one frame period, and stampId counts up.
    #[schemars(range(min = *COUNTS.start(), max = *COUNTS.end()))]
    count: u32,
    /// Whether all of count show the same picture, which is painted and encoded once.
    shared_picture: bool,
    /// By which ways the stream may be played. Without it: "udp", "tcp", "http", and "multicast" where
    /// multicastAddressRange is set.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    transports: Vec<Transport>,
    /// The TCP port for RTSP with TLS (rtsps://), as serverPort has it. Without it there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Port")]
    tls_port: Option<Port>,
    /// Whether the stream can be played without TLS.
    plain_rtsp: bool,
    /// How many viewers each stream has at most, and with sharedPicture each of its paths: the next one is refused (453),
    /// until one has left. Without it: any number.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = *VIEWERS.start(), max = *VIEWERS.end()))]
    max_viewers: Option<u32>,
}

/// As `path` reads it, but for names that are there twice.
const PATH: &str = concat!(
    r"^/((\{n\}|[A-Za-z0-9\-._~!$&'()*+,;=:@%])+(/(\{n\}|[A-Za-z0-9\-._~!$&'()*+,;=:@%])+)*)?",
    r"(\?([A-Za-z0-9\-._~!$'()*+,;:@]|%[0-9A-Fa-f]{2})+(=(\{n\}|[A-Za-z0-9\-._~!$'()*+,;=:@]|%[0-9A-Fa-f]{2})*)?",
    r"(&([A-Za-z0-9\-._~!$'()*+,;:@]|%[0-9A-Fa-f]{2})+(=(\{n\}|[A-Za-z0-9\-._~!$'()*+,;=:@]|%[0-9A-Fa-f]{2})*)?)*)?$"
);
const COLOR: &str = "^#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?$";

impl Default for File {
    /// The configuration's defaults, as a file would write them.
    fn default() -> Self {
        let Draft {
            username,
            password,
            authentication,
            rtp_ports,
            multicast_ports,
            multicast_ttl,
            log_level,
            log_format,
            session_timeout,
            max_viewers,
            clock,
            reload,
            ..
        } = Draft::default();
        Self {
            viewer_username: username,
            viewer_password: password,
            authentication,
            users: Vec::new(),
            rtp_port_range: rtp_ports.map(|ports| ports.to_string()).unwrap_or_default(),
            multicast_address_range: String::new(),
            multicast_port_range: multicast_ports.to_string(),
            multicast_ttl,
            tls_certificate: String::new(),
            tls_private_key: String::new(),
            log_level: log_level.to_string(),
            log_format,
            session_timeout_seconds: session_timeout,
            max_server_viewers: max_viewers,
            clock: clock.to_string(),
            reload,
            defaults: Stream::default(),
            streams: Vec::new(),
        }
    }
}

impl Default for Stream {
    fn default() -> Self {
        let Draft {
            address,
            port,
            path,
            label,
            count,
            shared_picture,
            plain_rtsp,
            stream,
            ..
        } = Draft::default();
        let look = stream.look;
        Self {
            server_ip_address: address.to_string(),
            server_port: Port::One(port.base.into()),
            video_codec: stream.codec,
            video_resolution: format!("{}x{}", stream.width, stream.height),
            frames_per_second: Rate::Number(stream.frames_per_second.numerator().into()),
            h264_i_frame_interval: None,
            rtsp_stream_path: path.0,
            stamp: look.stamp,
            stamp_position: look.stamp_position.to_string(),
            stamp_id: look.stamp_id,
            flash: look.flash,
            audio: match stream.audio {
                None => Audio::None,
                Some(AudioCodec::Pcmu) => Audio::Pcmu,
                Some(AudioCodec::Pcma) => Audio::Pcma,
                Some(AudioCodec::Aac) => Audio::Aac,
                Some(AudioCodec::Opus) => Audio::Opus,
            },
            rtp_packet_size: stream.rtp_packet_size,
            ntp_extension: stream.ntp_extension,
            key_frame_interval: stream.key_frame_interval,
            bitrate_kbps: stream.bitrate_kbps,
            quality: stream.jpeg_quality,
            constant_bitrate: stream.constant_bitrate,
            encoder: stream.encoder.to_string(),
            pipeline: stream.pipeline.unwrap_or_default(),
            label: label.0,
            time_format: look.time_format,
            time_zone: look.time_zone,
            font: look.font,
            text_color: show_color(look.text_color),
            background_color: show_color(look.background_color),
            clients_format: look.clients_format,
            horizontal_alignment: look.horizontal.to_string(),
            vertical_alignment: look.vertical.to_string(),
            text_scale: look.text_scale.value(),
            logo: look.logo,
            logo_position: look.logo_position.to_string(),
            logo_scale: look.logo_scale.value(),
            always_on: stream.always_on,
            count,
            shared_picture,
            transports: stream.transports.into_iter().collect(),
            tls_port: None,
            plain_rtsp,
            max_viewers: stream.max_viewers,
        }
    }
}

/// What each value is called.
fn names<T: IntoEnumIterator + ToString>() -> Vec<String> {
    T::iter().map(|value| value.to_string()).collect()
}

/// The JSON Schema of config.json, with descriptions, defaults and limits.
#[must_use]
pub fn schema() -> Schema {
    schemars::schema_for!(File)
}

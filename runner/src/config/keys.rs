//! The keys of the configuration: their names, their variables, their limits, and how each value is read.

use std::net::IpAddr;
use std::ops::RangeInclusive;

use super::json::Json;
use super::{Config, PortRange, VideoCodec};

/// Widths in px.
pub(super) const WIDTHS: RangeInclusive<u32> = 32..=7680;
/// Heights in px.
pub(super) const HEIGHTS: RangeInclusive<u32> = 32..=4320;
/// Frames a second.
pub(super) const FRAME_RATES: RangeInclusive<u32> = 1..=240;
/// Frames from one key frame to the next; at the slowest rate an hour.
pub(super) const KEY_FRAME_INTERVALS: RangeInclusive<u32> = 1..=3600;
/// TCP ports; 0 takes any free one.
pub(super) const PORTS: RangeInclusive<u32> = 0..=65535;
/// UDP ports that anybody may open.
pub(super) const RTP_PORTS: RangeInclusive<u16> = 1024..=65535;
/// A log-in has to fit into one header line.
pub(super) const LOGIN_CHARACTERS: usize = 255;

/// What has been read so far, on top of the defaults.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) username: String,
    pub(super) password: String,
    /// All but the log-in, which takes both names to make.
    pub(super) config: Config,
}

/// How a key's value is written, for its variable's sake.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Number,
    Text,
}

/// What an empty variable means.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Empty {
    /// As if it were not there.
    Unset,
    /// None, whatever the file says.
    None,
}

/// One key of the configuration.
pub(super) struct Key {
    pub(super) name: &'static str,
    /// The environment variable that overrides the file.
    pub(super) variable: &'static str,
    /// The environment variable that the file overrides: what a container image gives in place of the default.
    pub(super) default_variable: Option<&'static str>,
    pub(super) form: Form,
    pub(super) empty_variable: Empty,
    /// Its value is never shown.
    pub(super) secret: bool,
    /// Reads the value into the draft; the error is what may stand there.
    pub(super) read: fn(&Json, &mut Draft) -> Result<(), String>,
}

/// The parts that most keys share.
const KEY: Key = Key {
    name: "",
    variable: "",
    default_variable: None,
    form: Form::Text,
    empty_variable: Empty::Unset,
    secret: false,
    read: |_, _| Ok(()),
};

pub(super) const RESOLUTION: &str = "videoResolution";
pub(super) const CODEC: &str = "videoCodec";

/// Every key, in the order in which the sample file has them.
pub(super) const KEYS: [Key; 10] = [
    Key {
        name: "viewerUsername",
        variable: "RTSP_VIEWER_USERNAME",
        empty_variable: Empty::None,
        read: |json, draft| username(json).map(|name| draft.username = name),
        ..KEY
    },
    Key {
        name: "viewerPassword",
        variable: "RTSP_VIEWER_PASSWORD",
        empty_variable: Empty::None,
        secret: true,
        read: |json, draft| password(json).map(|password| draft.password = password),
        ..KEY
    },
    Key {
        name: "serverIPAddress",
        variable: "RTSP_SERVER_IP",
        read: |json, draft| address(json).map(|address| draft.config.address = address),
        ..KEY
    },
    Key {
        name: "serverPort",
        variable: "RTSP_SERVER_PORT",
        form: Form::Number,
        read: |json, draft| port(json).map(|port| draft.config.port = port),
        ..KEY
    },
    Key {
        name: CODEC,
        variable: "RTSP_VIDEO_CODEC",
        read: |json, draft| codec(json).map(|codec| draft.config.stream.codec = codec),
        ..KEY
    },
    Key {
        name: RESOLUTION,
        variable: "RTSP_VIDEO_RESOLUTION",
        read: |json, draft| {
            let stream = &mut draft.config.stream;
            resolution(json).map(|size| (stream.width, stream.height) = size)
        },
        ..KEY
    },
    Key {
        name: "framesPerSecond",
        variable: "RTSP_FPS",
        form: Form::Number,
        read: |json, draft| {
            whole(json, &FRAME_RATES).map(|rate| draft.config.stream.frames_per_second = rate)
        },
        ..KEY
    },
    Key {
        name: "h264IFrameInterval",
        variable: "RTSP_H264_GOP",
        form: Form::Number,
        read: |json, draft| {
            whole(json, &KEY_FRAME_INTERVALS)
                .map(|frames| draft.config.stream.h264_key_frame_interval = frames)
        },
        ..KEY
    },
    Key {
        name: "rtspStreamPath",
        variable: "RTSP_STREAM_PATH",
        read: |json, draft| path(json).map(|path| draft.config.stream.path = path),
        ..KEY
    },
    Key {
        name: "rtpPortRange",
        variable: "RTSP_RTP_PORT_RANGE",
        default_variable: Some("RTSP_DEFAULT_RTP_PORT_RANGE"),
        empty_variable: Empty::None,
        read: |json, draft| rtp_ports(json).map(|ports| draft.config.rtp_ports = ports),
        ..KEY
    },
];

/// A value that is a text, and passes.
fn text<'a>(json: &'a Json, expected: &str, passes: impl Fn(&str) -> bool) -> Result<&'a str, String> {
    match json {
        Json::Text(text) if passes(text) => Ok(text),
        _ => Err(expected.into()),
    }
}

fn whole(json: &Json, range: &RangeInclusive<u32>) -> Result<u32, String> {
    let number = match json {
        Json::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
}

fn port(json: &Json) -> Result<u16, String> {
    whole(json, &PORTS)
        .map_err(|expected| format!("{expected} (0: any free port)"))
        .map(|port| u16::try_from(port).unwrap_or(u16::MAX))
}

/// RFC 7617 ends a name at the first colon; in a Digest header a quote would end it, and a backslash be taken for an
/// escape by one side and not by the other.
fn username(json: &Json) -> Result<String, String> {
    let expected = format!(
        "a text of at most {LOGIN_CHARACTERS} characters without colon, double quote, backslash and control \
         characters (empty: no log-in)"
    );
    let passes = |name: &str| fits_a_header(name) && !name.contains([':', '"', '\\']);
    text(json, &expected, passes).map(String::from)
}

fn password(json: &Json) -> Result<String, String> {
    let expected = format!("a text of at most {LOGIN_CHARACTERS} characters without control characters");
    text(json, &expected, fits_a_header).map(String::from)
}

fn fits_a_header(text: &str) -> bool {
    text.chars().count() <= LOGIN_CHARACTERS && !text.chars().any(char::is_control)
}

fn address(json: &Json) -> Result<IpAddr, String> {
    let expected = "an IPv4 or IPv6 address of this machine, such as \"127.0.0.1\", or \"0.0.0.0\" or \"::\" for all of \
                    them";
    let text = text(json, expected, |_| true)?;
    text.parse()
        .ok()
        .filter(|address: &IpAddr| !address.is_multicast())
        .ok_or_else(|| expected.into())
}

fn codec(json: &Json) -> Result<VideoCodec, String> {
    match json {
        Json::Text(text) if text == "h264" => Ok(VideoCodec::H264),
        Json::Text(text) if text == "mjpeg" => Ok(VideoCodec::Mjpeg),
        _ => Err("\"h264\" or \"mjpeg\"".into()),
    }
}

fn resolution(json: &Json) -> Result<(u32, u32), String> {
    let size = match json {
        Json::Text(text) => text
            .split_once('x')
            .and_then(|(w, h)| Some((digits(w)?, digits(h)?))),
        _ => None,
    };
    size.filter(|(width, height)| WIDTHS.contains(width) && HEIGHTS.contains(height))
        .ok_or_else(|| {
            let (widths, heights) = (show(&WIDTHS), show(&HEIGHTS));
            format!("WIDTHxHEIGHT such as \"1280x720\", {widths} px wide and {heights} px high")
        })
}

fn show(range: &RangeInclusive<u32>) -> String {
    format!("{} to {}", range.start(), range.end())
}

/// `str::parse` would take a leading plus sign.
fn digits<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// The path of a URL as RFC 3986 writes it. A client asks for a stream at `path/stream=0`, so that an empty part at the
/// end would not be found; clients take out `.` and `..` and empty parts, each in its own way.
fn path(json: &Json) -> Result<String, String> {
    let expected = "a URL path such as \"/live\": it starts with a slash, has no empty part, no \".\" and no \"..\" \
                    between its slashes, and is made of ASCII letters, digits and -._~!$&'()*+,;=:@%";
    let passes = |path: &str| match path.strip_prefix('/') {
        Some("") => true,
        Some(parts) => parts.split('/').all(is_path_part),
        None => false,
    };
    text(json, expected, passes).map(String::from)
}

fn is_path_part(part: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=:@%".contains(c);
    !matches!(part, "" | "." | "..") && part.chars().all(is_allowed)
}

fn rtp_ports(json: &Json) -> Result<Option<PortRange>, String> {
    let expected = || {
        format!(
            "FIRST-LAST such as \"50000-50019\": two ports or more from {} to {}, the first one even (empty: the system \
             chooses)",
            RTP_PORTS.start(),
            RTP_PORTS.end()
        )
    };
    match json {
        Json::Text(text) if text.is_empty() => Ok(None),
        Json::Text(text) => port_range(text).map(Some).ok_or_else(expected),
        _ => Err(expected()),
    }
}

fn port_range(text: &str) -> Option<PortRange> {
    let (first, last) = text.split_once('-')?;
    let range = PortRange {
        first: digits(first)?,
        last: digits(last)?,
    };
    let in_bounds = RTP_PORTS.contains(&range.first) && RTP_PORTS.contains(&range.last);
    (in_bounds && range.first.is_multiple_of(2) && range.first < range.last).then_some(range)
}

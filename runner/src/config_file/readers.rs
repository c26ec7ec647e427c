//! How the value of each key is read. An error says what may stand there.

use std::fmt::Display;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::LazyLock;

use clockface::{Argb, Share};

use strum::IntoEnumIterator;

use super::{
    json::Json,
    limits::{HEIGHTS, LABEL_CHARACTERS, LABEL_LINES, LOGIN_CHARACTERS, PORTS, RTP_PORTS, WIDTHS},
    numbered::{NUMBER, NumberedPort},
};
use crate::{
    config::{AudioCodec, ClockSource, Encoder, PortRange, clock, look::parse_color},
    launch::own_pipeline,
    log,
};

/// Reads a text that passes.
pub(super) fn text<'a>(
    json: &'a Json,
    expected: &str,
    passes: impl Fn(&str) -> bool,
) -> Result<&'a str, String> {
    match json {
        Json::Text(text) if passes(text) => Ok(text),
        _ => Err(expected.into()),
    }
}

/// Reads the name of one of the values of `T`.
pub(super) fn one_of<T: Display + IntoEnumIterator>(json: &Json) -> Result<T, String> {
    let chosen = |value: &T| matches!(json, Json::Text(text) if *text == value.to_string());
    let names = || T::iter().map(|value| format!("\"{value}\"")).collect::<Vec<_>>();
    T::iter().find(chosen).ok_or_else(|| either(&names()))
}

/// Writes names as `a, b or c`.
fn either(names: &[String]) -> String {
    match names {
        [first @ .., last] if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        names => names.concat(),
    }
}

/// Reads a text that a picture shows.
pub(super) fn label(json: &Json) -> Result<String, String> {
    let expected = format!("a text of at most {LABEL_CHARACTERS} characters and {LABEL_LINES} lines");
    let is_shown = |c: char| c == '\n' || !c.is_control();
    let passes = |text: &str| {
        let has_room = text.chars().count() <= LABEL_CHARACTERS && text.lines().count() <= LABEL_LINES;
        has_room && text.chars().all(is_shown)
    };
    text(json, &expected, passes).map(String::from)
}

pub(super) fn time_format(json: &Json) -> Result<String, String> {
    let format = label(json)?;
    match clockface::TimeFormat::new(&format) {
        Ok(_) => Ok(format),
        Err(error) => Err(format!(
            "a format as in strftime, such as \"%H:%M:%S%.3f\": {error}"
        )),
    }
}

pub(super) fn time_zone(json: &Json) -> Result<String, String> {
    let expected =
        "the IANA name of a time zone, such as \"Europe/Berlin\", or \"UTC\" (empty: this machine's)";
    // An empty name means the machine's own zone; whether it has one is checked elsewhere.
    let passes = |name: &str| name.is_empty() || clockface::time_zone(name).is_ok();
    text(json, expected, passes).map(String::from)
}

pub(super) fn color(json: &Json) -> Result<Argb, String> {
    let expected = "a color as \"#rrggbb\" or, with alpha, \"#rrggbbaa\"";
    parse_color(text(json, expected, |_| true)?).ok_or_else(|| expected.into())
}

pub(super) fn share(json: &Json, range: &RangeInclusive<f64>) -> Result<Share, String> {
    let number = match json {
        Json::Number(number) => number.as_f64(),
        _ => None,
    };
    number
        .filter(|number| range.contains(number))
        .map(Share::new)
        .ok_or_else(|| format!("a number from {} to {}", range.start(), range.end()))
}

/// Reads the path of a logo. One that cannot be shown is a mistake in the configuration, not one that the first viewer
/// brings to light.
pub(super) fn logo(json: &Json) -> Result<String, String> {
    let expected = "the path of a PNG file (empty: no logo)";
    let path = text(json, expected, |path| !path.contains('\0'))?;
    if path.is_empty() {
        return Ok(String::new());
    }
    match clockface::Logo::open(path) {
        Ok(_) => Ok(path.to_owned()),
        Err(error) => Err(format!("{expected}: {error}")),
    }
}

pub(super) fn boolean(json: &Json) -> Result<bool, String> {
    match json {
        Json::Bool(value) => Ok(*value),
        _ => Err("true or false".into()),
    }
}

pub(super) fn whole(json: &Json, range: &RangeInclusive<u32>) -> Result<u32, String> {
    let number = match json {
        Json::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
        _ => None,
    };
    number
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("a whole number from {} to {}", range.start(), range.end()))
}

pub(super) fn port(json: &Json) -> Result<NumberedPort, String> {
    if let Json::Text(text) = json
        && let Some(port) = NumberedPort::parse(text)
    {
        return Ok(port);
    }
    whole(json, &PORTS)
        .map_err(|expected| format!("{expected} (0: any free port), or a text such as \"8553+{NUMBER}\""))
        .map(|port| NumberedPort::fixed(u16::try_from(port).unwrap_or(u16::MAX)))
}

/// Reads a name. RFC 7617 ends a name at the first colon; in a Digest header a quote would end it, and a backslash be
/// taken for an escape by one side and not by the other.
pub(super) fn username(json: &Json) -> Result<String, String> {
    let passes = |name: &str| name.is_empty() || is_user_name(name);
    let refuse = |_| format!("a text of at most {} (empty: no log-in)", *EXPECTED_NAMES);
    text(json, "", passes).map_err(refuse).map(String::from)
}

/// Reads a name as [`username`] does, which must not be empty.
pub(super) fn user_name(json: &Json) -> Result<String, String> {
    let expected = format!("a text of 1 to {}", *EXPECTED_NAMES);
    text(json, &expected, is_user_name).map(String::from)
}

/// The schema's patterns of what may stand in a name, and in a password.
pub(super) const USER_NAMES: &str = r#"^[^:"\\\u0000-\u001f\u007f-\u009f]*$"#;
pub(super) const PASSWORDS: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

static EXPECTED_NAMES: LazyLock<String> = LazyLock::new(|| {
    format!("{LOGIN_CHARACTERS} characters without colon, double quote, backslash and control characters")
});

fn is_user_name(name: &str) -> bool {
    !name.is_empty() && fits_a_header(name) && !name.contains([':', '"', '\\'])
}

pub(super) fn password(json: &Json) -> Result<String, String> {
    let expected = format!("a text of at most {LOGIN_CHARACTERS} characters without control characters");
    text(json, &expected, fits_a_header).map(String::from)
}

fn fits_a_header(text: &str) -> bool {
    text.chars().count() <= LOGIN_CHARACTERS && !text.chars().any(char::is_control)
}

pub(super) fn address(json: &Json) -> Result<IpAddr, String> {
    let expected = "an IPv4 or IPv6 address of this machine, such as \"127.0.0.1\", or \"0.0.0.0\" or \"::\" for all of \
                    them";
    let text = text(json, expected, |_| true)?;
    text.parse()
        .ok()
        .filter(|address: &IpAddr| !address.is_multicast())
        .ok_or_else(|| expected.into())
}

/// Reads an encoder's name. Whether it encodes the codec depends on other keys: see [`super::coding`].
pub(super) fn encoder(json: &Json) -> Result<Encoder, String> {
    let expected = "\"auto\" or the name of a GStreamer element, such as \"x264enc\"";
    let is_name = |name: &str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        !name.is_empty() && name.chars().all(is_allowed)
    };
    text(json, expected, is_name).map(|name| match name {
        "auto" => Encoder::Auto,
        name => Encoder::Named(name.into()),
    })
}

pub(super) fn pipeline(json: &Json) -> Result<Option<String>, String> {
    let launch = text(json, own_pipeline::EXPECTED, |launch| {
        launch.is_empty() || own_pipeline::is_complete(launch)
    })?;
    Ok((!launch.is_empty()).then(|| launch.to_owned()))
}

pub(super) fn audio(json: &Json) -> Result<Option<AudioCodec>, String> {
    if matches!(json, Json::Text(text) if text == "none") {
        return Ok(None);
    }
    one_of(json)
        .map(Some)
        .map_err(|codecs| format!("\"none\", {codecs}"))
}

pub(super) fn clock(json: &Json) -> Result<ClockSource, String> {
    let source = match json {
        Json::Text(text) => ClockSource::parse(text),
        _ => None,
    };
    source.ok_or_else(|| clock::EXPECTED.into())
}

pub(super) fn log_level(json: &Json) -> Result<log::Filter, String> {
    let filter = match json {
        Json::Text(text) => log::Filter::parse(text),
        _ => None,
    };
    filter.ok_or_else(|| log::EXPECTED.into())
}

pub(super) fn resolution(json: &Json) -> Result<(u32, u32), String> {
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

pub(super) fn rtp_ports(json: &Json) -> Result<Option<PortRange>, String> {
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

pub(super) fn port_range(text: &str) -> Option<PortRange> {
    let (first, last) = text.split_once('-')?;
    let range = PortRange {
        first: digits(first)?,
        last: digits(last)?,
    };
    let in_bounds = RTP_PORTS.contains(&range.first) && RTP_PORTS.contains(&range.last);
    (in_bounds && range.first.is_multiple_of(2) && range.first < range.last).then_some(range)
}

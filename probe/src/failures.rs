//! Says in a sentence what is wrong with a stream, and what to do about it.

use crate::figures::Absence;
use crate::intake::Refusal;
use crate::origin;
use crate::redirects;
use crate::secrets;
use crate::target::Target;

/// Environment variables to log in with.
pub(crate) const USERNAME: &str = "RTSP_PROBE_USERNAME";
/// See [`USERNAME`].
pub(crate) const PASSWORD: &str = "RTSP_PROBE_PASSWORD";

/// What a pipeline's error means, `seconds` after the stream was asked for; `played` if pictures had come by then.
pub(crate) fn of_pipeline(
    message: &gst::message::Error,
    target: &Target,
    played: bool,
    seconds: f64,
) -> String {
    let sentence = if played {
        broken(message, target, seconds)
    } else {
        never_played(message, target)
    };
    target.hide(&sentence)
}

/// A stream that was played is no more.
fn broken(message: &gst::message::Error, target: &Target, seconds: f64) -> String {
    let is_decoding = message.error().kind::<gst::StreamError>().is_some_and(|error| {
        matches!(
            error,
            gst::StreamError::Decode | gst::StreamError::Format | gst::StreamError::Demux
        )
    });
    let cause = if is_decoding { None } else { unreachable(target) };
    match (cause, target.scheme()) {
        (_, "file") => in_words(message, "It cannot be played on"),
        (Some(cause), _) => format!(
            "The connection ended after {seconds:.1} s, and the server is gone: {cause} Was the camera switched off or \
             restarted? --reconnect measures on when it is back."
        ),
        (None, _) => in_words(message, &format!("The stream broke off after {seconds:.1} s")),
    }
}

fn never_played(message: &gst::message::Error, target: &Target) -> String {
    let error = message.error();
    match error.kind::<gst::ResourceError>() {
        Some(gst::ResourceError::NotAuthorized) => unauthorized(target),
        Some(gst::ResourceError::NotFound) => match target.scheme() {
            "file" => "The file cannot be found.".into(),
            "rtmp" | "rtmps" | "rtmpt" => unreachable(target).unwrap_or_else(|| {
                in_words(
                    message,
                    "The server answers, and has no such stream: check the URL's path",
                )
            }),
            _ => "The server has no stream at this path (404): check the URL's path.".into(),
        },
        Some(gst::ResourceError::OpenRead | gst::ResourceError::OpenReadWrite) => unreachable(target)
            .unwrap_or_else(|| in_words(message, "The server answers, and gives no stream")),
        Some(gst::ResourceError::Read) => {
            unreachable(target).unwrap_or_else(|| in_words(message, "The connection broke off"))
        }
        _ => match error.kind::<gst::StreamError>() {
            Some(gst::StreamError::TypeNotFound | gst::StreamError::WrongType) => {
                "This is nothing that can be played.".into()
            }
            Some(gst::StreamError::Decode) => in_words(message, "It cannot be played"),
            // Most sources do not say that they found nobody.
            _ => unreachable(target).unwrap_or_else(|| in_words(message, "It cannot be played")),
        },
    }
}

/// A pipeline does not start, and nothing in it says why.
pub(crate) fn not_started(error: &str, target: &Target) -> String {
    let sentence = unreachable(target).unwrap_or_else(|| format!("It cannot be played: {error}."));
    target.hide(&sentence)
}

fn unauthorized(target: &Target) -> String {
    match target.credentials {
        Some(_) => "The server refuses the user name or the password (401).".into(),
        None => format!(
            "The server asks for a user name and a password (401): set {USERNAME} and {PASSWORD}, or write \
             rtsp://USER:PASSWORD@HOST/…"
        ),
    }
}

/// Why its server cannot be reached; `None` if it can.
fn unreachable(target: &Target) -> Option<String> {
    const CONNECTED: [&str; 8] = ["rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "rtmpt", "ws"];
    if !CONNECTED.contains(&target.scheme()) {
        return None;
    }
    let addresses = target.addresses();
    let cause = origin::round_trip(&addresses).err()?;
    let Some(address) = addresses.first() else {
        return Some("The server's name has no address: check the URL's host.".into());
    };
    Some(format!(
        "No server can be reached at {address}: {cause}. Is it running, and are address and port right?"
    ))
}

/// The server was made to say no more, in the midst of what it said.
pub(crate) fn refused(refusal: &Refusal, target: &Target) -> String {
    let sentence = match refusal {
        Refusal::TooMuch => {
            "The server's answer has no end: the probe hung up. Is an RTSP server at this address and \
                             port?"
                .into()
        }
        Refusal::Connections => {
            "The server takes connection after connection and closes each: the probe gave up.".into()
        }
        Refusal::Redirects(last) => format!(
            "The server sends the probe from address to address, to {} at last: three redirects are followed.",
            secrets::shown(last)
        ),
        Refusal::Astray(from) => match redirects::location(from) {
            Some(to) => format!(
                "{} redirects to {}: the probe goes on to rtsp:// and rtsps:// only, and to another address than that \
                 which it asked.",
                secrets::shown(from),
                secrets::shown(&to)
            ),
            None => format!(
                "{} redirects to itself, or to where no RTSP is spoken.",
                secrets::shown(from)
            ),
        },
    };
    target.hide(&sentence)
}

/// GStreamer's own words, the last line of its debug text as the cause.
fn in_words(message: &gst::message::Error, what: &str) -> String {
    let text = message.error().to_string();
    let debug = message.debug().unwrap_or_default();
    let cause = debug.lines().last().map(str::trim).unwrap_or_default();
    let cause = if cause.is_empty() || debug.lines().count() < 2 {
        String::new()
    } else {
        format!(" ({})", cause.trim_end_matches('.'))
    };
    format!("{what}: {}{cause}.", text.trim_end_matches('.'))
}

/// The server's certificate does not hold.
pub(crate) fn certificate(fields: &gst::StructureRef) -> String {
    let reasons = fields.get::<&str>("reasons").unwrap_or_default();
    format!("The server's TLS certificate is refused ({reasons}): --insecure takes any.")
}

/// What no decoder is here for; `None` for another message.
pub(crate) fn missing_plugin(fields: &gst::StructureRef) -> Option<String> {
    if !fields.has_name("missing-plugin") {
        return None;
    }
    let name = fields.get::<&str>("name").unwrap_or("what it takes");
    let media = fields.get::<gst::Caps>("detail").ok();
    let media = media
        .as_ref()
        .and_then(|caps| caps.structure(0).map(gst::StructureRef::name));
    let detail = media
        .map(gst::glib::GStr::as_str)
        .or_else(|| fields.get::<&str>("detail").ok());
    let advice = detail
        .and_then(debian_package)
        .map(|package| format!(": install the Debian package {package}"))
        .unwrap_or_default();
    let advice = if advice.is_empty() && name.contains("protocol source") {
        ": is the URL's scheme right (rtsp://, rtsps://, http://, https://, file:// …)?"
    } else if advice.is_empty() {
        "."
    } else {
        &format!("{advice}.")
    };
    Some(format!("GStreamer has no {name} on this machine{advice}"))
}

/// The Debian package with what plays a media type, a protocol or an element of that name.
fn debian_package(detail: &str) -> Option<&'static str> {
    Some(match detail {
        "rtsp" | "rtspt" | "rtspu" | "rtsps" | "rtspsrc" | "http" | "https" | "application/x-rtp"
        | "application/x-rtsp" | "video/quicktime" | "video/x-matroska" | "image/jpeg" | "video/x-vp8"
        | "video/x-vp9" | "video/x-flv" | "video/x-msvideo" => "gstreamer1.0-plugins-good",
        "video/x-h264" | "video/x-h265" | "video/mpeg" | "audio/mpeg" | "video/x-av1" => "gstreamer1.0-libav",
        "video/mpegts" | "application/x-hls" | "srt" | "rtmp" => "gstreamer1.0-plugins-bad",
        "audio/x-opus" | "audio/x-vorbis" | "application/ogg" | "file" => "gstreamer1.0-plugins-base",
        _ => return None,
    })
}

/// Nothing in the picture can be read.
pub(crate) fn no_stamp((width, height): (u32, u32)) -> String {
    format!(
        "No stamp can be read in the picture ({width}x{height}): latency, lost frames and whatever else needs a stamp is not \
         told. Is this the camera meant, and is its stamp on \
         (\"stamp\": \"qr\" in its config.json, or RTSP_STAMP=qr; clocksrc stamp=qr)? A module of the stamp needs 2 px: a \
         picture that was made much smaller on its way cannot be read."
    )
}

/// There is nothing to hold a stamp against.
pub(crate) fn one_stamp() -> String {
    "No picture has two stamps that can be read: put camera and player side by side, whole and unscaled, for --spot."
        .into()
}

/// A live stream came to its end.
pub(crate) fn ended(seconds: f64) -> String {
    format!(
        "The server ended the stream after {seconds:.1} s. Was the camera switched off or restarted? --reconnect measures \
         on when it is back."
    )
}

/// The connection ended, and another one is tried.
pub(crate) fn away(cause: &str) -> String {
    // What it advises is done.
    let cause = cause.split(" Was the camera").next().unwrap_or(cause);
    format!("{cause} It is asked again until it is back.")
}

/// The camera is back.
pub(crate) fn back(absence: &Absence) -> String {
    format!("It is back after {:.1} s.", absence.time / 1000.0)
}

/// Nothing came at all.
pub(crate) fn no_picture(seconds: f64, target: &Target) -> String {
    let advice = match target.scheme() {
        "udp" | "rtp" | "srt" => " Is anything sent to this address and port, and does a firewall let it in?",
        "file" => "",
        _ if target.is_rtsp() => {
            " Does it take longer (--duration), or does a firewall keep RTP out (--transport tcp)?"
        }
        _ => " Does it take longer (--duration)?",
    };
    format!("No picture came within {seconds:.1} s.{advice}")
}

/// Sound was heard and cannot be held against the picture.
pub(crate) fn not_in_step(seconds: f64) -> String {
    format!(
        "Sound against picture is not told: in {seconds:.1} s no RTCP sender reports came for both, and only these say \
         which sound belongs to which picture. Measure for longer, or switch RTCP on at the server."
    )
}

/// The camera cannot have this machine's clock, although it has its address; `why` is a part of a sentence.
pub(crate) fn another_clock(why: &str) -> String {
    format!(
        "The camera's address is this machine's, and its clock is not: {why}. Does a server or a tunnel hand on here what \
         comes from elsewhere? Latencies have in them what the clocks are apart; --ntp asks the time server that the \
         camera goes by."
    )
}

/// A camera elsewhere whose clock is ahead of this machine's.
pub(crate) fn clocks_apart(why: &str) -> String {
    format!(
        "The camera's clock and this machine's are apart: {why}. Latencies have that in them; --ntp asks the time server \
         that the camera goes by."
    )
}

/// A decoder that keeps pictures back.
pub(crate) fn held(decoder: &str, pictures: usize) -> String {
    format!(
        "The decoder {decoder} keeps back {pictures} {}: its share of the latency is that of this machine, not of the \
         camera. An encoder that states its reordering (no B-frames; bitstream_restriction in H.264's VUI) avoids it.",
        if pictures == 1 { "picture" } else { "pictures" }
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::Credentials;

    fn target(password: Option<&str>) -> Target {
        gst::init().expect("GStreamer");
        let credentials = password.map(|password| Credentials {
            username: "viewer".into(),
            password: password.into(),
        });
        // Nobody listens at port 9 (discard) of loopback.
        Target::parse("rtsp://127.0.0.1:9/live", credentials.as_ref()).expect("a URL")
    }

    fn said(error: impl gst::MessageErrorDomain, text: &str, target: &Target) -> String {
        let message =
            gst::message::Error::builder(error, text).debug("source.c(7): open ():\nbecause of secret.");
        match message.build().view() {
            gst::MessageView::Error(error) => of_pipeline(error, target, false, 1.0),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_log_in_is_asked_for_or_refused() {
        let asked = said(gst::ResourceError::NotAuthorized, "Unauthorized", &target(None));
        assert!(asked.contains(USERNAME) && asked.contains(PASSWORD), "{asked}");
        let refused = said(
            gst::ResourceError::NotAuthorized,
            "Unauthorized",
            &target(Some("secret")),
        );
        assert!(
            refused.contains("refuses") && !refused.contains("secret"),
            "{refused}"
        );
    }

    #[test]
    fn a_server_that_is_not_there_is_told_with_the_cause() {
        let said = said(
            gst::ResourceError::OpenReadWrite,
            "Could not open.",
            &target(None),
        );
        assert!(said.contains("127.0.0.1:9") && said.contains("refused"), "{said}");
    }

    #[test]
    fn a_server_that_is_gone_while_it_is_measured_is_told_as_that() {
        let error =
            gst::message::Error::builder(gst::ResourceError::OpenReadWrite, "Could not open.").build();
        let gst::MessageView::Error(error) = error.view() else {
            panic!("an error");
        };
        let said = of_pipeline(error, &target(None), true, 10.04);
        assert!(
            said.starts_with("The connection ended after 10.0 s") && said.contains("--reconnect"),
            "{said}"
        );
    }

    #[test]
    fn other_errors_keep_their_words_and_cause_without_the_password() {
        let secret = target(Some("secret"));
        let said = said(gst::StreamError::Decode, "Could not decode.", &secret);
        assert_eq!(said, "It cannot be played: Could not decode (because of ***).");
    }

    #[test]
    fn a_missing_decoder_is_named_with_its_package() {
        gst::init().expect("GStreamer");
        let fields = gst::Structure::builder("missing-plugin")
            .field("name", "H.264 decoder")
            .field("detail", gst::Caps::new_empty_simple("video/x-h264"))
            .build();
        let said = missing_plugin(&fields).expect("a sentence");
        assert!(
            said.contains("H.264 decoder") && said.contains("gstreamer1.0-libav"),
            "{said}"
        );
        assert_eq!(missing_plugin(&gst::Structure::new_empty("other")), None);
    }
}

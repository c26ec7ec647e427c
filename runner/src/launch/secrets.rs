//! What of a pipeline of one's own is for anybody's eyes: it may log in somewhere.

use super::own_pipeline::{characters, words};

/// The properties whose texts are shown: they say how a picture is made. Of all others only numbers and truth values are.
const SHOWN: [&str; 20] = [
    "name",
    "text",
    "font-desc",
    "time-format",
    "time-zone",
    "clients-format",
    "halignment",
    "valignment",
    "stamp",
    "stamp-position",
    "foreground-color",
    "background-color",
    "pattern",
    "tune",
    "speed-preset",
    "pass",
    "profile",
    "format",
    "rate-control",
    "aggregate-mode",
];

/// `launch`, in which `***` stands for the values of properties that are not known to be harmless, and for what is no word of a
/// pipeline's shape, such as a URL.
pub(super) fn shown(launch: &str) -> String {
    let words = words(&joined(launch));
    words
        .iter()
        .map(|word| shown_word(word))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Launch syntax allows spaces around `=`.
fn joined(launch: &str) -> String {
    let characters: Vec<(char, bool)> = characters(launch).collect();
    let is_space = |at: usize| {
        characters
            .get(at)
            .is_some_and(|(c, is_quoted)| !is_quoted && c.is_whitespace())
    };
    let is_equals = |at: usize| characters.get(at) == Some(&('=', false));
    let next = |mut at: usize| {
        while is_space(at) {
            at += 1;
        }
        at
    };
    let mut text = String::new();
    let mut at = 0;
    while let Some((c, _)) = characters.get(at) {
        if is_space(at) && is_equals(next(at)) {
            at = next(at);
            continue;
        }
        text.push(*c);
        at = if is_equals(at) { next(at + 1) } else { at + 1 };
    }
    text
}

fn shown_word(word: &str) -> String {
    let inner = word.trim_matches('"');
    if is_caps(inner) || is_shape(word) {
        return word.into();
    }
    match word.split_once('=') {
        Some((name, value)) if is_name(name) => {
            let is_plain = is_number(value) || matches!(value, "true" | "false");
            let is_harmless = SHOWN.contains(&name) || is_plain && !is_secret(name);
            format!("{name}={}", if is_harmless { value } else { "***" })
        }
        _ => "***".into(),
    }
}

/// What passwords and their like are called, which may be numbers.
fn is_secret(name: &str) -> bool {
    let words = ["pw", "pass", "secret", "token", "key", "pin", "auth"];
    name.split(['-', '_', ':'])
        .any(|part| words.iter().any(|word| part.starts_with(word)))
        && !["key-int-max", "pass"].contains(&name)
}

/// An element's name, a pad's, `!`, `(`, `)`.
fn is_shape(word: &str) -> bool {
    word.chars()
        .all(|c| c.is_ascii_alphanumeric() || "_-.!()".contains(c))
}

/// A property's name, perhaps of a child or a pad (`sink::name`).
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-:".contains(c))
}

fn is_number(value: &str) -> bool {
    value.parse::<f64>().is_ok()
}

/// The media type of caps, and what they say of it: they have no place for a secret.
fn is_caps(word: &str) -> bool {
    let kind = word.split([',', '(', ';']).next().unwrap_or_default();
    let Some((media, format)) = kind.split_once('/') else {
        return false;
    };
    let is_plain = |part: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "-+.".contains(c))
    };
    ["audio", "video", "image", "text", "application"].contains(&media) && is_plain(format.trim_end())
}

/// A text of GStreamer's in which `***` stands for who logs in at a URL, and for what a URL's query says.
pub(crate) fn without_logins(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, url) = rest.split_at(at + 3);
        let end = url
            .find(|c: char| c.is_whitespace() || "\"'()<>".contains(c))
            .unwrap_or(url.len());
        let (url, behind) = url.split_at(end);
        shown += before;
        shown += &shown_url(url);
        rest = behind;
    }
    shown + rest
}

/// What comes behind a URL's scheme.
fn shown_url(url: &str) -> String {
    let (address, query) = match url.split_once('?') {
        Some((address, _)) => (address, "?***"),
        None => (url, ""),
    };
    let authority = address.split('/').next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((login, _)) => format!("***{}{query}", &address[login.len()..]),
        None => format!("{address}{query}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        for (launch, expected) in [
            (
                "clocksrc text=\"Camera 1\" ! video/x-raw,width=64,framerate=25/1 ! x264enc tune=zerolatency key-int-max=5 ! \
                 rtph264pay name=pay0",
                None,
            ),
            (
                "t. ! \"video/x-raw, format=I420\" ! tee name=t t.src_0 ! ( bin )",
                None,
            ),
            (
                r#"rtspsrc location="rtsp://me:s3cret@host/a?b=c@d" user-pw="a b\" c" user-id=me ! fakesink"#,
                Some("rtspsrc location=*** user-pw=*** user-id=*** ! fakesink"),
            ),
            (
                "rtspsrc user-pw = s3cret latency = 5 !  a",
                Some("rtspsrc user-pw=*** latency=5 ! a"),
            ),
            ("rtsp://u:p@h/?a=b ! decodebin", Some("*** ! decodebin")),
            (
                "srtsrc uri=srt://h:7001?passphrase=abc ! a",
                Some("srtsrc uri=*** ! a"),
            ),
            (
                "souphttpsrc extra-headers=\"x,Authorization=y\" cookies=z",
                Some("souphttpsrc extra-headers=*** cookies=***"),
            ),
            (
                "a key=00ff is-live=true sink::name=x",
                Some("a key=*** is-live=true sink::name=***"),
            ),
        ] {
            assert_eq!(shown(launch), expected.unwrap_or(launch));
        }
        assert_eq!(
            shown("a user-pw=1234 pin=7 key-int-max=9"),
            "a user-pw=*** pin=*** key-int-max=9"
        );
    }

    #[test]
    fn texts_of_gstreamers_show_no_log_in() {
        for (text, expected) in [
            (
                "Could not open (rtsp://me:s3cret@host:554/a?x=y) now",
                "Could not open (rtsp://***@host:554/a?***) now",
            ),
            (
                "from http://host/a and rtsp://u@h.",
                "from http://host/a and rtsp://***@h.",
            ),
            ("nothing", "nothing"),
            ("://", "://"),
        ] {
            assert_eq!(without_logins(text), expected);
        }
    }
}

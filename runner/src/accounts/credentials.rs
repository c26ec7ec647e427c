//! What an `Authorization` header says: Basic (RFC 7617) or Digest (RFC 2617).

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// How many characters the log shows of the name of a log-in that failed.
const NAME_SHOWN: usize = 64;

/// The way in which somebody says who he is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// `name:password`.
    Basic(Vec<u8>),
    /// The answer to a challenge.
    Digest(Answer),
    /// Another scheme, or a header that makes no sense.
    Other,
}

/// The answer that somebody who knows the password makes of a challenge.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) username: String,
    pub(crate) nonce: String,
    pub(crate) uri: String,
    /// The response, an MD5.
    pub(crate) response: [u8; 16],
}

impl Credentials {
    /// Reads the value of the header. The time that it takes depends on nothing but the header.
    pub(crate) fn parse(header: &str) -> Self {
        let header = header.trim();
        let (scheme, rest) = header.split_once([' ', '\t']).unwrap_or((header, ""));
        let read = if scheme.eq_ignore_ascii_case("basic") {
            BASE64_STANDARD.decode(rest.trim()).ok().map(Self::Basic)
        } else if scheme.eq_ignore_ascii_case("digest") {
            Answer::parse(rest).map(Self::Digest)
        } else {
            None
        };
        read.unwrap_or(Self::Other)
    }

    /// The name that was given, for the log: short, and without control characters.
    pub(crate) fn shown_name(&self) -> String {
        let name = match self {
            Self::Basic(pair) => {
                let name = pair.split(|byte| *byte == b':').next().unwrap_or_default();
                String::from_utf8_lossy(name)
            }
            Self::Digest(answer) => answer.username.as_str().into(),
            Self::Other => "".into(),
        };
        let is_shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
        name.chars().take(NAME_SHOWN).map(is_shown).collect()
    }
}

impl Answer {
    fn parse(text: &str) -> Option<Self> {
        let parameters = parameters(text)?;
        let get = |name: &str| {
            let of_that_name = |(known, _): &&(&str, String)| known.eq_ignore_ascii_case(name);
            parameters
                .iter()
                .find(of_that_name)
                .map(|(_, value)| value.clone())
        };
        if get("algorithm").is_some_and(|algorithm| !algorithm.eq_ignore_ascii_case("md5")) {
            return None;
        }
        Some(Self {
            username: get("username")?,
            nonce: get("nonce")?,
            uri: get("uri")?,
            response: from_hex(&get("response")?)?,
        })
    }
}

/// `name=value, name="quoted value"` and so on.
fn parameters(mut text: &str) -> Option<Vec<(&str, String)>> {
    let mut parameters = Vec::new();
    loop {
        text = text.trim_start_matches([' ', '\t', ',']);
        if text.is_empty() {
            return Some(parameters);
        }
        let (name, rest) = text.split_once('=')?;
        let (value, rest) = value(rest.trim_start())?;
        parameters.push((name.trim_end(), value));
        text = rest;
    }
}

/// A value, and what comes behind it.
fn value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(',').unwrap_or(text.len());
        let (value, rest) = text.split_at(end);
        return Some((value.trim_end().to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => value.push(characters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

fn from_hex(text: &str) -> Option<[u8; 16]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = digits.as_chunks::<2>();
    let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
    rest.is_empty().then(|| bytes.try_into().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_is_a_name_and_a_password() {
        let read = Credentials::Basic(b"user:s3cret".to_vec());
        for header in [
            "Basic dXNlcjpzM2NyZXQ=",
            "basic  dXNlcjpzM2NyZXQ= ",
            "BASIC\tdXNlcjpzM2NyZXQ=",
        ] {
            assert_eq!(Credentials::parse(header), read, "{header:?}");
        }
        assert_eq!(read.shown_name(), "user");
    }

    #[test]
    fn digest_is_an_answer_however_it_is_written() {
        let read = Credentials::Digest(Answer {
            username: "Mu\"f,asa".into(),
            nonce: "dcd98b".into(),
            uri: "rtsp://host/live?a=b".into(),
            response: *b"\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef",
        });
        for header in [
            r#"Digest username="Mu\"f,asa", realm="a", nonce="dcd98b", uri="rtsp://host/live?a=b", response="0123456789abcdef0123456789abcdef""#,
            r#"digest response=0123456789ABCDEF0123456789ABCDEF,uri="rtsp://host/live?a=b",algorithm=MD5,nonce=dcd98b,USERNAME = "Mu\"f,asa","#,
        ] {
            assert_eq!(Credentials::parse(header), read, "{header}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_somebody_unknown() {
        for header in [
            "",
            "Basic =",
            "Basic !!!!",
            "Basic dXNlcjpzM2NyZXQ",
            "Digest",
            "Digest username=",
            "Digest a=\"",
            "Digest a=\"\\",
            "Digest é",
            r#"Digest username="u", nonce="n", uri="/", response="0123""#,
            r#"Digest username="u", nonce="n", uri="/", response="0123456789abcdef0123456789abcdég""#,
            r#"Digest username="u", nonce="n", uri="/", algorithm=SHA-256, response="0123456789abcdef0123456789abcdef""#,
            "Negotiate x",
        ] {
            let read = Credentials::parse(header);
            assert_eq!(
                (&read, read.shown_name()),
                (&Credentials::Other, String::new()),
                "{header:?}"
            );
        }
    }

    #[test]
    fn a_name_in_the_log_is_short_and_harmless() {
        let name = format!("\u{1b}[31m{}", "é".repeat(100));
        let shown = Credentials::Basic(format!("{name}:password").into_bytes()).shown_name();
        assert_eq!(shown, format!("\u{fffd}[31m{}", "é".repeat(59)));
    }
}

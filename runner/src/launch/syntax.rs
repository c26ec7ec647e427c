//! Launch syntax: chains of elements, their names, and how words are quoted.

/// The name of the element that paints the clock.
pub(crate) const SOURCE_NAME: &str = "source";

/// The name of the element that makes packets of the picture, as gst-rtsp-server looks for it.
pub(crate) const PICTURE_PAYLOADER: &str = "pay0";

/// The name of the element that makes packets of the sound.
pub(crate) const SOUND_PAYLOADER: &str = "pay1";

/// Elements in order, each as its words: the name and the properties, in launch syntax.
pub(super) type Chain = Vec<Vec<String>>;

/// A text as the value of a property in a launch string, whatever is in it.
pub(super) fn launch_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', r#"\""#))
}

/// The endings of the names of properties whose values are secret: `user-pw`, `proxy-pw`, `auth-token`, …
const SECRETS: [&str; 8] = [
    "password",
    "passphrase",
    "pw",
    "secret",
    "token",
    "key",
    "credentials",
    "authentication",
];

/// A launch string without the values of properties that are secret by their names, and without the log-ins in URLs.
pub(super) fn without_secrets(launch: &str) -> String {
    let words = words_and_spaces(launch);
    words.into_iter().map(without_secret).collect()
}

/// The words of a launch string, each with the space behind it. A text in quotes is one word.
fn words_and_spaces(launch: &str) -> Vec<&str> {
    let (mut words, mut begin, mut quote, mut is_escaped) = (Vec::new(), 0, None, false);
    for (index, letter) in launch.char_indices() {
        match (letter, quote) {
            _ if is_escaped => is_escaped = false,
            ('\\', _) => is_escaped = true,
            ('"' | '\'', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            (letter, None) if letter.is_whitespace() => {
                words.push(&launch[begin..index + letter.len_utf8()]);
                begin = index + letter.len_utf8();
            }
            _ => {}
        }
    }
    words.push(&launch[begin..]);
    words
}

fn without_secret(word: &str) -> String {
    let end = word.trim_end().len();
    let (word, space) = word.split_at(end);
    let Some((name, value)) = word.split_once('=') else {
        return format!("{word}{space}");
    };
    let is_secret = SECRETS
        .iter()
        .any(|secret| name.to_ascii_lowercase().ends_with(secret));
    let shown = if is_secret {
        "***".into()
    } else {
        without_login(value)
    };
    format!("{name}={shown}{space}")
}

/// `rtsp://user:password@host/` without the user and the password.
fn without_login(value: &str) -> String {
    let Some((scheme, rest)) = value.split_once("://") else {
        return value.into();
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit_once('@') {
        Some((login, _)) => format!("{scheme}://***{}", &rest[login.len()..]),
        None => value.into(),
    }
}

/// A word as a POSIX shell takes it, quoted where it needs to be.
pub(super) fn shell_quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./,:=@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.into();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use gst::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        for (launch, shown) in [
            (
                "( clocksrc ! x264enc key-int-max=5 ! rtph264pay name=pay0 )",
                None,
            ),
            (
                r#"rtspsrc location="rtsp://me:s3cret@host/a?b=c@d" user-pw="a b\" c" user-id=me ! fakesink"#,
                Some(r#"rtspsrc location="rtsp://***@host/a?b=c@d" user-pw=*** user-id=me ! fakesink"#),
            ),
            (
                "srtenc  key=00ff passphrase='x y' ! a",
                Some("srtenc  key=*** passphrase=*** ! a"),
            ),
            ("a location=http://host/x@y", None),
        ] {
            assert_eq!(without_secrets(launch), shown.unwrap_or(launch));
        }
    }

    /// `filesrc location` is a property of type string in an element that comes with the core.
    #[test]
    fn any_text_survives_launch_syntax() {
        gst::init().unwrap();
        for text in [
            "plain",
            "",
            "a b",
            "! x",
            "it's",
            r#"a"b"#,
            r"a\b",
            r#"\""#,
            "a=b, c;d",
            "(x) [y] {z}",
            "שלום é",
        ] {
            let launch = format!(
                "( filesrc name=here location={} ! fakesink )",
                launch_quoted(text)
            );
            let bin = gst::parse::launch(&launch).unwrap_or_else(|error| panic!("{launch}: {error}"));
            let element = bin.downcast::<gst::Bin>().unwrap().by_name("here").unwrap();
            let location = element.property::<Option<String>>("location").unwrap_or_default();
            assert_eq!(location, text, "{launch}");
        }
    }

    /// A POSIX shell takes the line apart into the words that it was made of.
    #[test]
    fn any_word_survives_the_shell() {
        for word in [
            "plain",
            "",
            "a b",
            "!",
            "it's",
            r#"option-string="scenecut=0""#,
            "$HOME",
            "a\\b",
            "*",
            "(x)",
        ] {
            let script = format!("printf %s {}", shell_quoted(word));
            let output = std::process::Command::new("sh")
                .args(["-c", &script])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), word, "{script}");
        }
    }
}

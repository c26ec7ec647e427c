//! What stands on the command line as JSON, and in URLs; and what of JSON may stand in a terminal.

use anyhow::{Context as _, ensure};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value};

/// What is written as it is in a path.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'.')
    .remove(b'_')
    .remove(b'-')
    .remove(b'~');

/// A merge patch (RFC 7396) of keys that stand as `key=value`. What is no JSON is a text.
pub(super) fn patch(keys: &[String]) -> anyhow::Result<Value> {
    let mut patch = Map::new();
    for key in keys {
        let (name, value) = key
            .split_once('=')
            .with_context(|| format!("{key:?} is no key=value"))?;
        let value = serde_json::from_str(value).unwrap_or_else(|_word| value.into());
        ensure!(!name.is_empty(), "{key:?} has no key before the =");
        ensure!(
            patch.insert(name.to_owned(), value).is_none(),
            "{name} stands there twice"
        );
    }
    Ok(Value::Object(patch))
}

/// A name as a part of a path.
pub(super) fn in_path(name: &str) -> String {
    match name {
        // These would be the path itself and what is above it, however they are written.
        "." | ".." => format!("{name}%20"),
        _ => utf8_percent_encode(name, &UNRESERVED).to_string(),
    }
}

/// A text without what would steer a terminal.
pub(super) fn plain(text: &str) -> String {
    let shown = |letter: char| {
        if letter.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            letter
        }
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of(keys: &[&str]) -> Result<Value, String> {
        let keys: Vec<_> = keys.iter().map(|key| (*key).to_owned()).collect();
        patch(&keys).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_json_or_plain_words() {
        let patch = of(&[
            "label=Front door",
            "bitrateKbps=800",
            "alwaysOn=true",
            "audio=null",
            "framesPerSecond=30000/1001",
            "timeZone=\"UTC\"",
            "transports=[\"tcp\"]",
            "bannerText=a=b",
            "stamp=",
        ]);
        let expected = json!({ "label": "Front door", "bitrateKbps": 800, "alwaysOn": true, "audio": null,
            "framesPerSecond": "30000/1001", "timeZone": "UTC", "transports": ["tcp"], "bannerText": "a=b", "stamp": "" });
        assert_eq!(patch, Ok(expected));
    }

    #[test]
    fn what_is_no_key_and_value_is_told() {
        assert_eq!(of(&["label"]), Err("\"label\" is no key=value".into()));
        assert_eq!(of(&["=1"]), Err("\"=1\" has no key before the =".into()));
        assert_eq!(of(&["a=1", "a=2"]), Err("a stands there twice".into()));
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        for (name, path) in [
            ("site-1.a_b", "site-1.a_b"),
            ("../config", "..%2Fconfig"),
            ("..", "..%20"),
            ("a?b#c%", "a%3Fb%23c%25"),
            ("ü", "%C3%BC"),
        ] {
            assert_eq!(in_path(name), path);
        }
    }

    #[test]
    fn nothing_steers_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc"), "a\u{fffd}[2Jb\u{fffd}c");
    }
}

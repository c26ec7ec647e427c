//! A JSON value that keeps repeated keys, which `serde_json::Value` drops.

use std::{collections::BTreeSet, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A JSON value as it was written; an object's keys in order, repeated ones included.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(Number),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// How many characters of a value a message shows at most.
const SHOWN_CHARACTERS: usize = 60;

impl Json {
    /// Reads a file's bytes. The text of an error has line and column.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
        let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
        if let [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] = bytes {
            return Err("the file is UTF-16; save it as UTF-8".into());
        }
        serde_json::from_slice(bytes).map_err(|error| format!("not JSON: {error}"))
    }

    /// A key that stands in one object more than once, here or further in.
    pub(super) fn repeated_key(&self) -> Option<&str> {
        match self {
            Self::Object(entries) => {
                let mut names = BTreeSet::new();
                let twice = entries.iter().find(|(name, _)| !names.insert(name));
                let twice = twice.map(|(name, _)| name.as_str());
                twice.or_else(|| entries.iter().find_map(|(_, value)| value.repeated_key()))
            }
            Self::Array(items) => items.iter().find_map(Self::repeated_key),
            _ => None,
        }
    }

    /// What kind of value it is, with its article.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a truth value",
            Self::Number(_) => "a number",
            Self::Text(_) => "a text",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }
}

impl fmt::Display for Json {
    /// Writes the value for a message: short, on one line, and without control characters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) if text.chars().count() > SHOWN_CHARACTERS => {
                let start: String = text.chars().take(SHOWN_CHARACTERS).collect();
                write!(f, "{start:?}…")
            }
            Self::Text(text) => write!(f, "{text:?}"),
            Self::Null | Self::Array(_) | Self::Object(_) => f.write_str(self.kind()),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JsonVisitor)
    }
}

struct JsonVisitor;

impl<'de> Visitor<'de> for JsonVisitor {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json, E> {
        // JSON has no infinity and no NaN to be refused by `from_f64`.
        Ok(Number::from_f64(value).map_or(Json::Null, Json::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.into()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element()? {
            array.push(item);
        }
        Ok(Json::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Json, A::Error> {
        let mut object = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            object.push(entry);
        }
        Ok(Json::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_repeated_keys_in_order() {
        let parsed = Json::parse(br#"{"b": 1, "a": "x", "b": null}"#).unwrap();
        let expected = Json::Object(vec![
            ("b".into(), Json::Number(1.into())),
            ("a".into(), Json::Text("x".into())),
            ("b".into(), Json::Null),
        ]);
        assert_eq!(parsed, expected);
    }

    #[test]
    fn a_syntax_error_has_line_and_column() {
        let error = Json::parse(b"{\n  \"a\": 1\n  \"b\": 2\n}").unwrap_err();
        assert_eq!(error, "not JSON: expected `,` or `}` at line 3 column 3");
    }

    #[test]
    fn a_byte_order_mark_is_no_mistake() {
        assert_eq!(Json::parse(b"\xEF\xBB\xBF{}"), Ok(Json::Object(Vec::new())));
    }

    #[test]
    fn utf_16_is_called_by_its_name() {
        assert_eq!(
            Json::parse(b"\xFF\xFE{\0}\0"),
            Err("the file is UTF-16; save it as UTF-8".into())
        );
    }

    #[test]
    fn a_nesting_too_deep_is_an_error_and_not_a_crash() {
        let error = Json::parse("[".repeat(100_000).as_bytes()).unwrap_err();
        assert!(error.contains("recursion limit"), "{error}");
    }

    #[test]
    fn a_value_in_a_message_is_short_and_harmless() {
        assert_eq!(
            Json::Text("a\u{1b}[31m\n".into()).to_string(),
            r#""a\u{1b}[31m\n""#
        );
        assert_eq!(
            Json::Text("é".repeat(61)).to_string(),
            format!("\"{}\"…", "é".repeat(60))
        );
        assert_eq!(Json::Object(Vec::new()).to_string(), "an object");
    }
}

//! How values are written: in the file, which the schema describes, and in a variable.

use std::ops::RangeInclusive;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};
use strum::IntoEnumIterator;

use super::json::Json;

/// How a key's value is written. Where there is a function, it answers the value's piece of the schema.
#[derive(Clone, Copy)]
pub(super) enum Form {
    /// True or false.
    Boolean,
    /// A whole number within these limits.
    Whole(&'static RangeInclusive<u32>),
    /// A number within these limits.
    Share(&'static RangeInclusive<f64>),
    /// A number, or a text that stands for several.
    Number(fn() -> Value),
    Text(fn() -> Value),
    /// The path of a file.
    File,
    /// Texts, in a variable with commas between.
    List(fn() -> Value),
    /// True or false, or an object of keys that stand in it; `walk` reads that.
    Section,
    /// Objects, for which there is no variable; `walk` reads them.
    Objects(fn() -> Value),
}

impl Form {
    /// The piece of the schema for what may stand in the file.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Boolean | Self::Section => json!({ "type": "boolean" }),
            Self::Whole(range) => whole(range),
            Self::Share(range) => number(range),
            Self::File => text(),
            Self::Number(schema) | Self::Text(schema) | Self::List(schema) | Self::Objects(schema) => {
                schema()
            }
        }
    }

    /// A variable's text as the file would have it. Where it should be a number or a truth value and is none, it stays
    /// a text, and is refused as one.
    pub(super) fn json(self, variable: &str) -> Json {
        let text = || Json::Text(variable.into());
        let items = variable.split(',').map(|item| Json::Text(item.trim().into()));
        match self {
            Self::Whole(_) | Self::Share(_) | Self::Number(_) => {
                variable.parse().map_or_else(|_| text(), Json::Number)
            }
            Self::Boolean | Self::Section => variable.parse().map_or_else(|_| text(), Json::Bool),
            Self::Text(_) | Self::File => text(),
            Self::List(_) | Self::Objects(_) => Json::Array(items.collect()),
        }
    }
}

pub(super) fn text() -> Value {
    json!({ "type": "string" })
}

pub(super) fn pattern(pattern: &str) -> Value {
    json!({ "type": "string", "pattern": pattern })
}

/// The schema of a text of `characters` at most.
pub(super) fn short(characters: usize) -> Value {
    json!({ "type": "string", "maxLength": characters })
}

/// The schema of a text of `characters` at most, which matches `pattern`.
pub(super) fn short_pattern(characters: usize, pattern: &str) -> Value {
    json!({ "type": "string", "maxLength": characters, "pattern": pattern })
}

pub(super) fn whole(range: &RangeInclusive<u32>) -> Value {
    json!({ "type": "integer", "minimum": range.start(), "maximum": range.end() })
}

pub(super) fn number(range: &RangeInclusive<f64>) -> Value {
    json!({ "type": "number", "minimum": range.start(), "maximum": range.end() })
}

/// The schema of values whose names say what they mean.
pub(super) fn names<T: IntoEnumIterator + ToString>() -> Value {
    let names: Vec<String> = T::iter().map(|value| value.to_string()).collect();
    json!({ "type": "string", "enum": names })
}

/// The schema of values with a description each.
pub(super) fn named<T: JsonSchema>() -> Value {
    T::json_schema(&mut SchemaGenerator::default()).to_value()
}

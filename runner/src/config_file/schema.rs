//! The JSON Schema of config.json, for editors and for programs that write one.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use super::{
    form::Form,
    key::{Key, Level},
    keys::{STREAMS, keys, of_section},
};

/// The JSON Schema of config.json, with descriptions, defaults and limits.
#[must_use]
pub fn schema() -> Schema {
    let of_streams = keys().filter(|key| key.level == Level::Stream).map(property);
    let entry = json!({
        "description": "A stream, or several that differ in their number.",
        "type": "object",
        "properties": of_streams.collect::<Map<_, _>>(),
        "additionalProperties": false,
    });
    let mut properties: Map<_, _> = keys()
        .filter(|key| key.section().is_none())
        .map(property)
        .collect();
    properties[STREAMS]["items"] = entry;
    json_schema!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "config.json",
        "description": "The configuration of rtsp-clock-server. Every key may be left out.",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    })
}

/// The name of the key, and the schema of what may stand there.
fn property(key: &Key) -> (String, Value) {
    let mut property = match key.form {
        Form::Section => section(key),
        form => form.schema(),
    };
    property["description"] = key.documentation.into();
    let default = key.default();
    if !default.is_null() {
        property["default"] = default;
    }
    (key.own_name().to_owned(), property)
}

/// The schema of a key that is true or false, or an object of others.
fn section(key: &Key) -> Value {
    json!({ "anyOf": [
        { "type": "boolean" },
        {
            "type": "object",
            "properties": of_section(key.name).map(property).collect::<Map<_, _>>(),
            "additionalProperties": false,
        },
    ]})
}

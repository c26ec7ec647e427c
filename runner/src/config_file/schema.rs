//! The JSON Schema of config.json, for editors and for programs that write one.

use schemars::{Schema, json_schema};
use serde_json::{Map, Value, json};

use super::{
    document::{HIDDEN, USER_SECRET},
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

/// The schema of an entry of `streams`, as it is sent.
pub(crate) fn entry() -> Schema {
    let mut whole = sent();
    Schema::try_from(whole["properties"][STREAMS]["items"].take()).unwrap_or_default()
}

/// The schema of the file without defaults: programs that are made of it would send them all, and what an entry does not say
/// is what the top level says.
fn sent() -> Value {
    let mut whole = schema().to_value();
    take_out_defaults(&mut whole);
    whole
}

fn take_out_defaults(schema: &mut Value) {
    match schema {
        Value::Object(parts) => {
            let properties = parts.get_mut("properties").and_then(Value::as_object_mut);
            for property in properties.into_iter().flat_map(Map::values_mut) {
                property
                    .as_object_mut()
                    .map(|property| property.remove("default"));
            }
            parts.values_mut().for_each(take_out_defaults);
        }
        Value::Array(parts) => parts.iter_mut().for_each(take_out_defaults),
        _ => {}
    }
}

/// The schema of a merge patch of an entry: null takes a key out.
pub(crate) fn patch() -> Schema {
    let mut entry = entry().to_value();
    let properties = entry["properties"].as_object_mut();
    for property in properties.into_iter().flat_map(Map::values_mut) {
        *property = json!({ "anyOf": [property.take(), { "type": "null" }] });
    }
    Schema::try_from(entry).unwrap_or_default()
}

/// The schema of the file as it is shown, with something else in the place of its secrets.
pub(crate) fn shown() -> Schema {
    let mut whole = sent();
    if let Some(whole) = whole.as_object_mut() {
        whole.remove("$schema");
    }
    hide_secrets(&mut whole);
    Schema::try_from(whole).unwrap_or_default()
}

/// Lets what stands in the place of a secret stand there.
fn hide_secrets(schema: &mut Value) {
    let is_secret =
        |name: &str| name == USER_SECRET || keys().any(|key| key.is_secret() && key.own_name() == name);
    match schema {
        Value::Object(parts) => {
            let properties = parts.get_mut("properties").and_then(Value::as_object_mut);
            for (_, secret) in properties
                .into_iter()
                .flatten()
                .filter(|(name, _)| is_secret(name))
            {
                *secret = json!({ "anyOf": [secret.take(), { "const": HIDDEN }] });
            }
            parts.values_mut().for_each(hide_secrets);
        }
        Value::Array(parts) => parts.iter_mut().for_each(hide_secrets),
        _ => {}
    }
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

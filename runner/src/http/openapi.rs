//! The API's own description: `OpenAPI` 3.1, made of the calls and of the schemas of what they take and answer.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use super::{
    call::{Answer, Call},
    problem::Problem,
};

/// Where the document has its schemas.
const SCHEMAS: &str = "/components/schemas";

/// With which statuses every call may answer: what is asked, who asks, by which name and from which page, how often.
const OF_ALL: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::UNAUTHORIZED,
    StatusCode::FORBIDDEN,
    StatusCode::MISDIRECTED_REQUEST,
    StatusCode::TOO_MANY_REQUESTS,
    StatusCode::SERVICE_UNAVAILABLE,
];

/// The document for `calls`, whose paths are below `prefix`.
pub(super) fn document(prefix: &str, calls: &[Call]) -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = SCHEMAS.into();
        settings.meta_schema = None;
    });
    let mut generator = settings.into_generator();
    let problem = generator.subschema_for::<Problem>().to_value();
    let mut paths = Map::new();
    for call in calls {
        let path = paths
            .entry(format!("{prefix}{}", call.path))
            .or_insert_with(|| json!({}));
        path[call.method] = operation(call, &problem, &mut generator);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "rtsp-clock-server",
            "description": "Cameras whose picture is a clock: what they do, and changes of it while they play.",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": "/" }],
        "security": [{}, { "token": [] }, { "login": [] }],
        "paths": paths,
        "components": {
            "schemas": generator.take_definitions(true),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer", "description": "http.token of the configuration" },
                "login": { "type": "http", "scheme": "basic", "description": "a user of the cameras" },
            },
        },
    });
    write_names_as_enums(&mut document);
    document
}

/// Writes texts that are one of some names, each with a description, as programs that make clients of this understand them.
fn write_names_as_enums(schema: &mut Value) {
    match schema {
        Value::Object(parts) => {
            if let Some(names) = parts.get("oneOf").and_then(names) {
                parts.remove("oneOf");
                parts.insert("type".into(), "string".into());
                parts.insert("enum".into(), names);
            }
            parts.values_mut().for_each(write_names_as_enums);
        }
        Value::Array(parts) => parts.iter_mut().for_each(write_names_as_enums),
        _ => {}
    }
}

/// The names, where these are the schemas of one each.
fn names(schemas: &Value) -> Option<Value> {
    let schemas = schemas.as_array()?.iter();
    schemas
        .map(|schema| schema.get("const").filter(|name| name.is_string()).cloned())
        .collect()
}

fn operation(call: &Call, problem: &Value, generator: &mut SchemaGenerator) -> Value {
    let mut operation = json!({
        "summary": call.summary,
        "description": call.authority.holders(),
        "operationId": operation_id(call),
        "responses": responses(call, problem, generator),
    });
    let parameters: Vec<_> = path_parameters(call)
        .chain(query_parameters(call, generator))
        .chain(call.headers.iter().map(|header| parameter("header", header)))
        .collect();
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if let Some((kind, schema)) = call.body {
        let content = json!({ kind: { "schema": schema(generator).to_value() } });
        operation["requestBody"] = json!({ "required": true, "content": content });
    }
    operation
}

/// A name for programs that are made of the document: `patchStreamsIdConfig`.
fn operation_id(call: &Call) -> String {
    let words = call.path.split(|c: char| !c.is_ascii_alphanumeric());
    let capitalized = words.map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    call.method
        .chars()
        .chain(capitalized.collect::<String>().chars())
        .collect()
}

fn parameter(place: &str, (name, meaning): &(&str, &str)) -> Value {
    json!({ "in": place, "name": name, "description": meaning, "schema": { "type": "string" } })
}

fn path_parameters(call: &Call) -> impl Iterator<Item = Value> {
    let names = call
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    names.map(|name| {
        let meaning = match name {
            "id" => "the id of a stream, as GET /streams tells it",
            _ => "the session of a viewer, as GET /viewers tells it",
        };
        let mut parameter = parameter("path", &(name, meaning));
        parameter["required"] = true.into();
        parameter
    })
}

fn query_parameters(call: &Call, generator: &mut SchemaGenerator) -> Vec<Value> {
    let schema = call.query.map(|query| query(generator).to_value());
    let properties = schema
        .as_ref()
        .and_then(|schema| schema["properties"].as_object());
    let properties = properties.into_iter().flatten();
    let parameter = |(name, schema): (&String, &Value)| {
        let mut schema = schema.clone();
        let description = schema
            .as_object_mut()
            .and_then(|schema| schema.remove("description"));
        json!({ "in": "query", "name": name, "description": description, "schema": schema })
    };
    properties.map(parameter).collect()
}

fn responses(call: &Call, problem: &Value, generator: &mut SchemaGenerator) -> Value {
    let mut responses = Map::new();
    responses.insert(
        call.answer.status.as_str().into(),
        response(&call.answer, generator),
    );
    let names_a_thing = call.path.contains('{').then_some(StatusCode::NOT_FOUND);
    let problems: BTreeSet<_> = call
        .problems
        .iter()
        .chain(&OF_ALL)
        .copied()
        .chain(names_a_thing)
        .collect();
    for status in problems {
        let description = status.canonical_reason().unwrap_or_default();
        let content = json!({ "application/problem+json": { "schema": problem } });
        let response = json!({ "description": description, "content": content });
        responses.insert(status.as_str().into(), response);
    }
    Value::Object(responses)
}

fn response(answer: &Answer, generator: &mut SchemaGenerator) -> Value {
    let mut response = json!({ "description": answer.status.canonical_reason().unwrap_or_default() });
    let bodies: Map<_, _> = answer
        .bodies
        .iter()
        .map(|(kind, schema)| {
            let schema = schema.map(|schema| json!({ "schema": schema(generator).to_value() }));
            ((*kind).to_owned(), schema.unwrap_or_else(|| json!({})))
        })
        .collect();
    if !bodies.is_empty() {
        response["content"] = Value::Object(bodies);
    }
    let headers: Map<_, _> = answer
        .headers
        .iter()
        .map(|(name, meaning)| {
            let header = json!({ "description": meaning, "schema": { "type": "string" } });
            ((*name).to_owned(), header)
        })
        .collect();
    if !headers.is_empty() {
        response["headers"] = Value::Object(headers);
    }
    response
}

//! What the API says of itself, and whether its answers are as that says.

use serde_json::{Value, json};

use crate::{
    Server,
    common::{RtspClient, wait_until},
};

fn cameras() -> Value {
    json!({ "rtspStreamPath": "/cam{n}", "count": 3, "videoResolution": "160x120", "audio": "opus",
            "http": { "token": "0123456789abcdef" }, "streams": [{}, { "rtspStreamPath": "/own{n}", "pipeline":
            "clocksrc ! video/x-raw,width=160,height=120 ! x264enc ! rtph264pay name=pay0" }],
            "users": [{ "username": "anna", "password": "a", "admin": true }] })
}

const ANNA: (&str, &str) = ("Authorization", "Basic YW5uYTph");

/// Whether `body` is as `schema` says, a schema of `document`.
fn check(document: &Value, schema: &Value, body: &Value) -> Result<(), String> {
    let mut whole = schema.clone();
    whole["components"] = document["components"].clone();
    let validator = jsonschema::validator_for(&whole).expect("a schema");
    let wrong: Vec<_> = validator
        .iter_errors(body)
        .map(|error| error.to_string())
        .collect();
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n"))
    }
}

fn schema<'a>(document: &'a Value, path: &str, method: &str, status: u16) -> &'a Value {
    let content = &document["paths"][path][method]["responses"][status.to_string()]["content"];
    let mut kinds = content.as_object().into_iter().flatten();
    let (_, content) = kinds
        .next()
        .unwrap_or_else(|| panic!("{method} {path} {status} is not described"));
    &content["schema"]
}

#[test]
fn answers_are_as_the_document_says() {
    let server = Server::start(&cameras());
    let mut viewer = RtspClient::connect_port(server.process.port()).at("/cam1");
    viewer.authorize(ANNA.1.into());
    let mut viewer = viewer.watching();
    viewer.next_rtp();
    let read = |path: &str| server.ask("GET", path, &[ANNA], None);
    wait_until("it is told", || {
        read("/api/v1/viewers").body.as_array().map(Vec::len) == Some(1)
    });
    let document = read("/api/v1/openapi.json").body;
    assert_eq!(document["openapi"], "3.1.0");
    let mut checked = 0;
    for (path, calls) in document["paths"].as_object().expect("paths") {
        let is_json = calls["get"]["responses"]["200"]["content"]
            .get("application/json")
            .is_some();
        if !is_json {
            continue;
        }
        for id in ["cam1", "own1"] {
            let answer = read(&path.replace("{id}", id));
            assert_eq!(answer.status, 200, "{path}: {answer:?}");
            let schema = schema(&document, path, "get", 200);
            check(&document, schema, &answer.body).unwrap_or_else(|wrong| panic!("{path}: {wrong}"));
            checked += 1;
        }
    }
    assert!(checked >= 14, "{checked}");
}

#[test]
fn changes_and_problems_are_as_the_document_says() {
    let server = Server::start(&cameras());
    let document = server.ask("GET", "/api/v1/openapi.json", &[ANNA], None).body;
    let json = ("Content-Type", "application/json");
    let config = "/api/v1/streams/{id}/config";
    for (method, path, body, status) in [
        ("patch", config, json!({ "label": "Door" }), 200),
        ("patch", config, json!({ "label": null }), 200),
        ("patch", config, json!({ "label": 7 }), 422),
        ("patch", config, json!({ "videoResolution": "320x240" }), 409),
        ("patch", config, json!([]), 422),
        (
            "post",
            "/api/v1/streams",
            json!({ "rtspStreamPath": "/more", "count": 1 }),
            201,
        ),
        (
            "post",
            "/api/v1/streams",
            json!({ "rtspStreamPath": "/more", "count": 1 }),
            422,
        ),
        (
            "post",
            "/api/v1/streams",
            json!({ "rtspStreamPath": "/x", "logo": "/etc/passwd" }),
            403,
        ),
        ("put", "/api/v1/config", json!({ "serverPort": 0 }), 403),
        ("delete", "/api/v1/streams/{id}", Value::Null, 200),
        ("delete", "/api/v1/streams/{id}", Value::Null, 404),
        ("delete", "/api/v1/viewers/{session}", Value::Null, 404),
        ("post", "/api/v1/reload", Value::Null, 200),
    ] {
        let place = path.replace("{id}", "cam2");
        let body = (!body.is_null()).then(|| body.to_string());
        let headers = [ANNA, json];
        // What nobody reads of a body may end the connection.
        let headers = if body.is_some() {
            &headers[..]
        } else {
            &headers[..1]
        };
        let answer = server.ask(&method.to_uppercase(), &place, headers, body.as_deref());
        assert_eq!(answer.status, status, "{method} {path} {body:?}: {answer:?}");
        let schema = schema(&document, path, method, status);
        check(&document, schema, &answer.body).unwrap_or_else(|wrong| panic!("{method} {path}: {wrong}"));
    }
    let stranger = server.get("/api/v1/streams");
    let schema = schema(&document, "/api/v1/streams", "get", 401);
    assert_eq!(stranger.status, 401);
    check(&document, schema, &stranger.body).expect("a problem");
}

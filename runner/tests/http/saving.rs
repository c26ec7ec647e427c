//! Changes that the file keeps, and those that are made of what is out of date.

use std::{fs, os::unix::fs::PermissionsExt as _};

use serde_json::{Value, json};

use crate::{Server, common::wait_until};

fn camera() -> Value {
    json!({ "videoResolution": "160x120", "label": "Door", "reload": true })
}

fn file(server: &Server) -> Value {
    let text = fs::read_to_string(&server.file).expect("a file");
    serde_json::from_str(&text).expect("JSON")
}

fn label(server: &Server) -> Value {
    server.read("/api/v1/streams/live")["label"].clone()
}

const CONFIG: &str = "/api/v1/streams/live/config";

#[test]
fn a_change_is_kept_in_the_file_where_that_is_asked_for() {
    let server = Server::start(&camera());
    fs::set_permissions(&server.file, fs::Permissions::from_mode(0o640)).expect("its own file");
    let patch = |label: &str, path: &str| server.send("PATCH", path, &json!({ "label": label })).status;
    assert_eq!(patch("Yard", CONFIG), 200);
    assert_eq!(file(&server)["label"], "Door");
    assert_eq!(patch("Gate", &format!("{CONFIG}?save=true")), 200);
    let saved = json!({ "videoResolution": "160x120", "label": "Gate", "reload": true });
    assert_eq!(file(&server), saved);
    assert_eq!(patch("Yard", CONFIG), 200);
    assert_eq!(patch("Yard", CONFIG), 200);
    assert_eq!(file(&server), saved);
    assert_eq!(
        patch("Yard", &format!("{CONFIG}?save=true")),
        200,
        "it is not saved yet"
    );
    assert_eq!(file(&server)["label"], "Yard");
    assert_eq!(patch("Gate", &format!("{CONFIG}?save=true")), 200);
    let mode = fs::metadata(&server.file).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    let reloaded = server.ask("POST", "/api/v1/reload", &[], None);
    assert_eq!(
        (reloaded.status, label(&server)),
        (200, json!("Gate")),
        "{reloaded:?}"
    );
}

/// The server writes the file, and looks at it once a second: by the time that another file has been read and refused, its
/// own has been looked at.
#[test]
fn what_is_written_is_not_read_as_a_change_and_what_others_write_is() {
    let server = Server::start(&camera());
    let patch = |label: &str, path: &str| server.send("PATCH", path, &json!({ "label": label })).status;
    assert_eq!(patch("Gate", &format!("{CONFIG}?save=true")), 200);
    assert_eq!(patch("unsaved", CONFIG), 200);
    let logged = |words: &'static str| {
        server
            .process
            .log()
            .lines()
            .iter()
            .any(|line| line.contains(words))
    };
    fs::write(&server.file, "{").expect("its own file");
    wait_until("it has read what others wrote", || {
        logged("the configuration has 1 mistake") || logged("mistake")
    });
    assert_eq!(label(&server), "unsaved");
    assert!(!logged("was not saved"));
    fs::write(
        &server.file,
        r#"{"videoResolution": "160x120", "label": "Tower"}"#,
    )
    .expect("its own file");
    wait_until("it follows", || label(&server) == "Tower");
}

#[test]
fn a_file_that_is_read_only_stays_and_so_does_what_is_in_force() {
    let server = Server::start(&camera());
    fs::set_permissions(&server.file, fs::Permissions::from_mode(0o444)).expect("its own file");
    let refused = server.send(
        "PATCH",
        &format!("{CONFIG}?save=true"),
        &json!({ "label": "Gate" }),
    );
    assert_eq!(refused.status, 409, "{refused:?}");
    let detail = refused.body["detail"].as_str().unwrap_or_default();
    assert!(detail.ends_with("it is read-only"), "{refused:?}");
    assert_eq!((label(&server), file(&server)), (json!("Door"), camera()));
}

#[test]
fn what_others_have_written_is_not_written_over() {
    let mut still = camera();
    still["reload"] = false.into();
    let server = Server::start(&still);
    let save = |label: &str| {
        let path = format!("{CONFIG}?save=true");
        server.send("PATCH", &path, &json!({ "label": label })).status
    };
    assert_eq!(save("Gate"), 200);
    fs::write(
        &server.file,
        r#"{"videoResolution": "160x120", "label": "by hand"}"#,
    )
    .expect("its own file");
    assert_eq!(save("Yard"), 409);
    assert_eq!(
        (label(&server), &file(&server)["label"]),
        (json!("Gate"), &json!("by hand"))
    );
    assert_eq!(server.ask("POST", "/api/v1/reload", &[], None).status, 200);
    assert_eq!(save("Yard"), 200);
}

#[test]
fn what_is_changed_is_what_was_seen() {
    let server =
        Server::start(&json!({ "rtspStreamPath": "/cam{n}", "count": 2, "videoResolution": "160x120" }));
    let (one, other) = ("/api/v1/streams/cam1/config", "/api/v1/streams/cam2/config");
    let tag = |path: &str| {
        let answer = server.get(path);
        let tag = answer.headers.get("etag").expect("a tag").to_str();
        tag.expect("ASCII").to_owned()
    };
    let patch = |path: &str, tag: &str, label: &str| {
        let headers = [("Content-Type", "application/json"), ("If-Match", tag)];
        let body = json!({ "label": label }).to_string();
        server.ask("PATCH", path, &headers, Some(&body)).status
    };
    let seen = (tag(one), tag(other));
    assert_eq!(patch(one, &seen.0, "Door"), 200);
    assert_eq!(patch(one, &seen.0, "Gate"), 412);
    assert_eq!(patch(other, &seen.1, "Yard"), 200, "it is as it was");
    assert_eq!(
        (patch(one, "*", "Gate"), patch(one, &tag(one), "Door")),
        (200, 200)
    );
    assert_eq!(patch(one, "no tag", "Gate"), 412);
    let whole = tag("/api/v1/config");
    let put = |tag: &str| {
        let headers = [("Content-Type", "application/json"), ("If-Match", tag)];
        let body = server.read("/api/v1/config").to_string();
        server.ask("PUT", "/api/v1/config", &headers, Some(&body)).status
    };
    assert_eq!(put(&whole), 200);
    assert_eq!(patch(one, "*", "Tower"), 200);
    assert_eq!(put(&whole), 412);
}

#[test]
fn what_is_ended_is_what_was_seen() {
    let server =
        Server::start(&json!({ "rtspStreamPath": "/cam{n}", "count": 2, "videoResolution": "160x120" }));
    let config = "/api/v1/streams/cam1/config";
    let tag = || {
        let tag = server.get(config).headers.get("etag").cloned();
        tag.expect("a tag").to_str().expect("ASCII").to_owned()
    };
    let end = |tag: &str| {
        server
            .ask("DELETE", "/api/v1/streams/cam1", &[("If-Match", tag)], None)
            .status
    };
    let seen = tag();
    assert_eq!(
        server.send("PATCH", config, &json!({ "label": "Door" })).status,
        200
    );
    assert_eq!((end(&seen), server.ids().len()), (412, 2));
    assert_eq!((end(&tag()), server.ids().len()), (200, 1));
}

/// The streams as a whole have no tag.
#[test]
fn who_adds_a_stream_has_seen_no_tag() {
    let server = Server::start(&camera());
    let add = |tag: &str| {
        let headers = [("Content-Type", "application/json"), ("If-Match", tag)];
        let entry = r#"{"rtspStreamPath": "/second"}"#;
        server
            .ask("POST", "/api/v1/streams", &headers, Some(entry))
            .status
    };
    let whole = server.get("/api/v1/config").headers["etag"].clone();
    assert_eq!(add(whole.to_str().expect("ASCII")), 412);
    assert_eq!((server.ids().len(), add("*")), (1, 201));
}

#[test]
fn a_mistake_says_what_was_found_and_what_may_stand_there() {
    let server = Server::start(&camera());
    let wrong = json!({ "framesPerSecond": 0, "colour": 1, "audio": "mp3" });
    let refused = server.send("PATCH", CONFIG, &wrong);
    let mistakes = refused.body["mistakes"].as_array().expect("a list").clone();
    let of = |key: &str| {
        mistakes
            .iter()
            .find(|mistake| mistake["key"] == key)
            .expect(key)
            .clone()
    };
    assert_eq!(mistakes.len(), 3, "{refused:?}");
    assert_eq!(of("framesPerSecond")["found"], "0");
    assert_eq!(of("audio")["found"], "\"mp3\"");
    let expected = of("audio")["expected"].as_str().expect("a text").to_owned();
    assert!(expected.contains("\"opus\""), "{expected}");
    assert!(
        of("colour")["problem"]
            .as_str()
            .is_some_and(|problem| { problem.starts_with("unknown key") })
    );
    let query = server.send("PATCH", &format!("{CONFIG}?replace=perhaps"), &json!({}));
    assert_eq!(
        (query.status, &query.body["status"]),
        (400, &json!(400)),
        "{query:?}"
    );
}

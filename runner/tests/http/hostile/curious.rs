//! A user who asks for what is not theirs.

use std::io::Write as _;

use serde_json::json;

use super::{raw::open, strange};
use crate::{Server, common::RtspClient, playing::while_somebody_plays};

/// anna:a, who is an admin; bert:b, who may see the door.
const ANNA: &str = "Basic YW5uYTph";
const BERT: &str = "Basic YmVydDpi";
/// What stands nowhere but in the other stream.
const SECRET: &str = "greenhouse";

fn house() -> serde_json::Value {
    json!({ "videoResolution": "160x120", "framesPerSecond": 25, "http": { "token": "0123456789abcdef" },
            "users": [{ "username": "anna", "password": "a", "admin": true },
                      { "username": "bert", "password": "b", "streams": ["/door"] }],
            "streams": [{ "rtspStreamPath": "/door" },
                        { "rtspStreamPath": "/yard", "label": SECRET }] })
}

#[test]
fn what_is_not_ones_own_is_not_there() {
    let server = Server::start(&house());
    let mut viewer = RtspClient::connect_port(server.process.port()).at("/yard");
    viewer.authorize(ANNA.into());
    while_somebody_plays(viewer, || {
        let as_anna = [("Authorization", ANNA)];
        let viewers = server.ask("GET", "/api/v1/viewers", &as_anna, None).body;
        let session = viewers[0]["session"].as_str().expect("a session").to_owned();
        let streams = server.ask("GET", "/api/v1/streams/yard", &as_anna, None);
        assert!(streams.text.contains(SECRET) && streams.text.contains(&session));
        let secrets = [SECRET, &session];
        for (method, path, status) in [
            ("GET", "/api/v1/streams", 200),
            ("GET", "/api/v1/streams?label=green", 200),
            ("GET", "/api/v1/viewers", 200),
            ("GET", "/api/v1/session", 200),
            ("GET", "/api/v1/streams/yard", 404),
            ("GET", "/api/v1/streams/yard/viewers", 404),
            ("GET", "/api/v1/streams/yard/snapshot.jpg", 404),
            ("GET", "/api/v1/streams/yard/snapshot.png?width=100", 404),
            ("GET", "/api/v1/streams/yard/preview.mjpeg", 404),
            ("GET", "/api/v1/events?stream=yard", 404),
            ("GET", "/api/v1/streams/yard/config", 403),
            ("GET", "/api/v1/config", 403),
            ("GET", "/api/v1/server", 403),
            ("GET", "/metrics", 403),
            ("POST", "/api/v1/streams/yard/keyframe", 403),
            ("POST", "/api/v1/reload", 403),
            ("DELETE", "/api/v1/streams/yard", 403),
            ("DELETE", &format!("/api/v1/viewers/{session}"), 403),
        ] {
            let answer = server.ask(method, path, &[("Authorization", BERT)], None);
            assert_eq!(answer.status, status, "{method} {path}: {answer:?}");
            let told = secrets.iter().find(|secret| answer.text.contains(*secret));
            assert_eq!(told, None, "{method} {path}: {answer:?}");
        }
        let json = ("Content-Type", "application/json");
        for (method, path) in [
            ("PATCH", "/api/v1/streams/yard/config"),
            ("POST", "/api/v1/streams"),
            ("PUT", "/api/v1/config"),
        ] {
            let answer = server.ask(
                method,
                path,
                &[("Authorization", BERT), json],
                Some(r#"{"label": "Mine"}"#),
            );
            assert_eq!(answer.status, 403, "{method} {path}: {answer:?}");
        }
        assert_page_shows_nothing(&server, &secrets);
        let unchanged = server.ask("GET", "/api/v1/streams/yard", &as_anna, None);
        assert_eq!(unchanged.body["label"], SECRET);
    });
}

/// What a page is sent that watches both, until it says something that ends it.
fn assert_page_shows_nothing(server: &Server, secrets: &[&str]) {
    let upgrade = strange::upgrade("13", "dGhlIHNhbXBsZSBub25jZQ==");
    let upgrade = String::from_utf8(upgrade).expect("text");
    let upgrade = upgrade.replace("\r\n\r\n", &format!("\r\nAuthorization: {BERT}\r\n\r\n"));
    let watch = json!({ "watch": { "streams": ["door", "yard"], "pictures": ["yard"] } });
    let asked = [
        upgrade.into_bytes(),
        strange::message(&watch),
        strange::message(&json!("end")),
    ]
    .concat();
    let mut connection = open(server);
    connection.write_all(&asked).expect("it is heard");
    let mut sent = Vec::new();
    // It may be reset, as something may be left that the server has not read.
    let _ = std::io::Read::read_to_end(&mut connection, &mut sent);
    let sent = String::from_utf8_lossy(&sent);
    assert!(sent.contains(r#"{"gone":["yard"]}"#), "{sent}");
    assert!(sent.contains(r#""id":"door""#), "{sent}");
    assert!(!secrets.iter().any(|secret| sent.contains(secret)), "{sent}");
}

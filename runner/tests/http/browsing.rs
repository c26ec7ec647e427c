//! What browsers need: sessions, what pages of other origins may ask, and lists that are small on their way.

use serde_json::{Value, json};

use crate::Server;

const TOKEN: &str = "0123456789abcdef";
const BEARER: (&str, &str) = ("Authorization", "Bearer 0123456789abcdef");
/// bert:b
const BERT: (&str, &str) = ("Authorization", "Basic YmVydDpi");

fn house() -> Value {
    json!({ "videoResolution": "160x120", "http": { "token": TOKEN, "allowedOrigins": ["https://lab.example"] },
            "users": [{ "username": "bert", "password": "b", "streams": ["/cam2"] }],
            "rtspStreamPath": "/cam{n}", "count": 3 })
}

/// The cookie of a session that is begun with `login`.
pub(crate) fn log_in(server: &Server, login: (&str, &str)) -> String {
    let begun = server.ask("POST", "/api/v1/session", &[login], None);
    assert_eq!(begun.status, 204, "{begun:?}");
    let cookie = begun.headers.get("set-cookie").expect("a cookie").to_str();
    let cookie = cookie.expect("ASCII");
    assert!(
        cookie.contains("; HttpOnly") && cookie.contains("; SameSite=Strict"),
        "{cookie}"
    );
    cookie.split(';').next().unwrap_or_default().to_owned()
}

#[test]
fn a_session_is_as_good_as_what_it_was_begun_with() {
    let server = Server::start(&house());
    let (all, berts) = (log_in(&server, BEARER), log_in(&server, BERT));
    assert_ne!(all, berts);
    let seen = |cookie: &str| {
        let list = server.ask("GET", "/api/v1/streams", &[("Cookie", cookie)], None);
        list.body["itemCount"].as_u64()
    };
    assert_eq!(
        (seen(&all), seen(&berts), seen("rtsp-clock=7")),
        (Some(3), Some(1), None)
    );
    let who = |cookie: &str| {
        server
            .ask("GET", "/api/v1/session", &[("Cookie", cookie)], None)
            .body
    };
    assert_eq!(
        who(&all),
        json!({ "user": null, "sees": "everything", "mayChange": true })
    );
    assert_eq!(
        who(&berts),
        json!({ "user": "bert", "sees": "own streams", "mayChange": false })
    );
    let kick = server.ask("POST", "/api/v1/streams/cam1/keyframe", &[("Cookie", &all)], None);
    assert_eq!(kick.status, 202);
    let both = server.ask("GET", "/api/v1/session", &[("Cookie", &all), BERT], None);
    assert_eq!(both.body["user"], "bert", "what is said counts: {both:?}");
    let ended = server.ask("DELETE", "/api/v1/session", &[("Cookie", &all)], None);
    assert_eq!((ended.status, seen(&all)), (204, None));
    let mut file = house();
    file["users"][0]["password"] = "c".into();
    std::fs::write(&server.file, file.to_string()).expect("its own file");
    assert_eq!(server.ask("POST", "/api/v1/reload", &[BEARER], None).status, 200);
    assert_eq!(seen(&berts), None, "the password is another one");
}

#[test]
fn a_script_is_not_asked_by_the_browser() {
    let server = Server::start(&house());
    let asked = |headers: &[(&str, &str)]| {
        let answer = server.ask("GET", "/api/v1/session", headers, None);
        (answer.status, answer.headers.contains_key("www-authenticate"))
    };
    assert_eq!(asked(&[]), (401, true));
    assert_eq!(asked(&[("X-Requested-With", "page")]), (401, false));
}

#[test]
fn pages_that_may_ask_are_told_so() {
    let server = Server::start(&house());
    let ask = |origin: &str| {
        let headers = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "PATCH"),
            ("Access-Control-Request-Headers", "authorization,content-type"),
        ];
        let answer = server.ask("OPTIONS", "/api/v1/streams/cam1/config", &headers, None);
        let header = |name: &str| answer.headers.get(name)?.to_str().ok().map(String::from);
        (
            header("access-control-allow-origin"),
            header("access-control-allow-methods"),
        )
    };
    let (origin, methods) = ask("https://lab.example");
    assert_eq!(origin.as_deref(), Some("https://lab.example"));
    assert!(methods.is_some_and(|methods| methods.contains("PATCH")));
    assert_eq!(ask("https://evil.example").0, None);
    let read = server.ask(
        "GET",
        "/api/v1/streams",
        &[("Origin", "https://lab.example"), BEARER],
        None,
    );
    assert!(
        read.headers.contains_key("access-control-allow-origin"),
        "{read:?}"
    );
}

#[test]
fn lists_are_compressed_and_heads_have_no_body() {
    let server =
        Server::start(&json!({ "rtspStreamPath": "/cam{n}", "count": 100, "videoResolution": "160x120" }));
    let asked = |method: &str, encoding: &str| {
        let answer = server.ask(method, "/api/v1/streams", &[("Accept-Encoding", encoding)], None);
        let encoding = answer.headers.get("content-encoding").cloned();
        (
            answer.status,
            encoding.and_then(|name| name.to_str().map(String::from).ok()),
            answer.body,
        )
    };
    let (status, encoding, _) = asked("GET", "gzip");
    assert_eq!((status, encoding.as_deref()), (200, Some("gzip")));
    let (status, encoding, body) = asked("GET", "identity");
    assert_eq!((status, encoding, &body["itemCount"]), (200, None, &json!(100)));
    let (status, _, body) = asked("HEAD", "identity");
    assert_eq!((status, body), (200, Value::Null));
}

//! Who may do what.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::{Value, json};

use crate::{Server, common::wait_until};

const TOKEN: &str = "0123456789abcdef";
/// anna:a, who is an admin; bert:b, who may see the door.
const ANNA: &str = "Basic YW5uYTph";
const BERT: &str = "Basic YmVydDpi";

fn house(http: &Value) -> Value {
    json!({ "videoResolution": "160x120", "http": http,
            "users": [{ "username": "anna", "password": "a", "admin": true },
                      { "username": "bert", "password": "b", "streams": ["/door"] }],
            "streams": [{ "rtspStreamPath": "/door" }, { "rtspStreamPath": "/yard" }] })
}

fn statuses(server: &Server, authorization: &str) -> Vec<u16> {
    let headers: &[_] = if authorization.is_empty() {
        &[]
    } else {
        &[("Authorization", authorization)]
    };
    [
        ("GET", "/api/v1/streams/door"),
        ("GET", "/api/v1/streams/yard"),
        ("GET", "/api/v1/server"),
        ("GET", "/api/v1/config"),
        ("GET", "/api/v1/streams/door/config"),
        ("POST", "/api/v1/streams/door/keyframe"),
        ("GET", "/healthz"),
    ]
    .iter()
    .map(|(method, path)| server.ask(method, path, headers, None).status)
    .collect()
}

#[test]
fn a_user_sees_what_is_theirs_and_an_admin_everything() {
    let server = Server::start(&house(&json!({ "token": TOKEN })));
    let all = [200, 200, 200, 200, 200, 202, 200];
    assert_eq!(statuses(&server, ""), [401, 401, 401, 401, 401, 401, 200]);
    assert_eq!(statuses(&server, ANNA), all);
    assert_eq!(statuses(&server, &format!("Bearer {TOKEN}")), all);
    assert_eq!(statuses(&server, BERT), [200, 404, 403, 403, 403, 403, 200]);
    assert_eq!(
        statuses(&server, "Bearer 0123456789abcdee"),
        [401, 401, 401, 401, 401, 401, 200]
    );
    let seen = server.ask("GET", "/api/v1/streams", &[("Authorization", BERT)], None);
    assert_eq!(seen.body["itemCount"], 1, "{seen:?}");
    let challenge = server.get("/api/v1/streams");
    assert!(
        challenge.headers.contains_key("www-authenticate"),
        "{challenge:?}"
    );
}

#[test]
fn nobody_learns_of_streams_that_share_a_picture_and_are_not_theirs() {
    let server = Server::start(&json!({ "videoResolution": "160x120",
        "users": [{ "username": "anna", "password": "a", "admin": true },
                  { "username": "bert", "password": "b", "streams": ["/wall1", "/wall2"] }],
        "rtspStreamPath": "/wall{n}", "count": 3, "sharedPicture": true }));
    let others = |who: &str, path: &str| {
        let answer = server.ask("GET", path, &[("Authorization", who)], None).body;
        let stream = answer
            .get("items")
            .map_or(answer.clone(), |items| items[0].clone());
        stream["sharesPictureWith"].clone()
    };
    for path in ["/api/v1/streams/wall1", "/api/v1/streams"] {
        assert_eq!(others(ANNA, path), json!(["wall2", "wall3"]));
        assert_eq!(others(BERT, path), json!(["wall2"]));
    }
}

#[test]
fn wrong_log_ins_are_told_as_those_over_rtsp_are() {
    let server = Server::start(&house(&json!({})));
    let wrong = server.ask(
        "GET",
        "/api/v1/streams",
        &[("Authorization", "Basic YW5uYTpi")],
        None,
    );
    assert_eq!(wrong.status, 401);
    let told = ["refused a wrong log-in", "anna"];
    server
        .process
        .log()
        .wait_for("who", |line| told.iter().all(|part| line.contains(part)));
}

#[test]
fn wrong_tokens_are_told_where_there_are_no_users() {
    let server = Server::start(&json!({ "http": { "token": TOKEN }, "videoResolution": "160x120" }));
    let wrong = server.ask(
        "GET",
        "/api/v1/streams",
        &[("Authorization", "Bearer wrong")],
        None,
    );
    assert_eq!(wrong.status, 401);
    server.process.log().wait_for("it", |line| {
        line.contains("refused a wrong log-in") && !line.contains("Bearer")
    });
}

/// Whoever has the token is let in by whatever name they ask: whoever guesses must not be.
#[test]
fn wrong_tokens_are_slowed_by_whatever_name_they_come() {
    let server = Server::start(&json!({ "http": { "token": TOKEN }, "videoResolution": "160x120" }));
    let headers = [("Host", "evil.example"), ("Authorization", "Bearer wrong")];
    let guess = || server.ask("GET", "/api/v1/streams", &headers, None).status;
    assert_eq!(guess(), 401);
    server
        .process
        .log()
        .wait_for("it", |line| line.contains("refused a wrong log-in"));
    wait_until("some are not looked at any more", || {
        let at_once = std::thread::scope(|scope| {
            let guesses: Vec<_> = (0..12).map(|_| scope.spawn(guess)).collect();
            guesses
                .into_iter()
                .map(|guess| guess.join().expect("an answer"))
                .collect::<Vec<_>>()
        });
        assert!(
            at_once.iter().all(|status| [401, 429].contains(status)),
            "{at_once:?}"
        );
        at_once.contains(&429)
    });
}

/// A guess that nobody waits for counts as long as one that somebody waits for.
#[test]
fn who_hangs_up_is_slowed_as_well() {
    const AT_ONCE: usize = 20;
    const LATE: usize = 8;
    let guess = "GET /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n";
    // A machine that is busy may have forgotten some before the others have come.
    wait_until("others from there are not looked at any more", || {
        let server = Server::start(&json!({ "http": { "token": TOKEN }, "videoResolution": "160x120" }));
        let address = server.origin.strip_prefix("http://").expect("an origin");
        let comes_to = |sample: String| {
            wait_until(&sample, || {
                server.get("/metrics").text.lines().any(|line| line == sample)
            });
        };
        let guesses: Vec<_> = (0..AT_ONCE + LATE)
            .map(|_| {
                let mut connection = TcpStream::connect(address).expect("it is let in");
                connection.write_all(guess.as_bytes()).expect("it is heard");
                connection
            })
            .collect();
        comes_to(format!(
            "rtsp_clock_logins_refused_total{{reason=\"wrong\"}} {}",
            AT_ONCE + LATE
        ));
        drop(guesses);
        comes_to("rtsp_clock_connections{protocol=\"http\"} 1".into());
        let headers = [("Authorization", "Bearer wrong")];
        server.ask("GET", "/api/v1/streams", &headers, None).status == 429
    });
}

/// The body never comes.
#[test]
fn who_may_not_change_anything_is_told_so_before_they_say_what() {
    let server = Server::start(&house(&json!({ "token": TOKEN })));
    let address = server.origin.strip_prefix("http://").expect("an origin");
    for call in [
        "PATCH /api/v1/streams/door/config",
        "PUT /api/v1/config",
        "POST /api/v1/streams",
        "DELETE /api/v1/streams/door",
        "POST /api/v1/streams/door/keyframe",
        "POST /api/v1/reload",
        "DELETE /api/v1/viewers/any",
    ] {
        let head = format!(
            "{call} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {BERT}\r\nContent-Type: application/json\r\n\
             Content-Length: 1000000\r\n\r\n"
        );
        let mut connection = TcpStream::connect(address).expect("it is let in");
        connection.write_all(head.as_bytes()).expect("it is heard");
        let mut status = [0; 12];
        connection.read_exact(&mut status).expect("it is answered");
        assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 403", "{call}");
    }
}

#[test]
fn with_a_token_nobody_changes_anything_without_it() {
    let server = Server::start(&json!({ "http": { "token": TOKEN }, "videoResolution": "160x120" }));
    let change = |headers: &[(&str, &str)]| {
        server
            .ask("POST", "/api/v1/streams/live/keyframe", headers, None)
            .status
    };
    assert_eq!(server.get("/api/v1/streams").status, 200);
    assert_eq!(change(&[]), 403);
    assert_eq!(change(&[("Authorization", &format!("Bearer {TOKEN}"))]), 202);
}

#[test]
fn pages_elsewhere_and_names_that_lead_here_are_sent_away() {
    let http = json!({ "token": TOKEN, "allowedHosts": ["camera.example"],
                       "allowedOrigins": ["https://lab.example"] });
    let server = Server::start(&json!({ "http": http }));
    let token = format!("Bearer {TOKEN}");
    let own = server.origin.clone();
    let asked = |headers: &[(&str, &str)]| server.ask("GET", "/api/v1/streams", headers, None).status;
    assert_eq!(asked(&[("Host", "evil.example")]), 421);
    assert_eq!(asked(&[("Host", "evil.example"), ("Authorization", &token)]), 200);
    assert_eq!(asked(&[("Host", "camera.example")]), 200);
    assert_eq!(asked(&[("Host", "localhost:8080")]), 200);
    assert_eq!(asked(&[("Origin", "http://evil.example")]), 403);
    assert_eq!(asked(&[("Origin", "null")]), 403);
    assert_eq!(asked(&[("Origin", "https://lab.example")]), 200);
    assert_eq!(asked(&[("Origin", &own)]), 200);
    let shown_by = |site: &str, page: &str| asked(&[("Sec-Fetch-Site", site), ("Referer", page)]);
    assert_eq!(shown_by("cross-site", "http://evil.example/"), 403);
    assert_eq!(shown_by("same-site", "http://127.0.0.1:1/"), 403);
    assert_eq!(shown_by("cross-site", "https://lab.example/wall"), 200);
    assert_eq!((shown_by("same-origin", &own), shown_by("none", "")), (200, 200));
    assert_eq!(
        server
            .ask("GET", "/healthz", &[("Host", "evil.example")], None)
            .status,
        200
    );
}

#[test]
fn no_more_streams_are_added_than_there_may_be() {
    let server = Server::start(&json!({ "http": { "maxStreams": 3 } }));
    let add = |count: u32| {
        let entry = json!({ "rtspStreamPath": format!("/of{count}/{{n}}"), "count": count });
        server.send("POST", "/api/v1/streams", &entry).status
    };
    assert_eq!((add(3), add(2), add(1)), (409, 201, 409));
    assert_eq!(server.ids().len(), 3);
    // What has too many entries is not read to its end.
    let wrong = json!({ "http": { "maxStreams": 3 }, "streams": [{}, {}, {}, { "colour": 1 }] });
    assert_eq!(server.send("PUT", "/api/v1/config", &wrong).status, 409);
}

#[test]
fn who_comes_when_there_are_enough_is_told_so() {
    let server = Server::start(&json!({}));
    let address = server.origin.strip_prefix("http://").expect("an origin");
    let ask = |connection: &mut TcpStream| {
        connection
            .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .expect("it is heard");
        let mut answer = [0; 12];
        connection.read_exact(&mut answer).expect("it is answered");
        String::from_utf8_lossy(&answer).into_owned()
    };
    let mut connections = Vec::new();
    for _ in 0..256 {
        let mut connection = TcpStream::connect(address).expect("it is let in");
        assert_eq!(ask(&mut connection), "HTTP/1.1 200");
        connections.push(connection);
    }
    let mut late = TcpStream::connect(address).expect("it is let in");
    assert_eq!(ask(&mut late), "HTTP/1.1 503");
    let mut more = String::new();
    late.read_to_string(&mut more).expect("it is closed");
    assert!(more.contains("retry-after: "), "{more}");
    drop(connections);
    wait_until("there is room again", || {
        TcpStream::connect(address).is_ok_and(|mut connection| ask(&mut connection) == "HTTP/1.1 200")
    });
}

#[test]
fn a_body_that_is_too_large_is_refused() {
    let server = Server::start(&json!({}));
    let body = format!("{{\"label\": \"{}\"}}", "x".repeat(2 * 1024 * 1024));
    let headers = [("Content-Type", "application/json")];
    let refused = server.ask("POST", "/api/v1/streams", &headers, Some(&body));
    assert_eq!(refused.status, 413);
}

#[test]
fn headers_that_come_too_slowly_are_refused() {
    let server = Server::start(&json!({}));
    let address = server.origin.strip_prefix("http://").expect("an origin");
    let mut connection = TcpStream::connect(address).expect("it is let in");
    connection
        .write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
        .expect("it is heard");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("it is closed");
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
}

/// The body never comes, and is not asked for.
#[test]
fn a_body_that_says_that_it_is_too_large_is_refused_at_once() {
    let server = Server::start(&json!({}));
    let address = server.origin.strip_prefix("http://").expect("an origin");
    let mut connection = TcpStream::connect(address).expect("it is let in");
    let head = "POST /api/v1/streams HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                Content-Length: 2000000\r\nExpect: 100-continue\r\n\r\n";
    connection.write_all(head.as_bytes()).expect("it is heard");
    let mut status = [0; 12];
    connection.read_exact(&mut status).expect("it is answered");
    assert_eq!(String::from_utf8_lossy(&status), "HTTP/1.1 413");
}

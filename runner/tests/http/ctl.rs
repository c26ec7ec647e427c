//! `rtsp-clock-server ctl`, as a shell runs it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::TcpListener,
    process::{Command, Output, Stdio},
    thread,
};

use serde_json::{Value, json};

use crate::{
    Server,
    common::{RtspClient, certificate::Certificate, process, wait_until},
};

const TOKEN: &str = "0123456789abcdef";

fn cameras() -> Value {
    json!({ "rtspStreamPath": "/cam{n}", "count": 3, "label": "Camera {n}", "videoResolution": "160x120",
            "framesPerSecond": 25 })
}

/// A command line of `ctl` that asks that server.
fn ctl(server: &Server, arguments: &[&str]) -> Command {
    let mut command = process::command();
    command.args(["ctl", "--url", &server.origin]).args(arguments);
    command
}

/// What it prints where it succeeds.
#[track_caller]
fn printed(mut command: Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {said}");
    assert_eq!(said, "", "{command:?}");
    String::from_utf8(stdout).expect("UTF-8")
}

/// What it says where it fails.
#[track_caller]
fn complaint(mut command: Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it runs");
    assert_eq!(status.code(), Some(1), "{command:?}");
    assert_eq!(String::from_utf8_lossy(&stdout), "", "{command:?}");
    String::from_utf8(stderr).expect("UTF-8")
}

/// The words of each line.
fn words(text: &str) -> Vec<Vec<&str>> {
    text.lines()
        .map(|line| line.split_whitespace().collect())
        .collect()
}

fn json_of(command: Command) -> Value {
    serde_json::from_str(&printed(command)).expect("JSON")
}

#[test]
fn streams_and_viewers_are_shown_to_people_and_to_machines() {
    let server = Server::start(&cameras());
    let list = printed(ctl(&server, &["list"]));
    let lines = words(&list);
    assert_eq!(lines[0], ["ID", "STATE", "VIEWERS", "PICTURE", "LABEL", "URL"]);
    let url = format!("rtsp://127.0.0.1:{}/cam2", server.process.port());
    assert_eq!(
        lines[2],
        [
            "cam2", "idle", "0", "h264", "160x120", "25/s", "Camera", "2", &url
        ]
    );
    assert_eq!(lines.len(), 4);
    let ids = json_of(ctl(&server, &["list", "--json"]));
    assert_eq!(
        (&ids[2]["id"], ids.as_array().map(Vec::len)),
        (&json!("cam3"), Some(3))
    );
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at("/cam2")
        .watching();
    viewer.next_rtp();
    let session = viewer.session().expect("a session").to_owned();
    wait_until("it is counted", || {
        json_of(ctl(&server, &["--json", "viewers"]))
            .as_array()
            .is_some_and(|all| all.len() == 1)
    });
    let viewers = printed(ctl(&server, &["viewers"]));
    let lines = words(&viewers);
    assert_eq!(
        (lines[1][0], lines[1][1], lines[1][3]),
        ("cam2", session.as_str(), "tcp"),
        "{viewers}"
    );
    assert_eq!(
        words(&printed(ctl(&server, &["viewers", "cam1"]))).len(),
        1,
        "no viewer"
    );
    let shown = printed(ctl(&server, &["show", "cam2"]));
    assert!(
        shown.contains("\nlabel ") && shown.contains("\nstate           running since "),
        "{shown}"
    );
    assert!(shown.contains(&session), "{shown}");
    assert_eq!(
        json_of(ctl(&server, &["show", "cam2", "--json"]))["label"],
        "Camera 2"
    );
    assert_eq!(printed(ctl(&server, &["keyframe", "cam2"])), "");
    assert_eq!(printed(ctl(&server, &["kick", &session])), "");
    assert!(viewer.sees_the_end());
}

#[test]
fn streams_are_changed_added_and_removed() {
    let server = Server::start(&cameras());
    let changed = printed(ctl(&server, &["set", "cam2", "label=Front door", "maxViewers=5"]));
    assert_eq!(words(&changed)[0], ["streams", "cam2"], "{changed}");
    let config = server.read("/api/v1/streams/cam2/config");
    assert_eq!(
        (&config["label"], &config["maxViewers"]),
        (&json!("Front door"), &json!(5))
    );
    let file = || std::fs::read_to_string(&server.file).expect("a file");
    assert!(!file().contains("Front door"));
    printed(ctl(&server, &["set", "cam2", "maxViewers=null", "--save"]));
    assert!(file().contains("Front door"), "all that is in force");
    assert_eq!(
        server.read("/api/v1/streams/cam2/config")["maxViewers"],
        Value::Null
    );
    let refused = complaint(ctl(&server, &["set", "cam2", "videoCodec=mjpeg"]));
    assert!(
        refused.starts_with("rtsp-clock-server: error: 409: "),
        "{refused}"
    );
    printed(ctl(&server, &["set", "cam2", "videoCodec=mjpeg", "--replace"]));
    assert_eq!(
        server.read("/api/v1/streams/cam2")["madeOf"]["picture"]["codec"],
        "mjpeg"
    );

    let mut add = ctl(&server, &["add", "-", "--json"]);
    let mut adding = add
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("it runs");
    let entry = br#"{ "rtspStreamPath": "/more{n}", "count": 2, "videoResolution": "160x120" }"#;
    adding
        .stdin
        .take()
        .expect("stdin")
        .write_all(entry)
        .expect("it reads");
    let added = adding.wait_with_output().expect("it ends");
    let added: Value = serde_json::from_slice(&added.stdout).expect("JSON");
    assert_eq!(added["streams"], json!(["more1", "more2"]));
    let file = server.file.with_extension("entry.json");
    std::fs::write(
        &file,
        r#"{ "rtspStreamPath": "/last", "videoResolution": "160x120" }"#,
    )
    .expect("a file");
    let added = printed(ctl(&server, &["add", &file.display().to_string()]));
    assert_eq!(words(&added)[0], ["streams", "last"]);
    printed(ctl(&server, &["remove", "more1"]));
    assert_eq!(server.ids(), ["cam1", "cam2", "cam3", "more2", "last"]);
    let reloaded = printed(ctl(&server, &["reload"]));
    assert!(reloaded.contains("removed"), "{reloaded}");
    assert_eq!(server.ids(), ["cam1", "cam2", "cam3"]);
    assert_eq!(printed(ctl(&server, &["reload"])), "nothing differs\n");
}

#[test]
fn mistakes_are_told_each_on_a_line() {
    let server = Server::start(&cameras());
    let said = complaint(ctl(&server, &["set", "cam1", "framesPerSecond=0", "labell=x"]));
    let lines: Vec<_> = said.lines().collect();
    assert!(lines[0].starts_with("rtsp-clock-server: error: 422: "), "{said}");
    assert!(
        lines[1..]
            .iter()
            .any(|line| line.starts_with("  framesPerSecond: ")),
        "{said}"
    );
    assert!(
        lines[1..].iter().any(|line| line.starts_with("  labell: ")),
        "{said}"
    );
    let unknown = complaint(ctl(&server, &["show", "../config"]));
    assert_eq!(
        unknown,
        "rtsp-clock-server: error: 404: there is no stream \"../config\"\n"
    );
    assert_eq!(server.ids().len(), 3);
    for (wrong, told) in [
        (&["set", "cam1", "label"][..], "is no key=value"),
        (&["set", "cam1"], "required arguments"),
        (&["add", "/nowhere.json"], "cannot read /nowhere.json"),
        (
            &["snapshot", "cam1", "-o", "a.gif"],
            "the name ends with .jpg or .png",
        ),
        (&["--user", "a", "--token", "b", "list"], "cannot be used with"),
    ] {
        let said = complaint(ctl(&server, wrong));
        assert!(said.contains(told), "{wrong:?}: {said}");
    }
}

#[test]
fn address_and_token_are_those_of_the_configuration_and_its_variables() {
    let server = Server::start(
        &json!({ "http": { "token": TOKEN }, "users": [{ "username": "anna", "password": "a", "admin": true }] }),
    );
    let (_, port) = server.origin.rsplit_once(':').expect("a port");
    let by_configuration = |arguments: &[&str]| {
        let mut command = process::command();
        let variables = [
            ("RTSP_HTTP", "true"),
            ("RTSP_HTTP_PORT", port),
            ("RTSP_HTTP_ADDRESS", "0.0.0.0"),
        ];
        command.args(arguments).envs(variables);
        command
    };
    let file = server.file.display().to_string();
    assert_eq!(
        words(&printed(by_configuration(&["ctl", "list", "--config", &file]))).len(),
        2
    );
    let no_token = complaint(by_configuration(&["ctl", "list"]));
    assert!(
        no_token.starts_with("rtsp-clock-server: error: 401: "),
        "{no_token}"
    );
    let mut by_variable = by_configuration(&["ctl", "list"]);
    by_variable.env("RTSP_HTTP_TOKEN", TOKEN);
    assert_eq!(words(&printed(by_variable)).len(), 2);
    // A token that is for this machine's server goes to no other one.
    let elsewhere = complaint(ctl(&server, &["--config", &file, "list"]));
    assert!(
        elsewhere.starts_with("rtsp-clock-server: error: 401: "),
        "{elsewhere}"
    );
    for user in ["anna:a", "anna"] {
        let mut login = ctl(&server, &["list", "--user", user]);
        login.env("RTSP_HTTP_PASSWORD", "a");
        assert_eq!(words(&printed(login)).len(), 2);
    }
    assert!(complaint(ctl(&server, &["list", "--user", "anna:b"])).contains("401: "));
    let mut off = by_configuration(&["ctl", "list"]);
    off.env("RTSP_HTTP", "false");
    assert!(complaint(off).contains("--url says where another one is"));
}

#[test]
fn a_certificate_is_looked_at() {
    let certificate = Certificate::new();
    let signed = Certificate::signed_for("127.0.0.1");
    let start = |certificate: &Certificate| {
        Server::start_with(&json!({}), |command| {
            command
                .env("RTSP_TLS_CERTIFICATE", certificate.certificate())
                .env("RTSP_TLS_PRIVATE_KEY", certificate.private_key())
                .env("RTSP_HTTP_TLS", "true");
        })
    };
    let server = start(&signed);
    assert!(complaint(ctl(&server, &["list"])).contains("no answer from https://127.0.0.1"));
    assert_eq!(words(&printed(ctl(&server, &["list", "--insecure"]))).len(), 2);
    assert_eq!(
        words(&printed(ctl(&server, &["list", "--ca", &signed.certificate()]))).len(),
        2
    );
    let other = ctl(&server, &["list", "--ca", &certificate.certificate()]);
    assert!(complaint(other).contains("no answer from"));
    // This machine's own server, by its configuration.
    let (_, port) = server.origin.rsplit_once(':').expect("a port");
    let mut own = process::command();
    own.args(["ctl", "list"])
        .env("RTSP_TLS_CERTIFICATE", signed.certificate())
        .env("RTSP_TLS_PRIVATE_KEY", signed.private_key())
        .envs([
            ("RTSP_HTTP", "true"),
            ("RTSP_HTTP_TLS", "true"),
            ("RTSP_HTTP_PORT", port),
        ]);
    assert_eq!(words(&printed(own)).len(), 2);
}

/// Answers one request with that, and goes.
fn answering(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let answering = thread::spawn(move || {
        let (connection, _) = listener.accept().expect("a connection");
        let mut request = String::new();
        let mut reader = BufReader::new(&connection);
        while reader.read_line(&mut request).is_ok_and(|length| length > 2) {}
        (&connection).write_all(answer.as_bytes()).expect("it reads");
        request
    });
    (url, answering)
}

#[test]
fn events_are_a_line_each() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n\
         :\n\nid: 1-8\nevent: viewerLeft\ndata: {\"number\":8,\"at\":\"2026-03-01T12:00:00Z\",\"type\":\"viewerLeft\",\"viewers\":0}\n\n\
         id: 1-11\nevent: missed\ndata: {\"missed\":3,\"isExact\":true}\n\n";
    let follow = |url: &str, arguments: &[&str]| {
        let mut command = process::command();
        command.args(["ctl", "--url", url, "events"]).args(arguments);
        command
    };
    let (url, request) = answering(answer);
    let lines = printed(follow(&url, &["--stream", "a b", "--after", "1-7"]));
    assert_eq!(
        lines,
        "2026-03-01T12:00:00Z 1-8 viewerLeft viewers=0\n1-11 missed missed=3 isExact=true\n"
    );
    let request = request.join().expect("a request").to_lowercase();
    assert!(
        request.starts_with("get /api/v1/events?stream=a%20b http/1.1\r\n"),
        "{request}"
    );
    assert!(request.contains("\r\nlast-event-id: 1-7\r\n"), "{request}");
    let (url, _request) = answering(answer);
    let json = printed(follow(&url, &["--json", "--count", "1"]));
    assert_eq!(
        json,
        "{\"number\":8,\"at\":\"2026-03-01T12:00:00Z\",\"type\":\"viewerLeft\",\"viewers\":0}\n"
    );
}

#[test]
fn a_snapshot_is_saved() {
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nX-Instant: 2026-03-01T12:00:00.04Z\r\n\
                  Content-Length: 4\r\nConnection: close\r\n\r\n\u{7}PNG";
    let file =
        std::path::PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ctl-{}.png", std::process::id()));
    let snapshot = |url: &str, arguments: &[&str]| {
        let mut command = process::command();
        command
            .args(["ctl", "--url", url, "snapshot", "door"])
            .args(arguments);
        command
    };
    let (url, request) = answering(answer);
    let path = file.display().to_string();
    let said = printed(snapshot(&url, &["-o", &path, "--width", "320"]));
    assert_eq!(said, format!("{path}: 2026-03-01T12:00:00.04Z\n"));
    assert_eq!(std::fs::read(&file).expect("a picture"), b"\x07PNG");
    let request = request.join().expect("a request");
    assert!(
        request.starts_with("GET /api/v1/streams/door/snapshot.png?width=320 "),
        "{request}"
    );
    let (url, request) = answering(answer);
    assert_eq!(printed(snapshot(&url, &["-o", "-"])), "\u{7}PNG");
    let request = request.join().expect("a request");
    assert!(
        request.starts_with("GET /api/v1/streams/door/snapshot.jpg "),
        "{request}"
    );
    std::fs::remove_file(file).expect("it is there");
}

#[test]
fn nobody_who_answers_is_told() {
    let free = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", free.local_addr().expect("an address"));
    drop(free);
    let mut command = process::command();
    command.args(["ctl", "--url", &url, "list"]);
    let said = complaint(command);
    assert!(said.contains(&format!("no answer from {url}")), "{said}");
    let (url, _request) = answering(
        "HTTP/1.1 301 Moved Permanently\r\nLocation: http://nowhere.invalid/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    );
    let mut command = process::command();
    command.args(["ctl", "--url", &url, "list"]);
    assert_eq!(
        complaint(command),
        "rtsp-clock-server: error: 301 Moved Permanently\n"
    );
}

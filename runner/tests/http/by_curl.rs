//! The lines for curl in the documentation, as a reader runs them.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use serde_json::json;

use crate::{
    Server,
    common::{RtspClient, wait_until},
};

/// The address that the documentation has, and the session of its viewer.
const ADDRESS: &str = "http://127.0.0.1:8080";
const SESSION: &str = "RDPqFLT9C34YFzSJ";

/// The lines that begin with `curl`, and those that set a variable for them.
fn lines(page: &str) -> Vec<String> {
    let path = format!("{}/../docs/{page}", env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    let lines = text.lines().filter_map(|line| line.strip_prefix("$ "));
    let lines = lines.filter(|line| line.starts_with("curl ") || line.starts_with("api="));
    lines.map(String::from).collect()
}

/// A folder of its own, in which curl says with which status it was answered.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&folder).expect("a writable folder");
    let settings = "write-out = \"\\n%{http_code} %{method} %{url}\"\n";
    fs::write(folder.join(".curlrc"), settings).expect("a writable folder");
    folder
}

fn shell(folder: &Path, script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-ec", script]);
    command.env("CURL_HOME", folder).current_dir(folder);
    command
}

/// Runs `line`; answers the status, the method and the path.
#[track_caller]
fn run(folder: &Path, line: &str) -> (u16, String, String) {
    let output = shell(folder, line).output().expect("a shell");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<_> = text.lines().last().unwrap_or_default().splitn(3, ' ').collect();
    let [status, method, url] = words[..] else {
        panic!("{line}: {text} {output:?}");
    };
    let status = status.parse().expect("a status");
    (status, method.to_owned(), path(url))
}

/// Runs `line`, whose answer goes on, until that has begun; answers the status and the path.
#[track_caller]
fn run_until_answered(folder: &Path, line: &str) -> (u16, String) {
    let headers = folder.join("headers");
    fs::write(&headers, "").expect("a writable folder");
    let script = line.replace("curl -sN ", "exec curl -D headers -sN ");
    let mut command = shell(folder, &script);
    let mut curl = command.stdout(Stdio::null()).spawn().expect("a shell");
    let mut status = None;
    wait_until(line, || {
        let headers = fs::read_to_string(&headers).unwrap_or_default();
        status = headers.lines().next().and_then(|line| {
            let (_, status) = line.split_once(' ')?;
            status.split(' ').next()?.parse().ok()
        });
        status.is_some()
    });
    curl.kill().expect("it goes on");
    curl.wait().expect("it has ended");
    let url = line.rsplit(' ').next().unwrap_or_default().trim_matches('"');
    (status.expect("a status"), path(url))
}

/// The path of a URL, or of what stands behind `$api`.
fn path(url: &str) -> String {
    let url = url.replace("$api", "http://host/api/v1");
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    format!("/{}", path.split('?').next().unwrap_or_default())
}

/// Runs all lines of `page`, and answers which calls they make.
#[track_caller]
fn run_all(page: &str, server: &Server, session: &str) -> BTreeSet<(String, String)> {
    let folder = folder(&format!("curl-{}-{page}", std::process::id()));
    let mut api = String::new();
    let mut calls = BTreeSet::new();
    for line in lines(page) {
        let line = line.replace(ADDRESS, &server.origin).replace(SESSION, session);
        if line.starts_with("api=") {
            api = line;
            continue;
        }
        let script = format!("{api}\n{line}");
        let (status, method, path) = if line.starts_with("curl -sN ") {
            let (status, path) = run_until_answered(&folder, &script);
            (status, "GET".to_owned(), path)
        } else {
            run(&folder, &script)
        };
        assert!((200..300).contains(&status), "{line}: {status}");
        calls.insert((method.to_lowercase(), path.replace(session, "{session}")));
    }
    calls
}

#[test]
fn each_call_is_made_by_a_line_that_works() {
    let server = Server::start(&json!({}));
    let viewer = RtspClient::connect_port(server.process.port()).at("/live");
    let mut viewer = viewer.watching();
    viewer.next_rtp();
    let mut session = String::new();
    wait_until("the viewer is told", || {
        let viewers = server.read("/api/v1/viewers");
        session = viewers[0]["session"].as_str().unwrap_or_default().to_owned();
        !session.is_empty()
    });
    // Whoever does not read is sent away. It ends with the session.
    thread::spawn(move || while viewer.next_packet().is_ok() {});
    let called = run_all("api.md", &server, &session);
    let called: BTreeSet<_> = called
        .into_iter()
        .map(|(method, path)| {
            let path = path.replace("/streams/live", "/streams/{id}");
            (method, path.replace("/streams/gate", "/streams/{id}"))
        })
        .collect();
    let document = server.read("/api/v1/openapi.json");
    for (path, calls) in document["paths"].as_object().expect("paths") {
        for method in calls.as_object().expect("calls").keys() {
            let call = (method.clone(), path.clone());
            assert!(called.contains(&call), "{method} {path} has no line");
        }
    }
}

#[test]
fn metrics_are_read_as_the_page_says() {
    let server =
        Server::start(&json!({ "videoResolution": "320x240", "http": { "token": "0123456789abcdef" } }));
    let lines = lines("metrics.md");
    assert!(lines.len() >= 2, "{lines:?}");
    let folder = folder(&format!("curl-{}-metrics", std::process::id()));
    for line in lines {
        let line = line
            .replace(ADDRESS, &server.origin)
            .replace('…', "0123456789abcdef");
        assert_eq!(run(&folder, &line).0, 200, "{line}");
    }
}

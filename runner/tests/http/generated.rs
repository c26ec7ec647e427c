//! Requests that schemathesis makes up of what the API says of itself: whatever is sent, the answers are as that says, nothing
//! secret is in them, and who plays a stream does not notice.
//!
//! `API_EXAMPLES` says how many are tried of each call; a few where nobody says.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::{Value, json};

use crate::{
    Server,
    common::{RtspClient, burden},
    playing::while_somebody_plays,
};

const TOKEN: &str = "0123456789abcdef";
const PASSWORD: &str = "open-sesame";
/// anna:open-sesame
const ANNA: &str = "Basic YW5uYTpvcGVuLXNlc2FtZQ==";

fn cameras() -> Value {
    json!({ "videoResolution": "160x120", "framesPerSecond": 25, "http": { "token": TOKEN, "maxStreams": 20 },
            "users": [{ "username": "anna", "password": PASSWORD, "admin": true }],
            "streams": [{ "rtspStreamPath": "/played" }, { "rtspStreamPath": "/cam{n}", "count": 3 }] })
}

/// What is tried of the API: calls by these expressions, with the token or without.
struct Run {
    name: &'static str,
    token: bool,
    calls: &'static [&'static str],
}

impl Run {
    /// Tries them; answers what came back, all of it.
    fn of(&self, server: &Server) -> String {
        let cassette = scratch(&format!("{}.json", self.name));
        let output = self
            .command(server, &cassette)
            .output()
            .expect("schemathesis runs");
        assert!(output.status.success(), "{}: {}", self.name, said(&output));
        fs::read_to_string(cassette).expect("what came back")
    }

    fn command(&self, server: &Server, cassette: &Path) -> Command {
        let examples = burden::size("API_EXAMPLES", 3).to_string();
        let document = scratch("openapi.json");
        let bearer = ("Authorization", format!("Bearer {TOKEN}"));
        let described = server.ask("GET", "/api/v1/openapi.json", &[(bearer.0, &bearer.1)], None);
        fs::write(&document, described.text).expect("a writable folder");
        let mut command = Command::new(python("schemathesis"));
        command
            .env("SCHEMATHESIS_HOOKS", "hooks")
            .env(
                "PYTHONPATH",
                concat!(env!("CARGO_MANIFEST_DIR"), "/tests/http/generated"),
            )
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .args([
                "--config-file",
                concat!(
                    env!("CARGO_MANIFEST_DIR"),
                    "/tests/http/generated/schemathesis.toml"
                ),
            ])
            .arg("run")
            .arg(&document)
            .args(["--url", &server.origin, "--max-examples", &examples])
            .args(["--no-color", "--generation-deterministic"])
            // What is right by itself may still be wrong where it is sent: a path that another stream has.
            .args([
                "--exclude-checks",
                "positive_data_acceptance",
                "--warnings",
                "off",
            ])
            .args(["--report", "har", "--report-har-path"])
            .arg(cassette)
            .args(["--output-sanitize", "false", "--phases", "coverage,fuzzing"])
            .args(self.calls);
        if self.token {
            command.args(["-H", &format!("Authorization: Bearer {TOKEN}")]);
        }
        command
    }
}

fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("api-{}-{name}", std::process::id()))
}

/// A program of the tests' clients for Python.
fn python(program: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name(format!("python/bin/{program}"))
}

fn said(output: &Output) -> String {
    let [out, err] =
        [&output.stdout, &output.stderr].map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    out + &err
}

/// Somebody who may play a stream that nothing is done to.
fn viewer(server: &Server) -> RtspClient {
    let mut viewer = RtspClient::connect_port(server.process.port()).at("/played");
    viewer.authorize(ANNA.into());
    viewer
}

/// The answers among what was recorded. What was sent is not looked at: it has the token.
fn answers(recorded: &str) -> Vec<String> {
    let recorded: Value = serde_json::from_str(recorded).expect("a recording");
    let entries = recorded["log"]["entries"].as_array().expect("entries").iter();
    entries.map(|entry| entry["response"].to_string()).collect()
}

#[track_caller]
fn assert_no_secrets(server: &Server, recorded: &str) {
    let answers = answers(recorded);
    println!("{} generated requests", answers.len());
    assert!(answers.len() > 50, "{} requests", answers.len());
    for text in answers.iter().chain(&server.process.log().lines()) {
        assert!(!text.contains(PASSWORD) && !text.contains(TOKEN), "{text}");
    }
}

#[test]
fn whatever_a_stranger_sends() {
    let server = Server::start(&cameras());
    let run = Run {
        name: "stranger",
        token: false,
        calls: &[],
    };
    let recorded = while_somebody_plays(viewer(&server), || run.of(&server));
    assert_no_secrets(&server, &recorded);
    assert!(
        server
            .process
            .log()
            .lines()
            .iter()
            .all(|line| !line.contains("panicked"))
    );
}

#[test]
fn whatever_who_has_the_token_sends_to_the_other_streams() {
    let server = Server::start(&cameras());
    let run = Run {
        name: "owner",
        token: true,
        calls: &[
            "--exclude-path",
            "/api/v1/events",
            "--exclude-path-regex",
            "/(preview|viewers/)",
            "--exclude-operation-id",
            "putConfig",
        ],
    };
    let recorded = while_somebody_plays(viewer(&server), || run.of(&server));
    assert_no_secrets(&server, &recorded);
}

#[test]
fn whatever_is_put_in_the_place_of_all() {
    let server = Server::start(&cameras());
    let run = Run {
        name: "whole",
        token: true,
        calls: &["--include-path-regex", "/(config|reload|viewers.*|session)$"],
    };
    let recorded = run.of(&server);
    assert_no_secrets(&server, &recorded);
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_client_made_of_it_understands_all_answers() {
    let server = Server::start(
        &json!({ "rtspStreamPath": "/cam{n}", "count": 2, "videoResolution": "160x120",
                                        "http": { "token": TOKEN } }),
    );
    let (document, folder) = (scratch("client.json"), scratch("client"));
    fs::write(&document, server.get("/api/v1/openapi.json").text).expect("a writable folder");
    let programs = python("schemathesis");
    let path = format!(
        "{}:{}",
        programs.parent().expect("a folder").display(),
        std::env::var("PATH").unwrap_or_default()
    );
    let generated = Command::new(python("openapi-python-client"))
        .args(["generate", "--overwrite", "--meta", "none", "--path"])
        .arg(&document)
        .arg("--output-path")
        .arg(folder.join("clock_client"))
        .env("PATH", path)
        .output()
        .expect("it runs");
    assert!(generated.status.success(), "{}", said(&generated));
    let called = Command::new(python("python"))
        .arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/http/generated/client.py"
        ))
        .args([&server.origin, TOKEN])
        .env("PYTHONPATH", &folder)
        .output()
        .expect("it runs");
    assert!(called.status.success(), "{}", said(&called));
}

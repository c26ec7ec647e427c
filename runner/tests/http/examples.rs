//! The scripts in `examples/`, as somebody runs them.

use std::{env, path::Path, process::Command};

use serde_json::json;

use crate::Server;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

#[track_caller]
fn runs(script: &str, join: &str) {
    let server =
        Server::start(&json!({ "videoResolution": "320x240", "http": { "token": "0123456789abcdef" } }));
    let programs = Path::new(env!("CARGO_BIN_EXE_rtsp-clock-server"))
        .parent()
        .expect("a folder");
    let path = format!("{}:{}", programs.display(), env::var("PATH").unwrap_or_default());
    let output = Command::new(format!("{FOLDER}/{script}"))
        .env("PATH", path)
        .env("API", &server.origin)
        .env("TOKEN", "0123456789abcdef")
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {said}{errors}");
    assert!(said.contains(join), "{script}: {said}");
    assert_eq!(server.ids(), ["live"]);
}

#[test]
fn the_shells_script_adds_cameras_changes_one_and_removes_them() {
    runs("steer.sh", r#"joins_total{stream="test7",transport="tcp"} 2"#);
}

#[test]
fn pythons_script_adds_cameras_changes_one_and_removes_them() {
    runs("steer.py", r#"joins_total{stream="test7",transport="tcp"} 2"#);
}

//! The command as tests call it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rtsp-clock-probe"));
    command
        .env_remove("RTSP_PROBE_USERNAME")
        .env_remove("RTSP_PROBE_PASSWORD")
        .env_remove("GST_DEBUG");
    command
}

pub(crate) fn run(arguments: &[&str]) -> Output {
    command().args(arguments).output().expect("it runs")
}

/// All that it wrote.
pub(crate) fn written(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), output.stderr.as_slice()].concat()).into_owned()
}

#[track_caller]
pub(crate) fn assert_status(output: &Output, status: i32) {
    assert_eq!(output.status.code(), Some(status), "{}", written(output));
}

#[track_caller]
pub(crate) fn json(text: &[u8]) -> Value {
    serde_json::from_slice(text).expect("JSON and nothing else")
}

pub(crate) fn scratch(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()))
}

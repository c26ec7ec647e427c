//! GStreamer's player, on a command line.

use std::{
    io::Read as _,
    process::{Command, Stdio},
};

/// Pictures enough to see that it plays.
const FRAMES: usize = 10;
/// Bytes of a picture of the smallest of the tests' cameras, in I420.
const PICTURE: usize = 320 * 240 * 3 / 2;

/// What to give to `gst-launch-1.0`: it writes the pictures of the H.264 camera at `url` to stdout.
pub fn arguments(url: &str, properties: &[&str]) -> Vec<String> {
    let source = ["-q", "rtspsrc", &format!("location={url}")].map(str::to_owned);
    let rest = "! rtph264depay ! avdec_h264 ! fdsink"
        .split(' ')
        .map(str::to_owned);
    let properties = properties.iter().map(|property| (*property).to_owned());
    source.into_iter().chain(properties).chain(rest).collect()
}

/// Waits until `command` has written some pictures, and ends it: how it ends by itself says nothing, since it may stumble
/// over its own farewell. Answers what it complained of if there are no pictures.
///
/// # Errors
/// When it ends before.
pub fn play(command: &mut Command) -> Result<(), String> {
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("gst-launch-1.0");
    let mut stdout = child.stdout.take().expect("it is piped");
    let played = stdout.read_exact(&mut vec![0; FRAMES * PICTURE]);
    drop(stdout);
    // It may have ended by itself.
    let _ = child.kill();
    let output = child.wait_with_output().expect("it ends");
    played.map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}

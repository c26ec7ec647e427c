//! The server as a process of its own: signals, the line to paste.

mod common;

use std::process::Command;

use common::process::{self, Process};
use common::{RtspClient, plugin_folder};

#[test]
fn a_signal_ends_it_with_status_0_and_viewers_see_the_end() {
    for signal in ["INT", "TERM"] {
        let mut process = Process::start(|_| {});
        let mut viewer = RtspClient::watch_port(process.port());
        viewer.next_rtp();
        assert_eq!(process.end_by(signal), Some(0), "after SIG{signal}");
        assert!(viewer.sees_the_end(), "the connection outlives SIG{signal}");
    }
}

#[test]
fn the_line_to_paste_runs() {
    let folder = plugin_folder("plugin-to-paste");
    for codec in ["h264", "mjpeg"] {
        let printed = process::command()
            .arg("--print-launch=gst-launch")
            .env("RTSP_VIDEO_CODEC", codec)
            .output()
            .expect("it prints");
        let line = String::from_utf8(printed.stdout).expect("it is text");
        let bounded = line.replacen("clocksrc ", "clocksrc num-buffers=10 ", 1);
        assert_ne!(line, bounded);
        let run = Command::new("sh")
            .args(["-c", &format!("gst-launch-1.0 {bounded}")])
            .env("GST_PLUGIN_PATH", &folder)
            .env("GST_REGISTRY", folder.join("registry.bin"))
            .output()
            .expect("a shell runs");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{codec}: {said}");
    }
}

#[test]
fn the_log_says_where_and_what_it_plays() {
    let process = Process::start(|command| {
        command
            .env("RTSP_VIDEO_CODEC", "mjpeg")
            .env("RTSP_VIDEO_RESOLUTION", "640x360")
            .env("RTSP_FPS", "15");
    });
    let said = |line: &str| {
        let line = line.to_lowercase();
        ["mjpeg", "640x360", "15 frames a second"]
            .iter()
            .all(|words| line.contains(words))
    };
    process.log().wait_for("codec, size and rate", said);
    let urls = process.log().lines();
    let urls: Vec<_> = urls.iter().filter(|line| line.contains("rtsp://")).collect();
    let own = format!(" rtsp://127.0.0.1:{}/live", process.port());
    assert!(matches!(*urls, [url] if url.ends_with(&own)), "{urls:?}");
}

#[test]
fn the_log_says_who_comes_and_goes() {
    let process = Process::start(|_| {});
    let viewer = RtspClient::watch_port(process.port());
    let who = format!("{} (TCP)", viewer.address());
    let says = |what: &str| {
        let words = format!("{who} {what}");
        process.log().wait_for(&words, |line| line.contains(&words));
    };
    says("is watching");
    drop(viewer);
    says("has left");
}

#[test]
fn the_log_keeps_the_password_to_itself() {
    const PASSWORD: &str = "open-sesame-17";
    // viewer:open-sesame-17
    const CREDENTIALS: &str = "dmlld2VyOm9wZW4tc2VzYW1lLTE3";
    let mut process = Process::start(|command| {
        command
            .env("RTSP_VIEWER_USERNAME", "viewer")
            .env("RTSP_VIEWER_PASSWORD", PASSWORD)
            .env("RUST_LOG", "trace");
    });
    let mut viewer = RtspClient::connect_port(process.port());
    viewer.authorize(format!("Basic {CREDENTIALS}"));
    assert_eq!(viewer.describe().status, 200);
    assert_eq!(viewer.setup().status, 200);
    assert_eq!(viewer.play().status, 200);
    viewer.next_rtp();
    drop(viewer);
    process
        .log()
        .wait_for("the viewer left", |line| line.contains("has left"));
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    assert!(log.contains("DEBUG"), "that is no trace:\n{log}");
    for secret in [PASSWORD, CREDENTIALS] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

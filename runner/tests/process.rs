//! The server as a process of its own: signals, a plugin installed beside it, the line to paste.

mod common;

use std::path::Path;
use std::process::Command;

use common::process::{self, Process};
use common::{RtspClient, installed_plugin};

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
fn its_own_clocksrc_wins_over_one_that_is_installed() {
    let installed = installed_plugin("plugins-beside-the-server");
    let registry = Path::new(env!("CARGO_TARGET_TMPDIR")).join("registry-with-clocksrc.bin");
    let process = Process::start(|command| {
        command
            .env("GST_PLUGIN_PATH", installed.parent().expect("its folder"))
            .env("GST_REGISTRY", &registry);
    });
    let mut viewer = RtspClient::watch_port(process.port());
    viewer.next_rtp();
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", process.id())).expect("it runs");
    assert!(
        !maps.contains("libgstclocksrc.so"),
        "the installed plugin was loaded"
    );
}

#[test]
fn the_line_to_paste_runs() {
    let plugin = installed_plugin("plugins-of-the-pasted-line");
    let folder = plugin.parent().expect("its folder");
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
            .env("GST_PLUGIN_PATH", folder)
            .output()
            .expect("a shell runs");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{codec}: {said}");
    }
}

//! The server as a process of its own: signals, the line to paste.

mod common;

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use common::{PATIENCE, RtspClient, plugin_folder};

const SERVER: &str = env!("CARGO_BIN_EXE_rtsp-clock-server");

/// A server of the defaults on any free port of the loopback interface.
struct Process {
    child: Child,
    port: u16,
}

impl Process {
    fn start() -> Self {
        let mut child = Command::new(SERVER)
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
            .env_remove("CONFIG_PATH")
            .env("RTSP_SERVER_IP", "127.0.0.1")
            .env("RTSP_SERVER_PORT", "0")
            .env("RUST_LOG", "info")
            .stderr(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut log = BufReader::new(child.stderr.take().expect("its log is piped")).lines();
        let port = log
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| {
                line.split_once("rtsp://127.0.0.1:")?
                    .1
                    .split('/')
                    .next()?
                    .parse()
                    .ok()
            })
            .expect("it says its URL");
        std::thread::spawn(move || log.for_each(drop));
        Self { child, port }
    }

    /// Sends a signal, and answers the exit status.
    fn end_by(&mut self, signal: &str) -> Option<i32> {
        let id = self.child.id().to_string();
        let sent = Command::new("kill")
            .args(["-s", signal, &id])
            .status()
            .expect("kill is installed");
        assert!(sent.success());
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            if let Some(status) = self.child.try_wait().expect("it can be waited for") {
                return status.code();
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        panic!("still running {PATIENCE:?} after {signal}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_signal_ends_it_with_status_0_and_viewers_see_the_end() {
    for signal in ["INT", "TERM"] {
        let mut process = Process::start();
        let mut viewer = RtspClient::watch_port(process.port);
        viewer.next_rtp();
        assert_eq!(process.end_by(signal), Some(0), "after SIG{signal}");
        assert!(viewer.sees_the_end(), "the connection outlives SIG{signal}");
    }
}

#[test]
fn the_line_to_paste_runs() {
    let folder = plugin_folder("plugin-to-paste");
    for codec in ["h264", "mjpeg"] {
        let printed = Command::new(SERVER)
            .current_dir(env!("CARGO_TARGET_TMPDIR"))
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

//! The figures in `docs/figures.md`, both sides of each comparison in one run: `cargo bench -p rtsp-clock-server`.
//!
//! Names on the command line choose rows: `cargo bench -p rtsp-clock-server -- latency joining`.

#[path = "../tests/common/mod.rs"]
mod common;
mod measure;

use std::path::PathBuf;
use std::process::{Child, Command, ExitCode};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use common::process::{Process, command};
use common::{Interleaved, RtspClient, instant_of, milliseconds_between};
use gst::prelude::*;
use measure::{
    Measure, Row, beside_sleeps, config_file, cpu_of, cpu_while, encoder_of_the_server, percentile,
    print_table,
};

const CAMERA: &str = r#"{"serverIPAddress": "127.0.0.1", "serverPort": 0, "videoResolution": "1280x720",
                         "framesPerSecond": 25, "h264IFrameInterval": 50}"#;
/// How often a measurement is repeated; its median is shown.
const RUNS: usize = 5;

fn main() -> ExitCode {
    let chosen: Vec<String> = std::env::args()
        .skip(1)
        .filter(|name| !name.starts_with("--"))
        .collect();
    let rows: [Measure; 6] = [
        ("painting", painting),
        ("stamp", stamp),
        ("server", server),
        ("latency", latency),
        ("joining", joining),
        ("hundred", hundred_viewers),
    ];
    gst::init().expect("GStreamer starts");
    gstclocksrc::register_static().expect("clocksrc registers");
    print_table(&rows, &chosen)
}

// ---- painting -------------------------------------------------------------------------------------------------

fn painting() -> Row {
    let caps = "video/x-raw,format=I420,width=1920,height=1080,framerate=25/1";
    let clock = format!("clocksrc is-live=false num-buffers=100000 ! {caps} ! fakesink");
    let overlay = format!(
        "videotestsrc pattern=black num-buffers=150 ! {caps} ! timeoverlay font-desc=\"Monospace Bold 48\" ! fakesink"
    );
    let mut rounds: Vec<(f64, f64)> = (0..RUNS)
        .map(|_| (cpu_of_frames(&overlay, 150), cpu_of_frames(&clock, 100_000)))
        .collect();
    rounds.sort_by(|a, b| (a.0 / a.1).total_cmp(&(b.0 / b.1)));
    let (overlay, clock) = rounds[RUNS / 2];
    Row {
        what: "CPU a frame at 1920x1080 I420: `timeoverlay` on black, `clocksrc`".to_owned(),
        bound: "500 times less".to_owned(),
        measured: format!(
            "{overlay:.2} ms, {:.2} µs: {:.0} times less",
            clock * 1e3,
            overlay / clock
        ),
        met: overlay / clock >= 500.0,
    }
}

fn stamp() -> Row {
    const FRAMES: u32 = 20_000;
    let line = |stamp: &str| {
        format!(
            "clocksrc is-live=false num-buffers={FRAMES} stamp={stamp} \
             ! video/x-raw,format=I420,width=1920,height=1080,framerate=25/1 ! fakesink"
        )
    };
    let mut rounds: Vec<(f64, f64)> = (0..RUNS)
        .map(|_| {
            (
                cpu_of_frames(&line("none"), FRAMES),
                cpu_of_frames(&line("qr"), FRAMES),
            )
        })
        .collect();
    rounds.sort_by(|a, b| (a.1 - a.0).total_cmp(&(b.1 - b.0)));
    let (without, with) = rounds[RUNS / 2];
    Row {
        what: "CPU a frame at 1920x1080 I420: `clocksrc` without a stamp, with one".to_owned(),
        bound: "at most 0.2 ms more".to_owned(),
        measured: format!(
            "{:.1} µs, {:.1} µs: {:.1} µs more",
            without * 1e3,
            with * 1e3,
            (with - without) * 1e3
        ),
        met: with - without <= 0.2,
    }
}

/// CPU time in ms that each of a pipeline's frames takes.
fn cpu_of_frames(line: &str, frames: u32) -> f64 {
    let pipeline = gst::parse::launch(line).expect("the pipeline is right");
    let before = cpu_of("self");
    pipeline
        .set_state(gst::State::Playing)
        .expect("the pipeline plays");
    let bus = pipeline.bus().expect("a pipeline has a bus");
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = bus
        .timed_pop_filtered(gst::ClockTime::from_seconds(120), &end)
        .expect("it ends");
    assert!(message.type_() == gst::MessageType::Eos, "{message:?}");
    let used = cpu_of("self") - before;
    pipeline.set_state(gst::State::Null).expect("the pipeline stops");
    used / f64::from(frames)
}

// ---- the whole server -----------------------------------------------------------------------------------------

fn server() -> Row {
    const TIME: Duration = Duration::from_secs(12);
    let encoder = encoder_of_the_server(command(), &camera_file());
    let mut rounds: Vec<(f64, f64)> = (0..3)
        .map(|_| {
            let camera = Camera::start();
            let mut viewer = camera.viewer();
            let (served, frames) = cpu_while(camera.0.id(), TIME, |until| viewer.frames(until));
            let served = served / frames;
            drop(camera);
            (served, cpu_of_black_frames(&encoder, TIME))
        })
        .collect();
    rounds.sort_by(|a, b| (a.0 - a.1).total_cmp(&(b.0 - b.1)));
    let (served, black) = rounds[1];
    Row {
        what: "CPU a frame of 720p25 H.264: black frames into a `fakesink`, the server with one viewer"
            .to_owned(),
        bound: "at most 1 ms more".to_owned(),
        measured: format!("{black:.2} ms, {served:.2} ms: {:.2} ms more", served - black),
        met: served - black <= 1.0,
    }
}

fn cpu_of_black_frames(encoder: &str, time: Duration) -> f64 {
    let caps = "video/x-raw,format=I420,width=1280,height=720,framerate=25/1";
    let line = format!("videotestsrc is-live=true pattern=black ! {caps} ! {encoder} ! fakesink");
    let launch = Command::new("sh")
        .args([
            "-c",
            &format!(
                "exec gst-launch-1.0 -q {}",
                line.replace('(', "\\(").replace(')', "\\)")
            ),
        ])
        .spawn()
        .expect("gst-launch-1.0 is installed");
    let launch = Killed(launch);
    thread::sleep(Duration::from_secs(2));
    let (used, frames) = cpu_while(launch.0.id(), time, |until| {
        let started = Instant::now();
        thread::sleep(until.saturating_duration_since(started));
        started.elapsed().as_secs_f64() * 25.0
    });
    used / frames
}

// ---- latency --------------------------------------------------------------------------------------------------

fn latency() -> Row {
    const TIME: Duration = Duration::from_secs(10);
    let camera = Camera::start();
    let mut viewer = camera.viewer();
    let runs: Vec<[f64; 4]> = (0..RUNS)
        .map(|_| {
            let (latencies, lateness) = beside_sleeps(|| viewer.latencies(Instant::now() + TIME));
            [
                percentile(&latencies, 50.0),
                percentile(&lateness, 50.0),
                percentile(&latencies, 99.0),
                percentile(&lateness, 99.0),
            ]
        })
        .collect();
    let median = |column: usize| percentile(&runs.iter().map(|run| run[column]).collect::<Vec<_>>(), 50.0);
    let [p50, sleep_p50, p99, sleep_p99] = [0, 1, 2, 3].map(median);
    Row {
        what: "instant shown → last byte of the frame in a viewer's socket, 720p25; a 5 ms sleep's lateness"
            .to_owned(),
        bound: format!("p50 ≤ {:.2} ms, p99 ≤ {:.2} ms", 0.7 + sleep_p50, 1.0 + sleep_p99),
        measured: format!(
            "p50 {p50:.2} ms, p99 {p99:.2} ms; the sleep's p50 {sleep_p50:.2} ms, p99 {sleep_p99:.2} ms"
        ),
        met: p50 <= 0.7 + sleep_p50 && p99 <= 1.0 + sleep_p99,
    }
}

// ---- joining --------------------------------------------------------------------------------------------------

fn joining() -> Row {
    let camera = Camera::start();
    let mut first = camera.viewer();
    let done = Arc::new(AtomicBool::new(false));
    let watching = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            while !done.load(Ordering::Relaxed) {
                first.0.next_rtp();
            }
        }
    });
    let (waits, lateness) = beside_sleeps(|| (0..100).map(|_| camera.join()).collect::<Vec<_>>());
    done.store(true, Ordering::Relaxed);
    watching.join().expect("the first viewer watched");
    let p99 = percentile(&waits, 99.0);
    Row {
        what: "PLAY → first key frame in the viewer's socket, stream already running, 100 joins 0.3 s apart"
            .to_owned(),
        bound: "p99 ≤ 90 ms".to_owned(),
        measured: format!(
            "p50 {:.1} ms, p99 {p99:.1} ms; a 5 ms sleep's p99 {:.2} ms",
            percentile(&waits, 50.0),
            percentile(&lateness, 99.0)
        ),
        met: p99 <= 90.0,
    }
}

// ---- a hundred viewers ----------------------------------------------------------------------------------------

fn hundred_viewers() -> Row {
    const TIME: Duration = Duration::from_secs(10);
    let camera = Camera::start();
    let joined = Arc::new(AtomicUsize::new(0));
    let until = Arc::new(OnceLock::new());
    let threads: Vec<_> = (0..100)
        .map(|_| {
            let mut viewer = camera.viewer();
            let (joined, until) = (Arc::clone(&joined), Arc::clone(&until));
            thread::spawn(move || {
                joined.fetch_add(1, Ordering::Relaxed);
                // Who does not read while others join is thrown out, and rightly so.
                let until = loop {
                    viewer.0.next_rtp();
                    if let Some(until) = until.get() {
                        break *until;
                    }
                };
                viewer.lost(until)
            })
        })
        .collect();
    while joined.load(Ordering::Relaxed) < threads.len() {
        thread::sleep(Duration::from_millis(10));
    }
    let before = cpu_of(&camera.0.id().to_string());
    until.get_or_init(|| Instant::now() + TIME);
    let counts: Vec<(i64, i64)> = threads
        .into_iter()
        .map(|t| t.join().expect("it watched"))
        .collect();
    let used = cpu_of(&camera.0.id().to_string()) - before;
    let lost: i64 = counts.iter().map(|(lost, _)| lost).sum();
    let fewest = counts.iter().map(|(_, frames)| *frames).min().unwrap_or_default();
    Row {
        what: "100 viewers of one 720p25 stream over TCP".to_owned(),
        bound: "no frame lost, all at 25 a second".to_owned(),
        measured: format!(
            "{lost} frames lost, at least {fewest} frames in {} s, {:.2} cores",
            TIME.as_secs(),
            used / 1e3 / TIME.as_secs_f64()
        ),
        met: lost == 0 && fewest >= 245,
    }
}

// ---- a camera and its viewers ---------------------------------------------------------------------------------

/// The server in a process of its own.
struct Camera(Process);

impl Camera {
    fn start() -> Self {
        Self(Process::start(|command| {
            command.arg("--config").arg(camera_file());
        }))
    }

    fn viewer(&self) -> Viewer {
        let mut viewer = Viewer(RtspClient::watch_port(self.0.port()));
        viewer.0.next_rtp_where("with a key frame", Interleaved::is_key);
        viewer
    }

    /// Ms from PLAY to the last byte of the first key frame of one more viewer, who comes after the time in which
    /// the server puts key frames off that others have just been sent.
    fn join(&self) -> f64 {
        thread::sleep(Duration::from_millis(300));
        let mut client = RtspClient::connect_port(self.0.port());
        assert_eq!(client.describe().status, 200);
        assert_eq!(client.setup().status, 200);
        let play = Instant::now();
        assert_eq!(client.play().status, 200);
        let key = client.next_rtp_where("with a key frame", Interleaved::is_key);
        if !key.marker() {
            client.next_rtp_where("that ends the frame", Interleaved::marker);
        }
        play.elapsed().as_secs_f64() * 1e3
    }
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

struct Viewer(RtspClient);

impl Viewer {
    fn packets(&mut self, until: Instant) -> Vec<Interleaved> {
        let mut packets = Vec::new();
        while Instant::now() < until {
            packets.push(self.0.next_packet().expect("packets keep coming"));
        }
        packets
    }

    /// How many frames come until then.
    fn frames(&mut self, until: Instant) -> f64 {
        let packets = self.packets(until);
        f64::from(u32::try_from(packets.iter().filter(|p| p.is_rtp() && p.marker()).count()).unwrap_or(0))
    }

    /// For each frame the ms from the instant it shows to its last byte.
    fn latencies(&mut self, until: Instant) -> Vec<f64> {
        let packets = self.packets(until);
        let report = packets
            .iter()
            .filter_map(Interleaved::sender_report)
            .next_back()
            .expect("a sender report");
        let ends = packets.iter().filter(|packet| packet.is_rtp() && packet.marker());
        ends.map(|end| milliseconds_between(instant_of(end.rtp_time(), report), end.arrival))
            .collect()
    }

    /// How many frames are missing, and how many came.
    fn lost(&mut self, until: Instant) -> (i64, i64) {
        let packets = self.packets(until);
        let ends: Vec<_> = packets
            .iter()
            .filter(|packet| packet.is_rtp() && packet.marker())
            .collect();
        let (Some(first), Some(last)) = (ends.first(), ends.last()) else {
            return (i64::MAX, 0);
        };
        let sent = i64::from(last.rtp_time().wrapping_sub(first.rtp_time())) / 3600 + 1;
        let came = i64::try_from(ends.len()).unwrap_or(i64::MAX);
        let sequence: Vec<u16> = packets
            .iter()
            .filter(|p| p.is_rtp())
            .map(Interleaved::sequence_number)
            .collect();
        let gaps = sequence
            .windows(2)
            .filter(|pair| pair[1] != pair[0].wrapping_add(1))
            .count();
        ((sent - came).max(i64::try_from(gaps).unwrap_or(i64::MAX)), came)
    }
}

/// The configuration of the camera that is measured.
fn camera_file() -> PathBuf {
    config_file("camera.json", CAMERA)
}

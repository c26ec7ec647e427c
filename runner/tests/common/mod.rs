//! What tests share: a server in the test's own process, and what waits for it; each module says what else.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test binary uses its own part of it"
)]

pub mod arrival;
pub mod burden;
pub mod certificate;
pub mod config_rules;
pub mod footprint;
pub mod gst_launch;
pub mod namespace;
pub mod ntp;
pub mod packet;
pub mod player;
pub mod process;
pub mod ptp;
pub mod random;
pub mod rtsp;
pub mod watcher;

use std::{
    env::consts::{DLL_PREFIX, DLL_SUFFIX},
    net::{Ipv4Addr, TcpStream},
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

use rtsp_clock_probe::{Options, Outcome, figures::Evidence, target::Target};
use rtsp_clock_server::{
    config::{Config, FrameRate, Login, Mount, StreamConfig, VideoCodec},
    server::Server,
};

pub use packet::{Interleaved, instant_of, milliseconds_between};
pub use rtsp::{Response, RtspClient};

/// Longer than anything takes that works, the start of a few processes on a busy machine included.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// What the server may take to end: container engines kill it then.
pub const STOPPING: Duration = Duration::from_secs(10);

pub fn config() -> Config {
    Config {
        rtp_ports: None,
        login: None,
        streams: vec![StreamConfig {
            mounts: vec![mount("/live")],
            codec: VideoCodec::H264,
            width: 320,
            height: 240,
            frames_per_second: FrameRate::whole(25),
            key_frame_interval: 1000,
            ..StreamConfig::default()
        }],
        ..Config::default()
    }
}

/// Enough data to fill what the system takes for a viewer who does not read: several MB.
pub fn config_of_large_pictures() -> Config {
    let mut config = config();
    config.streams[0].codec = VideoCodec::Mjpeg;
    (config.streams[0].width, config.streams[0].height) = (1920, 1080);
    config
}

/// At any free port of loopback.
pub fn mount(path: &str) -> Mount {
    Mount {
        tls: false,
        address: Ipv4Addr::LOCALHOST.into(),
        port: 0,
        path: path.to_owned(),
    }
}

pub fn login() -> Login {
    Login {
        username: "user".to_owned(),
        password: "s3cret".to_owned(),
    }
}

pub fn start(config: &Config) -> Server {
    Server::start(config).expect("the server starts")
}

pub fn url(server: &Server) -> String {
    format!("rtsp://127.0.0.1:{}/live", server.port())
}

/// What the probe is to play.
#[track_caller]
pub fn target(url: &str) -> Target {
    Target::parse(url, None).expect("a URL")
}

/// What the probe finds.
#[track_caller]
pub fn measure(options: &Options) -> Outcome {
    rtsp_clock_probe::measure(options).expect("GStreamer starts")
}

/// The most viewers that any picture shows: the last ones may have been made when some had taken leave already.
pub fn most_viewers(evidence: &Evidence) -> Option<u32> {
    let stamps = evidence.samples.iter().filter_map(|sample| sample.stamp);
    stamps.map(|stamp| stamp.viewers).max()
}

/// A folder of that name with the plugin in it, as cargo built it for the tests: cargo puts it beside the programs that
/// people run only when it is asked for by itself.
pub fn plugin_folder(name: &str) -> PathBuf {
    let file = format!("{DLL_PREFIX}gstclocksrc{DLL_SUFFIX}");
    let built = std::env::current_exe()
        .expect("a test has a path")
        .with_file_name(&file);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("a folder for the plugin");
    std::fs::copy(&built, folder.join(file)).unwrap_or_else(|error| panic!("{}: {error}", built.display()));
    folder
}

/// Waits until `condition` holds.
#[track_caller]
pub fn wait_until(what: &str, condition: impl FnMut() -> bool) {
    assert!(
        holds_within(PATIENCE, condition),
        "timed out waiting until {what}"
    );
}

/// Whether somebody listens there.
pub fn answers(address: Ipv4Addr, port: u16) -> bool {
    TcpStream::connect((address, port)).is_ok()
}

#[track_caller]
pub fn wait_for_viewers(server: &Server, count: usize) {
    wait_for_viewers_within(PATIENCE, server, count);
}

/// For what takes longer than [`PATIENCE`] where it works.
#[track_caller]
pub fn wait_for_viewers_within(time: Duration, server: &Server, count: usize) {
    let seen = || server.viewers() == count;
    assert!(
        holds_within(time, seen),
        "expected {count} viewers, there are {}",
        server.viewers()
    );
}

pub fn holds_within(time: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + time;
    loop {
        if condition() {
            return true;
        }
        if Instant::now() > deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

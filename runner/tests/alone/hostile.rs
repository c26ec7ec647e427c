//! A server under attack, as a process of its own: it serves those who just watch, it does not end, and what the attack
//! took of memory, descriptors and threads comes back.
//!
//! `scripts/soak.sh` runs it at full size. Variables set the size:
//!
//! | variable | what | default |
//! | --- | --- | --- |
//! | `HOSTILE_REQUESTS` | requests that are thrown at the server, with and without a log-in each | 2500 |
//! | `HOSTILE_LEAVES` | viewers who send RTCP and RTP, and leave while it waits, with and without a log-in each | 24 |
//! | `HOSTILE_CONNECTIONS` | connections that are opened at once and say nothing | 2000 |
//! | `HOSTILE_SEED` | where chance begins: a failed test prints it | 1 |

mod attack;
mod media;
mod requests;
mod values;
mod viewers;

use std::{
    io::Write as _,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    process::Command,
    time::{Duration, Instant},
};

use attack::{Tally, attack};
use gst::glib::base64_encode;
use requests::Target;
use rtsp_clock_probe::{figures::Counts, target::Credentials};
use rtsp_clock_server::ffi::process::raise_descriptor_limit;
use viewers::{FrameCounter, PacketCounter};

use crate::common::{
    RtspClient,
    burden::{Recovery, alone, assert_ends_without_bugs, size, start_burdened},
    footprint::Footprint,
    login,
    process::Process,
    wait_until,
};

/// Sessions have to time out first. glibc's malloc keeps what several threads once held at the same time.
const RECOVERY: Recovery = Recovery {
    time: Duration::from_mins(2),
    memory: 12 * 1024,
};
/// The frames of the half second for which the server keeps packets that it cannot send to a viewer. Where the camera has
/// skipped more, the machine stood still, and what was to be sent may be lost.
const KEPT_FRAMES: u64 = 12;
/// What makes the server allocate once and for all what it allocates late: sockets, threads, the pools of malloc.
const WARM_UP: usize = 300;

fn seed() -> u64 {
    size("HOSTILE_SEED", 1) as u64
}

/// A server and two who watch it.
struct Scene {
    process: Process,
    authorization: Option<String>,
    frames: FrameCounter,
    packets: PacketCounter,
}

impl Scene {
    fn set(needs_login: bool) -> Self {
        Self::set_as(needs_login, |_| {})
    }

    /// With a server as `configure` has it.
    fn set_as(needs_login: bool, configure: impl FnOnce(&mut Command)) -> Self {
        let login = needs_login.then(login);
        let process = start_burdened(|command| {
            configure(command);
            command
                .env("RTSP_STAMP", "qr")
                .env("RTSP_VIDEO_RESOLUTION", "320x240")
                .env("RTSP_FPS", "25");
            if let Some(login) = &login {
                command
                    .env("RTSP_VIEWER_USERNAME", &login.username)
                    .env("RTSP_VIEWER_PASSWORD", &login.password);
            }
        });
        let credentials = login.map(|login| Credentials {
            username: login.username,
            password: login.password,
        });
        let url = format!("rtsp://127.0.0.1:{}/live", process.port());
        let target = rtsp_clock_probe::target::Target::parse(&url, credentials.as_ref());
        let authorization = credentials.map(|known| {
            let text = format!("{}:{}", known.username, known.password);
            format!("Basic {}", base64_encode(text.as_bytes()))
        });
        let frames = FrameCounter::start(target.expect("a URL"));
        let packets = PacketCounter::start(watch(process.port(), authorization.as_ref()));
        let watching = || {
            process
                .log()
                .lines()
                .iter()
                .filter(|line| line.contains("is watching"))
                .count()
        };
        wait_until("both watch", || watching() == 2);
        Self {
            process,
            authorization,
            frames,
            packets,
        }
    }

    fn address(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.process.port()).into()
    }

    fn target(&self) -> Target {
        Target {
            url: format!("rtsp://127.0.0.1:{}/live", self.process.port()),
            authorization: self.authorization.clone(),
            victim: self.packets.session().to_owned(),
        }
    }

    fn attack(&self, requests: usize, seed: u64) -> Tally {
        attack(self.address(), &self.target(), requests, seed)
    }

    /// Has the stream take the ports for UDP, and what it sends there with, which it keeps as long as it runs: among requests by
    /// chance no PLAY may be granted, or the first one late.
    fn take_ports(&self) {
        let mut client = RtspClient::connect_port(self.process.port());
        if let Some(authorization) = &self.authorization {
            client.authorize(authorization.clone());
        }
        client.describe();
        let answer = client.setup_over("RTP/AVP;unicast;client_port=40000-40001");
        assert_eq!(answer.status, 200);
        assert_eq!(client.play().status, 200);
        assert_eq!(client.request("TEARDOWN", &[]).status, 200);
    }

    fn footprint(&self) -> Footprint {
        Footprint::of(self.process.id())
    }

    /// Nothing was lost, and nothing that only a bug in the server can do was done.
    #[track_caller]
    fn assert_served(self) {
        let packets = self.packets.packets();
        let lost = self.packets.finish();
        let counts = self.frames.finish();
        let log = assert_ends_without_bugs(self.process, &[]);
        let skipped = skipped(&log);
        println!("{lost} of {packets} packets lost; {skipped} frames skipped by the camera; {counts:?}");
        assert!(
            lost == 0 || skipped > KEPT_FRAMES,
            "{lost} packets are missing:\n{log}"
        );
        assert_whole(counts, skipped);
    }
}

/// A frame that is missing is excused only if the camera itself skipped it, because this machine was late.
#[track_caller]
fn assert_whole(counts: Counts, skipped: u64) {
    assert!(counts.frames > 0, "{counts:?}");
    assert_eq!(counts.restarts, 0, "{counts:?}");
    assert!(
        counts.lost <= skipped || skipped > KEPT_FRAMES,
        "{} frames are missing, and the camera skipped {skipped}",
        counts.lost
    );
}

/// The frames that the server says the camera has skipped.
fn skipped(log: &str) -> u64 {
    let said = log
        .lines()
        .filter_map(|line| line.split_once("frames=")?.1.parse::<u64>().ok());
    said.sum()
}

fn watch(port: u16, authorization: Option<&String>) -> RtspClient {
    let mut client = RtspClient::connect_port(port);
    if let Some(authorization) = authorization {
        client.authorize(authorization.clone());
    }
    assert_eq!(client.describe().status, 200);
    assert_eq!(client.setup().status, 200);
    assert_eq!(client.play().status, 200);
    client
}

/// Throws hostile requests, and holds what the server has afterwards against what it had before.
#[track_caller]
fn assert_withstands_requests(needs_login: bool) {
    let _alone = alone();
    let (requests, seed) = (size("HOSTILE_REQUESTS", 2500), seed());
    println!("HOSTILE_SEED={seed}");
    let scene = Scene::set(needs_login);
    scene.take_ports();
    scene.attack(WARM_UP, !seed);
    let before = RECOVERY.before(&scene.process);
    let began = Instant::now();
    let tally = scene.attack(requests, seed);
    let peak = scene.footprint();
    println!(
        "{} requests in {:?}: {tally:?}; at their end {peak:?}",
        tally.requests(),
        began.elapsed()
    );
    assert!(tally.requests() >= requests, "{tally:?}");
    for status in [200, 400, 454] {
        assert!(
            tally.answers.contains_key(&status),
            "nobody was answered {status}: {tally:?}"
        );
    }
    assert_eq!(tally.answers.contains_key(&401), needs_login, "{tally:?}");
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_served();
}

#[test]
fn hostile_requests_do_no_harm() {
    assert_withstands_requests(false);
}

#[test]
fn hostile_requests_do_no_harm_where_a_log_in_is_needed() {
    assert_withstands_requests(true);
}

#[test]
fn idle_connections_do_no_harm() {
    idle_do_no_harm(false);
}

#[test]
fn idle_connections_do_no_harm_where_a_login_is_needed() {
    idle_do_no_harm(true);
}

#[track_caller]
fn idle_do_no_harm(needs_login: bool) {
    let _alone = alone();
    let count = size("HOSTILE_CONNECTIONS", 2000);
    let limit = raise_descriptor_limit().expect("it can be raised");
    assert!(
        limit > count as u64 + 1000,
        "this process may open {limit} files only"
    );
    let scene = Scene::set(needs_login);
    let before = RECOVERY.before(&scene.process);
    let began = Instant::now();
    let idle = connect(&scene, count);
    wait_until("all are taken", || {
        scene.footprint().descriptors >= before.descriptors + count
    });
    println!(
        "{count} connections within {:?}: {:?}",
        began.elapsed(),
        scene.footprint()
    );
    assert_plays_on(&scene);
    watch(scene.process.port(), scene.authorization.as_ref()).next_rtp();
    drop(idle);
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_served();
}

#[test]
fn slow_bytes_do_no_harm() {
    slow_do_no_harm(false);
}

#[test]
fn slow_bytes_do_no_harm_where_a_login_is_needed() {
    slow_do_no_harm(true);
}

#[track_caller]
fn slow_do_no_harm(needs_login: bool) {
    const CONNECTIONS: usize = 200;
    let _alone = alone();
    let scene = Scene::set(needs_login);
    let before = RECOVERY.before(&scene.process);
    // gst-rtsp-server closes a connection that has no session by its 60th second. A busy machine takes its time from packet to
    // packet: a short request, and few waits.
    let request = b"DESCRIBE rtsp://h/live RTSP/1.0\r\nCSeq: 1\r\n\r\n";
    let mut slow = connect(&scene, CONNECTIONS);
    for bytes in request.chunks(4) {
        for connection in &mut slow {
            connection.write_all(bytes).expect("the connection stands");
        }
        assert_plays_on(&scene);
    }
    drop(slow);
    RECOVERY.assert_of(&scene.process, before);
    scene.assert_served();
}

fn connect(scene: &Scene, count: usize) -> Vec<TcpStream> {
    let one = |_| TcpStream::connect(scene.address()).expect("the server listens");
    (0..count).map(one).collect()
}

/// Waits for some more packets.
#[track_caller]
fn assert_plays_on(scene: &Scene) {
    let so_far = scene.packets.packets();
    wait_until("packets come", || scene.packets.packets() > so_far + 1);
}

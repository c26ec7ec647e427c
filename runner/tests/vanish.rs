//! Viewers who vanish without a word, or stop reading, as real players do it to a server of its own process: when they
//! are gone, and what the log says of it.

mod common;

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{
    RtspClient, holds_within,
    process::{Log, Process},
};

/// In seconds, as short as may be.
const TIMEOUT: &str = "5";
/// The time-out, 2 s, and as much again for a busy machine.
const IN_TIME: Duration = Duration::from_secs(9);

/// A player, as a process of its own; killed when dropped.
struct Player(Child);

impl Player {
    /// Plays `url` over `transport`; `launcher` is what its command stands behind.
    fn start(launcher: &[&str], url: &str, transport: &str) -> Self {
        let words = ["gst-launch-1.0", "-q", "rtspsrc"].map(str::to_owned);
        let settings = [format!("location={url}"), format!("protocols={transport}")];
        let all = launcher
            .iter()
            .copied()
            .map(str::to_owned)
            .chain(words)
            .chain(settings);
        let all: Vec<String> = all.chain(["!", "fakesink"].map(str::to_owned)).collect();
        let player = Command::new(&all[0])
            .args(&all[1..])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(player.expect("gst-launch-1.0 is installed"))
    }

    fn kill(mut self) {
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        // It may have ended by itself, which is as good.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn impatient(command: &mut Command) {
    command
        .env("RTSP_SESSION_TIMEOUT_SECONDS", TIMEOUT)
        .env("RTSP_VIDEO_RESOLUTION", "320x240")
        .env("RTSP_FPS", "25");
}

/// How often the log says it.
fn count(log: &Log, words: &str) -> usize {
    log.lines().iter().filter(|line| line.contains(words)).count()
}

/// Waits until so many have left, and answers what is said of them.
#[track_caller]
fn farewells(log: &Log, expected: usize, time: Duration) -> Vec<String> {
    let has_left = holds_within(time, || count(log, "has left") == expected);
    assert!(has_left, "{expected} are not gone within {time:?}:\n{log}");
    let lines = log.lines().into_iter();
    lines.filter(|line| line.contains("has left")).collect()
}

#[test]
fn whoever_is_killed_is_gone() {
    let server = Process::start(impatient);
    let url = format!("rtsp://127.0.0.1:{}/live", server.port());
    for (number, transport) in ["tcp", "udp"].into_iter().enumerate() {
        let player = Player::start(&[], &url, transport);
        server.log().wait_for("it watches", |line| {
            line.contains(&format!("({}) is watching", transport.to_uppercase()))
        });
        player.kill();
        let left = farewells(server.log(), number + 1, IN_TIME);
        assert!(left[number].contains("its connection has ended"), "{left:?}");
    }
}

#[test]
fn whoever_does_not_read_is_sent_away_and_the_log_says_why() {
    let server = Process::start(|command| {
        impatient(command);
        command
            .env("RTSP_VIDEO_CODEC", "mjpeg")
            .env("RTSP_VIDEO_RESOLUTION", "1920x1080");
    });
    let mut stalled = RtspClient::watch_port(server.port());
    let mut other = RtspClient::watch_port(server.port());
    let mut last = other.next_rtp().sequence_number();
    let deadline = Instant::now() + Duration::from_secs(30);
    while count(server.log(), "has left") == 0 {
        assert!(
            Instant::now() < deadline,
            "it is not sent away:\n{}",
            server.log()
        );
        let next = other.next_rtp().sequence_number();
        assert_eq!(next, last.wrapping_add(1), "packets of the other are missing");
        last = next;
    }
    let left = farewells(server.log(), 1, Duration::ZERO);
    let said = format!("{} (TCP) has left: it does not read", stalled.address());
    assert!(left[0].contains(&said), "{left:?}");
    assert!(stalled.sees_the_end(), "its connection must be closed");
}

#[test]
fn a_refused_viewer_is_logged() {
    let server = Process::start(|command| {
        command.env("RTSP_MAX_VIEWERS", "1");
    });
    let _first = RtspClient::watch_port(server.port());
    let mut second = RtspClient::connect_port(server.port());
    assert_eq!(second.describe().status, 200);
    assert_eq!(second.setup().status, 453);
    let says = |line: &str| {
        let has = |words: &str| line.contains(words);
        has("refused a viewer: the stream has its maxViewers, 1") && has(&second.address().to_string())
    };
    server.log().wait_for("who was refused", says);
}

/// Two network namespaces with a cable between them; gone when dropped.
struct Cable {
    server: String,
    viewers: String,
}

const SERVER: &str = "192.0.2.1";

impl Cable {
    /// `None` where this machine lets this user make none.
    fn lay() -> Option<Self> {
        let name = |end: &str| format!("rtsp-clock-{end}-{}", std::process::id());
        let cable = Self {
            server: name("a"),
            viewers: name("b"),
        };
        let is_allowed = run(&["netns", "add", &cable.server]) && run(&["netns", "add", &cable.viewers]);
        if !is_allowed {
            return None;
        }
        let (a, b) = (cable.server.as_str(), cable.viewers.as_str());
        for command in [
            format!("-n {a} link set lo up"),
            format!("-n {a} link add veth-a type veth peer name veth-b netns {b}"),
            format!("-n {a} address add {SERVER}/24 dev veth-a"),
            format!("-n {b} address add 192.0.2.2/24 dev veth-b"),
            format!("-n {a} link set veth-a up"),
            format!("-n {b} link set veth-b up"),
        ] {
            let words: Vec<&str> = command.split(' ').collect();
            assert!(run(&words), "ip {command}");
        }
        Some(cable)
    }

    fn pull(&self) {
        assert!(run(&["-n", &self.viewers, "link", "set", "veth-b", "down"]));
    }
}

impl Drop for Cable {
    fn drop(&mut self) {
        for namespace in [&self.server, &self.viewers] {
            run(&["netns", "delete", namespace]);
        }
    }
}

/// Whether `ip` does it.
fn run(words: &[&str]) -> bool {
    let ip = Command::new("ip").args(words).stderr(Stdio::null()).status();
    ip.is_ok_and(|status| status.success())
}

#[test]
fn whose_cable_is_pulled_is_gone_in_time() {
    let Some(cable) = Cable::lay() else {
        println!("left out: network namespaces take root, and iproute2");
        return;
    };
    let server = Process::start_in(&cable.server, |command| {
        impatient(command);
        command.env("RTSP_SERVER_IP", "0.0.0.0");
    });
    let url = format!("rtsp://{SERVER}:{}/live", server.port());
    let launcher = ["ip", "netns", "exec", &cable.viewers];
    // The one over TCP comes last: when it plays, the other's connection is idle, and has nothing left to deliver.
    let players = ["udp", "tcp"].map(|transport| {
        let player = Player::start(&launcher, &url, transport);
        let watches = format!("({}) is watching", transport.to_uppercase());
        server.log().wait_for(&watches, |line| line.contains(&watches));
        player
    });
    cable.pull();
    let left = farewells(server.log(), players.len(), IN_TIME);
    println!("{}", left.join("\n"));
}

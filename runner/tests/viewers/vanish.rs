//! Viewers who vanish without a word, or stop reading, as real players do it to a server of its own process: when they
//! are gone, and what the log says of it.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpStream},
    os::fd::AsFd as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use gst_rtsp_server::gio::{self, prelude::*};

use crate::common::{
    PATIENCE, RtspClient, holds_within,
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
fn whoever_does_not_read_is_sent_away_from_a_tunnel_whichever_way_was_opened_first() {
    let server = Process::start(|command| {
        // The time-out of 30 s comes later than what is to be seen.
        command
            .env("RTSP_VIDEO_CODEC", "mjpeg")
            .env("RTSP_VIDEO_RESOLUTION", "1920x1080");
    });
    let viewers = [true, false].map(|is_post_first| {
        let mut viewer = RtspClient::tunnel(server.port(), is_post_first);
        let answers = [
            viewer.describe().status,
            viewer.setup().status,
            viewer.play().status,
        ];
        assert_eq!(answers, [200; 3]);
        let address = tunnel_in(server.log(), &viewer);
        (viewer, address)
    });
    let left = farewells(server.log(), viewers.len(), Duration::from_secs(40));
    for (mut viewer, address) in viewers {
        let said = format!("{address} (HTTP tunnel) has left: it does not read");
        assert!(left.iter().any(|line| line.contains(&said)), "{left:?}");
        assert!(viewer.sees_the_end(), "its connection must be closed");
    }
}

/// Waits until the log says that this viewer watches, and answers by which of its ways the log knows it: by the one that the
/// server has met first, which on a busy machine need not be the one that was opened first.
#[track_caller]
fn tunnel_in(log: &Log, viewer: &RtspClient) -> SocketAddr {
    let ways = [Some(viewer.address()), viewer.post_address()];
    let watches = |way: &SocketAddr| count(log, &format!(" {way} (HTTP tunnel) is watching")) > 0;
    let mut known = None;
    holds_within(PATIENCE, || {
        known = ways.into_iter().flatten().find(watches);
        known.is_some()
    });
    known.unwrap_or_else(|| panic!("the log never says that one of {ways:?} is watching:\n{log}"))
}

/// A connection to `port` of loopback from an address of loopback.
fn connect_from(address: Ipv4Addr, port: u16) -> TcpStream {
    let client = gio::SocketClient::new();
    client.set_local_address(Some(&gio::InetSocketAddress::from(SocketAddr::from((
        address, 0,
    )))));
    let connection = client.connect_to_host("127.0.0.1", port, gio::Cancellable::NONE);
    let socket = connection.expect("the server listens").socket();
    let stream = TcpStream::from(socket.as_fd().try_clone_to_owned().expect("a descriptor"));
    stream.set_nonblocking(false).expect("it can wait");
    stream
}

/// The sessions that are begun, each by a SETUP that names none, before one is refused (503).
fn set_up_all(client: &mut RtspClient, url: &str) -> Vec<String> {
    let control = format!("{url}/stream=0");
    let transport = ("Transport", "RTP/AVP;unicast;client_port=40000-40001");
    let mut sessions = Vec::new();
    for _ in 0..1000 {
        client.send("SETUP", &control, &[transport]);
        let answer = client.response();
        if answer.status != 200 {
            assert_eq!(answer.status, 503);
            return sessions;
        }
        let session = answer.header("Session").expect("it has one");
        sessions.push(session.split(';').next().unwrap_or_default().to_owned());
    }
    panic!("it is never refused");
}

#[test]
fn whoever_begins_sessions_without_end_is_refused_and_others_watch() {
    const OF_A_CONNECTION: usize = 100;
    const OF_AN_ADDRESS: usize = 2000;
    let server = Process::start(|command| {
        // None is over before the end.
        command
            .env("RTSP_SESSION_TIMEOUT_SECONDS", "3600")
            .env("RTSP_VIDEO_RESOLUTION", "320x240");
    });
    let url = format!("rtsp://127.0.0.1:{}/live", server.port());
    let connect = |address| RtspClient::over(connect_from(address, server.port()), url.clone());
    let mut crowd = [0; OF_AN_ADDRESS / OF_A_CONNECTION].map(|_| {
        let mut client = connect(Ipv4Addr::new(127, 0, 0, 2));
        let sessions = set_up_all(&mut client, &url);
        assert_eq!(sessions.len(), OF_A_CONNECTION);
        (client, sessions)
    });
    let says = |what: &'static str| {
        move |line: &str| {
            ["WARN", "refused a session", "127.0.0.2:", what]
                .iter()
                .all(|words| line.contains(words))
        }
    };
    server
        .log()
        .wait_for("who has too many", says("its connection has 100"));
    let mut late = connect(Ipv4Addr::new(127, 0, 0, 2));
    assert_eq!(set_up_all(&mut late, &url).len(), 0);
    let mut other = RtspClient::watch_port(server.port());
    other.next_rtp();
    // The log tells of an address once in 10 s.
    let is_told = holds_within(Duration::from_secs(30), || {
        assert_eq!(set_up_all(&mut late, &url).len(), 0);
        count(server.log(), "its address has 2000 that do not play") > 0
    });
    assert!(is_told, "{}", server.log());
    // Whoever plays makes room for the next one.
    for (client, sessions) in &mut crowd[..2] {
        assert_eq!(client.request("PLAY", &[("Session", &sessions[0])]).status, 200);
    }
    assert_eq!(set_up_all(&mut late, &url).len(), 2);
    drop(crowd);
    let may_come = || late.setup().status == 200;
    assert!(holds_within(IN_TIME, may_come), "their sessions have ended");
    assert_eq!(late.play().status, 200);
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
        let (a, b) = (cable.server.as_str(), cable.viewers.as_str());
        let is_allowed = run(&["netns", "add", a])
            && run(&["netns", "add", b])
            && run(&[
                "-n", a, "link", "add", "veth-a", "type", "veth", "peer", "name", "veth-b", "netns", b,
            ]);
        if !is_allowed {
            return None;
        }
        for command in [
            format!("-n {a} link set lo up"),
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
        println!("left out: network namespaces take root, iproute2 and a kernel with veth");
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

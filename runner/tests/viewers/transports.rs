//! By which ways a stream may be played, and what those who ask for another one are told.

use std::{
    net::{Ipv4Addr, UdpSocket},
    process::Command,
    sync::atomic::{AtomicU16, Ordering},
};

use rtsp_clock_server::config::{Config, PortRange, StreamConfig, Transport};

use crate::common::{
    PATIENCE, RtspClient, config, gst_launch, mount, process::Process, start, url, wait_for_viewers,
};

const UDP: &str = "RTP/AVP;unicast;client_port=40000-40001";
const TCP: &str = "RTP/AVP/TCP;unicast;interleaved=0-1";
const MULTICAST: &str = "RTP/AVP;multicast";

fn camera(transports: &[Transport]) -> Config {
    let config = config();
    Config {
        streams: vec![StreamConfig {
            transports: transports.iter().copied().collect(),
            ..config.streams[0].clone()
        }],
        ..config
    }
}

/// The status that SETUP gets.
fn setup(port: u16, transport: &str) -> u16 {
    let mut client = RtspClient::connect_port(port);
    assert_eq!(client.describe().status, 200);
    client.setup_over(transport).status
}

#[test]
fn what_is_not_allowed_gets_461() {
    use Transport::{Http, Tcp, Udp};
    for (allowed, udp, tcp) in [
        (&[Udp, Tcp, Http][..], 200, 200),
        (&[Udp], 200, 461),
        (&[Tcp], 461, 200),
        (&[Http], 461, 461),
        (&[Udp, Http], 200, 461),
    ] {
        let server = start(&camera(allowed));
        let statuses = [UDP, TCP, MULTICAST].map(|transport| setup(server.port(), transport));
        assert_eq!(statuses, [udp, tcp, 461], "{allowed:?}");
    }
}

/// Plays a few frames; answers what went wrong.
fn ffmpeg(url: &str, transport: &str) -> Result<(), String> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rtsp_transport", transport, "-i", url])
        .args(["-frames:v", "5", "-f", "null", "-"])
        .output()
        .expect("ffmpeg");
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() {
        Ok(())
    } else {
        Err(errors)
    }
}

/// As [`ffmpeg`], in GStreamer.
fn rtspsrc(url: &str) -> Result<(), String> {
    gst_launch::play(Command::new("gst-launch-1.0").args(gst_launch::arguments(url, &[])))
}

#[test]
fn an_http_tunnel_is_a_way_of_its_own() {
    for (allowed, is_let_in) in [
        (&Transport::USUAL[..], true),
        (&[Transport::Http], true),
        (&[Transport::Udp, Transport::Tcp], false),
    ] {
        let server = start(&camera(allowed));
        let played = ffmpeg(&url(&server), "http");
        assert_eq!(played.is_ok(), is_let_in, "ffmpeg, {allowed:?}: {played:?}");
        assert!(is_let_in || format!("{played:?}").contains("461"), "{played:?}");
        let played = rtspsrc(&url(&server).replace("rtsp:", "rtsph:"));
        assert_eq!(played.is_ok(), is_let_in, "rtspsrc, {allowed:?}: {played:?}");
        wait_for_viewers(&server, 0);
    }
}

#[test]
fn players_that_are_left_the_choice_go_on_to_what_is_allowed() {
    let server = start(&camera(&[Transport::Tcp]));
    rtspsrc(&url(&server)).expect("rtspsrc");
    let output = Command::new("ffmpeg")
        .args([
            "-nostdin",
            "-v",
            "error",
            "-i",
            &url(&server),
            "-frames:v",
            "5",
            "-f",
            "null",
            "-",
        ])
        .output()
        .expect("ffmpeg");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The first of two UDP ports that are free in a row; it is even. No two tests get the same (`requests.rs` looks above
/// 27000), and no socket that takes any free port does: those are Linux's from 32768 on.
fn two_free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(21_000);
    let is_free = |port: u16| UdpSocket::bind(("0.0.0.0", port)).is_ok();
    loop {
        let first = NEXT.fetch_add(2, Ordering::Relaxed);
        assert!(first < 27_000, "no two ports are free");
        if is_free(first) && is_free(first + 1) {
            return first;
        }
    }
}

#[test]
fn rtp_and_rtcp_come_from_the_ports_configured() {
    let (first, to) = (two_free_ports(), two_free_ports());
    let server = start(&Config {
        rtp_ports: Some(PortRange {
            first,
            last: first + 1,
        }),
        ..config()
    });
    let sockets = [to, to + 1].map(|port| UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("it is free"));
    let mut client = RtspClient::connect(&server);
    let transport = format!("RTP/AVP;unicast;client_port={to}-{}", to + 1);
    let answers = [
        client.describe().status,
        client.setup_over(&transport).status,
        client.play().status,
    ];
    assert_eq!(answers, [200; 3]);
    for (socket, port) in sockets.iter().zip([first, first + 1]) {
        socket.set_read_timeout(Some(PATIENCE)).expect("a read timeout");
        let (_, from) = socket.recv_from(&mut [0; 2048]).expect("packets come");
        assert_eq!(from, (Ipv4Addr::LOCALHOST, port).into());
    }
}

#[test]
fn udp_ports_that_are_used_up_are_told_once_with_what_to_do() {
    let first = two_free_ports();
    let range = format!("{first}-{}", first + 1);
    let server = Process::start(|command| {
        command
            .env("RTSP_RTP_PORT_RANGE", &range)
            .env("RTSP_MULTICAST_ADDRESS_RANGE", "239.1.1.1")
            .env("RTSP_STREAM_PATH", "/live/{n}")
            .env("RTSP_COUNT", "3");
    });
    let mut first_viewer = Viewer::at(&server, 1);
    let transport = first_viewer.setup(UDP).expect("it has ports");
    assert!(
        transport.contains(&format!(";server_port={range}")),
        "{range}: {transport}"
    );
    for _ in 0..3 {
        assert_eq!(Viewer::at(&server, 2).setup(UDP), Err(461));
    }
    Viewer::at(&server, 2).setup(TCP).expect("TCP needs no port");
    // Whoever offers more gets the next that there is.
    let transport = Viewer::at(&server, 2).setup(&format!("{UDP},{TCP}"));
    assert!(transport.expect("TCP").contains("interleaved="));
    // Nobody has asked for that one, so that no pipeline of it runs.
    let transport = Viewer::at(&server, 3).setup_at_once(&format!("{UDP},{TCP}"));
    assert!(transport.expect("TCP").contains("interleaved="));
    let transport = Viewer::at(&server, 1).setup(&format!("{UDP},{TCP}"));
    assert!(transport.expect("UDP").contains(&format!(";server_port={range}")));
    server
        .log()
        .wait_for("that ports are used up", |line| line.contains("rtpPortRange"));
    drop(first_viewer);
    let log = server.whole_log();
    let told: Vec<&str> = log
        .lines()
        .filter(|line| line.contains(&range) && line.contains("widen the range"))
        .collect();
    let count = |what, path| {
        let path = format!("path=\"{path}\"");
        let is_it = |line: &&&str| line.contains(what) && line.contains(&path);
        told.iter().filter(is_it).count()
    };
    assert_eq!(
        [
            count("refused a viewer", "/live/2"),
            count("gave a viewer another way", "/live/2"),
            count("gave a viewer another way", "/live/3"),
            told.len(),
        ],
        [1, 1, 1, 3],
        "{log}"
    );
}

/// Asks for one of several streams.
struct Viewer {
    client: RtspClient,
    url: String,
}

impl Viewer {
    fn at(server: &Process, number: u32) -> Self {
        Self {
            client: RtspClient::connect_port(server.port()),
            url: format!("rtsp://127.0.0.1:{}/live/{number}", server.port()),
        }
    }

    /// The transport that it gets, or the status that it is refused with.
    fn setup(&mut self, transport: &str) -> Result<String, u16> {
        self.client.send("DESCRIBE", &self.url, &[]);
        assert_eq!(self.client.response().status, 200);
        self.setup_at_once(transport)
    }

    /// Likewise, of whoever knows without DESCRIBE what there is.
    fn setup_at_once(&mut self, transport: &str) -> Result<String, u16> {
        let control = format!("{}/stream=0", self.url);
        self.client.send("SETUP", &control, &[("Transport", transport)]);
        let response = self.client.response();
        match response.header("Transport") {
            Some(transport) if response.status == 200 => Ok(transport.to_owned()),
            _ => Err(response.status),
        }
    }
}

#[test]
fn the_log_says_what_was_asked_for_and_what_is_allowed() {
    let server = Process::start(|command| {
        command.env("RTSP_TRANSPORTS", "tcp, http");
    });
    assert_eq!(setup(server.port(), UDP), 461);
    server.log().wait_for("why", |line| {
        line.contains("asks for udp: transports allows tcp, http")
    });
}

#[test]
fn a_stream_may_have_ways_of_its_own() {
    let mut config = camera(&[Transport::Tcp]);
    config.streams.push(StreamConfig {
        mounts: vec![mount("/other")],
        transports: [Transport::Udp].into(),
        ..config.streams[0].clone()
    });
    let server = start(&config);
    assert_eq!(setup(server.port(), TCP), 200);
    let mut client = RtspClient::connect(&server);
    let other = format!("rtsp://127.0.0.1:{}/other/stream=0", server.port());
    client.send("SETUP", &other, &[("Transport", TCP)]);
    assert_eq!(client.response().status, 461);
}

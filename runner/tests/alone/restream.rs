//! "What does it add?": ffmpeg takes the stream and gives it out again, and the probe holds both against each other.

use std::net::UdpSocket;
use std::process::{Child, Command};
use std::time::Duration;

use rtsp_clock_probe::{Options, Transport, figures::Evidence};
use rtsp_clock_server::config::Stamp;

use crate::common::{burden::alone, config, holds_within, measure, start, target, url};

/// 12 s.
const PICTURES: u64 = 300;
/// Longer than they take.
const PATIENCE: Duration = Duration::from_mins(1);
/// Longer than ffmpeg takes to have looked into the stream and hand the first of it on.
const FFMPEG_STARTS: Duration = Duration::from_mins(1);
const COPIED: [&str; 2] = ["-c", "copy"];
const ENCODED_AGAIN: [&str; 8] = [
    "-c:v",
    "libx264",
    "-preset",
    "ultrafast",
    "-tune",
    "zerolatency",
    "-g",
    "25",
];

/// ffmpeg, ended when dropped.
struct Restreamer {
    url: String,
    process: Child,
}

impl Restreamer {
    /// Hands `url` on `to` a URL.
    fn start(url: &str, how: &[&str], to: String) -> Self {
        let process = Command::new("ffmpeg")
            .args(["-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", url])
            .args(how)
            .args(["-f", "mpegts", &to])
            .spawn()
            .expect("ffmpeg is installed");
        Self { url: to, process }
    }

    /// As the README has it: one who asks gets it over HTTP.
    fn over_http(url: &str, how: &[&str]) -> Self {
        let port = port(&free_socket());
        let to = format!("http://127.0.0.1:{port}/live.ts");
        let restreamer = Self::start(url, &[how, &["-listen", "1"]].concat(), to);
        assert!(holds_within(FFMPEG_STARTS, || listens(port)), "ffmpeg listens");
        restreamer
    }

    /// To a port that is kept until something comes there: ffmpeg takes seconds to start, and others look for free ports.
    fn over_udp(url: &str, how: &[&str]) -> Self {
        let socket = free_socket();
        socket
            .set_read_timeout(Some(FFMPEG_STARTS))
            .expect("a read timeout");
        let to = format!("udp://127.0.0.1:{}?pkt_size=1316", port(&socket));
        let restreamer = Self::start(url, how, to);
        socket.recv(&mut [0; 2048]).expect("ffmpeg sends");
        restreamer
    }
}

/// Without connecting: ffmpeg takes one connection. /proc/net/tcp has ports in hexadecimal, and 0A for what listens.
fn listens(port: u16) -> bool {
    let sockets = std::fs::read_to_string("/proc/net/tcp").expect("Linux");
    let local = format!(":{port:04X}");
    sockets.lines().any(|line| {
        let mut fields = line.split_whitespace().skip(1);
        fields.next().is_some_and(|address| address.ends_with(&local)) && fields.nth(1) == Some("0A")
    })
}

impl Drop for Restreamer {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _ended = self.process.wait();
    }
}

/// At a port that is free for UDP, and most likely for TCP.
fn free_socket() -> UdpSocket {
    UdpSocket::bind(("127.0.0.1", 0)).expect("a free UDP port")
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().expect("an address").port()
}

fn instants(evidence: &Evidence) -> impl Iterator<Item = i64> {
    let stamps = evidence.samples.iter().filter_map(|sample| sample.stamp);
    stamps.map(|stamp| stamp.instant)
}

/// The instant of the first picture.
fn first_instant(evidence: &Evidence) -> i64 {
    instants(evidence).next().expect("pictures came")
}

/// How many pictures are of that instant or later.
fn since(first: i64, evidence: &Evidence) -> u64 {
    instants(evidence)
        .filter(|instant| *instant >= first)
        .map(|_| 1)
        .sum()
}

#[test]
fn what_ffmpeg_adds_is_measured() {
    let _alone = alone();
    let mut config = config();
    config.streams[0].look.stamp = Stamp::Qr;
    config.streams[0].key_frame_interval = 25;
    (config.streams[0].width, config.streams[0].height) = (640, 480);
    let server = start(&config);
    let restreamers = [
        Restreamer::over_http(&url(&server), &COPIED),
        Restreamer::over_udp(&url(&server), &ENCODED_AGAIN),
    ];
    let outcome = measure(&Options {
        vias: restreamers
            .iter()
            .map(|restreamer| target(&restreamer.url))
            .collect(),
        transport: Transport::Tcp,
        frames: Some(PICTURES),
        duration: Some(PATIENCE),
        ..Options::of(target(&url(&server)))
    });
    assert!(outcome.is_good(), "{:#?}", outcome.measurement.streams);
    for (index, added) in outcome.measurement.added.iter().enumerate() {
        let via = &outcome.measurement.streams[index + 1];
        let latency = added.latency.expect("the same frames came both ways");
        println!("{added:#?}, {:?}", via.counts);
        assert!(via.live && via.latency.is_some(), "{via:?}");
        assert!(latency.p50 > 0.0, "{latency:?}");
        // What came straight also came the other way, from ffmpeg's first key frame on and but for what is under way
        // at the end.
        let straight = since(first_instant(&outcome.evidence[index + 1]), &outcome.evidence[0]);
        assert!(
            latency.count * 10 > straight * 8 && straight * 2 > PICTURES,
            "{latency:?} of {straight}, {:?}",
            via.counts
        );
        assert_eq!(added.missing, 0, "{:?}", via.losses);
        // The camera itself skips frames where this machine is late.
        assert!(via.counts.lost <= server.skipped(), "{:?}", via.losses);
    }
}

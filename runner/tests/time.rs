//! Whose time a camera shows, and that everything that tells it agrees.

mod common;

use std::{net::UdpSocket, time::Duration};

use common::{RtspClient, config, measure, ntp::TimeServer, start, target, url};
use rtsp_clock_probe::{Options, Transport, figures::StreamFigures};
use rtsp_clock_server::{
    config::{AudioCodec, ClockSource, Config, Stamp, VideoCodec},
    server::Server,
};

/// Sender reports come in it.
const TIME: Duration = Duration::from_secs(6);
/// How far ahead of this machine the time server is, in ms.
const AHEAD: i64 = 10_000;
/// What the time server's answers and this machine's threads may be late, in ms.
const NOISE: f64 = 200.0;
/// In µs: of RTP time at 90 kHz.
const TICK: i64 = 11;

fn camera(codec: VideoCodec) -> Config {
    let mut config = config();
    config.streams[0].codec = codec;
    config.streams[0].key_frame_interval = 25;
    config.streams[0].stamp = Stamp::Qr;
    config.streams[0].ntp_extension = true;
    // With sound, sender reports come at once.
    config.streams[0].audio = Some(AudioCodec::Pcmu);
    config
}

fn ntp(port: u16) -> ClockSource {
    ClockSource::Ntp {
        host: "127.0.0.1".into(),
        port,
    }
}

/// What the probe finds of each.
fn streams(servers: &[Server]) -> Vec<StreamFigures> {
    let targets: Vec<_> = servers.iter().map(|server| target(&url(server))).collect();
    let outcome = measure(&Options {
        targets: targets.clone(),
        transport: Transport::Tcp,
        duration: Some(TIME),
        ..Options::of(targets[0].clone())
    });
    let streams = outcome.measurement.streams;
    for stream in &streams {
        assert!(stream.counts.readings > 100, "{:?}", stream.counts);
    }
    streams
}

fn sdp(server: &Server) -> String {
    RtspClient::connect(server).describe().body
}

#[test]
fn an_ntp_servers_time_is_in_the_picture_and_wherever_else_the_stream_tells_it() {
    let time = TimeServer::ahead_by(AHEAD);
    // What the SDP says comes by other ways where the stream runs already.
    let servers = [(VideoCodec::H264, false), (VideoCodec::Mjpeg, true)].map(|(codec, always_on)| {
        let mut config = camera(codec);
        config.streams[0].always_on = always_on;
        config.clock = ntp(time.port());
        start(&config)
    });
    for (server, stream) in servers.iter().zip(streams(&servers)) {
        println!("{stream:#?}");
        let [problem] = stream.problems.as_slice() else {
            panic!("{:?}", stream.problems);
        };
        assert!(
            problem.contains("this machine's, and its clock is not"),
            "{problem}"
        );
        // The picture: it comes ten seconds before the time that it shows.
        let latency = stream.latency.expect("pictures came");
        #[expect(clippy::cast_precision_loss, reason = "some seconds")]
        let ahead = -AHEAD as f64;
        assert!((ahead - 5.0..ahead + NOISE).contains(&latency.min), "{latency:?}");
        // Everything else agrees with the picture.
        let times = stream.times;
        let reports = times.sender_reports.expect("sender reports came");
        assert!(reports.max_us.abs() <= 1000, "{reports:?}");
        assert!(reports.median_us.abs() <= 2 * TICK, "{reports:?}");
        let signalled = times.reference_clock.expect("the SDP signals a clock");
        assert!(signalled.max_us.abs() <= 3 * TICK, "{signalled:?}");
        let extension = times.ntp_extension.expect("packets have the extension");
        assert!(extension.max_us.abs() <= 1, "{extension:?}");
        let offset = stream.sound.and_then(|sound| sound.offset_median);
        assert!(offset.is_some_and(|offset| offset.abs() < 1.0), "{offset:?}");
        let sdp = sdp(server);
        let clock = format!("a=ts-refclk:ntp=127.0.0.1:{}", time.port());
        assert_eq!(sdp.matches(&clock).count(), 2, "{sdp}");
        assert_eq!(sdp.matches("a=mediaclk:direct=").count(), 2, "{sdp}");
    }
}

#[test]
fn the_extension_tells_each_frames_instant_whatever_the_codec() {
    let servers = VideoCodec::ALL.map(|codec| start(&camera(codec)));
    for (codec, stream) in VideoCodec::ALL.into_iter().zip(streams(&servers)) {
        assert_eq!(stream.problems, Vec::<String>::new());
        let times = stream.times;
        let extension = times.ntp_extension.expect("packets have the extension");
        println!("{codec}: {times:?}");
        assert!(extension.max_us.abs() <= 1, "{codec}: {extension:?}");
        assert!(
            extension.count >= stream.counts.readings - 1,
            "{codec}: {extension:?}"
        );
        let reports = times.sender_reports.expect("sender reports came");
        assert!(reports.max_us.abs() <= 1000, "{codec}: {reports:?}");
    }
    let sdp = sdp(&servers[0]);
    assert!(
        sdp.contains("a=extmap:1 urn:ietf:params:rtp-hdrext:ntp-64\r\n"),
        "{sdp}"
    );
}

#[test]
fn a_camera_that_is_not_told_to_has_neither_extension_nor_clock_signalling() {
    let sdp = sdp(&start(&config()));
    assert!(
        !sdp.contains("extmap") && !sdp.contains("mediaclk:direct"),
        "{sdp}"
    );
}

#[test]
fn a_time_server_that_does_not_answer_is_told_at_the_start() {
    let silent = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let clock = ntp(silent.local_addr().expect("an address").port());
    let name = clock.to_string();
    let error = Server::start(&Config { clock, ..config() }).expect_err("there is no time");
    assert_eq!(
        error.to_string(),
        format!(
            "clock {name} cannot be set: no time has come from there within 5 s. Check that it runs, and that a firewall \
             lets its UDP port through"
        )
    );
}

#[test]
fn a_time_server_that_nobody_knows_is_told_at_the_start() {
    let clock = ClockSource::Ntp {
        host: "host.invalid".into(),
        port: 123,
    };
    let error = Server::start(&Config { clock, ..config() }).expect_err("there is no such host");
    let said = error.to_string();
    assert!(
        said.starts_with("the host of clock ntp://host.invalid cannot be found: "),
        "{said}"
    );
}

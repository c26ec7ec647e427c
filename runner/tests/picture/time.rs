//! Whose time a camera shows, and that everything that tells it agrees.

use std::{
    net::UdpSocket,
    process::{Command, Stdio},
    time::Duration,
};

use rtsp_clock_probe::{Options, Transport, figures::StreamFigures};
use rtsp_clock_server::{
    config::{AudioCodec, ClockSource, Config, Stamp, VideoCodec},
    server::Server,
};
use strum::IntoEnumIterator as _;

use crate::common::{
    RtspClient, config, measure,
    ntp::TimeServer,
    process,
    ptp::{IDENTITY, Master},
    start, target, url,
};

/// Of each camera: 6 s of them, in which sender reports and ticks come.
const PICTURES: u64 = 150;
/// Longer than they take: up to five cameras are started, seen and heard at once.
const PATIENCE: Duration = Duration::from_mins(1);
/// How far ahead of this machine the time server is, in ms.
const AHEAD: i32 = 10_000;
/// What the time server's answers and this machine's threads may be late, in ms.
const NOISE: f64 = 200.0;
/// Half a frame period. A picture cannot come before its instant, but for what the clock is wrong by (ms).
const EARLY: f64 = 20.0;
/// In µs: of RTP time at 90 kHz.
const TICK: i64 = 11;

fn camera(codec: VideoCodec) -> Config {
    let mut config = config();
    config.streams[0].codec = codec;
    config.streams[0].key_frame_interval = 25;
    config.streams[0].look.stamp = Stamp::Qr;
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
        frames: Some(PICTURES),
        duration: Some(PATIENCE),
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
    let time = TimeServer::ahead_by(AHEAD.into());
    // What the SDP says comes by other ways where the stream runs already.
    let servers = [(VideoCodec::H264, false), (VideoCodec::Mjpeg, true)].map(|(codec, always_on)| {
        let mut config = camera(codec);
        config.streams[0].always_on = always_on;
        config.clock = ntp(time.port());
        start(&config)
    });
    for (server, stream) in servers.iter().zip(streams(&servers)) {
        let refclk = format!("ntp=127.0.0.1:{}", time.port());
        assert_tells_time_of_network(&stream, &sdp(server), &refclk);
        let clock = server.roster().get().status().clock;
        let offset = clock.offset_seconds.expect("it is not this machine's");
        assert!((offset - f64::from(AHEAD) / 1000.0).abs() < 2.0, "{clock:?}");
    }
}

/// That everything tells a time that is [`AHEAD`] of this machine's, which comes from `refclk`.
fn assert_tells_time_of_network(stream: &StreamFigures, sdp: &str, refclk: &str) {
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
    let distance = |latency: f64| latency + f64::from(AHEAD);
    assert!(distance(latency.min) < NOISE, "{latency:?}");
    // The median, for GStreamer guesses the server's rate by answers that its own thread takes late. With more threads
    // than processors its clock was ahead by 25 ms for a moment, and by 980 ms where the machine has run for long.
    assert!(distance(latency.p50) > -EARLY, "{latency:?}");
    // Everything else agrees with the picture.
    let times = stream.times;
    let reports = times.sender_reports.expect("sender reports came");
    assert!(reports.max_us.abs() <= 1000, "{reports:?}");
    assert!(reports.median_us.abs() <= 2 * TICK, "{reports:?}");
    let signalled = times.reference_clock.expect("the SDP signals a clock");
    assert!(signalled.max_us.abs() <= 3 * TICK, "{signalled:?}");
    let extension = times.ntp_extension.expect("packets have the extension");
    assert!(extension.max_us.abs() <= 1, "{extension:?}");
    let offset = stream.sound.as_ref().and_then(|sound| sound.offset_median);
    assert!(offset.is_some_and(|offset| offset.abs() < 1.0), "{offset:?}");
    let clock = format!("a=ts-refclk:{refclk}\r\n");
    assert_eq!(sdp.matches(&clock).count(), 2, "{sdp}");
    assert_eq!(sdp.matches("a=mediaclk:direct=").count(), 2, "{sdp}");
}

/// PTP is spoken on two ports of the whole machine, so that this runs in a network of its own, with nothing behind it.
#[test]
fn a_ptp_masters_time_is_in_the_picture_and_wherever_else_the_stream_tells_it() {
    const NAME: &str = "a_ptp_masters_time_is_in_the_picture_and_wherever_else_the_stream_tells_it";
    if std::env::var_os(INSIDE).is_none() {
        return run_inside(&["--net"], NAME);
    }
    if gst::version() >= PTP_WITH_PRIORITY && !may_raise_priority() {
        eprintln!("{NAME}: not tried, for nobody may raise a priority here, as gst-ptp-helper does");
        return;
    }
    for words in [
        "link set lo up",
        "link add ptp0 type veth peer name ptp1",
        "address add 192.0.2.1/24 dev ptp0",
        "link set ptp1 up",
        "link set ptp0 up",
        "route add 224.0.0.0/4 dev ptp0",
    ] {
        let done = Command::new("ip").args(words.split(' ')).status();
        assert!(done.expect("iproute2 is installed").success(), "ip {words}");
    }
    let _master = Master::ahead_by(AHEAD.unsigned_abs().into(), 5, "ptp0");
    let server = start(&Config {
        clock: ClockSource::Ptp { domain: 5 },
        ..camera(VideoCodec::H264)
    });
    let stream = streams(std::slice::from_ref(&server)).remove(0);
    let identity = IDENTITY.map(|byte| format!("{byte:02X}")).join("-");
    assert_tells_time_of_network(&stream, &sdp(&server), &format!("ptp=IEEE1588-2008:{identity}:5"));
}

/// GStreamer's NTP client is ahead by more the longer its machine has run: 4 ms after a hundred days. So long that this is
/// far more than [`EARLY`]: 86 ms.
#[test]
fn a_machine_that_has_run_for_long_shows_a_time_servers_time_all_the_same() {
    const TWO_THOUSAND_DAYS: &str = "--monotonic=172800000";
    run_inside(
        &["--time", TWO_THOUSAND_DAYS],
        "an_ntp_servers_time_is_in_the_picture_and_wherever_else_the_stream_tells_it",
    );
}

/// The GStreamer from which on gst-ptp-helper ends where it may not raise its priority.
const PTP_WITH_PRIORITY: (u32, u32, u32, u32) = (1, 24, 0, 0);

/// No user namespace's root may, whatever its capabilities.
fn may_raise_priority() -> bool {
    let raised = Command::new("sh").args(["-c", "renice -5 -p $$"]).output();
    raised.expect("util-linux is installed").status.success()
}

/// Set for a test that runs in namespaces of its own.
const INSIDE: &str = "TEST_INSIDE_NAMESPACES";

/// Runs the test `name` in `namespaces` of its own, as unshare names them: made by root, or in a user namespace.
#[track_caller]
fn run_inside(namespaces: &[&str], name: &str) {
    let isolated = |who: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(who).args(namespaces);
        command
    };
    let is_possible = |who: &&[&str]| {
        let tried = isolated(who).arg("true").output();
        tried.is_ok_and(|output| output.status.success())
    };
    let ways: [&[&str]; 2] = [&[], &["--map-root-user"]];
    let Some(who) = ways.into_iter().find(is_possible) else {
        eprintln!("{name}: not tried, for this machine gives nobody namespaces: {namespaces:?}");
        return;
    };
    let itself = std::env::current_exe().expect("a test has a path");
    let inside = isolated(who)
        .arg(itself)
        .args(["--exact", &format!("time::{name}"), "--nocapture"])
        .env(INSIDE, "1")
        .stderr(Stdio::inherit())
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&inside.stdout);
    println!("{said}");
    // No test of that name would be a success too.
    let has_run = inside.status.success() && said.contains("1 passed");
    assert!(has_run, "{name} with {namespaces:?}");
}

/// What speaks PTP for GStreamer is a program of its own.
#[test]
fn a_machine_that_cannot_speak_ptp_is_told_at_the_start() {
    let output = process::command()
        .env("RTSP_CLOCK", "ptp:0")
        .env("RTSP_SERVER_IP", "127.0.0.1")
        .env("RTSP_SERVER_PORT", "0")
        .env("GST_PTP_HELPER", "/bin/false")
        .output()
        .expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("clock ptp:0 cannot be set: GStreamer's gst-ptp-helper does not start."),
        "{said}"
    );
}

#[test]
fn the_extension_tells_each_frames_instant_whatever_the_codec() {
    let servers: Vec<_> = VideoCodec::iter().map(|codec| start(&camera(codec))).collect();
    for (codec, stream) in VideoCodec::iter().zip(streams(&servers)) {
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

//! What a monitoring system reads.
//!
//! | module | what |
//! | --- | --- |
//! | [`exposition`] | reads what the server writes |
//! | [`documented`] | the page and the examples about it |

mod documented;
mod exposition;

use std::{
    io::Write as _,
    net::TcpStream,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::{
    Server,
    common::{
        RtspClient,
        player::{port, two_sockets},
        wait_until,
    },
};
use exposition::Exposition;

/// How many packets may have come before the answer to PLAY, which a test throws away, or have been cut by the end.
const MOST_BESIDE_REQUESTS: u64 = 50;
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0";

fn cameras() -> Value {
    json!({ "rtspStreamPath": "/cam{n}", "count": 3, "videoResolution": "160x120", "framesPerSecond": 25 })
}

#[track_caller]
fn metrics(server: &Server) -> Exposition {
    let answer = server.get("/metrics");
    assert_eq!(answer.status, 200, "{answer:?}");
    Exposition::parse(&answer.text)
}

/// Waits until that sample has the value.
#[track_caller]
fn comes_to(server: &Server, sample: &str, count: u64) {
    wait_until(&format!("{sample} is {count}"), || {
        metrics(server).count(sample) == count
    });
}

/// Prometheus' tool, where scripts/setup.sh installs it or somebody else has.
fn promtool(arguments: &[&str]) -> Option<Command> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_in_path =
        |program: &str| std::env::split_paths(&path).any(|folder| folder.join(program).is_file());
    if !["dpkg", "pacman", "brew", "promtool"].into_iter().any(is_in_path) {
        println!("left out: promtool, which this system has no package for");
        return None;
    }
    let mut command = Command::new("promtool");
    command.args(arguments);
    Some(command)
}

/// Runs a program that reads what it checks from its input; answers what it says.
#[track_caller]
fn checked_by(mut command: Command, text: &str) -> String {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut program = piped
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let mut input = program.stdin.take().expect("an input");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = program.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned());
    format!(
        "{}{}",
        if output.status.success() { "" } else { "it fails: " },
        said.concat()
    )
}

/// A server that has had a viewer and a wrong log-in, so that hardly any count is zero.
fn used() -> (Server, RtspClient) {
    let server = Server::start(&cameras());
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at("/cam2")
        .watching();
    viewer.next_rtp();
    (server, viewer)
}

#[test]
fn prometheus_finds_nothing_to_complain_of() {
    let (server, _viewer) = used();
    let Some(promtool) = promtool(&["check", "metrics"]) else {
        return;
    };
    assert_eq!(checked_by(promtool, &server.get("/metrics").text), "");
}

#[test]
fn open_metrics_is_read_by_a_parser_that_is_strict() {
    let (server, _viewer) = used();
    let answer = server.ask("GET", "/metrics", &[("Accept", OPEN_METRICS)], None);
    let kind = &answer.headers["content-type"];
    assert_eq!(kind, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let python = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python/bin/python");
    let mut parser = Command::new(python);
    parser.args(["-c", include_str!("metrics/openmetrics.py")]);
    let families = metrics(&server).types.len();
    assert_eq!(checked_by(parser, &answer.text), format!("{families} families\n"));
}

#[test]
fn who_does_not_name_open_metrics_gets_prometheus_own_text() {
    let server = Server::start(&cameras());
    for accept in [
        "*/*",
        "text/plain",
        "application/openmetrics-text;q=0.1, text/plain;q=0.5",
    ] {
        let answer = server.ask("GET", "/metrics", &[("Accept", accept)], None);
        assert_eq!(
            answer.headers["content-type"],
            "text/plain; version=0.0.4; charset=utf-8"
        );
        assert!(!answer.text.contains("# EOF"), "{}", answer.text);
    }
}

#[test]
fn a_viewer_is_counted_as_it_comes_and_goes() {
    let server = Server::start(&cameras());
    let before = metrics(&server);
    assert_eq!(before.count("rtsp_clock_viewers{stream=cam2,transport=tcp}"), 0);
    assert_eq!(before.count("rtsp_clock_stream_state{state=idle,stream=cam2}"), 1);
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at("/cam2")
        .watching();
    viewer.next_rtp();
    comes_to(&server, "rtsp_clock_viewers{stream=cam2,transport=tcp}", 1);
    let during = metrics(&server);
    for (sample, value) in [
        ("rtsp_clock_viewer_joins_total{stream=cam2,transport=tcp}", 1),
        ("rtsp_clock_viewer_joins_total{stream=cam2,transport=udp}", 0),
        ("rtsp_clock_viewers{stream=cam1,transport=tcp}", 0),
        ("rtsp_clock_stream_state{state=running,stream=cam2}", 1),
        ("rtsp_clock_stream_state{state=idle,stream=cam2}", 0),
        ("rtsp_clock_stream_starts_total{stream=cam2}", 1),
        ("rtsp_clock_stream_restarts_total{stream=cam2}", 0),
        ("rtsp_clock_rtp_packets_sent_total{stream=cam1}", 0),
        ("rtsp_clock_connections{protocol=rtsp}", 1),
        ("rtsp_clock_connections_accepted_total{protocol=rtsp}", 1),
    ] {
        assert_eq!(during.count(sample), value, "{sample}");
    }
    for grown in [
        "rtsp_clock_frames_made_total{stream=cam2}",
        "rtsp_clock_key_frames_forced_total{stream=cam2}",
        "rtsp_clock_rtp_packets_sent_total{stream=cam2}",
        "rtsp_clock_rtp_sent_bytes_total{stream=cam2}",
        "rtsp_clock_connections_accepted_total{protocol=http}",
        "rtsp_clock_process_cpu_seconds_total{}",
    ] {
        // What has been sent is counted when it has gone, which may be behind the first packet's coming.
        wait_until(grown, || metrics(&server).value(grown) > 0.0);
    }
    assert_eq!(viewer.request("TEARDOWN", &[]).status, 200);
    comes_to(
        &server,
        "rtsp_clock_viewer_leaves_total{reason=teardown,stream=cam2}",
        1,
    );
    drop(viewer);
    comes_to(&server, "rtsp_clock_connections{protocol=rtsp}", 0);
    comes_to(&server, "rtsp_clock_stream_state{state=idle,stream=cam2}", 1);
    let after = metrics(&server);
    assert_eq!(after.count("rtsp_clock_viewers{stream=cam2,transport=tcp}"), 0);
    during.assert_no_counter_fell(&after);
}

/// The packets and bytes that the first camera has sent.
fn sent(metrics: &Exposition) -> [u64; 2] {
    [
        "rtsp_clock_rtp_packets_sent_total{stream=cam1}",
        "rtsp_clock_rtp_sent_bytes_total{stream=cam1}",
    ]
    .map(|sample| metrics.count(sample))
}

#[test]
fn all_that_a_viewer_gets_is_counted_and_stays_when_it_has_gone() {
    let server = Server::start(&cameras());
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at("/cam1")
        .watching();
    let session = viewer.session().expect("a session").to_owned();
    let mut got: Vec<_> = (0..20).map(|_| viewer.next_rtp().data.len()).collect();
    let gone = server.ask("DELETE", &format!("/api/v1/viewers/{session}"), &[], None);
    assert_eq!(gone.status, 204, "{gone:?}");
    while let Ok(packet) = viewer.next_packet() {
        got.extend(packet.is_rtp().then_some(packet.data.len()));
    }
    comes_to(&server, "rtsp_clock_stream_state{state=idle,stream=cam1}", 1);
    let after = metrics(&server);
    let [packets, bytes] = sent(&after);
    let most = got.len() as u64 + MOST_BESIDE_REQUESTS;
    assert!(
        (got.len() as u64..=most).contains(&packets),
        "{packets}, {}",
        got.len()
    );
    assert!(bytes >= got.iter().sum::<usize>() as u64, "{bytes}, {got:?}");
    assert_eq!(
        after.count("rtsp_clock_viewer_leaves_total{reason=kicked,stream=cam1}"),
        1
    );
    let mut next = RtspClient::connect_port(server.process.port())
        .at("/cam1")
        .watching();
    next.next_rtp();
    comes_to(&server, "rtsp_clock_stream_state{state=running,stream=cam1}", 1);
    after.assert_no_counter_fell(&metrics(&server));
}

#[test]
fn what_goes_over_udp_stays_counted_as_well() {
    let server = Server::start(&cameras());
    let mut viewer = RtspClient::connect_port(server.process.port()).at("/cam1");
    assert_eq!(viewer.describe().status, 200);
    let sockets = two_sockets();
    let ports = [port(&sockets[0]), port(&sockets[1])];
    let setup = viewer.setup_over(&format!("RTP/AVP;unicast;client_port={}-{}", ports[0], ports[1]));
    assert_eq!((setup.status, viewer.play().status), (200, 200));
    let mut bytes = 0;
    for _ in 0..20 {
        bytes += sockets[0].recv(&mut [0; 2000]).expect("RTP comes");
    }
    wait_until("what came is counted", || {
        let [packets, all] = sent(&metrics(&server));
        packets >= 20 && all >= bytes as u64
    });
    let during = metrics(&server);
    assert_eq!(during.count("rtsp_clock_viewers{stream=cam1,transport=udp}"), 1);
    assert_eq!(viewer.request("TEARDOWN", &[]).status, 200);
    drop(viewer);
    comes_to(&server, "rtsp_clock_stream_state{state=idle,stream=cam1}", 1);
    during.assert_no_counter_fell(&metrics(&server));
}

#[test]
fn connections_count_as_long_as_they_are_open() {
    let server = Server::start(&cameras());
    let port = server.process.port();
    let open = "rtsp_clock_connections{protocol=rtsp}";
    let silent = TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    comes_to(&server, open, 1);
    let tunnel = RtspClient::tunnel(port, false).at("/cam1").watching();
    comes_to(&server, open, 3);
    assert_eq!(
        metrics(&server).count("rtsp_clock_viewers{stream=cam1,transport=http}"),
        1
    );
    drop(silent);
    comes_to(&server, open, 2);
    drop(tunnel);
    comes_to(&server, open, 0);
    let accepted = metrics(&server).count("rtsp_clock_connections_accepted_total{protocol=rtsp}");
    assert_eq!(accepted, 3);
}

#[test]
fn what_receivers_report_lost_is_counted() {
    let server = Server::start(&cameras());
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at("/cam1")
        .watching();
    let source = viewer.next_rtp().data[8..12].to_vec();
    let report = [
        &[0x81, 201, 0, 7, 0, 0, 0, 9][..],
        &source,
        &[128, 0, 0, 17],
        &[0; 16],
    ]
    .concat();
    let length = u16::try_from(report.len()).expect("a report").to_be_bytes();
    viewer.send_raw(&[&[b'$', 1][..], &length, &report].concat());
    comes_to(
        &server,
        "rtsp_clock_rtp_packets_reported_lost_total{stream=cam1}",
        17,
    );
}

#[test]
fn the_lateness_of_frames_is_a_histogram_from_50_us_to_1_s() {
    let (server, mut viewer) = used();
    (0..10).for_each(|_| drop(viewer.next_rtp()));
    let metrics = metrics(&server);
    assert_eq!(metrics.types["rtsp_clock_frame_lateness_seconds"], "histogram");
    let of_stream = |part: &str| format!("rtsp_clock_frame_lateness_seconds_{part},stream=cam2}}");
    let at_most = |bound: &str| metrics.value(&of_stream(&format!("bucket{{le={bound}")));
    let bounds = [
        "5e-05", "0.0001", "0.0002", "0.0005", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1",
        "0.2", "0.5", "1", "+Inf",
    ];
    assert!(bounds.map(at_most).is_sorted());
    let count = metrics.count("rtsp_clock_frame_lateness_seconds_count{stream=cam2}");
    assert!(count > 0);
    assert_eq!(metrics.count(&of_stream("bucket{le=+Inf")), count);
    assert!(metrics.value("rtsp_clock_frame_lateness_seconds_sum{stream=cam2}") >= 0.0);
}

#[test]
fn failures_and_restarts_are_counted() {
    let server = Server::start(&json!({ "alwaysOn": true, "pipeline":
        "clocksrc num-buffers=1 ! x264enc ! identity error-after=1 ! rtph264pay name=pay0" }));
    wait_until("it is started again", || {
        metrics(&server).value("rtsp_clock_stream_restarts_total{stream=live}") > 0.0
    });
    let metrics = metrics(&server);
    let of_stream = |what: &str| metrics.value(&format!("rtsp_clock_stream_{what}_total{{stream=live}}"));
    assert!(
        of_stream("failures") >= of_stream("restarts"),
        "each restart follows a failure"
    );
    assert!(
        of_stream("starts") > of_stream("restarts"),
        "the first start is no restart"
    );
}

#[test]
fn a_stream_that_is_replaced_counts_on() {
    let server = Server::start(&cameras());
    let play = || {
        let mut viewer = RtspClient::connect_port(server.process.port())
            .at("/cam2")
            .watching();
        (0..10).for_each(|_| drop(viewer.next_rtp()));
        viewer
    };
    let before = [
        "rtsp_clock_frames_made_total{stream=cam2}",
        "rtsp_clock_rtp_packets_sent_total{stream=cam2}",
        "rtsp_clock_key_frames_forced_total{stream=cam2}",
        "rtsp_clock_frame_lateness_seconds_count{stream=cam2}",
    ];
    for codec in ["mjpeg", "h264"] {
        let mut viewer = play();
        let during = metrics(&server);
        let patch = json!({ "videoCodec": codec });
        let replaced = server.send("PATCH", "/api/v1/streams/cam2/config?replace=true", &patch);
        assert_eq!(replaced.status, 200, "{replaced:?}");
        during.assert_no_counter_fell(&metrics(&server));
        assert!(viewer.sees_the_end());
        comes_to(&server, "rtsp_clock_connections{protocol=rtsp}", 0);
        let ended = metrics(&server);
        during.assert_no_counter_fell(&ended);
        drop(play());
        let after = metrics(&server);
        ended.assert_no_counter_fell(&after);
        for sample in before {
            assert!(after.value(sample) > during.value(sample), "{sample}");
        }
    }
}

#[test]
fn streams_that_are_gone_go_with_their_series() {
    let server = Server::start(&cameras());
    let is_there = |id: &str| {
        metrics(&server)
            .samples
            .keys()
            .any(|name| name.contains(&format!("stream={id}")))
    };
    assert!(is_there("cam2"));
    assert_eq!(
        server.ask("DELETE", "/api/v1/streams/cam2", &[], None).status,
        200
    );
    assert!(!is_there("cam2"));
    assert!(is_there("cam3"));
}

#[test]
fn orders_reloads_events_and_log_ins_are_counted() {
    let server = Server::start(
        &json!({ "http": { "token": "0123456789abcdef" }, "viewerUsername": "anna", "viewerPassword": "a" }),
    );
    let token = [("Authorization", "Bearer 0123456789abcdef")];
    let metrics = || {
        let answer = server.ask("GET", "/metrics", &token, None);
        Exposition::parse(&answer.text)
    };
    let before = metrics();
    let wrong = [("Authorization", "Basic YW5uYTpi")];
    assert_eq!(server.ask("GET", "/metrics", &wrong, None).status, 401);
    assert_eq!(
        server
            .ask("POST", "/api/v1/streams/live/keyframe", &token, None)
            .status,
        202
    );
    let patch = [token[0], ("Content-Type", "application/json")];
    let changed = server.ask(
        "PATCH",
        "/api/v1/streams/live/config",
        &patch,
        Some(r#"{"label":"Door"}"#),
    );
    assert_eq!(changed.status, 200, "{changed:?}");
    let after = metrics();
    let more = |sample: &str| after.count(sample) - before.count(sample);
    assert_eq!(more("rtsp_clock_logins_refused_total{reason=wrong}"), 1);
    assert_eq!(more("rtsp_clock_logins_refused_total{reason=forbidden}"), 0);
    assert_eq!(more("rtsp_clock_reloads_total{result=taken}"), 1);
    assert_eq!(more("rtsp_clock_events_total{}"), 2);
    assert!(more("rtsp_clock_orders_total{}") >= 2);
    assert_eq!(more("rtsp_clock_events_missed_total{}"), 0);
}

#[test]
fn it_is_for_those_who_see_the_server() {
    let server = Server::start(&json!({ "http": { "token": "0123456789abcdef" },
        "users": [{ "username": "anna", "password": "a", "admin": true }, { "username": "bert", "password": "b" }] }));
    let status = |authorization: &str| {
        let headers = [("Authorization", authorization)];
        ["/metrics", "/api/v1/server"].map(|path| server.ask("GET", path, &headers, None).status)
    };
    assert_eq!(status("Basic YW5uYTph"), [200; 2]);
    assert_eq!(status("Bearer 0123456789abcdef"), [200; 2]);
    assert_eq!(status("Basic YmVydDpi"), [403; 2]);
    assert_eq!(server.get("/metrics").status, 401);
    let (_, port) = server.origin.rsplit_once(':').expect("a port");
    let mut elsewhere = TcpStream::connect(("127.0.0.1", port.parse().expect("a port"))).expect("it answers");
    elsewhere
        .write_all(b"GET /metrics HTTP/1.0\r\nHost: evil.example\r\n\r\n")
        .expect("it reads");
    let answer = std::io::read_to_string(elsewhere).expect("an answer");
    assert!(answer.starts_with("HTTP/1.0 421"), "{answer}");
}

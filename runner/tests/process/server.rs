//! The server as a process of its own: signals, the line to paste, the log.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::common::{
    self, RtspClient,
    burden::assert_ends_without_bugs,
    plugin_folder,
    process::{self, Process},
};

#[test]
fn a_signal_ends_it_with_status_0_and_viewers_see_the_end() {
    for signal in ["INT", "TERM"] {
        let mut process = Process::start(|_| {});
        let mut viewer = RtspClient::watch_port(process.port());
        viewer.next_rtp();
        assert_eq!(process.end_by(signal), Some(0), "after SIG{signal}");
        assert!(viewer.sees_the_end(), "the connection outlives SIG{signal}");
    }
}

/// What a viewer was sent by is held until something else is sent, to nobody too.
#[test]
fn whoever_watches_is_gone_when_it_ends() {
    for (stays, always_on) in [(true, false), (true, true), (false, false), (false, true)] {
        let process = Process::start(|command| {
            command.env("RTSP_ALWAYS_ON", always_on.to_string());
        });
        let mut viewer = RtspClient::watch_port(process.port());
        viewer.next_rtp();
        let viewer = stays.then_some(viewer);
        assert_ends_without_bugs(process, &["not gone"]);
        drop(viewer);
    }
}

/// What the camera skipped is told at the end too, while somebody watches.
#[test]
fn frames_that_were_skipped_are_told_when_it_ends() {
    let mut process = Process::start(|_| {});
    let mut viewer = RtspClient::watch_port(process.port());
    viewer.next_rtp();
    // Nothing is waited for: the pause itself, of several frame periods, is what the camera is to make up for.
    process.signal("STOP");
    std::thread::sleep(Duration::from_millis(500));
    process.signal("CONT");
    for _ in 0..20 {
        viewer.next_rtp();
    }
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    assert!(log.contains("the camera has skipped frames"), "{log}");
}

#[test]
fn the_line_to_paste_runs() {
    let folder = plugin_folder("plugin-to-paste");
    for codec in ["h264", "mjpeg"] {
        let printed = process::command()
            .arg("--print-launch=gst-launch")
            .env("RTSP_VIDEO_CODEC", codec)
            .output()
            .expect("it prints");
        let line = String::from_utf8(printed.stdout).expect("it is text");
        let bounded = line.replacen("clocksrc ", "clocksrc num-buffers=10 ", 1);
        assert_ne!(line, bounded);
        let run = Command::new("sh")
            .args(["-c", &format!("gst-launch-1.0 {bounded}")])
            .env("GST_PLUGIN_PATH", &folder)
            .env("GST_REGISTRY", folder.join("registry.bin"))
            .output()
            .expect("a shell runs");
        let said = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{codec}: {said}");
    }
}

/// A variable that names no time zone is nobody's UTC, in a pipeline of one's own either.
#[test]
fn clocksrc_does_not_start_by_a_time_zone_that_there_is_not() {
    let folder = plugin_folder("plugin-without-a-zone");
    let run = |property: &str| {
        Command::new("sh")
            .args([
                "-c",
                &format!("gst-launch-1.0 clocksrc num-buffers=1 {property} ! fakesink"),
            ])
            .env("TZ", "Europe/Berln")
            .env("GST_PLUGIN_PATH", &folder)
            .env("GST_REGISTRY", folder.join("registry.bin"))
            .output()
            .expect("a shell runs")
    };
    let refused = run("");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("the variable TZ is \"Europe/Berln\""),
        "{said}"
    );
    assert!(run("time-zone=UTC").status.success());
}

#[test]
fn the_log_says_where_and_what_it_plays() {
    let process = Process::start(|command| {
        command
            .env("RTSP_VIDEO_CODEC", "mjpeg")
            .env("RTSP_VIDEO_RESOLUTION", "640x360")
            .env("RTSP_FPS", "15");
    });
    let said = |line: &str| {
        let line = line.to_lowercase();
        ["mjpeg", "640x360", "15 frames a second"]
            .iter()
            .all(|words| line.contains(words))
    };
    process.log().wait_for("codec, size and rate", said);
    let urls = process.log().lines();
    let urls: Vec<_> = urls.iter().filter(|line| line.contains("rtsp://")).collect();
    let own = format!(" rtsp://127.0.0.1:{}/live", process.port());
    assert!(matches!(*urls, [url] if url.ends_with(&own)), "{urls:?}");
}

#[test]
fn the_log_says_who_comes_and_goes() {
    let process = Process::start(|_| {});
    let viewer = RtspClient::watch_port(process.port());
    let who = format!("{} (TCP)", viewer.address());
    let says = |what: &str| {
        let words = format!("{who} {what}");
        process.log().wait_for(&words, |line| line.contains(&words));
    };
    says("is watching");
    drop(viewer);
    says("has left");
}

#[test]
fn the_log_keeps_the_password_to_itself() {
    const PASSWORD: &str = "open-sesame-17";
    // viewer:open-sesame-17
    const CREDENTIALS: &str = "dmlld2VyOm9wZW4tc2VzYW1lLTE3";
    let mut process = Process::start(|command| {
        command
            .env("RTSP_VIEWER_USERNAME", "viewer")
            .env("RTSP_VIEWER_PASSWORD", PASSWORD)
            .env("RUST_LOG", "trace");
    });
    let mut viewer = RtspClient::connect_port(process.port());
    viewer.authorize(format!("Basic {CREDENTIALS}"));
    assert_eq!(viewer.describe().status, 200);
    assert_eq!(viewer.setup().status, 200);
    assert_eq!(viewer.play().status, 200);
    viewer.next_rtp();
    drop(viewer);
    process
        .log()
        .wait_for("the viewer left", |line| line.contains("has left"));
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    assert!(log.contains("DEBUG"), "that is no trace:\n{log}");
    for secret in [PASSWORD, CREDENTIALS] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

/// The log's lines, each of which is an object.
#[track_caller]
fn events(log: &str) -> Vec<Value> {
    let read = |line: &str| match serde_json::from_str(line) {
        Ok(event @ Value::Object(_)) => event,
        other => panic!("{line:?} is no object: {other:?}"),
    };
    log.lines().map(read).collect()
}

#[test]
fn in_json_each_line_is_an_event() {
    let mut process = Process::start(|command| {
        command.env("RTSP_LOG_FORMAT", "json");
    });
    let mut viewer = RtspClient::watch_port(process.port());
    viewer.next_rtp();
    let watching = |line: &str| line.contains("is watching");
    process.log().wait_for("who is watching", watching);
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    let events = events(&log);
    for event in &events {
        let text = |key: &str| event[key].as_str().unwrap_or_else(|| panic!("no {key}: {event}"));
        let timestamp: jiff::Timestamp = text("timestamp").parse().expect("RFC 3339");
        assert!(
            text("timestamp").ends_with('Z') && timestamp <= jiff::Timestamp::now(),
            "{event}"
        );
        assert!(
            !text("target").is_empty() && !text("message").is_empty(),
            "{event}"
        );
        assert!(["INFO", "WARN"].contains(&text("level")), "{event}");
    }
    let viewer = events
        .iter()
        .find(|event| watching(&event.to_string()))
        .expect("it was waited for");
    assert_eq!(viewer["viewers"], 1, "{viewer}");
    assert_eq!(viewer["target"], "viewers");
    assert!(events.iter().any(|event| event["message"] == "stopping"), "{log}");
}

#[test]
fn in_json_what_ends_the_server_is_an_event() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("it has one").port().to_string();
    let run = process::command()
        .env("RTSP_SERVER_IP", "127.0.0.1")
        .env("RTSP_SERVER_PORT", &port)
        .env("RTSP_LOG_FORMAT", "json")
        .env_remove("RUST_LOG")
        .output()
        .expect("it runs");
    assert_eq!(run.status.code(), Some(1));
    let events = events(&String::from_utf8_lossy(&run.stderr));
    let last = events.last().expect("it says why");
    assert_eq!(last["level"], "ERROR", "{last}");
    let why = last["message"].as_str().expect("a sentence");
    assert!(
        why.starts_with(&format!("port {port} of 127.0.0.1 is in use")),
        "{last}"
    );
}

#[test]
fn rust_log_wins_over_the_configurations_level() {
    let said = |level: &str, rust_log: &str| {
        let run = process::command()
            .arg("--check")
            .env("RTSP_LOG_LEVEL", level)
            .env("RUST_LOG", rust_log)
            .output()
            .expect("it runs");
        assert!(run.status.success());
        String::from_utf8_lossy(&run.stderr).contains("configuration: ")
    };
    assert!(said("info", ""));
    assert!(!said("warn", ""));
    assert!(said("warn", "info"));
    assert!(!said("info", "error"));
}

#[test]
fn gstreamer_says_what_clients_do_wrong_and_keeps_passwords_to_itself() {
    let mut process = Process::start(|command| {
        command.env("RTSP_LOG_FORMAT", "json").env_remove("RUST_LOG");
    });
    let host = format!("127.0.0.1:{}", process.port());
    let mut client = RtspClient::connect_port(process.port());
    client.authorize("Basic dmlld2VyOm9wZW4vc2VzYW1l".into());
    // A slash ends the host of a URL, so that the rest of the password becomes the path's.
    for url in [
        format!("rtsp://viewer:open/sesame@{host}/live"),
        format!("rtsp://{host}/nope"),
    ] {
        client.send("DESCRIBE", &url, &[("Accept", "application/sdp")]);
        assert_eq!(client.response().status, 404);
    }
    let path = format!("no factory for path …{host}/live");
    process.log().wait_for("the path", |line| line.contains(&path));
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    let of_clients: Vec<_> = events(&log)
        .into_iter()
        .filter(|event| event["target"] == "gstreamer::rtspclient" && event["function"] == "find_media")
        .collect();
    let [event] = of_clients.as_slice() else {
        panic!("one line for the same fault:\n{log}");
    };
    assert_eq!(event["level"], "INFO", "a peer's fault is no error: {event}");
    for secret in ["sesame", "dmlld2VyOm9wZW4vc2VzYW1l"] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn a_log_that_nobody_reads_does_not_hold_up_the_server() {
    let free = std::net::TcpListener::bind("127.0.0.78:0").expect("a free port");
    let address = free.local_addr().expect("it has one");
    drop(free);
    let mut child = process::command()
        .env("RTSP_SERVER_IP", address.ip().to_string())
        .env("RTSP_SERVER_PORT", address.port().to_string())
        .env("RUST_LOG", "trace")
        .stderr(Stdio::piped())
        .spawn()
        .expect("the server starts");
    // Nobody reads from now on, and nobody can.
    drop(child.stderr.take());
    let check = || {
        process::command()
            .arg("--healthcheck")
            .env("RTSP_SERVER_IP", address.ip().to_string())
            .env("RTSP_SERVER_PORT", address.port().to_string())
            .stderr(Stdio::null())
            .status()
            .expect("it runs")
            .success()
    };
    common::wait_until("it answers", check);
    assert!(check(), "it answers no more");
    assert_eq!(child.try_wait().expect("it can be waited for"), None);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

/// A peer's field of which GLib warns, and GStreamer's own log.
#[test]
fn in_json_each_line_is_an_event_whoever_speaks() {
    let mut process = Process::start(|command| {
        command
            .env("RTSP_LOG_FORMAT", "json")
            .env("RUST_LOG", "debug")
            .env("GST_DEBUG", "rtspclient:4")
            .stdout(Stdio::piped());
    });
    let mut client = RtspClient::connect_port(process.port());
    let url = format!("rtsp://127.0.0.1:{}/live/stream=0", process.port());
    client.send(
        "SETUP",
        &url,
        &[("Transport", "RTP/AVP/TCP;unicast;frobnicate;interleaved=0-1")],
    );
    client.response();
    let gstreamers = |line: &str| line.contains("rtspclient") && line.contains(r#""target":"stderr""#);
    process.log().wait_for("GStreamer's own log", gstreamers);
    assert_eq!(process.end_by("TERM"), Some(0));
    let printed = process.printed();
    assert_eq!(printed, "", "it went past the log");
    let log = process.whole_log();
    let events = events(&log);
    let warned = events
        .iter()
        .find(|event| event["target"] == "glib::GStreamer-RTSP");
    let warned = warned.unwrap_or_else(|| panic!("no warning of the field:\n{log}"));
    assert_eq!(warned["level"], "DEBUG", "a peer's doing is no warning: {warned}");
}

/// What GStreamer says of a client by where it is in memory is said of its address.
#[test]
fn what_a_client_does_is_told_with_its_address_and_no_addresses_of_memory() {
    let mut process = Process::start(|command| {
        command
            .env("RTSP_LOG_FORMAT", "json")
            .env("RTSP_VIEWER_USERNAME", "viewer")
            .env("RTSP_VIEWER_PASSWORD", "sesame")
            .env("RTSP_AUTHENTICATION", "both")
            .env("RTSP_VIDEO_CODEC", "vp9");
    });
    let host = format!("127.0.0.1:{}", process.port());
    let mut client = RtspClient::connect_port(process.port());
    let who = client.address().to_string();
    let url = format!("rtsp://{host}/live");
    // What begins each handshake by Digest.
    client.send("DESCRIBE", &url, &[("Accept", "application/sdp")]);
    assert_eq!(client.response().status, 401);
    client.authorize("Basic dmlld2VyOnNlc2FtZQ==".into());
    client.send(
        "DESCRIBE",
        &url,
        &[
            ("Accept", "application/sdp"),
            ("Require", "www.onvif.org/ver20/backchannel"),
        ],
    );
    assert_eq!(client.response().status, 551);
    for step in [
        client.describe().status,
        client.setup().status,
        client.play().status,
    ] {
        assert_eq!(step, 200);
    }
    client.next_rtp();
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    let events = events(&log);
    for event in &events {
        let text = event.to_string();
        let is_number = |text: &str| text.bytes().take(7).filter(u8::is_ascii_hexdigit).count() == 7;
        let has_address = text.split("0x").skip(1).any(is_number);
        assert!(!has_address, "an address of memory: {event}");
        let is_of_clients = event["target"] == "gstreamer::rtspclient";
        assert!(!is_of_clients || event["peer"] == who.as_str(), "whose? {event}");
    }
    let says = |words: &str| {
        events
            .iter()
            .any(|event| event["message"].as_str().is_some_and(|said| said.contains(words)))
    };
    assert!(says("Required option is not supported"), "{log}");
    assert!(!says("Failed to set VP8E"), "that comes with each start:\n{log}");
}

//! Cameras in trouble: what the log says, and that the others do not notice.

use std::path::Path;

use serde_json::{Value, json};

use crate::common::{self, RtspClient, process::Process, watcher::Watcher};

/// A server of these cameras.
fn serve(name: &str, streams: &Value) -> Process {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("trouble-{name}.json"));
    let config = json!({ "videoResolution": "160x120", "framesPerSecond": 10, "streams": streams });
    std::fs::write(&file, config.to_string()).expect("a writable folder");
    Process::start(|command| {
        command.env("CONFIG_PATH", &file);
    })
}

/// The healthy one has a second for each frame: no machine is so busy that it skips many.
#[test]
fn a_camera_that_cannot_keep_up_says_so_once_and_a_healthy_one_does_not() {
    let slow = "clocksrc ! video/x-raw,width=160,height=120,framerate=25/1 ! identity sleep-time=60000 ! jpegenc ! \
                rtpjpegpay name=pay0";
    let process = serve(
        "slow",
        &json!([
            { "rtspStreamPath": "/live", "alwaysOn": true, "framesPerSecond": 1 },
            { "rtspStreamPath": "/slow", "alwaysOn": true, "pipeline": slow },
            { "rtspStreamPath": "/asked", "pipeline": slow },
        ]),
    );
    let says = |path: &str| {
        let stream = format!("127.0.0.1:0{path}");
        move |line: &str| line.contains("this machine is too slow") && line.contains(&stream)
    };
    let patience = 3 * common::PATIENCE;
    process
        .log()
        .wait_within(patience, "that it is slow", says("/slow"));
    // As long again, from a viewer on: whoever is slow has more than one reason to say so by then.
    let viewer = RtspClient::watch_path(process.port(), "/asked");
    process
        .log()
        .wait_within(patience, "that the other one is slow", says("/asked"));
    drop(viewer);
    // The healthy one has run for as long as both of them took: frames enough to tell of, and it still makes them.
    let mut healthy = RtspClient::watch_port(process.port());
    for _ in 0..2 {
        healthy.next_rtp();
    }
    let log = process.whole_log();
    let told = |path: &str| log.lines().filter(|line| says(path)(line)).collect::<Vec<_>>();
    assert_eq!(told("/live"), [""; 0], "{log}");
    assert_eq!((told("/slow").len(), told("/asked").len()), (1, 1), "{log}");
    let said = told("/slow")[0];
    let (_, rest) = said.split_once("skipped ").expect("how many");
    let figures: Vec<u64> = rest.split(' ').filter_map(|word| word.parse().ok()).collect();
    let [skipped, of, seconds, ..] = figures[..] else {
        panic!("no figures: {said}")
    };
    assert!(seconds == 10 && 0 < skipped && skipped < of && of > 100, "{said}");
}

#[test]
fn a_camera_that_fails_is_made_again_and_the_others_lose_no_frame() {
    let failing = "clocksrc ! video/x-raw,width=160,height=120,framerate=25/1 ! identity error-after=20 ! jpegenc ! \
                   rtpjpegpay name=pay0";
    let process = serve(
        "failing",
        &json!([
            { "rtspStreamPath": "/live" },
            { "rtspStreamPath": "/failing", "alwaysOn": true, "pipeline": failing },
        ]),
    );
    let watcher = Watcher::new(RtspClient::watch_port(process.port()));
    let failures = || {
        let is_failure =
            |line: &&String| line.contains("the pipeline failed at") && line.contains("/failing");
        process.log().lines().iter().filter(is_failure).count()
    };
    let before = failures();
    common::wait_until("it has been made again, and failed again, twice", || {
        failures() >= before + 2
    });
    let why = |line: &str| line.contains("the pipeline failed at") && line.contains("identity");
    process.log().wait_for("the cause", why);
    watcher.end();
}

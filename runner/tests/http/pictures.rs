//! Pictures by HTTP: what they show, and what they leave alone.
//!
//! | module | what |
//! | --- | --- |
//! | [`decoded`] | a picture as it comes, and what is in it |
//! | [`burden`] | what they cost those who play |

mod burden;
mod decoded;

use serde_json::{Value, json};

use crate::{
    Server,
    common::{RtspClient, wait_until},
};
use decoded::{Preview, fetch};

/// A camera with a stamp that can be read, at 30 frames a second: instants are no whole µs.
fn camera() -> Value {
    json!({ "videoResolution": "640x480", "framesPerSecond": 30, "stamp": "qr", "stampId": 7 })
}

/// The camera `live` has made no picture, and nobody counts as its viewer.
#[track_caller]
fn assert_idle(server: &Server) {
    let status = server.read("/api/v1/streams/live");
    assert_eq!(status["life"]["state"], "idle", "{status}");
    assert_eq!(status["frames"], json!({ "made": 0, "skipped": 0 }));
    assert_eq!(status["viewers"], json!([]));
}

/// How many threads of the server own a pipeline that makes pictures.
fn sources(server: &Server) -> usize {
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.process.id())).expect("it runs");
    let names = tasks
        .flatten()
        .map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.flatten().filter(|name| name.trim() == "still").count()
}

#[test]
fn a_snapshot_shows_the_instant_that_comes_with_it() {
    let server = Server::start(&camera());
    for (file, kind) in [("snapshot.jpg", "image/jpeg"), ("snapshot.png", "image/png")] {
        let picture = fetch(&server, &format!("/api/v1/streams/live/{file}"));
        assert_eq!(
            (picture.status, picture.header("content-type")),
            (200, Some(kind)),
            "{picture:?}"
        );
        let seen = picture.look();
        assert_eq!((seen.width, seen.height), (640, 480));
        let stamp = seen.stamp().expect("a stamp");
        assert_eq!(Some(stamp.instant), picture.instant(), "{file}");
        assert_eq!((stamp.stream, stamp.viewers), (7, 0));
        // Whole thirtieths of a second, rounded down to µs.
        assert!(stamp.instant * 30 % 1_000_000 > 1_000_000 - 31 || stamp.instant * 30 % 1_000_000 == 0);
    }
    assert_idle(&server);
}

#[test]
fn the_second_snapshot_is_of_a_later_frame() {
    let server = Server::start(&camera());
    let instants = [(); 3].map(|()| fetch(&server, "/api/v1/streams/live/snapshot.jpg").instant());
    assert!(instants.is_sorted_by(|one, other| one < other), "{instants:?}");
}

#[test]
fn a_snapshot_is_as_wide_as_is_asked_for() {
    let server = Server::start(&camera());
    for (width, expected) in [(16, (16, 12)), (200, (200, 150)), (640, (640, 480))] {
        for file in ["snapshot.jpg", "snapshot.png"] {
            let seen = fetch(&server, &format!("/api/v1/streams/live/{file}?width={width}")).look();
            assert_eq!((seen.width, seen.height), expected);
        }
    }
}

#[test]
fn what_no_picture_can_be_is_refused() {
    let server = Server::start(&camera());
    for wrong in [
        "snapshot.jpg?width=15",
        "snapshot.png?width=641",
        "snapshot.jpg?width=wide",
        "snapshot.jpg?width=-1",
        "snapshot.jpg?height=1",
        "preview.mjpeg?fps=0",
        "preview.mjpeg?fps=26",
        "preview.mjpeg?width=0",
        "preview.mjpeg?width=4294967295",
    ] {
        let refused = server.get(&format!("/api/v1/streams/live/{wrong}"));
        assert_eq!(
            (refused.status, &refused.body["status"]),
            (400, &json!(400)),
            "{wrong}: {refused:?}"
        );
        assert_eq!(refused.headers["content-type"], "application/problem+json");
    }
    assert_eq!(server.get("/api/v1/streams/cam/snapshot.jpg").status, 404);
    assert_eq!(server.get("/api/v1/streams/cam/preview.mjpeg").status, 404);
    assert_eq!(sources(&server), 0);
}

#[test]
fn a_preview_goes_on_with_frames_of_the_grid_and_ends_with_the_stream() {
    let server = Server::start(&json!({ "streams": [camera(), { "rtspStreamPath": "/other" }] }));
    let mut preview = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg?fps=10");
    let parts: Vec<_> = (0..5).map(|_| preview.next().expect("a picture")).collect();
    for part in &parts {
        let stamp = part.look().stamp().expect("a stamp");
        assert_eq!(Some(stamp.instant), part.instant());
        assert_eq!(stamp.instant % 100_000, 0, "{stamp:?}");
    }
    let instants: Vec<_> = parts.iter().map(decoded::Picture::instant).collect();
    assert!(instants.is_sorted_by(|one, other| one < other), "{instants:?}");
    assert_idle(&server);
    assert_eq!(
        server.ask("DELETE", "/api/v1/streams/live", &[], None).status,
        200
    );
    while preview.next().is_some() {}
    assert_eq!(server.get("/api/v1/streams/live/preview.mjpeg").status, 404);
    wait_until("nothing is left of it", || sources(&server) == 0);
}

#[test]
fn a_preview_ends_where_another_stream_takes_its_place() {
    let server = Server::start(&camera());
    let mut preview = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg");
    preview.next().expect("a picture");
    let change = json!({ "videoResolution": "320x240" });
    let changed = server.send("PATCH", "/api/v1/streams/live/config?replace=true", &change);
    assert_eq!(changed.status, 200, "{changed:?}");
    while preview.next().is_some() {}
    let seen = fetch(&server, "/api/v1/streams/live/snapshot.jpg").look();
    assert_eq!((seen.width, seen.height), (320, 240));
}

#[test]
fn a_change_is_seen_in_a_preview_that_goes_on() {
    let server = Server::start(&camera());
    let mut preview = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg?fps=25");
    let before = preview.next().expect("a picture").look();
    assert!(before.mean() < 100, "white on black: {}", before.mean());
    let change =
        json!({ "label": "Door", "stampId": 9, "backgroundColor": "#ffffff", "textColor": "#000000" });
    let changed = server.send("PATCH", "/api/v1/streams/live/config", &change);
    assert_eq!(changed.status, 200, "{changed:?}");
    wait_until("the change shows", || {
        let seen = preview.next().expect("a picture").look();
        seen.mean() > 150 && seen.stamp().is_some_and(|stamp| stamp.stream == 9)
    });
    let seen = fetch(&server, "/api/v1/streams/live/snapshot.png").look();
    assert!(seen.mean() > 150, "black on white: {}", seen.mean());
}

#[test]
fn whoever_looks_is_no_viewer_and_sees_how_many_there_are() {
    let server = Server::start(&camera());
    let mut preview = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg?fps=25");
    let mut shows = |expected: u32| {
        wait_until("the number of viewers shows", || {
            let seen = preview.next().expect("a picture").look();
            seen.stamp().is_some_and(|stamp| stamp.viewers == expected)
        });
    };
    shows(0);
    let viewer = RtspClient::connect_port(server.process.port()).watching();
    shows(1);
    let status = server.read("/api/v1/streams/live");
    assert_eq!(status["viewers"].as_array().map(Vec::len), Some(1), "{status}");
    drop(viewer);
    shows(0);
}

#[test]
fn all_who_want_the_same_share_a_source_and_it_goes_with_the_last() {
    let server = Server::start(&camera());
    let path = "/api/v1/streams/live/preview.mjpeg?width=160";
    let mut previews = [(); 3].map(|()| Preview::open(&server, path));
    for preview in &mut previews {
        preview.next().expect("a picture");
    }
    assert_eq!(sources(&server), 1);
    let mut other = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg?width=170");
    other.next().expect("a picture");
    assert_eq!(sources(&server), 2);
    drop(other);
    wait_until("the source has gone", || sources(&server) == 1);
    let [first, rest @ ..] = previews;
    drop(rest);
    let mut first = first;
    (0..3).for_each(|_| drop(first.next().expect("a picture")));
    // In the middle of a part.
    first.hang_up();
    wait_until("all sources have gone", || sources(&server) == 0);
    assert_idle(&server);
}

#[test]
fn a_preview_ends_where_log_ins_change() {
    let mut file = camera();
    let server = Server::start(&file);
    let mut preview = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg");
    preview.next().expect("a picture");
    file["users"] = json!([{ "username": "bert", "password": "b" }]);
    std::fs::write(&server.file, file.to_string()).expect("a writable folder");
    assert_eq!(server.ask("POST", "/api/v1/reload", &[], None).status, 200);
    while preview.next().is_some() {}
    assert_eq!(server.get("/api/v1/streams/live/snapshot.jpg").status, 401);
}

#[test]
fn a_picture_that_cannot_be_painted_says_why() {
    let logo =
        std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("logo-{}.png", std::process::id()));
    let drawn = fetch(
        &Server::start(&camera()),
        "/api/v1/streams/live/snapshot.png?width=16",
    );
    std::fs::write(&logo, drawn.data()).expect("a writable folder");
    let mut file = camera();
    file["logo"] = logo.to_str().into();
    let server = Server::start(&file);
    assert_eq!(fetch(&server, "/api/v1/streams/live/snapshot.jpg").status, 200);
    std::fs::remove_file(&logo).expect("it is there");
    let refused = server.get("/api/v1/streams/live/snapshot.jpg");
    assert_eq!(refused.status, 503, "{refused:?}");
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("logo"), "{detail}");
}

fn own(pipeline: &str) -> Value {
    json!({ "pipeline": pipeline })
}

#[test]
fn a_pipeline_of_ones_own_is_seen_as_it_is_sent() {
    let server = Server::start(&own(
        "clocksrc stamp=qr stamp-id=3 ! video/x-raw,width=640,height=480,framerate=25/1 \
         ! x264enc tune=zerolatency key-int-max=1000 ! rtph264pay name=pay0",
    ));
    for path in ["snapshot.jpg", "snapshot.png", "snapshot.jpg?width=400"] {
        let picture = fetch(&server, &format!("/api/v1/streams/live/{path}"));
        assert_eq!(picture.status, 200, "{picture:?}");
        let seen = picture.look();
        assert_eq!(seen.width, if path.ends_with("400") { 400 } else { 640 });
        if seen.width == 640 {
            let stamp = seen.stamp().expect("a stamp");
            assert_eq!((Some(stamp.instant), stamp.stream), (picture.instant(), 3));
        }
    }
    let mut preview = Preview::open(&server, "/api/v1/streams/live/preview.mjpeg");
    let parts: Vec<_> = (0..4).map(|_| preview.next().expect("a picture")).collect();
    let instants: Vec<_> = parts.iter().map(decoded::Picture::instant).collect();
    assert!(instants.is_sorted_by(|one, other| one < other), "{instants:?}");
    let status = server.read("/api/v1/streams/live");
    assert_eq!(
        (&status["life"]["state"], &status["viewers"]),
        (&json!("running"), &json!([]))
    );
    drop(preview);
    wait_until("it stops with whoever looked", || {
        server.read("/api/v1/streams/live")["life"]["state"] == "idle"
    });
}

#[test]
fn a_pipeline_of_ones_own_that_fails_says_why() {
    let server = Server::start(&own(
        "clocksrc ! video/x-raw,width=64,height=64 ! identity error-after=1 ! jpegenc ! rtpjpegpay name=pay0",
    ));
    let refused = server.get("/api/v1/streams/live/snapshot.jpg");
    assert_eq!(refused.status, 503, "{refused:?}");
    assert!(refused.headers.contains_key("retry-after"), "{refused:?}");
    let detail = refused.body["detail"].as_str().expect("a detail");
    assert!(detail.contains("identity"), "{detail}");
}

#[test]
fn a_user_sees_pictures_of_what_is_theirs() {
    let mut file = camera();
    file["users"] = json!([{ "username": "bert", "password": "b", "streams": ["/door"] }]);
    file["streams"] = json!([{ "rtspStreamPath": "/door" }, { "rtspStreamPath": "/yard" }]);
    let server = Server::start(&file);
    let asked = |path: &str, headers: &[(&str, &str)]| {
        let status = |file: &str| {
            server
                .ask("HEAD", &format!("/api/v1/streams/{path}/{file}"), headers, None)
                .status
        };
        ["snapshot.jpg", "snapshot.png", "preview.mjpeg"].map(status)
    };
    let bert = [("Authorization", "Basic YmVydDpi")];
    assert_eq!(asked("door", &bert), [200; 3]);
    assert_eq!(asked("yard", &bert), [404; 3]);
    assert_eq!(asked("door", &[]), [401; 3]);
    wait_until("nothing is left", || sources(&server) == 0);
}

//! Several streams, each by itself or many from one entry.

use rtsp_clock_server::config::{FrameRate, VideoCodec};
use serde_json::json;

use crate::{mistake, mistakes, read, read_with};

/// The streams' places and numbers.
fn streams(content: &str) -> Vec<(String, u32)> {
    let streams = read(content).streams.into_iter();
    streams
        .map(|stream| (stream.name(), stream.look.stamp_id))
        .collect()
}

#[test]
fn an_entry_has_what_the_top_level_says_save_for_its_own_keys() {
    let config = read(
        r#"{"framesPerSecond": 5, "videoCodec": "mjpeg", "viewerUsername": "user",
            "streams": [{"rtspStreamPath": "/1"}, {"rtspStreamPath": "/2", "framesPerSecond": 10, "alwaysOn": true}]}"#,
    );
    assert!(config.login.is_some());
    let said: Vec<_> = config
        .streams
        .iter()
        .map(|stream| (stream.codec, stream.frames_per_second, stream.always_on))
        .collect();
    assert_eq!(
        said,
        [
            (VideoCodec::Mjpeg, FrameRate::whole(5), false),
            (VideoCodec::Mjpeg, FrameRate::whole(10), true)
        ]
    );
}

#[test]
fn a_variable_overrides_every_entry() {
    let content =
        r#"{"streams": [{"rtspStreamPath": "/1", "framesPerSecond": 5}, {"rtspStreamPath": "/2"}]}"#;
    let rates: Vec<_> = read_with(content, &[("RTSP_FPS", "7")])
        .streams
        .iter()
        .map(|stream| stream.frames_per_second)
        .collect();
    assert_eq!(rates, [FrameRate::whole(7); 2]);
}

#[test]
fn a_count_makes_numbered_streams_spread_over_a_frame_period() {
    let content =
        r#"{"streams": [{"rtspStreamPath": "/cam{n}", "count": 4, "framesPerSecond": 25, "stampId": 7}]}"#;
    let places = [1, 2, 3, 4].map(|n| (format!("0.0.0.0:8554/cam{n}"), 6 + n));
    assert_eq!(streams(content), places);
    let phases: Vec<_> = read(content).streams.iter().map(|stream| stream.phase).collect();
    assert_eq!(phases, [0, 24_721_359, 9_442_719, 34_164_078]);
}

#[test]
fn a_hundred_cameras_on_a_hundred_ports_are_one_entry() {
    let all = streams(r#"{"streams": [{"serverPort": "8553+{n}", "count": 100}]}"#);
    assert_eq!(all.len(), 100);
    assert_eq!(
        (all[0].0.as_str(), all[99].0.as_str()),
        ("0.0.0.0:8554/live", "0.0.0.0:8653/live")
    );
}

#[test]
fn a_shared_picture_is_one_stream_with_many_places() {
    let config = read(r#"{"rtspStreamPath": "/cam{n}", "count": 300, "sharedPicture": true}"#);
    assert_eq!((config.streams.len(), config.streams[0].mounts.len()), (1, 300));
    assert_eq!(config.streams[0].name(), "0.0.0.0:8554/cam1 and 299 more");
}

#[test]
fn a_stream_that_viewers_would_not_find_is_a_mistake_that_names_all_three() {
    let with = |paths: &[&str]| {
        let streams: Vec<_> = paths
            .iter()
            .map(|path| json!({ "rtspStreamPath": path }))
            .collect();
        json!({ "streams": streams }).to_string()
    };
    assert_eq!(
        mistakes(with(&["/live/1", "/live", "/live-2"]), &[]),
        [
            "streams[0].rtspStreamPath: found \"/live/1\", where \"/live\" and \"/live-2\" are as well: viewers would get \
             the one at \"/live\" in its place; expected another path for one of the three"
        ]
    );
    assert_eq!(mistakes(with(&["/a/b", "/a/b.c", "/a/b/c/d"]), &[]).len(), 1);
    for found in [
        &["/live", "/live/1", "/live/2"][..],
        &["/live", "/live-2", "/live2"],
        &["/live-2", "/live/1"],
        &["/", "/-", "/live"],
        &["/live", "/live2", "/live/1"],
    ] {
        assert_eq!(read(&with(found)).streams.len(), found.len());
    }
}

#[test]
fn two_streams_at_one_place_are_a_mistake_that_names_both() {
    assert_eq!(
        mistake(r#"{"streams": [{}, {"rtspStreamPath": "/2"}, {"framesPerSecond": 5}]}"#),
        r#"default: found "/live" at 0.0.0.0:8554 for streams[2], where streams[0] is already: expected another path, port or address"#
    );
    assert_eq!(
        mistake(r#"{"rtspStreamPath": "/a", "count": 2}"#),
        r#"rtspStreamPath: found "/a" at 0.0.0.0:8554 for more than one of count 2: expected {n} in rtspStreamPath or in serverPort"#
    );
    assert_eq!(
        mistake(r#"{"streams": [{"serverIPAddress": "127.0.0.1"}, {"rtspStreamPath": "/2"}]}"#),
        "default: found 0.0.0.0, where 127.0.0.1 (streams[0].serverIPAddress) listens on all addresses or one of them: \
         both have port 8554"
    );
}

#[test]
fn what_is_wrong_in_streams_is_named_by_its_entry() {
    assert_eq!(
        mistakes(
            r#"{"streams": [{"framesPerSecond": 0, "viewerPassword": "hunter2", "colour": 1, "count": 0}, 7, []]}"#,
            &[]
        )
        .iter()
        .map(|mistake| mistake.split(", ").next().unwrap())
        .collect::<Vec<_>>(),
        [
            "streams[0].framesPerSecond: found 0",
            "streams[0].viewerPassword: is about the server as a whole",
            "streams[0].colour: unknown key",
            "streams[0].count: found 0",
            "streams[1]: found 7",
            "streams[2]: found an array",
        ]
    );
    for wrong in [r#"{"streams": []}"#, r#"{"streams": {}}"#, r#"{"streams": null}"#] {
        assert!(mistake(wrong).contains("expected an array of objects"), "{wrong}");
    }
    assert_eq!(
        mistake(r#"{"streams": [{"serverPort": "65500+{n}", "count": 36}]}"#),
        r#"streams[0].serverPort: found "65500+{n}", from which count 36 (streams[0].count) goes on beyond 65535"#
    );
    assert_eq!(
        mistake(r#"{"stampId": 99999, "count": 2, "rtspStreamPath": "/{n}"}"#),
        "stampId: found 99999, from which count 2 (count) goes on to 100000, beyond 99999"
    );
}

#[test]
fn what_several_entries_have_from_the_top_level_is_wrong_once() {
    assert_eq!(
        mistakes(r#"{"videoResolution": "33x33", "streams": [{"rtspStreamPath": "/1"}, {"rtspStreamPath": "/2"}]}"#, &[]).len(),
        1
    );
}

//! Cameras at one path that are told apart by the query of the URL, as those of many makers are.

mod logins;
mod players;

use rtsp_clock_server::{
    config::{Config, StreamConfig, VideoCodec},
    server::Server,
};

use crate::common::{Response, RtspClient, config, mount, start, wait_for_viewers};

const INTERLEAVED: &str = "RTP/AVP/TCP;unicast;interleaved=0-1";

/// Cameras that differ in what they send.
const CAMERAS: [(&str, VideoCodec); 4] = [
    ("/cam/realmonitor?channel=1&subtype=0", VideoCodec::Mjpeg),
    ("/cam/realmonitor?channel=2&subtype=0", VideoCodec::H264),
    ("/cam/realmonitor?channel=1", VideoCodec::H265),
    ("/cam", VideoCodec::Vp8),
];

fn cameras(all: &[(&str, VideoCodec)]) -> Config {
    let camera = |(path, codec): &(&str, VideoCodec)| StreamConfig {
        mounts: vec![mount(path)],
        codec: *codec,
        ..config().streams[0].clone()
    };
    Config {
        streams: all.iter().map(camera).collect(),
        ..config()
    }
}

/// The codec of the camera that a description is of.
fn codec(description: &Response) -> Option<VideoCodec> {
    let line = description
        .body
        .lines()
        .find(|line| line.starts_with("m=video"))?;
    if line.ends_with(" 26") {
        return Some(VideoCodec::Mjpeg);
    }
    let name = description
        .body
        .lines()
        .find_map(|line| line.strip_prefix("a=rtpmap:96 "))?;
    match name.split('/').next()? {
        "H264" => Some(VideoCodec::H264),
        "H265" => Some(VideoCodec::H265),
        "VP8" => Some(VideoCodec::Vp8),
        other => panic!("{other}"),
    }
}

/// The status of a DESCRIBE, and the codec of the camera that it found.
fn found(client: RtspClient, path: &str) -> (u16, Option<VideoCodec>) {
    let description = client.at(path).describe();
    (description.status, codec(&description))
}

#[test]
fn the_query_says_which_camera_is_meant() {
    let server = start(&cameras(&CAMERAS));
    for (asked, expected) in [
        ("?channel=1&subtype=0", VideoCodec::Mjpeg),
        ("?subtype=0&channel=1", VideoCodec::Mjpeg),
        ("?subtype=0&unicast=true&channel=1&proto=Onvif", VideoCodec::Mjpeg),
        ("?channel=%31&%73ubtype=0", VideoCodec::Mjpeg),
        ("?u=a/b&channel=1&subtype=0", VideoCodec::Mjpeg),
        ("?channel=1&subtype=0/", VideoCodec::Mjpeg),
        ("?channel=1&channel=2&subtype=0", VideoCodec::Mjpeg),
        ("?channel=2&subtype=0", VideoCodec::H264),
        ("?channel=1&subtype=1", VideoCodec::H265),
        ("?channel=1", VideoCodec::H265),
    ] {
        let path = format!("/cam/realmonitor{asked}");
        assert_eq!(
            found(RtspClient::connect(&server), &path),
            (200, Some(expected)),
            "{path}"
        );
    }
    for nobodys in [
        "/cam/realmonitor",
        "/cam/realmonitor?",
        "/cam/realmonitor?channel=3&subtype=0",
        "/cam/realmonitor?channel=2",
        "/cam/realmonitor?Channel=1",
        "/cam/realmonitor?channel=01",
        "/cam/realmonitor?channel=1%26subtype=0",
        "/cam/realmonitor/stream=0?channel=1",
    ] {
        assert_eq!(
            found(RtspClient::connect(&server), nobodys),
            (404, None),
            "{nobodys}"
        );
    }
    for any in ["/cam", "/cam?channel=1&subtype=0", "/cam?x"] {
        assert_eq!(
            found(RtspClient::connect(&server), any),
            (200, Some(VideoCodec::Vp8)),
            "{any}"
        );
    }
}

#[test]
fn of_cameras_that_match_as_well_the_first_one_is_meant() {
    for paths in [["/a?c=1", "/a?b=1"], ["/a?b=1", "/a?c=1"]] {
        let server = start(&cameras(&[
            (paths[0], VideoCodec::Mjpeg),
            (paths[1], VideoCodec::H264),
        ]));
        for asked in ["/a?b=1&c=1", "/a?c=1&b=1"] {
            let first = (200, Some(VideoCodec::Mjpeg));
            assert_eq!(
                found(RtspClient::connect(&server), asked),
                first,
                "{paths:?} {asked}"
            );
        }
    }
}

#[test]
fn strange_queries_are_of_cameras_or_of_none_and_harm_nobody() {
    let server = start(&cameras(&CAMERAS[..2]));
    let begin = format!("rtsp://127.0.0.1:{}/cam/realmonitor?channel=1", server.port());
    let mut client = RtspClient::connect(&server);
    let mut ask = |url: &[u8]| {
        client.send_raw(&[b"DESCRIBE ", url, b" RTSP/1.0\r\nCSeq: 1\r\n\r\n"].concat());
        client.response().status
    };
    let many = "&a=b".repeat(400);
    for (behind, expected) in [
        (&b"&subtype=0&x=\xff"[..], 200),
        (b"&subtype=0&%ff=%00", 200),
        (b"&subtype=0&%=%zz&=&==&?", 200),
        (b"&subtype=0&u=rtsp://user:password@host/x?y", 200),
        (b"&subtype=0#x", 404),
        (b"&subtype=0%00", 404),
        (b"&subtype=0\xff", 404),
        (b"&subtype=0%", 404),
        (b"%", 404),
        (format!("{many}&subtype=0").as_bytes(), 200),
        (many.as_bytes(), 404),
    ] {
        let url = [begin.as_bytes(), behind].concat();
        assert_eq!(ask(&url), expected, "{}", String::from_utf8_lossy(&url));
    }
    assert_eq!(
        ask(b"/cam/realmonitor?subtype=0&channel=2"),
        200,
        "without a host"
    );
}

#[test]
fn a_query_hides_no_other_path() {
    let server = start(&cameras(&[
        ("/", VideoCodec::Mjpeg),
        ("/?a=1", VideoCodec::H264),
        ("/x", VideoCodec::Mjpeg),
        ("/x?a=%2F%26%3b", VideoCodec::H264),
        ("/x?a=1", VideoCodec::H265),
        ("/x/y", VideoCodec::Vp8),
    ]));
    for (path, expected) in [
        ("", VideoCodec::Mjpeg),
        ("?a=1", VideoCodec::H264),
        ("/?a=1", VideoCodec::H264),
        ("/", VideoCodec::Mjpeg),
        ("/?a=2", VideoCodec::Mjpeg),
        ("/x", VideoCodec::Mjpeg),
        ("/x?a=2", VideoCodec::Mjpeg),
        ("/x?a=%2f%26;", VideoCodec::H264),
        ("/x?a=/%26;", VideoCodec::H264),
        ("/x?a=1", VideoCodec::H265),
        ("/x/y", VideoCodec::Vp8),
        ("/x/y?a=1", VideoCodec::Vp8),
    ] {
        assert_eq!(
            found(RtspClient::connect(&server), path),
            (200, Some(expected)),
            "{path:?}"
        );
    }
}

/// The statuses of a viewer's requests from OPTIONS to TEARDOWN, and the payload type of what it gets meanwhile.
fn visit(server: &Server, url: &str, medium: &str, all: &str) -> (Vec<u16>, u8) {
    let mut client = RtspClient::connect(server);
    client.send("OPTIONS", url, &[]);
    let mut statuses = vec![client.response().status];
    client.send("DESCRIBE", url, &[]);
    statuses.push(client.response().status);
    client.send("SETUP", medium, &[("Transport", INTERLEAVED)]);
    let set_up = client.response();
    statuses.push(set_up.status);
    let session = set_up.header("Session").unwrap_or_default();
    let session = session.split(';').next().unwrap_or_default().to_owned();
    let mut ask = |client: &mut RtspClient, method: &str| {
        client.send(method, all, &[("Session", &session)]);
        statuses.push(client.response().status);
    };
    ask(&mut client, "PLAY");
    let packet = client.next_rtp().payload_type();
    for method in ["GET_PARAMETER", "PAUSE", "PLAY", "TEARDOWN"] {
        ask(&mut client, method);
    }
    (statuses, packet)
}

#[test]
fn every_request_means_the_same_camera_however_its_url_is_made() {
    let server = start(&cameras(&CAMERAS));
    let path = format!("rtsp://127.0.0.1:{}/cam/realmonitor", server.port());
    let (url, other_order) = (
        format!("{path}?channel=1&subtype=0"),
        format!("{path}?token=a/b&subtype=0&channel=1"),
    );
    let description = RtspClient::connect(&server)
        .at("/cam/realmonitor?channel=1&subtype=0")
        .describe();
    let base = description
        .header("Content-Base")
        .expect("Content-Base")
        .to_owned();
    // A client that joins URLs as RFC 3986 says loses a query.
    let joined = url::Url::parse(&base)
        .and_then(|base| base.join("stream=0"))
        .expect("a URL");
    for (medium, all) in [
        (format!("{url}/stream=0"), &url),
        (format!("{url}/stream=0/"), &format!("{url}/")),
        (format!("{other_order}/stream=0"), &url),
        (format!("{path}/stream=0?channel=1&subtype=0"), &other_order),
        (format!("{base}stream=0"), &base),
        (format!("{base}stream=0"), &url),
        (joined.to_string(), &base),
        (format!("{url}/stream=0"), &format!("{url}/stream=0")),
    ] {
        assert_eq!(
            visit(&server, &url, &medium, all),
            (vec![200; 8], 26),
            "{medium} {all}"
        );
    }
    wait_for_viewers(&server, 0);
}

#[test]
fn viewers_are_counted_by_path_and_query() {
    let mut config = cameras(&[("/cam?channel=1&subtype=0", VideoCodec::Mjpeg)]);
    config.streams[0].mounts.push(mount("/cam?channel=2&subtype=0"));
    config.streams[0].max_viewers = Some(1);
    let server = start(&config);
    let first = RtspClient::connect(&server)
        .at("/cam?channel=1&subtype=0")
        .watching();
    let mut second = RtspClient::connect(&server).at("/cam?subtype=0&x=y&channel=1");
    assert_eq!(second.describe().status, 200);
    assert_eq!(second.setup().status, 453, "it is the same camera");
    let _other = RtspClient::connect(&server)
        .at("/cam?channel=2&subtype=0")
        .watching();
    wait_for_viewers(&server, 2);
    drop(first);
    wait_for_viewers(&server, 1);
    let _next = RtspClient::connect(&server)
        .at("/cam?subtype=0&channel=1")
        .watching();
}

#[test]
fn a_reload_lets_those_play_on_whose_query_is_still_there() {
    let mut server = start(&cameras(&CAMERAS[..2]));
    let mut viewer = RtspClient::connect(&server).at(CAMERAS[0].0).watching();
    let changes = server
        .reload(&cameras(&[CAMERAS[3], CAMERAS[2], CAMERAS[0]]), "a test")
        .expect("it can be had");
    assert_eq!(
        (changes.kept, changes.added.len(), changes.removed.len()),
        (1, 2, 1)
    );
    assert_eq!(viewer.next_rtp().payload_type(), 26);
    assert_eq!(viewer.request("PAUSE", &[]).status, 200);
    for (path, expected) in [
        (CAMERAS[0].0, (200, Some(VideoCodec::Mjpeg))),
        (CAMERAS[1].0, (404, None)),
        (CAMERAS[2].0, (200, Some(VideoCodec::H265))),
        (CAMERAS[3].0, (200, Some(VideoCodec::Vp8))),
    ] {
        assert_eq!(found(RtspClient::connect(&server), path), expected, "{path}");
    }
}

#[test]
fn one_port_has_the_camera_of_its_own_number() {
    let mut config = cameras(&[
        ("/cam?channel=1", VideoCodec::Mjpeg),
        ("/cam?channel=2", VideoCodec::H264),
    ]);
    config.streams[1].mounts[0].address = [127, 0, 0, 2].into();
    let server = start(&config);
    let port = |index: usize| {
        let url = url::Url::parse(&server.urls()[index]).expect("a URL");
        (
            url.port().expect("a port"),
            url.query().expect("a query").to_owned(),
        )
    };
    let [(first, one), (second, two)] = [port(0), port(1)];
    assert_eq!([&*one, &*two], ["channel=1", "channel=2"]);
    let at = |address, port, path| RtspClient::connect_at(address, port, path).describe().status;
    let (here, there) = ([127, 0, 0, 1].into(), [127, 0, 0, 2].into());
    assert_eq!(at(here, first, "/cam?channel=1"), 200);
    assert_eq!(at(here, first, "/cam?channel=2"), 404);
    assert_eq!(at(there, second, "/cam?channel=2"), 200);
    assert_eq!(at(there, second, "/cam?channel=1"), 404);
}

//! What a running server is asked to do, and what it answers.

use rtsp_clock_server::{
    config::VideoCodec,
    events::{Farewell, Happening},
    server::{OrderError, Orders, Unknown},
    stream_id::StreamId,
};
use serde_json::json;

use super::read;
use crate::common::{PATIENCE, RtspClient, answers, start, wait_until, watcher::Watcher};

/// Two pictures, of which one is at two paths; and the port at which they are.
fn house() -> (Orders, u16) {
    let server = start(&read(&json!({
        "videoResolution": "160x120", "framesPerSecond": 25, "videoCodec": "mjpeg",
        "streams": [
            { "rtspStreamPath": "/door" },
            { "rtspStreamPath": "/hall/{n}", "count": 2, "sharedPicture": true },
        ],
    })));
    let port = server.port();
    (Orders::start(server).expect("a thread"), port)
}

fn id(id: &str) -> StreamId {
    StreamId::new(id)
}

fn source() -> String {
    "a test".into()
}

/// How many play the stream.
fn viewers(orders: &Orders, of: &str) -> usize {
    let roster = orders.roster().get();
    roster.find(&id(of)).expect("a stream").status().viewers.len()
}

#[test]
fn a_change_of_a_shared_picture_is_a_change_of_all_and_ends_nobodys_stream() {
    let (orders, port) = house();
    let watchers =
        ["/door", "/hall/1", "/hall/2"].map(|path| Watcher::new(RtspClient::watch_path(port, path)));
    let change = orders.change(id("hall-2"), source(), |stream| stream.look.label = "Hall".into());
    let done = change.wait().expect("it runs").expect("it can be had");
    assert_eq!(done.streams, [id("hall-1"), id("hall-2")]);
    assert_eq!(
        (done.changes.kept, done.changes.changed.len()),
        (1, 1),
        "{done:?}"
    );
    for watcher in watchers {
        watcher.end();
    }
    let roster = orders.roster().get();
    let labels =
        ["door", "hall-1", "hall-2"].map(|of| roster.find(&id(of)).expect("a stream").status().label);
    assert_eq!(labels, ["", "Hall", "Hall"]);
}

#[test]
fn streams_come_and_go_and_others_play_on() {
    let (orders, port) = house();
    let stays = Watcher::new(RtspClient::watch_path(port, "/hall/1"));
    let mut goes = RtspClient::watch_path(port, "/hall/2");
    let events = orders.events().listen(1000);
    let mut another = read(&json!({ "rtspStreamPath": "/yard", "videoResolution": "160x120" })).streams;
    another[0].codec = VideoCodec::Mjpeg;
    let added = orders
        .add(another, source())
        .wait()
        .expect("it runs")
        .expect("it can be had");
    assert_eq!((added.added.len(), added.kept), (1, 2), "{added:?}");
    RtspClient::watch_path(port, "/yard").next_rtp();
    let removed = orders
        .remove(id("hall-2"), source())
        .wait()
        .expect("it runs")
        .expect("it can be had");
    assert_eq!(removed.streams, [id("hall-1"), id("hall-2")]);
    assert!(goes.sees_the_end(), "the stream is there still");
    let left = std::iter::from_fn(|| events.next(PATIENCE)).find_map(|event| match &event.what {
        Happening::ViewerLeft { path, why, .. } if path == "/hall/2" => Some(*why),
        _ => None,
    });
    assert_eq!(left, Some(Farewell::Removed));
    let mut viewer = stays.end();
    viewer.show_sign_of_life();
    assert_eq!(viewer.response().status, 200);
    assert_eq!(RtspClient::connect_path(port, "/hall/2").describe().status, 404);
    for of in ["hall-1", "yard"] {
        let _gone = orders
            .remove(id(of), source())
            .wait()
            .expect("it runs")
            .expect("it can be had");
    }
    let last = orders.remove(id("door"), source()).wait().expect("it runs");
    assert!(matches!(last, Err(OrderError::Last(of)) if of == id("door")));
    let unknown = orders.remove(id("hall-1"), source()).wait().expect("it runs");
    assert!(matches!(unknown, Err(OrderError::Unknown(Unknown::Stream(of))) if of == id("hall-1")));
}

#[test]
fn a_viewer_is_sent_away_and_others_of_the_stream_play_on() {
    let (orders, port) = house();
    let stays = Watcher::new(RtspClient::watch_path(port, "/door"));
    let mut goes = RtspClient::watch_path(port, "/door");
    wait_until("both count", || viewers(&orders, "door") == 2);
    let session = goes.session().expect("a session").to_owned();
    let kick = |of: &str, session: &str| orders.kick(id(of), session.into()).wait().expect("it runs");
    assert_eq!(
        kick("hall-1", &session),
        Err(Unknown::Viewer(id("hall-1"), session.clone()))
    );
    assert_eq!(kick("attic", &session), Err(Unknown::Stream(id("attic"))));
    let events = orders.events().listen(100);
    assert_eq!(kick("door", &session), Ok(()));
    assert!(goes.sees_the_end(), "the viewer plays on");
    let left = std::iter::from_fn(|| events.next(PATIENCE)).find_map(|event| match &event.what {
        Happening::ViewerLeft { viewer, why, .. } => Some((viewer.session.clone(), *why)),
        _ => None,
    });
    assert_eq!(left, Some((session, Farewell::Kicked)));
    let _viewer = stays.end();
    assert_eq!(viewers(&orders, "door"), 1);
}

/// The type of a NAL unit of a key picture in H.264.
const IDR: u8 = 5;

#[test]
fn a_key_picture_comes_when_it_is_asked_for() {
    let server = start(&read(&json!({
        "videoResolution": "160x120", "framesPerSecond": 25, "keyFrameInterval": 3600,
    })));
    let mut viewer = RtspClient::watch(&server);
    let orders = Orders::start(server).expect("a thread");
    // The type of the first NAL unit of a packet, in one piece or several (RFC 6184): the key picture with which it begins.
    let kind = |data: &[u8]| match data[12] & 31 {
        28 => data[13] & 31,
        kind => kind,
    };
    while kind(&viewer.next_rtp().data) != 1 {}
    let forced = orders.force_key_picture(id("live")).wait().expect("it runs");
    assert_eq!(forced, Ok(()));
    let comes = (0..1000).any(|_| kind(&viewer.next_rtp().data) == IDR);
    assert!(comes, "no key picture comes");
    let unknown = orders.force_key_picture(id("attic")).wait().expect("it runs");
    assert_eq!(unknown, Err(Unknown::Stream(id("attic"))));
}

#[test]
fn a_server_that_has_stopped_answers_nothing() {
    let (orders, port) = house();
    let mut viewer = RtspClient::watch_path(port, "/door");
    let also = orders.clone();
    assert_eq!(orders.stop().wait(), Some(()));
    assert!(viewer.sees_the_end());
    assert!(!answers([127, 0, 0, 1].into(), port));
    assert_eq!(also.stop().wait(), None);
    assert!(also.force_key_picture(id("door")).wait().is_none());
}

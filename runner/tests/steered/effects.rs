//! What another configuration does to those who play, and to those who are about to.

use std::{collections::BTreeSet, thread};

use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::{
    events::{Farewell, Happening},
    server::Server,
};
use serde_json::json;

use super::{basic, read};
use crate::common::{
    PATIENCE, RtspClient, measure,
    player::{port, two_sockets},
    start, target, wait_for_viewers,
    watcher::Watcher,
};

/// How many bytes the next pictures have on average.
fn bytes_of_a_picture(viewer: &mut RtspClient) -> usize {
    const PICTURES: usize = 10;
    let (mut pictures, mut bytes) = (0, 0);
    while pictures < PICTURES {
        let packet = viewer.next_rtp();
        bytes += packet.data.len();
        // RTP's marker ends a picture.
        pictures += usize::from(packet.data[1] & 0x80 != 0);
    }
    bytes / PICTURES
}

#[test]
fn another_quality_shows_in_the_stream_that_plays() {
    let file = |quality: u32| json!({ "videoCodec": "mjpeg", "framesPerSecond": 50, "quality": quality });
    let mut server = start(&read(&file(90)));
    let mut viewer = RtspClient::watch(&server);
    wait_for_viewers(&server, 1);
    let before = bytes_of_a_picture(&mut viewer);
    let changes = server.reload(&read(&file(10)), "a test").expect("it can be had");
    assert_eq!(changes.changed.len(), 1, "{changes:?}");
    let deadline = std::time::Instant::now() + PATIENCE;
    while bytes_of_a_picture(&mut viewer) > before * 3 / 4 {
        assert!(
            std::time::Instant::now() < deadline,
            "pictures are as large as before"
        );
    }
}

/// A label, and what machines read: each is seen in the picture that plays, of which no frame is missing.
#[test]
fn another_look_shows_in_the_stream_that_plays() {
    let file = |stamp_id: u32| json!({ "stamp": "qr", "stampId": stamp_id, "label": format!("Camera {stamp_id}"), "framesPerSecond": 25 });
    let mut server = start(&read(&file(1)));
    let url = server.urls()[0].clone();
    let events = server.events().listen(100);
    let viewer = thread::spawn(move || {
        measure(&Options {
            transport: Transport::Tcp,
            frames: Some(100),
            ..Options::of(target(&url))
        })
    });
    let joined = |what: &Happening| matches!(what, Happening::ViewerJoined { .. });
    while !events.next(PATIENCE).is_some_and(|event| joined(&event.what)) {}
    let changes = server.reload(&read(&file(7)), "a test").expect("it can be had");
    assert_eq!((changes.changed.len(), changes.kept), (1, 0), "{changes:?}");
    let outcome = viewer.join().expect("no panic");
    let samples = &outcome.evidence[0].samples;
    let stamps: Vec<_> = samples.iter().filter_map(|sample| sample.stamp).collect();
    let ids: Vec<_> = stamps.iter().map(|stamp| stamp.stream).collect();
    assert!(ids.is_sorted() && ids.contains(&1) && ids.contains(&7), "{ids:?}");
    // A busy machine skips frames; another source would be another run.
    let goes_on = |pair: &[clockface::Stamp]| pair[1].frame > pair[0].frame && pair[1].run == pair[0].run;
    assert!(stamps.windows(2).all(goes_on), "it is not one stream");
}

#[test]
fn who_is_taken_out_or_gets_another_password_is_sent_away_where_he_plays() {
    let file = |users: &[(&str, &str)]| {
        let users = users
            .iter()
            .map(|(name, password)| json!({ "username": name, "password": password }));
        json!({ "users": users.collect::<Vec<_>>(), "framesPerSecond": 50 })
    };
    let mut server = start(&read(&file(&[("stays", "a"), ("goes", "b"), ("changes", "c")])));
    let events = server.events().listen(1000);
    let watch = |name, password| {
        let mut client = RtspClient::connect(&server);
        client.authorize(basic(name, password));
        client.watching()
    };
    let stays = Watcher::new(watch("stays", "a"));
    let mut others = [watch("goes", "b"), watch("changes", "c")];
    wait_for_viewers(&server, 3);
    let changes = server
        .reload(
            &read(&file(&[("stays", "a"), ("changes", "d"), ("comes", "e")])),
            "a test",
        )
        .expect("it can be had");
    assert_eq!((changes.login, changes.logged_out), (true, 2), "{changes:?}");
    for viewer in &mut others {
        assert!(viewer.sees_the_end());
    }
    let mut gone = BTreeSet::new();
    while gone.len() < 2 {
        let event = events.next(PATIENCE).expect("it is told");
        if let Happening::ViewerLeft { viewer, why, .. } = &event.what {
            assert_eq!(*why, Farewell::LoggedOut);
            gone.insert(viewer.user.clone().unwrap_or_default());
        }
    }
    assert_eq!(gone, ["changes", "goes"].map(String::from).into());
    // What was good for this connection is good still.
    let mut viewer = stays.end();
    viewer.show_sign_of_life();
    assert_eq!(viewer.response().status, 200);
    assert_eq!(server.viewers(), 1);
    // An open connection does not keep a log-in alive.
    let mut idle = RtspClient::connect(&server);
    idle.authorize(basic("comes", "e"));
    assert_eq!(idle.describe().status, 200);
    server
        .reload(&read(&file(&[("stays", "a")])), "a test")
        .expect("it can be had");
    assert_eq!(idle.describe().status, 401);
}

#[test]
fn another_password_of_the_pair_sends_away_who_plays_by_it() {
    let file =
        |password: &str| json!({ "viewerUsername": "me", "viewerPassword": password, "framesPerSecond": 50 });
    let mut server = start(&read(&file("a")));
    let mut client = RtspClient::connect(&server);
    client.authorize(basic("me", "a"));
    let mut viewer = client.watching();
    wait_for_viewers(&server, 1);
    let changes = server.reload(&read(&file("b")), "a test").expect("it can be had");
    assert_eq!((changes.login, changes.logged_out), (true, 1), "{changes:?}");
    assert!(viewer.sees_the_end());
}

/// What has been set up before a reload is asked for by PLAY after it.
#[test]
fn what_was_set_up_before_a_reload_is_not_played_where_it_is_forbidden_since() {
    let file = |ways: &[&str], count: u32, password: &str| {
        json!({
            "transports": ways, "framesPerSecond": 50, "rtspStreamPath": "/{n}", "count": count, "sharedPicture": true,
            "users": [{ "username": "me", "password": password }],
        })
    };
    let before = file(&["tcp", "udp"], 2, "a");
    for (after, status) in [
        (file(&["udp"], 2, "a"), 461),
        (file(&["tcp", "udp"], 1, "a"), 404),
        (file(&["tcp", "udp"], 2, "b"), 401),
    ] {
        let mut server = start(&read(&before));
        let mut client = RtspClient::connect(&server).at("/2");
        client.authorize(basic("me", "a"));
        client.describe();
        assert_eq!(client.setup().status, 200);
        server.reload(&read(&after), "a test").expect("it can be had");
        assert_eq!(client.play().status, status);
        assert_eq!(server.viewers(), 0);
    }
}

/// Of a stream that plays.
#[test]
fn a_way_that_comes_can_be_had_and_who_plays_by_one_that_is_over_is_sent_away() {
    let file = |ways: &[&str]| json!({ "transports": ways, "framesPerSecond": 50 });
    let mut server = start(&read(&file(&["tcp"])));
    let stays = Watcher::new(RtspClient::watch(&server));
    let over_udp = |server: &Server| {
        let [media, control] = two_sockets();
        let mut client = RtspClient::connect(server);
        client.describe();
        let ports = format!("RTP/AVP;unicast;client_port={}-{}", port(&media), port(&control));
        let status = client.setup_over(&ports).status;
        (client, [media, control], status)
    };
    assert_eq!(over_udp(&server).2, 461);
    server
        .reload(&read(&file(&["tcp", "udp"])), "a test")
        .expect("it can be had");
    let (mut client, [media, _control], status) = over_udp(&server);
    assert_eq!((status, client.play().status), (200, 200));
    assert!(media.recv(&mut [0; 2000]).expect("packets come") > 12);
    wait_for_viewers(&server, 2);
    server
        .reload(&read(&file(&["tcp"])), "a test")
        .expect("it can be had");
    assert!(client.sees_the_end());
    wait_for_viewers(&server, 1);
    stays.end();
}

/// A user without a log-in, once there are some.
#[test]
fn who_came_when_everybody_might_plays_on_and_asks_for_nothing_else() {
    let open = json!({ "framesPerSecond": 50 });
    let mut closed = open.clone();
    closed["users"] = json!([{ "username": "me", "password": "a" }]);
    let mut server = start(&read(&open));
    let plays = Watcher::new(RtspClient::watch(&server));
    let mut idle = RtspClient::connect(&server);
    assert_eq!(idle.describe().status, 200);
    server.reload(&read(&closed), "a test").expect("it can be had");
    assert_eq!(idle.describe().status, 401);
    let mut viewer = plays.end();
    viewer.show_sign_of_life();
    assert_eq!(viewer.response().status, 200);
}

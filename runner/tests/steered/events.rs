//! What is told while viewers come and go.

use std::{collections::HashMap, thread, time::Duration};

use rtsp_clock_server::{
    config::Transport,
    events::{Event, Farewell, Happening, LoginRefusal, Refusal},
    server::Server,
    stream_id::StreamId,
};
use serde_json::json;

use super::read;
use crate::common::{PATIENCE, RtspClient, start, wait_for_viewers};

/// All that is told up to the first event of which that is so.
#[track_caller]
fn until(listener: &rtsp_clock_server::events::Listener, is_last: impl Fn(&Happening) -> bool) -> Vec<Event> {
    let mut events = Vec::new();
    loop {
        let event = listener.next(PATIENCE).expect("it is told in time");
        events.push((*event).clone());
        if is_last(&event.what) {
            return events;
        }
    }
}

fn camera() -> serde_json::Value {
    json!({ "videoResolution": "160x120", "framesPerSecond": 25, "videoCodec": "mjpeg" })
}

#[test]
fn fifty_viewers_who_come_and_go_are_told_in_order() {
    const VIEWERS: usize = 50;
    let server = start(&read(&camera()));
    let listener = server.events().listen(1000);
    let port = server.port();
    thread::scope(|scope| {
        for group in 0..5 {
            scope.spawn(move || {
                for number in 0..VIEWERS / 5 {
                    let mut viewer = RtspClient::watch_port(port);
                    viewer.next_rtp();
                    if (group + number) % 2 == 0 {
                        assert_eq!(viewer.request("TEARDOWN", &[]).status, 200);
                    }
                    // The others hang up.
                }
            });
        }
    });
    wait_for_viewers(&server, 0);
    let mut events = Vec::new();
    let mut left = 0;
    while left < VIEWERS {
        let event = listener.next(PATIENCE).expect("it is told in time");
        left += usize::from(matches!(event.what, Happening::ViewerLeft { .. }));
        events.push(event);
    }
    assert_eq!(listener.missed(), 0);
    assert!(events.windows(2).all(|pair| pair[1].number == pair[0].number + 1));
    let (mut watching, mut farewells) = (HashMap::new(), HashMap::<_, usize>::new());
    for event in &events {
        match &event.what {
            Happening::ViewerJoined {
                stream,
                viewer,
                viewers,
                path,
            } => {
                assert_eq!((stream.as_str(), path.as_str()), ("live", "/live"));
                assert!(
                    watching.insert(viewer.session.clone(), viewer.clone()).is_none(),
                    "it joins twice"
                );
                assert_eq!(watching.len(), *viewers);
            }
            Happening::ViewerLeft {
                viewer, why, viewers, ..
            } => {
                assert_eq!(
                    watching.remove(&viewer.session).as_ref(),
                    Some(viewer),
                    "it has not joined"
                );
                assert_eq!(watching.len(), *viewers);
                *farewells.entry(*why).or_default() += 1;
            }
            _ => {}
        }
    }
    assert!(watching.is_empty());
    let expected = HashMap::from([
        (Farewell::Teardown, VIEWERS / 2),
        (Farewell::Disconnected, VIEWERS / 2),
    ]);
    assert_eq!(farewells, expected);
}

#[test]
fn a_streams_life_is_told_from_its_start_to_its_end() {
    let server = start(&read(&camera()));
    let listener = server.events().listen(100);
    let mut viewer = RtspClient::watch(&server);
    viewer.next_rtp();
    drop(viewer);
    let events = until(&listener, |what| matches!(what, Happening::StreamStopped { .. }));
    let told: Vec<_> = events
        .iter()
        .map(|event| {
            serde_json::to_value(event).expect("plain JSON")["type"]
                .as_str()
                .map(String::from)
        })
        .collect();
    // A busy machine skips frames.
    let told = told.iter().flatten().map(String::as_str);
    let told: Vec<_> = told.filter(|kind| *kind != "streamSkipped").collect();
    assert_eq!(
        told,
        [
            "streamStarted",
            "streamRunning",
            "viewerJoined",
            "viewerLeft",
            "streamStopped"
        ]
    );
}

#[test]
fn who_may_not_come_in_is_told_and_why() {
    let mut file = camera();
    file["maxViewers"] = 1.into();
    file["users"] = json!([{ "username": "me", "password": "x", "streams": ["/live"] }]);
    file["streams"] = json!([{}, { "rtspStreamPath": "/safe" }]);
    let server = start(&read(&file));
    let listener = server.events().listen(100);
    let client = |path: &str, authorization: &str| {
        let mut client = RtspClient::connect(&server).at(path);
        client.authorize(authorization.into());
        client
    };
    let (right, wrong) = ("Basic bWU6eA==", "Basic bWU6eQ==");
    assert_eq!(client("/live", wrong).describe().status, 401);
    assert_eq!(client("/safe", right).describe().status, 404);
    let _watching = client("/live", right).watching();
    let mut second = client("/live", right);
    assert_eq!(second.setup().status, 453);
    let events = until(&listener, |what| matches!(what, Happening::ViewerRefused { .. }));
    let refusals: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.what {
            Happening::LoginRefused { user, why, .. } => Some((user.as_str(), why.clone())),
            _ => None,
        })
        .collect();
    let forbidden = LoginRefusal::Forbidden { path: "/safe".into() };
    assert_eq!(refusals, [("me", LoginRefusal::Wrong), ("me", forbidden)]);
    let joined = events.iter().find_map(|event| match &event.what {
        Happening::ViewerJoined { viewer, .. } => viewer.user.clone(),
        _ => None,
    });
    assert_eq!(joined.as_deref(), Some("me"));
}

#[test]
fn who_asks_for_what_cannot_be_had_is_told_and_why() {
    let mut file = camera();
    file["transports"] = json!(["tcp"]);
    let server = start(&read(&file));
    let listener = server.events().listen(100);
    let mut client = RtspClient::connect(&server);
    let over_udp = "RTP/AVP;unicast;client_port=40000-40001";
    assert_eq!(client.setup_over(over_udp).status, 461);
    assert_eq!(client.setup_over("RTP/AVP;unicast").status, 461);
    assert_eq!(client.setup().status, 200);
    assert_eq!(client.request("PLAY", &[("Speed", "2.0")]).status, 456);
    let events = until(
        &listener,
        |what| matches!(what, Happening::ViewerRefused { why, .. } if *why == Refusal::Speed),
    );
    let refusals: Vec<_> = events
        .iter()
        .filter_map(|event| match &event.what {
            Happening::ViewerRefused { why, path, .. } => Some((path.as_str(), why.clone())),
            _ => None,
        })
        .collect();
    let disallowed = Refusal::Disallowed {
        asked: vec![Transport::Udp],
        allowed: vec![Transport::Tcp],
    };
    let all = [disallowed, Refusal::NoDestination, Refusal::Speed];
    assert_eq!(refusals, all.map(|why| ("/live", why)));
}

#[test]
fn a_stream_that_cannot_run_says_why() {
    let mut file = camera();
    file.as_object_mut().expect("an object").clear();
    file["alwaysOn"] = true.into();
    file["pipeline"] =
        "clocksrc num-buffers=3 ! x264enc tune=zerolatency ! identity error-after=2 ! rtph264pay name=pay0"
            .into();
    let server = start(&read(&file));
    let listener = server.events().listen(1000);
    let events = until(&listener, |what| matches!(what, Happening::StreamFailed { .. }));
    let Some(Happening::StreamFailed { streams, cause, .. }) = events.last().map(|event| &event.what) else {
        panic!("{events:?}");
    };
    assert_eq!(streams.iter().map(StreamId::as_str).collect::<Vec<_>>(), ["live"]);
    assert!(cause.contains("identity"), "{cause}");
    life_says_so(&server);
}

#[track_caller]
fn life_says_so(server: &Server) {
    let says_so = || {
        let status = server.roster().get().streams()[0].status();
        let life = serde_json::to_value(&status).expect("plain JSON")["life"].clone();
        life["state"] == "failed" && life["cause"].as_str().is_some_and(|cause| !cause.is_empty())
    };
    assert!(crate::common::holds_within(Duration::from_mins(1), says_so));
}

//! The streams that are served, read while they change.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use rtsp_clock_server::{server::Orders, stream_id::StreamId};
use serde_json::{Value, json};

use super::read;
use crate::common::{RtspClient, start, wait_until};

fn cameras(streams: &[Value]) -> Value {
    json!({ "videoResolution": "160x120", "framesPerSecond": 25, "videoCodec": "mjpeg", "streams": streams })
}

#[test]
fn each_path_is_a_stream_with_an_id_and_viewers_of_its_own() {
    let server = start(&read(&cameras(&[
        json!({ "rtspStreamPath": "/door" }),
        json!({ "rtspStreamPath": "/hall/{n}", "count": 2, "sharedPicture": true }),
    ])));
    let roster = server.roster().get();
    let ids: Vec<_> = roster
        .streams()
        .iter()
        .map(|served| served.id().to_string())
        .collect();
    assert_eq!(ids, ["door", "hall-1", "hall-2"]);
    let _viewer = RtspClient::connect(&server).at("/hall/2").watching();
    wait_until("it counts", || server.viewers() == 1);
    let status = |id: &str| roster.find(&StreamId::new(id)).expect("a stream").status();
    let [door, first, second] = ["door", "hall-1", "hall-2"].map(status);
    assert_eq!(
        [&door, &first, &second].map(|status| status.viewers.len()),
        [0, 0, 1]
    );
    assert_eq!(first.shares_picture_with, [StreamId::new("hall-2")]);
    assert!(door.shares_picture_with.is_empty());
    assert!(second.urls[0].ends_with("/hall/2"), "{:?}", second.urls);
    let seen = serde_json::to_value(&second).expect("plain JSON");
    assert_eq!(seen["life"]["state"], "running", "{seen}");
    assert_eq!(seen["madeOf"]["picture"]["codec"], "mjpeg", "{seen}");
    assert_eq!(seen["viewers"][0]["transport"], "tcp", "{seen}");
    wait_until("frames are counted", || status("hall-1").frames.made > 3);
    wait_until("packets are counted", || {
        status("hall-2").viewers[0].sent.packets > 3
    });
    let server = serde_json::to_value(roster.status()).expect("plain JSON");
    assert_eq!(
        (&server["streams"], &server["viewers"]),
        (&json!(3), &json!(1)),
        "{server}"
    );
    assert_eq!(
        server["clock"],
        json!({ "source": "system", "isHeard": true, "offsetSeconds": null })
    );
}

/// As JSON's schema has it: what an API will say of itself.
#[test]
fn a_status_is_as_its_schema_says() {
    let server = start(&read(&cameras(&[json!({ "alwaysOn": true })])));
    let _viewer = RtspClient::watch(&server);
    wait_until("it counts", || server.viewers() == 1);
    let roster = server.roster().get();
    let stream = serde_json::to_value(roster.streams()[0].status()).expect("plain JSON");
    let schemas = [
        (
            schemars::schema_for!(rtsp_clock_server::status::StreamStatus),
            stream,
        ),
        (
            schemars::schema_for!(rtsp_clock_server::status::ServerStatus),
            serde_json::to_value(roster.status()).expect("plain JSON"),
        ),
    ];
    for (schema, value) in schemas {
        let validator = jsonschema::validator_for(&schema.to_value()).expect("a schema");
        if let Err(error) = validator.validate(&value) {
            panic!("{error}: {value}");
        }
    }
}

/// Whoever polls sees one configuration or the other, and does not wait for those who are being sent away.
#[test]
fn a_reader_never_waits_for_a_reload() {
    let (before, after) = (
        [
            json!({ "rtspStreamPath": "/a" }),
            json!({ "rtspStreamPath": "/b" }),
        ],
        [
            json!({ "rtspStreamPath": "/b" }),
            json!({ "rtspStreamPath": "/c", "videoCodec": "h264" }),
        ],
    );
    let server = start(&read(&cameras(&before)));
    let port = server.port();
    let orders = Orders::start(server).expect("a thread");
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = {
        let (roster, is_over) = (Arc::clone(orders.roster()), Arc::clone(&is_over));
        thread::spawn(move || {
            let mut seen = BTreeSet::new();
            while !is_over.load(Ordering::Relaxed) {
                let roster = roster.get();
                let status = roster
                    .streams()
                    .iter()
                    .map(|served| served.status().id.to_string());
                seen.insert(status.collect::<Vec<_>>());
                thread::sleep(Duration::from_millis(1));
            }
            seen
        })
    };
    for turn in 0..6 {
        let streams = if turn % 2 == 0 { &after } else { &before };
        let (goes, is_there) = if turn % 2 == 0 { ("/a", "c") } else { ("/c", "a") };
        let leaving = RtspClient::watch_path(port, goes);
        let answer = orders.reload(read(&cameras(streams)), format!("turn {turn}"));
        wait_until("the new streams are seen", || {
            orders.roster().get().find(&StreamId::new(is_there)).is_some()
        });
        drop(leaving);
        answer.wait().expect("it runs").expect("it can be had");
    }
    is_over.store(true, Ordering::Relaxed);
    let seen = seen.join().expect("no panic");
    let ids = |ids: [&str; 2]| ids.map(String::from).to_vec();
    assert_eq!(seen, BTreeSet::from([ids(["a", "b"]), ids(["b", "c"])]));
    assert_eq!(orders.stop().wait(), Some(()));
}

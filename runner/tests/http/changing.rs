//! What the server changes while it runs.

use serde_json::{Value, json};

use crate::{
    Server,
    common::{RtspClient, wait_until},
    staying::asking,
};

pub(crate) fn cameras() -> Value {
    json!({ "rtspStreamPath": "/cam{n}", "count": 5, "label": "Camera {n}", "videoResolution": "160x120",
            "framesPerSecond": 25, "stamp": "none" })
}

pub(crate) fn watch(server: &Server, path: &str) -> RtspClient {
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at(path)
        .watching();
    viewer.next_rtp();
    let viewers = || server.read("/api/v1/viewers").as_array().map_or(0, Vec::len);
    wait_until("it counts", || viewers() > 0);
    viewer
}

#[test]
fn one_camera_of_many_is_changed_while_it_plays() {
    let server = Server::start(&cameras());
    let mut viewer = watch(&server, "/cam3");
    let path = "/api/v1/streams/cam3/config";
    let changed = server.send("PATCH", path, &json!({ "label": "Door", "textColor": "#ff0000" }));
    assert_eq!(changed.status, 200, "{changed:?}");
    assert_eq!(changed.body["streams"], json!(["cam3"]));
    assert_eq!(server.read(path)["label"], "Door");
    let labels: Vec<_> = server.read("/api/v1/streams")["items"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|stream| stream["label"].clone())
        .collect();
    assert_eq!(labels, ["Camera 1", "Camera 2", "Door", "Camera 4", "Camera 5"]);
    assert_eq!(
        server.read("/api/v1/config")["streams"],
        json!([
            { "count": 2, "firstNumber": 1, "stampId": 0 },
            { "count": 1, "firstNumber": 3, "stampId": 2, "label": "Door", "textColor": "#ff0000" },
            { "count": 2, "firstNumber": 4, "stampId": 3 },
        ])
    );
    viewer.next_rtp();
    let back = server.send("PATCH", path, &json!({ "label": null }));
    assert_eq!(
        (back.status, &server.read(path)["label"]),
        (200, &json!("Camera 3"))
    );
    viewer.next_rtp();
}

#[test]
fn what_would_end_a_stream_has_to_be_said() {
    let server = Server::start(&cameras());
    let mut viewer = watch(&server, "/cam1");
    let change = json!({ "videoResolution": "320x240" });
    let refused = server.send("PATCH", "/api/v1/streams/cam1/config", &change);
    assert_eq!(refused.status, 409, "{refused:?}");
    viewer.next_rtp();
    let done = server.send("PATCH", "/api/v1/streams/cam1/config?replace=true", &change);
    assert_eq!(done.status, 200, "{done:?}");
    assert!(viewer.sees_the_end());
    let other = server.send(
        "PATCH",
        "/api/v1/streams/cam2/config",
        &json!({ "label": "Yard" }),
    );
    assert_eq!(other.status, 200, "{other:?}");
}

#[test]
fn all_mistakes_are_told_and_nothing_changes() {
    let server = Server::start(&cameras());
    let before = server.read("/api/v1/config");
    let wrong = json!({ "framesPerSecond": 0, "colour": 1, "label": "x" });
    let refused = server.send("PATCH", "/api/v1/streams/cam1/config", &wrong);
    assert_eq!(refused.status, 422, "{refused:?}");
    let keys: Vec<_> = refused.body["mistakes"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|mistake| mistake["key"].clone())
        .collect();
    assert_eq!(keys, ["framesPerSecond", "colour"]);
    assert_eq!(server.read("/api/v1/config"), before);
    for (body, status) in [("[]", 422), ("{", 400), ("7", 422)] {
        let headers = [("Content-Type", "application/json")];
        let answer = server.ask("PATCH", "/api/v1/streams/cam1/config", &headers, Some(body));
        assert_eq!(answer.status, status, "{body}: {answer:?}");
    }
    let headers = [("Content-Type", "application/json")];
    let twice = r#"{ "label": "a", "label": "b" }"#;
    let refused = server.ask("PATCH", "/api/v1/streams/cam1/config", &headers, Some(twice));
    assert_eq!(
        (refused.status, &refused.body["mistakes"][0]["key"]),
        (422, &json!("label"))
    );
    let untyped = server.ask("PATCH", "/api/v1/streams/cam1/config", &[], Some("{}"));
    assert_eq!(untyped.status, 415, "{untyped:?}");
}

#[test]
fn streams_come_and_go_and_a_reload_brings_the_file_back() {
    let server = Server::start(&cameras());
    let mut viewer = watch(&server, "/cam1");
    let added = server.send(
        "POST",
        "/api/v1/streams",
        &json!({ "rtspStreamPath": "/more{n}", "count": 2 }),
    );
    assert_eq!(
        (added.status, &added.body["streams"]),
        (201, &json!(["more1", "more2"])),
        "{added:?}"
    );
    assert!(!added.headers.contains_key("location"), "of two none is the one");
    let same = server.send("POST", "/api/v1/streams", &json!({ "rtspStreamPath": "/cam1" }));
    assert_eq!(same.status, 422, "{same:?}");
    assert_eq!(
        server.ask("DELETE", "/api/v1/streams/cam4", &[], None).status,
        200
    );
    assert_eq!(server.ids(), ["cam1", "cam2", "cam3", "cam5", "more1", "more2"]);
    assert_eq!(
        server.ask("DELETE", "/api/v1/streams/cam4", &[], None).status,
        404
    );
    let reloaded = server.ask("POST", "/api/v1/reload", &[], None);
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
    assert_eq!(server.ids(), ["cam1", "cam2", "cam3", "cam4", "cam5"]);
    server
        .process
        .log()
        .wait_for("what was not saved", |line| line.contains("was not saved"));
    viewer.next_rtp();
    std::fs::write(&server.file, "{").expect("a writable folder");
    let wrong = server.ask("POST", "/api/v1/reload", &[], None);
    assert_eq!(wrong.status, 422, "{wrong:?}");
    assert_eq!(server.ids().len(), 5);
}

#[test]
fn a_key_frame_comes_when_it_is_asked_for() {
    let server = Server::start(&cameras());
    let asked = |id: &str| {
        server
            .ask("POST", &format!("/api/v1/streams/{id}/keyframe"), &[], None)
            .status
    };
    let _viewer = watch(&server, "/cam1");
    assert_eq!((asked("cam1"), asked("cam9")), (202, 404));
}

#[test]
fn the_whole_is_put_back_with_its_secrets() {
    let mut file = cameras();
    file["viewerUsername"] = "me".into();
    file["viewerPassword"] = "open-sesame".into();
    file["http"] = json!({ "token": "0123456789abcdef" });
    let server = Server::start(&file);
    let headers = [
        ("Authorization", "Bearer 0123456789abcdef"),
        ("Content-Type", "application/json"),
    ];
    let shown = server.ask("GET", "/api/v1/config", &headers, None).body;
    assert_eq!(shown["viewerPassword"], "***", "{shown}");
    assert_eq!(shown["http"]["token"], "***", "{shown}");
    let mut wanted = shown.clone();
    wanted["label"] = "All of them".into();
    let put = server.ask("PUT", "/api/v1/config", &headers, Some(&wanted.to_string()));
    assert_eq!(
        (put.status, &put.body["changes"]["login"]),
        (200, &json!(false)),
        "{put:?}"
    );
    let mut viewer = RtspClient::connect_port(server.process.port()).at("/cam2");
    // me:open-sesame
    viewer.authorize("Basic bWU6b3Blbi1zZXNhbWU=".into());
    assert_eq!(viewer.describe().status, 200);
    for (key, value) in [
        ("http", json!(false)),
        ("viewerPassword", json!("mine")),
        ("serverIPAddress", json!("0.0.0.0")),
        ("pipeline", json!("videotestsrc ! x264enc ! rtph264pay name=pay0")),
        ("logo", json!("/etc/passwd")),
        (
            "users",
            json!([{ "username": "a", "password": "b", "admin": true }]),
        ),
    ] {
        let mut wanted = shown.clone();
        wanted[key] = value;
        let refused = server.ask("PUT", "/api/v1/config", &headers, Some(&wanted.to_string()));
        assert_eq!(refused.status, 403, "{key}: {refused:?}");
        assert_eq!(refused.body["mistakes"][0]["key"], key);
    }
    let log = server.process.log().to_string();
    assert!(
        !log.contains("open-sesame") && !log.contains("0123456789abcdef"),
        "{log}"
    );
}

#[test]
fn what_a_variable_says_is_not_changed() {
    let server = Server::start_with(&json!({}), |command| {
        command.env("RTSP_LABEL", "From outside");
    });
    let refused = server.send("PATCH", "/api/v1/streams/live/config", &json!({ "label": "x" }));
    assert_eq!(refused.status, 409, "{refused:?}");
    assert!(
        refused.body["mistakes"][0]["problem"]
            .as_str()
            .is_some_and(|it| it.contains("RTSP_LABEL"))
    );
}

#[test]
fn the_whole_does_not_say_otherwise_what_a_variable_says() {
    let file =
        json!({ "label": "In the file", "streams": [{ "label": "Door" }, { "rtspStreamPath": "/yard" }] });
    let server = Server::start_with(&file, |command| {
        command.env("RTSP_LABEL", "From outside");
    });
    let whole = server.read("/api/v1/config");
    let put = |change: &dyn Fn(&mut Value)| {
        let mut wanted = whole.clone();
        change(&mut wanted);
        server.send("PUT", "/api/v1/config", &wanted)
    };
    let changes: [&dyn Fn(&mut Value); 5] = [
        &|all| all["label"] = "x".into(),
        &|all| drop(all.as_object_mut().expect("an object").remove("label")),
        &|all| all["streams"][1]["label"] = "x".into(),
        &|all| {
            all["streams"][0]["label"] = "In the file".into();
            all["streams"][1]["label"] = "Door".into();
        },
        &|all| all["streams"][0] = json!({}),
    ];
    for change in changes {
        let refused = put(change);
        assert_eq!(refused.status, 409, "{refused:?}");
        let mistake = &refused.body["mistakes"][0];
        assert_eq!(mistake["key"], "label");
        assert!(
            mistake["problem"]
                .as_str()
                .is_some_and(|it| it.contains("RTSP_LABEL"))
        );
    }
    assert_eq!(put(&|_| {}).status, 200);
    let other = put(&|all| all["textColor"] = "#ff0000".into());
    assert_eq!(other.status, 200, "{other:?}");
    let exchanged = json!({ "label": "In the file", "streams": [{ "rtspStreamPath": "/yard" }, { "rtspStreamPath": "/new" }] });
    let path = "/api/v1/config?replace=true";
    let put = server.send("PUT", path, &exchanged);
    assert_eq!(put.status, 200, "{put:?}");
}

#[test]
fn what_is_taken_out_is_the_default_again() {
    let server = Server::start(&json!({ "label": "Door", "videoResolution": "160x120", "reload": true }));
    let config = "/api/v1/streams/live/config";
    let patch = |patch: Value| server.send("PATCH", config, &patch).status;
    let label = || server.read(config)["label"].clone();
    assert_eq!((patch(json!({ "label": null })), label()), (200, json!("")));
    assert_eq!((patch(json!({ "label": "Gate" })), label()), (200, json!("Gate")));
    assert_eq!((patch(json!({ "label": null })), label()), (200, json!("")));
    let whole = json!({ "videoResolution": "160x120", "reload": true });
    assert_eq!(server.read("/api/v1/config"), whole);
    let of_server = json!({ "reload": false, "colour": 1 });
    let refused = server.send("PATCH", config, &of_server);
    let mistakes = refused.body["mistakes"].as_array().map(Vec::len);
    assert_eq!((refused.status, mistakes), (422, Some(2)), "{refused:?}");
    assert_eq!(server.read("/api/v1/config"), whole);
}

#[test]
fn what_is_taken_out_beneath_a_top_level_is_what_that_says() {
    let server = Server::start(
        &json!({ "label": "All", "videoResolution": "160x120", "streams": [{ "label": "Door" },
        { "rtspStreamPath": "/yard" }] }),
    );
    let label = |id: &str| {
        let path = format!("/api/v1/streams/{id}/config");
        let done = server.send("PATCH", &path, &json!({ "label": null })).status;
        (done, server.read(&path)["label"].clone())
    };
    assert_eq!(
        (label("live"), label("yard")),
        ((200, json!("All")), (200, json!("All")))
    );
}

#[test]
fn what_is_taken_out_of_one_camera_stays_in_the_others() {
    let server = Server::start(&cameras());
    let path = "/api/v1/streams/cam3/config";
    assert_eq!(server.send("PATCH", path, &json!({ "label": null })).status, 200);
    let label = |id: &str| server.read(&format!("/api/v1/streams/{id}/config"))["label"].clone();
    let labels = ["cam2", "cam3", "cam4"].map(label);
    assert_eq!(labels, [json!("Camera 2"), json!(""), json!("Camera 4")]);
}

#[test]
fn one_stream_that_is_added_is_where_the_answer_says() {
    let server = Server::start(&cameras());
    let added = server.send(
        "POST",
        "/api/v1/streams",
        &json!({ "rtspStreamPath": "/in/the/yard" }),
    );
    assert_eq!(added.status, 201, "{added:?}");
    let place = added.headers["location"].to_str().expect("ASCII");
    assert_eq!(server.read(place)["id"], added.body["streams"][0]);
}

#[test]
fn a_pipeline_is_neither_taken_out_nor_copied() {
    let pipeline = "clocksrc ! video/x-raw,width=160,height=120 ! x264enc ! rtph264pay name=pay0";
    let server = Server::start(
        &json!({ "streams": [{ "rtspStreamPath": "/own", "pipeline": pipeline },
        { "rtspStreamPath": "/cam{n}", "count": 2, "videoResolution": "160x120" }] }),
    );
    let refused = |method: &str, path: &str, body: &Value| {
        let answer = server.send(method, path, body);
        assert_eq!(answer.body["mistakes"][0]["key"], "pipeline", "{answer:?}");
        assert_eq!(answer.status, 403);
    };
    refused(
        "PATCH",
        "/api/v1/streams/own/config?replace=true",
        &json!({ "pipeline": null }),
    );
    let mut copied = server.read("/api/v1/config");
    copied["streams"][1]["pipeline"] = pipeline.into();
    refused("PUT", "/api/v1/config?replace=true", &copied);
    refused(
        "POST",
        "/api/v1/streams",
        &json!({ "rtspStreamPath": "/copy", "pipeline": pipeline }),
    );
    let label = server.send(
        "PATCH",
        "/api/v1/streams/cam2/config",
        &json!({ "label": "Door" }),
    );
    assert_eq!(label.status, 200, "{label:?}");
    assert_eq!(server.ask("DELETE", "/api/v1/streams/own", &[], None).status, 200);
}

#[test]
fn what_asks_for_another_stream_is_named() {
    let server = Server::start(&cameras());
    let change = json!({ "framesPerSecond": 5, "label": "Door", "videoCodec": "mjpeg" });
    let refused = server.send("PATCH", "/api/v1/streams/cam2/config", &change);
    assert_eq!(
        (refused.status, asking(&refused)),
        (409, vec!["framesPerSecond".to_owned(), "videoCodec".to_owned()])
    );
    let found = refused.body["mistakes"].as_array().expect("a list").iter();
    let found: Vec<_> = found.map(|mistake| mistake["found"].clone()).collect();
    assert!(
        found.contains(&json!("5")) && found.contains(&json!("\"mjpeg\"")),
        "{refused:?}"
    );
    let nothing = json!({ "videoResolution": "320x240", "videoCodec": null });
    let refused = server.send("PATCH", "/api/v1/streams/cam2/config", &nothing);
    assert_eq!(
        (refused.status, asking(&refused)),
        (409, vec!["videoResolution".to_owned()])
    );
}

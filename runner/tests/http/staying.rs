//! What a change leaves as it was, and what it does not do without being told to.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::{
    Answer, Server,
    changing::{cameras, watch},
};

/// The keys that an answer names, in their order.
pub(crate) fn asking(refused: &Answer) -> Vec<String> {
    let mistakes = refused.body["mistakes"].as_array().into_iter().flatten();
    let mut keys: Vec<_> = mistakes
        .map(|mistake| mistake["key"].as_str().expect("a key").to_owned())
        .collect();
    keys.sort_unstable();
    keys
}

#[test]
fn what_would_send_viewers_away_has_to_be_said_wherever_a_stream_goes() {
    let server = Server::start(&cameras());
    let mut viewers = ["/cam1", "/cam4", "/cam5"].map(|path| watch(&server, path));
    let refused = |method: &str, path: &str, body: &Value, key: &str| {
        let answer = server.send(method, path, body);
        assert_eq!(
            (answer.status, asking(&answer)),
            (409, vec![key.to_owned()]),
            "{answer:?}"
        );
        let detail = answer.body["detail"].as_str().unwrap_or_default();
        assert!(detail.contains("?replace=true"), "{detail}");
    };
    let (one, four) = ("/api/v1/streams/cam1/config", "/api/v1/streams/cam4/config");
    refused(
        "PATCH",
        one,
        &json!({ "rtspStreamPath": "/other1" }),
        "rtspStreamPath",
    );
    refused("PATCH", four, &json!({ "firstNumber": 9 }), "firstNumber");
    let mut fewer = server.read("/api/v1/config");
    fewer["count"] = 4.into();
    refused("PUT", "/api/v1/config", &fewer, "count");
    let entries =
        json!([{ "rtspStreamPath": "/cam1" }, { "rtspStreamPath": "/cam{n}", "count": 3, "firstNumber": 2 }]);
    fewer["streams"] = entries;
    fewer.as_object_mut().expect("an object").remove("count");
    let path = "/api/v1/config";
    assert_eq!(server.send("PUT", path, &fewer).status, 409);
    for viewer in &mut viewers {
        viewer.next_rtp();
    }
    assert_eq!(server.ids(), ["cam1", "cam2", "cam3", "cam4", "cam5"]);
    let moved = server.send(
        "PATCH",
        &format!("{one}?replace=true"),
        &json!({ "rtspStreamPath": "/other1" }),
    );
    assert_eq!(
        (moved.status, &moved.body["streams"]),
        (200, &json!(["other1"])),
        "{moved:?}"
    );
    let [mut first, mut fourth, mut fifth] = viewers;
    assert!(first.sees_the_end());
    let ended = server.ask("DELETE", "/api/v1/streams/cam4", &[], None);
    assert_eq!(
        (ended.status, &ended.body["streams"]),
        (200, &json!(["cam4"])),
        "{ended:?}"
    );
    assert!(fourth.sees_the_end());
    fifth.next_rtp();
}

#[test]
fn a_path_of_a_shared_picture_is_not_taken_away_without_a_word() {
    let mut file = cameras();
    file["sharedPicture"] = true.into();
    let server = Server::start(&file);
    let config = "/api/v1/streams/cam1/config";
    let fewer = server.send("PATCH", config, &json!({ "count": 4 }));
    assert_eq!(
        (fewer.status, asking(&fewer)),
        (409, vec!["count".to_owned()]),
        "{fewer:?}"
    );
    let more = server.send("PATCH", config, &json!({ "count": 6 }));
    assert_eq!(
        (more.status, more.body["streams"].as_array().map(Vec::len)),
        (200, Some(6)),
        "{more:?}"
    );
}

#[test]
fn what_is_read_of_a_stream_may_be_sent_back() {
    let pipeline = "clocksrc ! video/x-raw,width=160,height=120 ! x264enc ! rtph264pay name=pay0";
    let server = Server::start(
        &json!({ "streams": [{ "rtspStreamPath": "/own", "pipeline": pipeline },
        { "rtspStreamPath": "/cam{n}", "count": 3, "videoResolution": "160x120" }] }),
    );
    let before = server.read("/api/v1/config");
    for id in ["own", "cam2"] {
        let path = format!("/api/v1/streams/{id}/config");
        let same = server.send("PATCH", &path, &server.read(&path));
        assert_eq!(same.status, 200, "{same:?}");
        assert_eq!(server.read("/api/v1/config"), before);
        assert_eq!(same.body["changes"]["kept"], 4, "{same:?}");
    }
    let mut copied = server.read("/api/v1/streams/cam2/config");
    copied["rtspStreamPath"] = "/copy".into();
    copied["stampId"] = 9.into();
    let added = server.send("POST", "/api/v1/streams", &copied);
    assert_eq!(
        (added.status, &added.body["streams"]),
        (201, &json!(["copy"])),
        "{added:?}"
    );
    copied["rtspStreamPath"] = "/other".into();
    copied["logo"] = "/etc/passwd".into();
    let refused = server.send("POST", "/api/v1/streams", &copied);
    assert_eq!((refused.status, asking(&refused)), (403, vec!["logo".to_owned()]));
    assert_eq!(refused.body["mistakes"][0]["found"], "\"/etc/passwd\"");
}

#[test]
fn no_name_that_is_no_key_gets_into_the_log() {
    let server = Server::start(&cameras());
    let path = "/api/v1/streams/cam1/config";
    for name in ["lable", "x\n ERROR forged"] {
        let refused = server.send("PATCH", path, &json!({ name: null, "textColor": "#ff0000" }));
        assert_eq!(
            (refused.status, asking(&refused)),
            (422, vec![name.to_owned()]),
            "{refused:?}"
        );
    }
    let misspelt = server.send("PATCH", path, &json!({ "lable": "x" }));
    assert_eq!(misspelt.body["mistakes"][0]["found"], "\"x\"", "{misspelt:?}");
    let secret = server.send("PATCH", path, &json!({ "viewerPasword": "open-sesame" }));
    assert!(!secret.text.contains("open-sesame"), "{secret:?}");
    let of_server = json!({ "reload": true, "viewerPassword": "open-sesame" });
    let refused = server.send("PATCH", "/api/v1/streams/cam2/config", &of_server);
    assert!(!refused.text.contains("open-sesame"), "{refused:?}");
    let whole = server.read("/api/v1/config");
    for nothing in [json!({}), json!({ "textColor": null })] {
        assert_eq!(server.send("PATCH", path, &nothing).status, 200);
    }
    assert_eq!(server.read("/api/v1/config"), whole);
    assert_eq!(
        server.send("PATCH", path, &json!({ "label": "Door" })).status,
        200
    );
    assert_eq!(server.ask("POST", "/api/v1/reload", &[], None).status, 200);
    let log = server.process.log();
    log.wait_for("what was not saved", |line| {
        line.contains("label of cam1 was not saved")
    });
    let lines = log.lines();
    let unsaved = lines.iter().filter(|line| line.contains("was not saved"));
    assert_eq!(unsaved.count(), 1, "{lines:?}");
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("forged") || line.contains("the API: read again"))
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains("the API: changed by a request"))
    );
}

#[test]
fn what_was_changed_of_the_only_stream_is_its_own() {
    let server = Server::start(&json!({ "videoResolution": "160x120", "textColor": "#00ff00" }));
    let config = |id: &str| server.read(&format!("/api/v1/streams/{id}/config"));
    let patch = json!({ "label": "Door", "maxViewers": 2, "textColor": "#ff0000" });
    let patched = server.send("PATCH", "/api/v1/streams/live/config", &patch);
    assert_eq!(patched.status, 200, "{patched:?}");
    let added = server.send("POST", "/api/v1/streams", &json!({ "rtspStreamPath": "/gate" }));
    assert_eq!(added.status, 201, "{added:?}");
    let (live, gate) = (config("live"), config("gate"));
    assert_eq!([&live["label"], &gate["label"]], ["Door", ""]);
    assert_eq!([&live["textColor"], &gate["textColor"]], ["#ff0000", "#00ff00"]);
    assert_eq!(live["maxViewers"], 2);
    assert_ne!(gate["maxViewers"], 2);
    assert_eq!(gate["videoResolution"], "160x120");
}

#[test]
fn the_last_stream_stays() {
    let server = Server::start(&json!({ "videoResolution": "160x120" }));
    let refused = server.ask("DELETE", "/api/v1/streams/live", &[], None);
    assert_eq!(refused.status, 409, "{refused:?}");
    let detail = refused.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("the last one"), "{detail}");
    assert_eq!(server.ids(), ["live"]);
}

#[test]
fn a_port_that_is_in_use_is_not_told_as_what_takes_another_stream() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("an address").port();
    let mut file = cameras();
    file["serverPort"] = 0.into();
    let server = Server::start_with(&file, |command| {
        command.env_remove("RTSP_SERVER_PORT");
    });
    let change = json!({ "serverPort": port });
    let config = "/api/v1/streams/cam2/config";
    let refused = server.send("PATCH", config, &change);
    assert_eq!(
        (refused.status, asking(&refused)),
        (409, vec!["serverPort".to_owned()])
    );
    let refused = server.send("PATCH", &format!("{config}?replace=true"), &change);
    let detail = refused.body["detail"].as_str().unwrap_or_default();
    assert!(detail.contains("in use"), "{refused:?}");
    assert_eq!((refused.status, asking(&refused)), (409, Vec::new()));
}

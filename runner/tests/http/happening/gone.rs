//! What is told of streams that are gone, and of events that are.

use super::*;

/// Carl may see all streams, and nothing of the server; dora may see one.
fn house() -> Value {
    let mut house = cameras();
    let more = [
        json!({ "username": "carl", "password": "c" }),
        json!({ "username": "dora", "password": "d", "streams": ["/cam3"] }),
    ];
    house["users"].as_array_mut().expect("users").extend(more);
    house
}

const CARL: &str = "Basic Y2FybDpj";
const DORA: &str = "Basic ZG9yYTpk";

#[track_caller]
fn change(server: &Server, method: &str, path: &str, body: &Value) {
    let headers = [("Authorization", ANNA), ("Content-Type", "application/json")];
    let body = (!body.is_null()).then(|| body.to_string());
    let headers = &headers[..=usize::from(body.is_some())];
    let changed = server.ask(method, path, headers, body.as_deref());
    assert!([200, 201].contains(&changed.status), "{changed:?}");
}

#[test]
fn the_end_of_a_stream_is_told_to_whoever_saw_it() {
    let server = Server::start(&house());
    let mut carls = Reader::connect(&server, "", &[("Authorization", CARL)]);
    let mut of_it = Reader::connect(&server, "?stream=cam1", &[("Authorization", ANNA)]);
    let mut doras = Reader::connect(&server, "", &[("Authorization", DORA)]);
    let _viewer = watch(&server, "/cam1");
    let joined = carls.until("viewerJoined");
    change(&server, "DELETE", "/api/v1/streams/cam1", &Value::Null);
    let again = [("Authorization", CARL), ("Last-Event-ID", joined.id.as_str())];
    for mut reader in [carls, Reader::connect(&server, "", &again)] {
        let reloaded = reader.until("reloaded").data;
        let gone = json!({ "added": [], "changed": [], "replaced": [], "removed": ["cam1"] });
        assert_eq!(reloaded["streams"], gone);
        assert!(
            reloaded.get("source").is_none() && reloaded.get("changes").is_none(),
            "{reloaded}"
        );
        let left = reader.until("viewerLeft").data;
        assert_eq!(
            (&left["stream"], &left["why"]),
            (&json!("cam1"), &json!("removed"))
        );
    }
    let reloaded = of_it.until("reloaded").data;
    assert_eq!(reloaded["streams"]["removed"], json!(["cam1"]));
    assert_eq!(
        reloaded["changes"]["removed"].as_array().map(Vec::len),
        Some(1),
        "an admin sees all of it: {reloaded}"
    );
    assert_eq!(of_it.until("viewerLeft").data["stream"], "cam1");
    let entry = json!({ "rtspStreamPath": "/cam1", "count": 1, "videoResolution": "160x120" });
    change(&server, "POST", "/api/v1/streams", &entry);
    let added = of_it.until("reloaded").data;
    assert_eq!(added["streams"]["added"], json!(["cam1"]), "it goes on: {added}");
    change(
        &server,
        "PATCH",
        "/api/v1/streams/cam3/config",
        &json!({ "label": "Door" }),
    );
    let first = doras.next();
    assert_eq!(first.name, "reloaded", "nothing of other streams: {first:?}");
    let changed = json!({ "added": [], "changed": ["cam3"], "replaced": [], "removed": [] });
    assert_eq!(first.data["streams"], changed);
}

#[test]
fn another_picture_at_the_same_place_is_told_as_such() {
    let server = Server::start(&house());
    let mut doras = Reader::connect(&server, "", &[("Authorization", DORA)]);
    let other = json!({ "videoResolution": "320x240" });
    for id in ["cam2", "cam3"] {
        let path = format!("/api/v1/streams/{id}/config?replace=true");
        change(&server, "PATCH", &path, &other);
    }
    let reloaded = doras.next().data;
    assert_eq!(reloaded["streams"]["replaced"], json!(["cam3"]), "{reloaded}");
    assert_eq!(doras.next().data["streams"], json!(["cam3"]), "it is rebuilt");
}

#[test]
fn events_that_are_gone_are_counted_once() {
    let server = Server::start(&cameras());
    let mut first = Reader::connect(&server, "", &[("Authorization", ANNA)]);
    let wrong = [("Authorization", "Basic YW5uYTpi")];
    assert_eq!(server.ask("GET", "/api/v1/session", &wrong, None).status, 401);
    let first = first.until("loginRefused");
    let (run, _) = first.id.rsplit_once('-').expect("a run and a number");
    // Each patch is an event, and a thousand are kept.
    for number in 0..1003 {
        let label = json!({ "label": number.to_string() });
        change(&server, "PATCH", "/api/v1/streams/cam3/config", &label);
    }
    let after = |id: &str, query: &str, who: &str| {
        let mut reader = Reader::connect(&server, query, &[("Authorization", who), ("Last-Event-ID", id)]);
        [reader.next(), reader.next()]
    };
    let [missed, next] = after(&first.id, "", ANNA);
    assert_eq!(missed.name, "missed");
    assert_eq!(missed.data, json!({ "missed": 3, "isExact": true }));
    let number = next.data["number"].as_u64().expect("a number");
    assert_eq!(missed.id, format!("{run}-{}", number - 1));
    let [again, _] = after(&missed.id, "", ANNA);
    assert_eq!(again, next, "what is missing has been told");
    let [of_one, _] = after(&first.id, "?stream=cam3", ANNA);
    assert_eq!(of_one.data, json!({ "missed": 3, "isExact": false }));
}

//! What the server tells.

use std::process::Command;

use serde_json::json;

use crate::{
    Server,
    common::{RtspClient, certificate::Certificate, process, wait_until},
};

fn cameras() -> serde_json::Value {
    json!({ "rtspStreamPath": "/cam{n}", "count": 3, "label": "Camera {n}", "videoResolution": "160x120",
            "framesPerSecond": 25 })
}

#[test]
fn it_tells_of_the_server_and_of_each_stream() {
    let server = Server::start(&cameras());
    let status = server.read("/api/v1/server");
    assert_eq!((&status["streams"], &status["viewers"]), (&json!(3), &json!(0)));
    assert_eq!(
        status["listensAt"][0]["address"],
        format!("127.0.0.1:{}", server.process.port())
    );
    let http = &status["http"];
    assert_eq!(
        http["listensAt"]["address"].as_str(),
        server.origin.strip_prefix("http://")
    );
    assert!(
        http["connections"].as_u64().is_some_and(|served| served > 0),
        "{http}"
    );
    assert_eq!(http["maxConnections"], 256);
    assert_eq!(
        status["pictures"],
        json!({ "max": 64, "maxOfStream": 16, "maxFramesPerSecond": 25 })
    );
    let stream = server.read("/api/v1/streams/cam2");
    assert_eq!(
        (&stream["label"], &stream["life"]["state"]),
        (&json!("Camera 2"), &json!("idle"))
    );
    assert_eq!(
        stream["urls"][0],
        format!("rtsp://127.0.0.1:{}/cam2", server.process.port())
    );
    let unknown = server.get("/api/v1/streams/cam4");
    assert_eq!((unknown.status, &unknown.body["status"]), (404, &json!(404)));
    assert_eq!(unknown.headers["content-type"], "application/problem+json");
}

#[test]
fn streams_are_chosen_and_come_in_pages() {
    let server = Server::start(&cameras());
    let ids = |query: &str| {
        let page = server.read(&format!("/api/v1/streams?{query}"));
        let items = page["items"].as_array().expect("a list").iter();
        let ids: Vec<_> = items
            .map(|stream| stream["id"].as_str().expect("an id").to_owned())
            .collect();
        (ids, page["itemCount"].as_u64(), page["pageCount"].as_u64())
    };
    assert_eq!(
        ids("itemsPerPage=2&page=1"),
        (vec!["cam3".into()], Some(3), Some(2))
    );
    assert_eq!(ids("page=7"), (vec![], Some(3), Some(1)));
    assert_eq!(ids("label=CAMERA%202"), (vec!["cam2".into()], Some(1), Some(1)));
    assert_eq!(ids("codec=mjpeg").1, Some(0));
    assert_eq!(ids("state=idle").1, Some(3));
    for wrong in ["itemsPerPage=0", "itemsPerPage=1001", "page=-1", "colour=red"] {
        assert_eq!(
            server.get(&format!("/api/v1/streams?{wrong}")).status,
            400,
            "{wrong}"
        );
    }
}

#[test]
fn it_tells_who_plays_what() {
    let server = Server::start(&cameras());
    let mut viewer = RtspClient::connect_port(server.process.port())
        .at("/cam3")
        .watching();
    viewer.next_rtp();
    let viewers = || server.read("/api/v1/viewers");
    wait_until("the viewer is told", || {
        viewers().as_array().is_some_and(|all| all.len() == 1)
    });
    let told = &viewers()[0];
    assert_eq!(
        (&told["stream"], &told["transport"]),
        (&json!("cam3"), &json!("tcp"))
    );
    assert!(
        told["sent"]["packets"]
            .as_u64()
            .is_some_and(|packets| packets > 0),
        "{told}"
    );
    let session = told["session"].as_str().expect("a session").to_owned();
    assert_eq!(server.read("/api/v1/streams/cam3/viewers")[0]["session"], session);
    assert_eq!(server.read("/api/v1/streams/cam3")["life"]["state"], "running");
    let gone = server.ask("DELETE", &format!("/api/v1/viewers/{session}"), &[], None);
    assert_eq!(gone.status, 204);
    assert!(viewer.sees_the_end());
    assert_eq!(
        server.ask("DELETE", "/api/v1/viewers/nobody", &[], None).status,
        404
    );
}

#[test]
fn it_is_ready_once_what_is_always_on_runs() {
    let good = Server::start(&json!({ "alwaysOn": true, "videoResolution": "160x120" }));
    assert_eq!(good.get("/healthz").status, 200);
    wait_until("it is ready", || good.get("/readyz").status == 200);
    let bad = Server::start(&json!({ "alwaysOn": true, "pipeline":
        "clocksrc num-buffers=1 ! x264enc ! identity error-after=1 ! rtph264pay name=pay0" }));
    assert_eq!(bad.get("/healthz").status, 200);
    wait_until("it is not ready", || bad.get("/readyz").status == 503);
}

#[test]
fn the_health_check_asks_it_too() {
    let certificate = Certificate::new();
    for tls in [false, true] {
        let server = Server::start_with(&json!({}), |command| {
            with_tls(command, &certificate).env("RTSP_HTTP_TLS", tls.to_string());
        });
        let is_healthy = |port: &str| {
            let mut check = process::command();
            with_tls(&mut check, &certificate)
                .arg("--healthcheck")
                .envs([
                    ("RTSP_HTTP", "true"),
                    ("RTSP_HTTP_PORT", port),
                    ("RTSP_SERVER_IP", "127.0.0.1"),
                ])
                .env("RTSP_HTTP_TLS", tls.to_string())
                .env("RTSP_SERVER_PORT", server.process.port().to_string());
            let output = check.output().expect("it runs");
            (
                output.status.success(),
                String::from_utf8_lossy(&output.stderr).into_owned(),
            )
        };
        let (_, port) = server.origin.rsplit_once(':').expect("a port");
        assert!(is_healthy(port).0, "{tls}: {:?}", is_healthy(port));
        let rtsp = server.process.port().to_string();
        assert!(!is_healthy(&rtsp).0, "RTSP is no HTTP");
    }
}

fn with_tls<'a>(command: &'a mut Command, certificate: &Certificate) -> &'a mut Command {
    command
        .env("RTSP_TLS_CERTIFICATE", certificate.certificate())
        .env("RTSP_TLS_PRIVATE_KEY", certificate.private_key())
}

#[test]
fn what_is_not_there_is_a_problem_and_no_page() {
    let server = Server::start(&cameras());
    for (method, path, status) in [
        ("GET", "/api/v1/nothing", 404),
        ("GET", "/../etc/passwd", 404),
        ("POST", "/api/v1/server", 405),
        ("GET", "/api/v1/streams/%ff", 400),
    ] {
        let answer = server.ask(method, path, &[], None);
        assert_eq!(
            (answer.status, &answer.body["status"]),
            (status, &json!(status)),
            "{path}"
        );
    }
}

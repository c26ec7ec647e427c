//! A server as a whole: cameras that fail, and viewers who come back.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, TcpStream},
    time::Instant,
};

use super::*;
use crate::{
    config::{Mount, StreamConfig, VideoCodec},
    stream::life::Life,
};

fn config() -> Config {
    let stream = StreamConfig {
        mounts: vec![Mount {
            address: Ipv4Addr::LOCALHOST.into(),
            port: 0,
            tls: false,
            path: "/live".to_owned(),
        }],
        codec: VideoCodec::Mjpeg,
        width: 160,
        height: 120,
        frames_per_second: crate::config::FrameRate::whole(25),
        key_frame_interval: 25,
        ..StreamConfig::default()
    };
    Config {
        rtp_ports: None,
        login: None,
        streams: vec![stream],
        ..Config::default()
    }
}

/// Plays until it is dropped.
struct Player(gst::Element);

impl Player {
    fn new(server: &Server) -> Self {
        Self::of(&server.urls()[0])
    }

    fn of(url: &str) -> Self {
        let launch = format!("rtspsrc protocols=tcp location={url} ! fakesink");
        let pipeline = gst::parse::launch(&launch).expect("a valid pipeline");
        pipeline.set_state(gst::State::Playing).expect("it plays");
        Self(pipeline)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _stopped = self.0.set_state(gst::State::Null);
    }
}

#[track_caller]
fn wait_for_viewers(server: &Server, count: usize) {
    wait_until(&format!("there are {count} viewers"), || {
        server.viewers() == count
    });
}

#[track_caller]
fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while !condition() {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Two cameras, of which the first one runs before anybody looks.
fn two_cameras() -> Config {
    let Config { streams, .. } = config();
    let camera = |path: &str, always_on| StreamConfig {
        mounts: vec![Mount {
            path: path.to_owned(),
            ..streams[0].mounts[0].clone()
        }],
        always_on,
        ..streams[0].clone()
    };
    Config {
        streams: vec![camera("/1", true), camera("/2", false)],
        ..Config::default()
    }
}

#[test]
fn a_camera_that_is_always_on_runs_again_after_a_failure_and_the_others_do_not_notice() {
    let server = Server::start(&two_cameras()).expect("the server starts");
    let _other = Player::of(&server.urls()[1]);
    wait_until("the other plays", || server.streams[1].viewers().count() == 1);
    for _ in 0..2 {
        let element = server.streams[0].element().expect("it runs before anybody looks");
        gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
        let is_another = || server.streams[0].element().is_some_and(|now| now != element);
        wait_until("a new pipeline runs", is_another);
    }
    assert_eq!(server.streams[1].viewers().count(), 1);
    let _player = Player::new(&server);
    wait_for_viewers(&server, 2);
}

#[test]
fn after_a_pipeline_has_failed_viewers_can_come_back() {
    let server = Server::start(&config()).expect("the server starts");
    let player = Player::new(&server);
    wait_for_viewers(&server, 1);
    let element = server.streams[0].element().expect("a pipeline runs");
    gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
    wait_for_viewers(&server, 0);
    drop(player);
    let _player = Player::new(&server);
    wait_for_viewers(&server, 1);
}

#[test]
fn a_pipeline_that_fails_before_anybody_plays_is_not_kept() {
    let server = Server::start(&config()).expect("the server starts");
    let mut client = TcpStream::connect((Ipv4Addr::LOCALHOST, server.port())).expect("it listens");
    let url = format!("rtsp://127.0.0.1:{}/live", server.port());
    let setup = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\n";
    ask(
        &mut client,
        &format!("DESCRIBE {url} RTSP/1.0\r\nCSeq: 1\r\n\r\n"),
    );
    ask(
        &mut client,
        &format!("SETUP {url}/stream=0 RTSP/1.0\r\nCSeq: 2\r\n{setup}\r\n"),
    );
    let element = server.streams[0].element().expect("a pipeline runs");
    gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
    let end = client.read(&mut [0; 1]).map_err(|error| error.kind());
    assert!(
        matches!(end, Ok(0) | Err(io::ErrorKind::ConnectionReset)),
        "the connection must be closed: {end:?}"
    );
    let _player = Player::new(&server);
    wait_for_viewers(&server, 1);
}

/// Sends one request, and reads as much of its answer as comes at once.
#[track_caller]
fn ask(client: &mut TcpStream, request: &str) {
    client
        .set_read_timeout(Some(Duration::from_secs(10)))
        .expect("a read timeout");
    client
        .write_all(request.as_bytes())
        .expect("the connection stands");
    let mut answer = [0; 4096];
    let length = client.read(&mut answer).expect("an answer");
    assert!(answer[..length].starts_with(b"RTSP/1.0 200 OK"), "{request}");
}

#[test]
fn a_stream_tells_of_its_life_and_keeps_count_of_its_frames() {
    let server = Server::start(&config()).expect("the server starts");
    let stream = &server.streams[0];
    assert_eq!(stream.life(), Life::Idle);
    let player = Player::new(&server);
    wait_until("it runs", || matches!(stream.life(), Life::Running { .. }));
    wait_until("frames leave", || stream.departures().all.frames > 10);
    let late = stream.departures();
    assert!(late.all.frames <= stream.frames().rendered, "{late:?}");
    assert_eq!(late.classes.iter().sum::<u64>(), late.all.frames);
    let element = stream.element().expect("a pipeline runs");
    gst::element_error!(element, gst::StreamError::Failed, ("made to fail"));
    let has_failed = || match stream.life() {
        Life::Failed { cause, .. } => cause.contains("made to fail"),
        _ => false,
    };
    wait_until("it has failed", has_failed);
    wait_for_viewers(&server, 0);
    drop((player, element));
    wait_until("its pipeline is gone", || stream.element().is_none());
    assert!(has_failed(), "until the next one runs");
    let before = stream.frames();
    let _player = Player::new(&server);
    wait_until("it runs again", || matches!(stream.life(), Life::Running { .. }));
    let is_more = || stream.frames().rendered > before.rendered;
    wait_until("it counts on", is_more);
}

#[test]
fn a_server_can_be_stopped_at_once() {
    for _ in 0..20 {
        Server::start(&config()).expect("the server starts").stop();
    }
}

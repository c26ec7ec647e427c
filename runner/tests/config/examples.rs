//! The configurations in `examples/`: each is read as it is, and played.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::{
    config::Config,
    config_file::{self, Environment},
    server::Server,
};

use crate::common::{self, RtspClient, measure, start, target};

/// An example, read as the server reads it.
#[track_caller]
fn read(name: &str, variables: &[(&str, &str)]) -> Config {
    let environment: Environment = variables.iter().copied().collect();
    let loaded = config_file::load(Some(&folder().join(name)), &environment);
    let loaded = loaded.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(loaded.warnings, [""; 0], "{name}");
    loaded.config
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// The example as it is, but on any free port of the loopback interface.
#[track_caller]
fn serve(name: &str) -> Server {
    read(name, &[]);
    start(&read(
        name,
        &[("RTSP_SERVER_IP", "127.0.0.1"), ("RTSP_SERVER_PORT", "0")],
    ))
}

/// Plays the first picture of each URL; answers the stream's number in each.
#[track_caller]
fn play(urls: &[String]) -> Vec<Option<u32>> {
    let targets: Vec<_> = urls.iter().map(|url| target(url)).collect();
    let outcome = measure(&Options {
        targets: targets.clone(),
        transport: Transport::Tcp,
        frames: Some(1),
        duration: Some(2 * common::PATIENCE),
        ..Options::of(targets[0].clone())
    });
    let streams = &outcome.measurement.streams;
    assert!(outcome.is_good(), "{streams:?}");
    streams.iter().map(|stream| stream.stream_id).collect()
}

#[test]
fn one_camera_plays() {
    let server = serve("one-camera.json");
    assert_eq!(play(&server.urls()), [Some(0)]);
    assert!(RtspClient::connect(&server).describe().body.contains("m=audio"));
}

#[test]
fn four_codecs_play() {
    let server = serve("four-codecs.json");
    assert_eq!(play(&server.urls()), [1, 2, 3, 4].map(Some));
    let config = read("four-codecs.json", &[]);
    let codecs: BTreeSet<_> = config
        .streams
        .iter()
        .map(|stream| stream.codec.to_string())
        .collect();
    assert_eq!(codecs.len(), 4);
}

#[test]
fn of_a_hundred_cameras_the_first_one_in_the_middle_and_the_last_play() {
    let ports = read("hundred-cameras.json", &[])
        .rtp_ports
        .expect("ports for UDP");
    assert_eq!(
        ports.last - ports.first + 1,
        200,
        "{ports}: two for each that is watched"
    );
    let server = serve("hundred-cameras.json");
    let urls = server.urls();
    assert_eq!(urls.len(), 100);
    let some = [0, 49, 99].map(|index| urls[index].clone());
    assert_eq!(play(&some), [1, 50, 100].map(Some));
}

#[test]
fn the_locked_down_one_plays_for_whoever_has_the_password() {
    let config = read("locked-down.json", &[]);
    let mount = &config.streams[0].mounts[0];
    assert_eq!(config.streams[0].max_viewers, Some(4));
    let server = serve("locked-down.json");
    let path = mount.path.as_str();
    let refused = RtspClient::connect_path(server.port(), path).describe();
    assert_eq!(refused.status, 401);
    let challenges: Vec<_> = refused.all("WWW-Authenticate").collect();
    assert!(
        !challenges.is_empty()
            && challenges
                .iter()
                .all(|challenge| challenge.starts_with("Digest ")),
        "{challenges:?}"
    );
    assert_eq!(config.users.len(), 2);
    for user in &config.users {
        let credentials = format!("rtsp://{}:{}@", user.login.username, user.login.password);
        let url = server.urls()[0].replace("rtsp://", &credentials);
        assert_eq!(play(&[url]), [Some(0)]);
    }
}

#[test]
fn each_configuration_is_one_of_those_above() {
    let tested = [
        "four-codecs.json",
        "hundred-cameras.json",
        "locked-down.json",
        "one-camera.json",
    ];
    let files = std::fs::read_dir(folder()).expect("the examples");
    let files = files.map(|file| file.expect("a file"));
    let files = files.filter(|file| file.path().extension().is_some_and(|kind| kind == "json"));
    let names = files.map(|file| file.file_name().into_string().expect("UTF-8"));
    assert_eq!(names.collect::<BTreeSet<_>>(), tested.map(String::from).into());
}

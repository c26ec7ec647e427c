//! Another configuration while the server runs: what differs is replaced, and nobody else notices.

use std::{
    net::{Ipv4Addr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
};

use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::{
    config::{Config, StreamConfig},
    config_file::{self, Environment},
    events::Changes,
    server::StartError,
};
use serde_json::{Value, json};

use crate::common::{
    self, PATIENCE, RtspClient, answers,
    certificate::Certificate,
    measure, mount,
    process::{Log, Process},
    start, target, wait_for_viewers, wait_until,
    watcher::Watcher,
};

/// A configuration file that changes.
struct File(PathBuf);

impl File {
    fn new(name: &str, content: &Value) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("reload-{name}"));
        std::fs::create_dir_all(&folder).expect("a writable folder");
        let file = Self(folder.join("config.json"));
        // An earlier run may have left something else in its place.
        let _absent = std::fs::remove_file(&file.0);
        file.write(&content.to_string());
        file
    }

    /// Into the file itself.
    fn write(&self, content: &str) {
        std::fs::write(&self.0, content).expect("a writable file");
    }

    /// As many editors do: another file takes its name.
    fn replace(&self, content: &Value) {
        let other = self.0.with_extension("new");
        std::fs::write(&other, content.to_string()).expect("a writable folder");
        std::fs::rename(&other, &self.0).expect("it can be renamed");
    }

    /// A server that reads it.
    fn serve(&self, configure: impl FnOnce(&mut Command)) -> Process {
        Process::start(|command| {
            command.env("CONFIG_PATH", &self.0);
            configure(command);
        })
    }
}

/// Small cameras, so that many of them run on any machine.
fn cameras(reload: bool, streams: &Value) -> Value {
    json!({
        "reload": reload, "videoResolution": "160x120", "framesPerSecond": 25, "streams": streams
    })
}

fn before(reload: bool) -> Value {
    cameras(
        reload,
        &json!([
            { "rtspStreamPath": "/live", "label": "A" },
            { "rtspStreamPath": "/b", "label": "B" },
            { "rtspStreamPath": "/c", "label": "C" },
        ]),
    )
}

/// B has another codec and another label, C is gone, and D is new.
fn after(reload: bool) -> Value {
    cameras(
        reload,
        &json!([
            { "rtspStreamPath": "/live", "label": "A" },
            { "rtspStreamPath": "/b", "label": "B too", "videoCodec": "mjpeg" },
            { "rtspStreamPath": "/d", "label": "D" },
        ]),
    )
}

#[track_caller]
fn wait_for(log: &Log, words: &str) {
    log.wait_for(words, |line| line.contains(words));
}

/// The viewer sees RTCP's BYE, and then the end of its connection.
#[track_caller]
fn sees_a_farewell(viewer: &mut RtspClient, name: &str) {
    assert!(viewer.sees_a_goodbye(), "no BYE for the viewer of {name}");
    assert!(viewer.sees_the_end(), "the connection of {name}'s viewer stands");
}

/// Changes [`before`] to [`after`] by `change`, while all are watched.
#[track_caller]
fn what_differs_is_replaced(process: &Process, change: impl FnOnce()) {
    let port = process.port();
    let untouched = Watcher::new(RtspClient::watch_path(port, "/live"));
    let mut others = ["/b", "/c"].map(|path| RtspClient::watch_path(port, path));
    for viewer in &mut others {
        viewer.until_sender_report();
    }
    change();
    wait_for(
        process.log(),
        "streams: 1 replaced, 1 removed, 1 added; 1 play on untouched",
    );
    for (viewer, name) in others.iter_mut().zip(["B", "C"]) {
        sees_a_farewell(viewer, name);
    }
    let sdp = RtspClient::connect_path(port, "/b").describe().body;
    assert!(sdp.contains("JPEG/90000"), "B has its old codec: {sdp}");
    assert_eq!(RtspClient::connect_path(port, "/c").describe().status, 404);
    for path in ["/b", "/d"] {
        RtspClient::watch_path(port, path).next_rtp();
    }
    let mut viewer = untouched.end();
    viewer.show_sign_of_life();
    assert_eq!(viewer.response().status, 200, "its session stands");
}

#[test]
fn at_sighup_streams_that_differ_are_replaced_and_others_lose_no_frame() {
    let file = File::new("sighup", &before(false));
    let process = file.serve(|_| {});
    what_differs_is_replaced(&process, || {
        file.replace(&after(false));
        process.signal("HUP");
    });
    process.signal("HUP");
    wait_for(process.log(), "read again, nothing differs");
}

#[test]
fn at_a_change_of_the_file_as_well_where_it_says_so() {
    let file = File::new("change", &before(true));
    let process = file.serve(|_| {});
    what_differs_is_replaced(&process, || file.replace(&after(true)));
}

#[test]
fn a_mistake_is_told_once_with_all_its_lines_and_changes_nothing() {
    let file = File::new("mistake", &before(true));
    let process = file.serve(|_| {});
    let watched = ["/live", "/b"].map(|path| Watcher::new(RtspClient::watch_path(process.port(), path)));
    file.write(r#"{"reload": true, "colour": 1, "framesPerSecond": 0}"#);
    let mistakes = ["colour: unknown key", "framesPerSecond: found 0"];
    for mistake in mistakes {
        wait_for(process.log(), mistake);
    }
    wait_for(process.log(), "not taken over, all stays as it was");
    for watcher in watched {
        watcher.end();
    }
    // What is right again is followed again.
    file.write(&after(true).to_string());
    wait_for(process.log(), "1 play on untouched");
    let log = process.log().lines();
    for mistake in mistakes {
        let told = log.iter().filter(|line| line.contains(mistake)).count();
        assert_eq!(told, 1, "{mistake}:\n{}", log.join("\n"));
    }
}

#[test]
fn a_file_that_is_gone_changes_nothing() {
    let file = File::new("gone", &before(false));
    let process = file.serve(|command| {
        command
            .env_remove("CONFIG_PATH")
            .current_dir(Path::new(env!("CARGO_TARGET_TMPDIR")).join("reload-gone"));
    });
    std::fs::remove_file(&file.0).expect("it is there");
    process.signal("HUP");
    wait_for(process.log(), "./config.json is gone");
    RtspClient::watch_path(process.port(), "/b").next_rtp();
}

/// An address at which no other test takes a port that is free for a moment.
const MOVING: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 81);

/// So many free ports of [`MOVING`], taken.
fn take_ports<const N: usize>() -> [(TcpListener, u16); N] {
    [(); N].map(|()| {
        let socket = TcpListener::bind((MOVING, 0)).expect("a free port");
        let port = socket.local_addr().expect("an address").port();
        (socket, port)
    })
}

#[test]
fn a_stream_may_move_to_another_port_that_can_be_had() {
    let [(one, first), (other, second), (taken, third)] = take_ports();
    drop((one, other));
    let streams = |port: u16| {
        cameras(
            false,
            &json!([{ "serverPort": first }, { "serverPort": port, "rtspStreamPath": "/b" }]),
        )
    };
    let file = File::new("ports", &streams(second));
    let process = file.serve(|command| {
        command
            .env("RTSP_SERVER_IP", MOVING.to_string())
            .env_remove("RTSP_SERVER_PORT");
    });
    let untouched = Watcher::new(RtspClient::connect_at(MOVING, first, "/live").watching());
    let mut moving = RtspClient::connect_at(MOVING, second, "/b").watching();
    let mut idle = RtspClient::connect_at(MOVING, second, "/b");
    idle.options();
    file.replace(&streams(third));
    process.signal("HUP");
    wait_for(
        process.log(),
        &format!("port {third} of {MOVING} is in use: another program"),
    );
    wait_for(process.log(), "not taken over");
    moving.next_rtp();
    drop(taken);
    process.signal("HUP");
    wait_for(process.log(), &format!("added: {MOVING}:{third}/b"));
    assert!(moving.sees_the_end(), "the viewer of the old port is still there");
    assert!(idle.sees_the_end(), "who asked for nothing there is still there");
    RtspClient::connect_at(MOVING, third, "/b").watching().next_rtp();
    wait_until("the old port is closed", || !answers(MOVING, second));
    untouched.end();
}

#[test]
fn of_the_server_itself_log_in_and_level_change_and_the_rest_needs_a_restart() {
    let with = |more: &Value| {
        let mut config = cameras(false, &json!([{}]));
        let keys = more.as_object().expect("an object").clone();
        config.as_object_mut().expect("an object").extend(keys);
        config
    };
    let file = File::new("server", &with(&json!({})));
    let process = file.serve(|command| {
        command.env_remove("RUST_LOG");
    });
    let untouched = Watcher::new(RtspClient::watch_port(process.port()));
    file.replace(&with(&json!({
        "viewerUsername": "user", "viewerPassword": "s3cret", "logLevel": "debug", "logFormat": "json",
        "rtpPortRange": "50000-50019"
    })));
    process.signal("HUP");
    for words in [
        "logLevel: debug from now on",
        "log-in needed for connections from now on",
        "logFormat: its new value needs a restart",
        "rtpPortRange: its new value needs a restart",
    ] {
        wait_for(process.log(), words);
    }
    let mut viewer = RtspClient::connect_port(process.port());
    assert_eq!(viewer.describe().status, 401);
    // user:s3cret
    viewer.authorize("Basic dXNlcjpzM2NyZXQ=".to_owned());
    assert_eq!(viewer.describe().status, 200);
    wait_for(process.log(), "DEBUG");
    untouched.end();
    file.replace(&with(
        &json!({"users": [{"username": "eve", "password": "s3cret"}]}),
    ));
    process.signal("HUP");
    wait_until("only users may watch", || {
        process
            .log()
            .to_string()
            .matches("log-in needed for connections")
            .count()
            == 2
    });
    file.replace(&with(&json!({})));
    process.signal("HUP");
    wait_for(process.log(), "no log-in for connections from now on");
    RtspClient::watch_port(process.port()).next_rtp();
}

#[test]
fn a_certificate_that_was_renewed_in_its_file_is_told_to_need_a_restart() {
    let certificate = Certificate::new();
    let mut config = cameras(false, &json!([{}]));
    for (key, value) in [
        ("tlsPort", json!(0)),
        ("tlsCertificate", json!(certificate.certificate())),
        ("tlsPrivateKey", json!(certificate.private_key())),
    ] {
        config[key] = value;
    }
    let file = File::new("certificate", &config);
    let process = file.serve(|_| {});
    certificate.renew();
    process.signal("HUP");
    wait_for(process.log(), "tlsCertificate: its new value needs a restart");
}

/// What `json` describes, on any free port.
#[track_caller]
fn read(json: &Value) -> Config {
    let environment: Environment = [("RTSP_SERVER_IP", "127.0.0.1"), ("RTSP_SERVER_PORT", "0")]
        .into_iter()
        .collect();
    let source = config_file::Source::Named("test.json".into());
    let loaded = config_file::parse(source, Some(json.to_string().as_bytes()), &environment);
    loaded.unwrap_or_else(|error| panic!("{error}")).config
}

#[test]
fn one_camera_more_of_many_does_not_end_the_others() {
    let many = |count: u32| {
        read(&cameras(
            false,
            &json!([{ "rtspStreamPath": "/live/{n}", "count": count }]),
        ))
    };
    let mut server = start(&many(2));
    let first = Watcher::new(RtspClient::watch_path(server.port(), "/live/1"));
    let mut second = RtspClient::watch_path(server.port(), "/live/2");
    wait_for_viewers(&server, 2);
    let changes = server.reload(&many(3), "a test").expect("it can be had");
    let expected = Changes {
        kept: 2,
        added: vec!["127.0.0.1:0/live/3".into()],
        ..Changes::default()
    };
    assert_eq!(changes, expected);
    assert_eq!((server.viewers(), server.urls().len()), (2, 3));
    let back = server.reload(&many(1), "a test").expect("it can be had");
    assert_eq!((back.kept, back.removed.len()), (1, 2), "{back:?}");
    assert_eq!(server.viewers(), 1);
    assert!(second.sees_the_end(), "the viewer of the second is still there");
    first.end();
}

#[test]
fn a_camera_that_is_always_on_is_replaced_by_another_that_is() {
    let camera = |frames: u32| {
        let streams = json!([{ "framesPerSecond": frames, "alwaysOn": true, "stamp": "qr" }]);
        let mut config = cameras(false, &streams);
        config["videoResolution"] = "320x240".into();
        config
    };
    let file = File::new("always-on", &camera(25));
    let process = file.serve(|_| {});
    let url = format!("rtsp://127.0.0.1:{}/live", process.port());
    let first = run_of(&url);
    file.replace(&camera(20));
    process.signal("HUP");
    wait_for(process.log(), "streams: 1 replaced");
    let second = run_of(&url);
    assert_ne!(second, first, "the old one still plays");
    assert_eq!(run_of(&url), second, "it runs only while somebody looks");
}

/// Which run of a source it is that plays. Who joins while another is still on the way out may see pictures whose beginning
/// it has missed, before the key picture that comes for it.
#[track_caller]
fn run_of(url: &str) -> u32 {
    let outcome = measure(&Options {
        transport: Transport::Tcp,
        frames: Some(30),
        duration: Some(PATIENCE),
        ..Options::of(target(url))
    });
    let samples = &outcome.evidence[0].samples;
    let stamp = samples.iter().find_map(|sample| sample.stamp);
    stamp.unwrap_or_else(|| panic!("no stamp: {samples:?}")).run
}

#[test]
fn what_cannot_be_served_is_refused_and_nothing_changes() {
    let mut server = start(&common::config());
    let watcher = Watcher::new(RtspClient::watch(&server));
    let config = common::config();
    let own = StreamConfig {
        mounts: vec![mount("/own")],
        pipeline: Some("clocksrc ! nosuchencoder ! rtph264pay name=pay0".into()),
        ..config.streams[0].clone()
    };
    let error = server
        .reload(
            &Config {
                streams: vec![own],
                ..config.clone()
            },
            "a test",
        )
        .expect_err("there is no such element");
    assert!(error.to_string().contains("nosuchencoder"), "{error}");
    let mut elsewhere = config.streams[0].clone();
    elsewhere.mounts[0].address = Ipv4Addr::UNSPECIFIED.into();
    elsewhere.mounts[0].port = server.port();
    let error = server
        .reload(
            &Config {
                streams: vec![elsewhere],
                ..config
            },
            "a test",
        )
        .expect_err("the server itself has the port");
    assert!(matches!(error, StartError::OwnPort { .. }), "{error}");
    assert!(error.to_string().ends_with("needs a restart"), "{error}");
    let _viewer = watcher.end();
    assert_eq!(server.viewers(), 1);
}

/// The file becomes one that never ends, and one that nobody writes to.
#[test]
fn what_is_no_file_is_not_taken_over_and_signals_are_heard() {
    let file = File::new("no-file", &before(true));
    let mut process = file.serve(|_| {});
    let kinds: [(&str, &[&str], &str); 2] = [
        ("device", &["ln", "-s", "/dev/zero"], "it is a device"),
        ("pipe", &["mkfifo"], "it is a pipe"),
    ];
    for (name, command, said) in kinds {
        let other = file.0.with_extension(name);
        let _ = std::fs::remove_file(&other);
        let made = Command::new(command[0]).args(&command[1..]).arg(&other).status();
        assert!(made.expect("it runs").success());
        std::fs::rename(&other, &file.0).expect("it can be renamed");
        process.signal("HUP");
        wait_for(process.log(), said);
    }
    RtspClient::watch_path(process.port(), "/b").next_rtp();
    assert_eq!(process.end_by("TERM"), Some(0));
}

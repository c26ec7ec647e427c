//! Who may log in, how, and what each may see.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::process::{Command, Output};

use md5::{Digest as _, Md5};
use rtsp_clock_probe::{Options, Transport};
use rtsp_clock_server::{
    config::{Access, Authentication, Config, Login, StreamConfig, User},
    server::Server,
};
use strum::IntoEnumIterator as _;

use crate::common::process::Process;
use crate::common::{
    self, PATIENCE, RtspClient, config, login, measure, mount, start, target, wait_for_viewers,
};

fn user(name: &str, access: Access) -> User {
    User {
        login: Login {
            username: name.into(),
            password: format!("{name}-s3cret"),
        },
        access,
        is_admin: false,
    }
}

/// Two cameras, and one picture at two paths. `user` may see everything, `guest` the door and one of the two paths.
fn house() -> Config {
    let at = |paths: &[&str]| StreamConfig {
        mounts: paths.iter().map(|path| mount(path)).collect(),
        ..config().streams[0].clone()
    };
    Config {
        login: Some(login()),
        users: vec![user(
            "guest",
            Access::Only([mount("/door"), mount("/hall/1")].into()),
        )],
        streams: vec![at(&["/door"]), at(&["/safe"]), at(&["/hall/1", "/hall/2"])],
        ..config()
    }
}

fn with(authentication: Authentication) -> Config {
    Config {
        authentication,
        login: Some(login()),
        ..config()
    }
}

/// The schemes that are offered to somebody without a log-in.
fn offers(server: &Server) -> Vec<String> {
    let refusal = RtspClient::connect(server).describe();
    assert_eq!(refusal.status, 401);
    let scheme = |offer: &str| offer.split(' ').next().unwrap_or_default().to_owned();
    refusal.all("WWW-Authenticate").map(scheme).collect()
}

const GUEST: &str = "Basic Z3Vlc3Q6Z3Vlc3QtczNjcmV0";
const USER: &str = "Basic dXNlcjpzM2NyZXQ=";

/// The whole answer to one request, without its date.
fn answer(server: &Server, method: &str, path: &str, authorization: &str) -> String {
    let port = server.port();
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    connection
        .set_read_timeout(Some(PATIENCE))
        .expect("a read timeout");
    let request = format!(
        "{method} rtsp://127.0.0.1:{port}{path} RTSP/1.0\r\nCSeq: 1\r\nTransport: RTP/AVP/TCP;interleaved=0-1\r\n\
         Authorization: {authorization}\r\n\r\n"
    );
    connection
        .write_all(request.as_bytes())
        .expect("the connection stands");
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        connection.read_exact(&mut byte).expect("an answer");
        answer.extend(byte);
    }
    let answer = String::from_utf8(answer).expect("text");
    let lines = answer.lines().filter(|line| !line.starts_with("Date: "));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn only_what_the_configuration_says_is_offered_and_taken() {
    let basic = start(&with(Authentication::Basic));
    assert_eq!(offers(&basic), ["Basic"]);
    let digest = start(&with(Authentication::Digest));
    assert_eq!(offers(&digest), ["Digest"]);
    let both = start(&with(Authentication::Both));
    assert_eq!(offers(&both), ["Basic", "Digest"]);
    for (server, by_basic, by_digest) in [(&basic, 200, 401), (&digest, 401, 200), (&both, 200, 200)] {
        let say = |way| describe(server, way, "user", "s3cret", "/live");
        assert_eq!((say(Way::Basic), say(Way::Digest)), (by_basic, by_digest));
    }
}

#[derive(Debug, Clone, Copy)]
enum Way {
    Basic,
    Digest,
}

/// The status of a DESCRIBE by somebody who logs in.
fn describe(server: &Server, way: Way, name: &str, password: &str, path: &str) -> u16 {
    let md5 = |text: String| format!("{:x}", Md5::digest(text));
    let url = format!("rtsp://127.0.0.1:{}{path}", server.port());
    let mut client = RtspClient::connect(server);
    client.send("DESCRIBE", &url, &[]);
    let refusal = client.response();
    assert_eq!(refusal.status, 401);
    client.authorize(match way {
        Way::Basic => format!(
            "Basic {}",
            gst::glib::base64_encode(format!("{name}:{password}").as_bytes())
        ),
        Way::Digest => {
            let mut offers = refusal.all("WWW-Authenticate");
            let nonce = offers.find_map(|offer| offer.split("nonce=\"").nth(1)?.split('"').next());
            let nonce = nonce.unwrap_or("none");
            let (one, two) = (
                md5(format!("{name}:rtsp-clock-server:{password}")),
                md5(format!("DESCRIBE:{url}")),
            );
            let response = md5(format!("{one}:{nonce}:{two}"));
            format!(
                "Digest username=\"{name}\", realm=\"rtsp-clock-server\", nonce=\"{nonce}\", uri=\"{url}\", \
                 response=\"{response}\""
            )
        }
    });
    client.send("DESCRIBE", &url, &[]);
    client.response().status
}

#[test]
fn each_user_sees_his_streams_and_nobody_else_sees_any() {
    let server = start(&house());
    for way in [Way::Basic, Way::Digest] {
        let all = ["/door", "/safe", "/hall/1", "/hall/2"];
        let say = |name, password| all.map(|path| describe(&server, way, name, password, path));
        assert_eq!(say("user", "s3cret"), [200; 4], "{way:?}");
        assert_eq!(say("guest", "guest-s3cret"), [200, 404, 200, 404], "{way:?}");
        for (name, password) in [
            ("user", "wrong"),
            ("nobody", "s3cret"),
            ("guest", "s3cret"),
            ("user", ""),
            ("", ""),
        ] {
            assert_eq!(say(name, password), [401; 4], "{way:?} {name}:{password}");
        }
    }
}

/// It sends nothing but OPTIONS, and Basic without being asked.
#[test]
fn curl_is_told_whether_its_log_in_is_right() {
    let server = start(&house());
    let url = format!("rtsp://127.0.0.1:{}/door", server.port());
    for (credentials, status) in [
        ("user:s3cret", "200"),
        ("guest:guest-s3cret", "200"),
        ("user:wrong", "401"),
    ] {
        let output = Command::new("curl")
            .args(["-s", "-i", "--max-time", "10", "--basic", "-u", credentials, &url])
            .output()
            .expect("curl is installed");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(
            said.starts_with(&format!("RTSP/1.0 {status} ")),
            "{credentials}: {said}"
        );
    }
}

/// Plays some frames.
fn ffmpeg(server: &Server, credentials: &str, path: &str) -> Output {
    let url = format!("rtsp://{credentials}@127.0.0.1:{}{path}", server.port());
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error", "-rtsp_transport", "tcp", "-i", &url]);
    command.args(["-frames:v", "5", "-f", "null", "-"]);
    command.output().expect("ffmpeg is installed")
}

#[test]
fn ffmpeg_plays_what_its_user_may_see_by_either_way() {
    for authentication in Authentication::iter() {
        let server = start(&Config {
            authentication,
            ..house()
        });
        let played = ffmpeg(&server, "guest:guest-s3cret", "/door");
        let errors = String::from_utf8_lossy(&played.stderr);
        assert!(
            played.status.success() && errors.is_empty(),
            "{authentication}: {errors}"
        );
        let refused = ffmpeg(&server, "guest:guest-s3cret", "/safe");
        let errors = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && errors.contains("404"),
            "{authentication}: {errors}"
        );
        let refused = ffmpeg(&server, "guest:wrong", "/door");
        let errors = String::from_utf8_lossy(&refused.stderr);
        assert!(
            !refused.status.success() && errors.contains("401"),
            "{authentication}: {errors}"
        );
    }
}

#[test]
fn rtspsrc_plays_what_its_user_may_see_by_either_way() {
    for authentication in Authentication::iter() {
        let server = start(&Config {
            authentication,
            ..house()
        });
        for transport in [Transport::Tcp, Transport::Udp] {
            let url = format!("rtsp://guest:guest-s3cret@127.0.0.1:{}/door", server.port());
            let target = target(&url);
            let outcome = measure(&Options {
                targets: vec![target.clone()],
                transport,
                frames: Some(5),
                duration: Some(PATIENCE),
                ..Options::of(target)
            });
            let frames = outcome.measurement.streams[0].counts.frames;
            assert!(frames >= 5, "{authentication} {transport:?}: {frames} frames");
        }
        wait_for_viewers(&server, 0);
    }
}

#[test]
fn retina_plays_by_either_way() {
    use futures::StreamExt as _;
    use retina::client::{Credentials, PlayOptions, Session, SessionOptions, SetupOptions};
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    for authentication in Authentication::iter() {
        let server = start(&Config {
            authentication,
            ..house()
        });
        runtime.block_on(async {
            let url = format!("rtsp://127.0.0.1:{}/hall/1", server.port());
            let credentials = Credentials {
                username: "guest".into(),
                password: "guest-s3cret".into(),
            };
            let options = SessionOptions::default().creds(Some(credentials));
            let mut session = Session::describe(url.parse().expect("a URL"), options)
                .await
                .expect("DESCRIBE");
            session.setup(0, SetupOptions::default()).await.expect("SETUP");
            let playing = session.play(PlayOptions::default()).await.expect("PLAY");
            let mut frames = playing.demuxed().expect("a codec it knows");
            let next = tokio::time::timeout(PATIENCE, frames.next()).await;
            assert!(matches!(next, Ok(Some(Ok(_)))), "{authentication}: {next:?}");
        });
    }
}

#[test]
fn a_stream_that_a_user_may_not_see_is_not_there() {
    let server = start(&house());
    for method in [
        "OPTIONS", "DESCRIBE", "SETUP", "PLAY", "PAUSE", "TEARDOWN", "ANNOUNCE", "RECORD",
    ] {
        for (forbidden, nowhere) in [
            ("/safe", "/nope"),
            ("/hall/2", "/hall/3"),
            ("/safe/stream=0", "/nope/stream=0"),
        ] {
            let of_forbidden = answer(&server, method, forbidden, GUEST);
            let of_nowhere = answer(&server, method, nowhere, GUEST);
            assert_eq!(of_forbidden, of_nowhere, "{method} {forbidden}");
        }
    }
    assert!(answer(&server, "DESCRIBE", "/safe", GUEST).starts_with("RTSP/1.0 404 "));
    assert!(answer(&server, "SETUP", "/safe/stream=0", GUEST).starts_with("RTSP/1.0 404 "));
    assert!(answer(&server, "SETUP", "/safe/stream=0", USER).starts_with("RTSP/1.0 200 "));
    assert!(answer(&server, "SETUP", "/door/stream=0", GUEST).starts_with("RTSP/1.0 200 "));
}

/// gst-rtsp-server takes `/live` for `/live/1` where there is a `/live-2` as well.
#[test]
fn one_stream_is_not_shown_in_place_of_another() {
    let mut house = house();
    house.users[0].access = Access::Only([mount("/live/1")].into());
    let camera = |path| StreamConfig {
        mounts: vec![mount(path)],
        ..config().streams[0].clone()
    };
    house.streams = ["/live", "/live-2", "/live/1"].map(camera).into();
    let server = start(&house);
    let said = answer(&server, "SETUP", "/live/1/stream=0", GUEST);
    assert!(said.starts_with("RTSP/1.0 404 "), "{said}");
}

/// Its connection has a session with the stream, and another user's log-in is of no use for it.
#[test]
fn a_session_is_played_by_whom_may_see_its_stream() {
    let mut house = house();
    house.users[0].access = Access::Only([mount("/door")].into());
    house.streams.push(config().streams[0].clone());
    let server = start(&house);
    let mut client = RtspClient::connect(&server);
    client.authorize(USER.into());
    assert_eq!(client.describe().status, 200);
    assert_eq!(client.setup().status, 200);
    client.authorize(GUEST.into());
    assert_eq!(client.play().status, 404);
    client.authorize("Basic dXNlcjp3cm9uZw==".into());
    assert_eq!(client.play().status, 401);
    client.authorize(USER.into());
    assert_eq!(client.play().status, 200);
    client.next_rtp();
}

#[test]
fn each_request_but_options_needs_the_log_in() {
    let server = start(&with(Authentication::Both));
    let mut client = RtspClient::connect(&server);
    assert_eq!(client.options().status, 200);
    for method in [
        "DESCRIBE",
        "SETUP",
        "PLAY",
        "PAUSE",
        "TEARDOWN",
        "GET_PARAMETER",
        "SET_PARAMETER",
    ] {
        assert_eq!(client.request(method, &[]).status, 401, "{method}");
    }
    client.authorize("Basic dXNlcjp3cm9uZw==".into());
    assert_eq!(client.options().status, 401, "a log-in that is given is right");
}

/// A client takes the new challenge then without asking its user again.
#[test]
fn a_challenge_of_ones_own_making_is_stale_at_most() {
    let server = start(&with(Authentication::Digest));
    let mut client = RtspClient::connect(&server);
    let digest = |response: &str| {
        format!(
            "Digest username=\"user\", realm=\"rtsp-clock-server\", nonce=\"{}\", uri=\"/\", response=\"{response}\"",
            "0".repeat(32)
        )
    };
    // md5(md5("user:rtsp-clock-server:s3cret"):"0"*32:md5("DESCRIBE:/"))
    client.authorize(digest("6fceb7453bc41d48e0c22589d2a4452f"));
    let refusal = client.describe();
    assert_eq!(refusal.status, 401);
    let offer = refusal.header("WWW-Authenticate").unwrap_or_default();
    assert!(offer.ends_with(", stale=true"), "{offer}");
    client.authorize(digest(&"0".repeat(32)));
    let refusal = client.describe();
    let offer = refusal.header("WWW-Authenticate").unwrap_or_default();
    assert!(refusal.status == 401 && !offer.contains("stale"), "{offer}");
}

/// A server with a guest for a stream that does not exist for him, as a process.
fn process() -> Process {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("access");
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("{}.json", std::process::id()));
    let content = r#"{"viewerUsername": "user", "viewerPassword": "s3cret", "videoCodec": "mjpeg",
                      "users": [{"username": "guest", "password": "guest-s3cret", "streams": ["/door"]}],
                      "streams": [{"rtspStreamPath": "/live"}, {"rtspStreamPath": "/door"}]}"#;
    std::fs::write(&file, content).expect("a writable folder");
    Process::start(|command| {
        command.arg("--config").arg(&file).env("RTSP_LOG_FORMAT", "json");
    })
}

#[test]
fn the_log_tells_who_was_refused_and_not_more_often_than_it_must() {
    let mut process = process();
    let mut client = RtspClient::connect_port(process.port());
    let peer = client.address().to_string();
    // The first step of every client is nothing to be told.
    assert_eq!(client.describe().status, 401);
    // All of it within the 10 s that the log tells of an address once, on any machine.
    for _ in 0..10 {
        // intruder:hunter2-hunter2
        client.authorize("Basic aW50cnVkZXI6aHVudGVyMi1odW50ZXIy".into());
        assert_eq!(client.describe().status, 401);
        client.authorize(GUEST.into());
        assert_eq!(client.describe().status, 404);
    }
    process
        .log()
        .wait_for("the second", |line| line.contains("may not see"));
    assert_eq!(process.end_by("TERM"), Some(0));
    let log = process.whole_log();
    let told: Vec<serde_json::Value> = log
        .lines()
        .filter(|line| line.contains("refused"))
        .map(|line| serde_json::from_str(line).expect("an object"))
        .collect();
    let [wrong, forbidden] = told.as_slice() else {
        panic!("a line for each kind of refusal:\n{log}");
    };
    assert_eq!(wrong["level"], "WARN", "{wrong}");
    assert_eq!(
        (&wrong["peer"], &wrong["user"]),
        (&peer.as_str().into(), &"intruder".into()),
        "{wrong}"
    );
    assert_eq!(
        (&forbidden["peer"], &forbidden["user"]),
        (&peer.as_str().into(), &"guest".into()),
        "{forbidden}"
    );
    assert_eq!(
        (&forbidden["level"], &forbidden["path"]),
        (&"WARN".into(), &"/live".into()),
        "{forbidden}"
    );
    for secret in [
        "hunter2",
        "s3cret",
        "aW50cnVkZXI6aHVudGVyMi1odW50ZXIy",
        "Z3Vlc3Q6",
    ] {
        assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
    }
}

#[test]
fn a_server_that_asks_for_a_log_in_is_healthy() {
    for variables in [
        [("RTSP_AUTHENTICATION", "digest")],
        [("RTSP_AUTHENTICATION", "basic")],
    ] {
        let free = std::net::TcpListener::bind("127.0.0.79:0").expect("a free port");
        let address = free.local_addr().expect("it has one");
        drop(free);
        let set = |command: &mut Command| {
            command
                .env("RTSP_SERVER_IP", address.ip().to_string())
                .env("RTSP_SERVER_PORT", address.port().to_string())
                .env("RTSP_VIEWER_USERNAME", "user")
                .env("RTSP_VIEWER_PASSWORD", "s3cret")
                .envs(variables);
        };
        let mut server = common::process::command();
        set(&mut server);
        let mut server = server
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the server starts");
        let mut check = common::process::command();
        set(&mut check);
        check.arg("--healthcheck").stderr(std::process::Stdio::null());
        let is_healthy = common::holds_within(PATIENCE, || check.status().expect("it runs").success());
        server.kill().expect("it runs");
        server.wait().expect("it ends");
        assert!(is_healthy, "{variables:?}");
    }
}

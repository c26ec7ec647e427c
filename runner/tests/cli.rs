//! The command, as a shell sees it: what it prints where, and how it exits.

mod common;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;

/// A run of the command in an empty directory of its own, and with no variables but those given.
struct Run {
    directory: PathBuf,
    command: Command,
}

impl Run {
    fn new(arguments: &[&str]) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rtsp-clock-server"));
        command.args(arguments).current_dir(&directory).env_clear();
        Self { directory, command }
    }

    fn file(self, name: &str, content: &str) -> Self {
        std::fs::write(self.directory.join(name), content).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Exit status, stdout and stderr.
    fn end(mut self) -> (i32, String, String) {
        let Output {
            status,
            stdout,
            stderr,
        } = self.command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (status.code().unwrap(), text(stdout), text(stderr))
    }

    /// What a run that goes well prints.
    #[track_caller]
    fn prints(self) -> String {
        let (status, stdout, stderr) = self.end();
        assert_eq!(status, 0, "{stderr}");
        stdout
    }

    /// What a run that goes wrong says after the log's lines.
    #[track_caller]
    fn fails(self) -> String {
        let (status, stdout, stderr) = self.end();
        assert_eq!((status, stdout.as_str()), (1, ""), "{stderr}");
        let start = stderr
            .find("rtsp-clock-server: ")
            .unwrap_or_else(|| panic!("{stderr}"));
        stderr[start..].into()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn the_file_is_config_then_the_variable_then_the_usual_one_then_none() {
    let said = |run: Run| {
        let (status, stdout, stderr) = run.end();
        assert_eq!(status, 0, "{stderr}");
        let source = stderr
            .lines()
            .find_map(|line| line.split_once("configuration: "))
            .unwrap()
            .1
            .to_owned();
        (
            source,
            stdout
                .lines()
                .find_map(|line| line.split_once("path "))
                .unwrap()
                .1
                .to_owned(),
        )
    };
    let all = |run: Run| {
        run.file("a.json", r#"{"rtspStreamPath": "/a"}"#)
            .file("b.json", r#"{"rtspStreamPath": "/b"}"#)
            .file("config.json", r#"{"rtspStreamPath": "/usual"}"#)
    };
    let named = all(Run::new(&["--check", "--config", "a.json"])).variable("CONFIG_PATH", "b.json");
    assert_eq!(said(named), ("a.json (--config)".into(), "/a".into()));
    let by_variable = all(Run::new(&["--check"])).variable("CONFIG_PATH", "b.json");
    assert_eq!(said(by_variable), ("b.json (CONFIG_PATH)".into(), "/b".into()));
    let usual = all(Run::new(&["--check"])).variable("CONFIG_PATH", "");
    assert_eq!(said(usual), ("./config.json".into(), "/usual".into()));
    let none = Run::new(&["--check"]);
    assert_eq!(
        said(none),
        ("defaults (there is no ./config.json)".into(), "/live".into())
    );
}

#[test]
fn a_file_that_was_named_and_is_not_there_is_an_error() {
    assert_eq!(
        Run::new(&["--config", "nowhere.json"]).fails(),
        "rtsp-clock-server: error: cannot read nowhere.json (--config): No such file or directory (os error 2)\n"
    );
    assert_eq!(
        Run::new(&["--check"])
            .variable("CONFIG_PATH", "nowhere.json")
            .fails(),
        "rtsp-clock-server: error: cannot read nowhere.json (CONFIG_PATH): No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_usual_file_that_cannot_be_read_is_an_error_and_not_the_defaults() {
    let run = Run::new(&["--check"]);
    std::fs::create_dir(run.directory.join("config.json")).unwrap();
    let said = run.fails();
    let expected = "rtsp-clock-server: error: cannot read ./config.json: Is a directory (os error 21)";
    assert!(said.starts_with(expected), "{said}");
}

#[test]
fn check_says_what_the_configuration_says_and_never_the_password() {
    let run = Run::new(&["--check"])
        .file(
            "config.json",
            r#"{"viewerUsername": "user", "viewerPassword": "hunter2", "serverIPAddress": "::"}"#,
        )
        .variable("RTSP_RTP_PORT_RANGE", "50000-50019")
        .variable("RTSP_H264_GOP", "60");
    let (status, stdout, stderr) = run.end();
    assert_eq!(status, 0);
    assert_eq!(
        stdout,
        "OK: ./config.json\n  listens on      [::]:8554, path /live\n  picture         h264 640x480 at 15 frames a \
         second, key frame interval 60\n  log-in          as \"user\"\n  RTP's UDP ports 50000-50019\n"
    );
    assert!(
        stderr.contains("and from the environment: RTSP_H264_GOP, RTSP_RTP_PORT_RANGE\n"),
        "{stderr}"
    );
    assert!(!stderr.contains("hunter2"), "{stderr}");
}

#[test]
fn check_lists_all_mistakes() {
    let said = Run::new(&["--check"])
        .file("config.json", r#"{"serverPort": 70000, "fps": 25}"#)
        .variable("RTSP_VIDEO_CODEC", "av1")
        .fails();
    assert_eq!(
        said,
        "rtsp-clock-server: error: the configuration has 3 mistakes\n  \
         ./config.json: serverPort: found 70000, expected a whole number from 0 to 65535 (0: any free port), or a text such as \"8553+{n}\"\n  \
         ./config.json: fps: unknown key, did you mean framesPerSecond?\n  \
         RTSP_VIDEO_CODEC: found \"av1\", expected \"h264\", \"h265\", \"mjpeg\", \"vp8\" or \"vp9\"\n"
    );
}

#[test]
fn the_server_does_not_start_with_a_mistake() {
    let said = Run::new(&[]).file("config.json", "{").fails();
    assert_eq!(
        said,
        "rtsp-clock-server: error: the configuration has 1 mistake\n  ./config.json: not JSON: EOF while parsing an \
         object at line 1 column 1\n"
    );
}

#[test]
fn print_launch_prints_one_line_for_the_factory_and_one_for_a_shell() {
    let factory = Run::new(&["--print-launch"]).prints();
    assert!(
        factory.starts_with("( clocksrc name=source ") && factory.ends_with(" )\n"),
        "{factory}"
    );
    assert_eq!(Run::new(&["--print-launch=factory"]).prints(), factory);
    let line = Run::new(&["--print-launch=gst-launch"]).prints();
    assert!(
        line.starts_with("clocksrc name=source ") && line.ends_with(" port=5004\n"),
        "{line}"
    );
    assert_eq!((factory.lines().count(), line.lines().count()), (1, 1));
}

#[test]
fn print_launch_goes_by_the_configuration() {
    let run = Run::new(&["--print-launch"])
        .file("config.json", r#"{"videoCodec": "mjpeg", "framesPerSecond": 50}"#);
    let launch = run.variable("RTSP_VIDEO_RESOLUTION", "320x240").prints();
    assert!(
        launch.contains("lead-time=15000000 ! video/x-raw,format=I420,width=320,height=240,framerate=50/1"),
        "{launch}"
    );
    assert!(launch.contains(" ! jpegenc "), "{launch}");
}

/// GStreamer finds nothing in an empty folder, as on a machine where no package of it is installed.
#[test]
fn what_is_not_installed_is_named_with_debians_package() {
    for (codec, expected) in [
        (
            "h264",
            ["x264enc (Debian package gstreamer1.0-plugins-ugly)", "rtph264pay"],
        ),
        (
            "h265",
            ["x265enc (Debian package gstreamer1.0-plugins-bad)", "rtph265pay"],
        ),
        (
            "mjpeg",
            ["jpegenc (Debian package gstreamer1.0-plugins-good)", "rtpjpegpay"],
        ),
        (
            "vp8",
            ["vp8enc (Debian package gstreamer1.0-plugins-good)", "rtpvp8pay"],
        ),
        (
            "vp9",
            ["vp9enc (Debian package gstreamer1.0-plugins-good)", "rtpvp9pay"],
        ),
    ] {
        let said = Run::new(&[])
            .variable("GST_PLUGIN_SYSTEM_PATH_1_0", ".")
            .variable("GST_REGISTRY_1_0", "registry.bin")
            .variable("RTSP_VIDEO_CODEC", codec)
            .variable("RTSP_SERVER_PORT", "0")
            .fails();
        assert!(
            said.starts_with("rtsp-clock-server: error: GStreamer elements are not installed: "),
            "{said}"
        );
        let [encoder, payloader] = expected;
        let payloader = format!("{payloader} (Debian package gstreamer1.0-plugins-good)");
        assert!(said.contains(encoder) && said.contains(&payloader), "{said}");
    }
}

#[test]
fn a_named_encoder_that_is_not_installed_is_named_with_its_package() {
    let said = Run::new(&[])
        .variable("GST_PLUGIN_SYSTEM_PATH_1_0", ".")
        .variable("GST_REGISTRY_1_0", "registry.bin")
        .variable("RTSP_ENCODER", "nvh264enc")
        .variable("RTSP_SERVER_PORT", "0")
        .fails();
    assert!(
        said.contains("nvh264enc (Debian package gstreamer1.0-plugins-bad)"),
        "{said}"
    );
}

#[test]
fn a_pipeline_of_ones_own_is_checked_at_the_start() {
    let said = |pipeline| {
        Run::new(&[])
            .variable("RTSP_PIPELINE", pipeline)
            .variable("RTSP_SERVER_PORT", "0")
            .fails()
    };
    let unknown = said("clocksrc ! nosuchenc ! rtph264pay name=pay0");
    assert!(
        unknown.contains("GStreamer elements are not installed: nosuchenc"),
        "{unknown}"
    );
    let wrong = said("clocksrc nosuchproperty=1 ! jpegenc ! rtpjpegpay name=pay0");
    assert!(
        wrong.contains("the stream 0.0.0.0:0/live has a pipeline that GStreamer refuses: ")
            && wrong.contains("nosuchproperty"),
        "{wrong}"
    );
    let silent = said("clocksrc ! jpegenc name=pay0 ! fakesink");
    assert_eq!(
        silent,
        "rtsp-clock-server: error: the stream 0.0.0.0:0/live has a pipeline of its own that cannot be served: its element pay0 is \
         no RTP payloader\n"
    );
}

#[test]
fn check_says_how_the_picture_is_coded() {
    let said = |variables: &[(&str, &str)]| {
        let run = variables
            .iter()
            .fold(Run::new(&["--check"]), |run, (name, value)| {
                run.variable(name, value)
            });
        let said = run.prints();
        let picture = said.lines().find_map(|line| line.trim().strip_prefix("picture "));
        picture.unwrap().trim().to_owned()
    };
    assert_eq!(
        said(&[
            ("RTSP_VIDEO_CODEC", "h265"),
            ("RTSP_BITRATE_KBPS", "4000"),
            ("RTSP_CONSTANT_BITRATE", "true"),
            ("RTSP_ENCODER", "x265enc")
        ]),
        "h265 640x480 at 15 frames a second, key frame interval 30, constant 4000 kbit/s, by x265enc"
    );
    assert_eq!(
        said(&[("RTSP_VIDEO_CODEC", "mjpeg")]),
        "mjpeg 640x480 at 15 frames a second, quality 85"
    );
    let own = "clocksrc ! jpegenc ! rtpjpegpay name=pay0";
    assert_eq!(said(&[("RTSP_PIPELINE", own)]), "by a pipeline of its own");
}

#[test]
fn print_schema_prints_json_whatever_the_configuration() {
    let schema = Run::new(&["--print-schema"])
        .file("config.json", "broken")
        .prints();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(schema["properties"]["framesPerSecond"]["default"], 15);
}

#[test]
fn docker_flags_open_the_same_ports_outside_and_inside() {
    assert_eq!(Run::new(&["--print-docker-flags"]).prints(), "-p 8554:8554/tcp\n");
    let run = Run::new(&["--print-docker-flags"]).file("config.json", r#"{"serverPort": 554}"#);
    let flags = run
        .variable("RTSP_DEFAULT_RTP_PORT_RANGE", "50000-50019")
        .prints();
    assert_eq!(flags, "-p 554:554/tcp -p 50000-50019:50000-50019/udp\n");
}

#[test]
fn docker_flags_open_the_port_with_tls_too() {
    let certificate = common::certificate::Certificate::new();
    let run = Run::new(&["--print-docker-flags"])
        .variable("RTSP_TLS_PORT", "8322")
        .variable("RTSP_TLS_CERTIFICATE", &certificate.certificate())
        .variable("RTSP_TLS_PRIVATE_KEY", &certificate.private_key());
    assert_eq!(run.prints(), "-p 8322:8322/tcp -p 8554:8554/tcp\n");
}

#[test]
fn docker_flags_that_could_not_work_are_an_error() {
    let said = Run::new(&["--print-docker-flags"])
        .variable("RTSP_SERVER_PORT", "0")
        .fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: serverPort is 0 "),
        "{said}"
    );
    let said = Run::new(&["--print-docker-flags"])
        .variable("RTSP_SERVER_IP", "127.0.0.1")
        .fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: serverIPAddress is 127.0.0.1, "),
        "{said}"
    );
}

#[test]
fn print_files_prints_absolute_paths_whether_the_files_are_there_or_not() {
    let run = Run::new(&["--print-files", "--config", "other.json"])
        .file(
            "other.json",
            r#"{"serverPort": "no", "logo": "./a b.png", "streams": [{"logo": "a b.png"}]}"#,
        )
        .variable("RTSP_TLS_PRIVATE_KEY", "/nowhere/key.pem")
        .variable("RTSP_TLS_CERTIFICATE", "../certificate.pem");
    let directory = run.directory.display().to_string();
    let mut files = [
        format!("{directory}/../certificate.pem"),
        format!("{directory}/a b.png"),
        "/nowhere/key.pem".into(),
    ];
    files.sort();
    assert_eq!(run.prints(), files.join("\n") + "\n");
}

#[test]
fn print_files_prints_nothing_where_there_is_no_configuration() {
    assert_eq!(Run::new(&["--print-files"]).prints(), "");
    assert_eq!(
        Run::new(&["--print-files"])
            .file("config.json", "broken")
            .prints(),
        ""
    );
    assert_eq!(
        Run::new(&["--print-files", "--config", "nowhere.json"]).prints(),
        ""
    );
}

/// Runs a health check against a server that answers one request with this, and hands back the request.
fn healthcheck(answer: &'static str) -> (Run, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = thread::spawn(move || {
        let mut stream = listener.accept().unwrap().0;
        let request = read_request(&mut stream);
        stream.write_all(answer.as_bytes()).unwrap();
        request
    });
    (
        Run::new(&["--healthcheck"]).variable("RTSP_SERVER_PORT", &port.to_string()),
        server,
    )
}

fn read_request(stream: &mut TcpStream) -> String {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() == 1 {
        request.push(byte[0]);
    }
    String::from_utf8(request).unwrap()
}

#[test]
fn a_server_that_answers_or_asks_for_a_log_in_is_healthy() {
    for answer in [
        "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n",
        "RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n",
    ] {
        let (run, server) = healthcheck(answer);
        run.prints();
        let request = server.join().unwrap();
        assert!(request.starts_with("OPTIONS rtsp://127.0.0.1:"), "{request}");
        assert!(request.contains("/live RTSP/1.0\r\nCSeq: 1\r\n"), "{request}");
    }
}

#[test]
fn any_other_answer_is_no_health_and_shown() {
    for (answer, expected) in [
        (
            "RTSP/1.0 503 Service Unavailable\r\n\r\n",
            " answered \"RTSP/1.0 503 Service Unavailable\"\n",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", " answered \"HTTP/1.1 200 OK\"\n"),
        ("", ": it closed the connection\n"),
    ] {
        let (run, server) = healthcheck(answer);
        let said = run.fails();
        server.join().unwrap();
        assert!(said.ends_with(expected) && said.lines().count() == 1, "{said}");
    }
}

#[test]
fn no_server_is_no_health() {
    // An address of this machine that no other test listens at, so that the port stays free.
    let free = TcpListener::bind("127.0.0.77:0").unwrap().local_addr().unwrap();
    let run = Run::new(&["--healthcheck"]).variable("RTSP_SERVER_IP", "127.0.0.77");
    let said = run.variable("RTSP_SERVER_PORT", &free.port().to_string()).fails();
    assert!(
        said.contains(&format!("no answer from {free}: Connection refused")),
        "{said}"
    );
}

#[test]
fn a_server_that_hangs_is_no_health() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let said = Run::new(&["--healthcheck"])
        .variable("RTSP_SERVER_PORT", &port)
        .fails();
    assert!(
        said.contains(&format!("no answer from 127.0.0.1:{port}: ")),
        "{said}"
    );
}

#[test]
fn help_and_version_go_to_stdout() {
    let help = Run::new(&["--help"]).prints();
    for option in [
        "--config",
        "--check",
        "--print-launch",
        "--print-schema",
        "--print-docker-flags",
        "--print-files",
        "--healthcheck",
    ] {
        assert!(help.contains(option), "{help}");
    }
    let version = Run::new(&["--version"]).prints();
    assert!(
        version.starts_with(concat!("rtsp-clock-server ", env!("CARGO_PKG_VERSION"), " (")),
        "{version}"
    );
}

#[test]
fn a_wrong_command_line_is_an_error_with_status_1() {
    let said = Run::new(&["--chek"]).fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: unexpected argument '--chek' found"),
        "{said}"
    );
    let said = Run::new(&["--check", "--print-schema"]).fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: the argument '--check' cannot be used with"),
        "{said}"
    );
}

#[test]
fn a_wrong_log_level_is_an_error() {
    let said = Run::new(&["--check"]).variable("RUST_LOG", "a=b=c").fails();
    assert!(
        said.starts_with("rtsp-clock-server: error: RUST_LOG cannot be used: "),
        "{said}"
    );
}

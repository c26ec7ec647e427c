//! `--check`: which file is read, and what is said of it.

use super::Run;

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
         second, key frame interval 60\n  log-in          as \"user\"\n  RTP's UDP ports 50000-50019\n  HTTP            http://127.0.0.1:8080/, no token\n"
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

//! config.json and the environment: what they mean, and what is said about each mistake.

use std::path::PathBuf;

use rtsp_clock_server::config::{
    Config, Environment, Error, Loaded, Login, PortRange, VideoCodec, load, schema,
};
use serde_json::{Value, json};

/// A file in a directory of its own, which goes with it.
struct File(PathBuf);

impl File {
    fn new(content: impl AsRef<[u8]>) -> Self {
        use std::sync::atomic::{AtomicU32, Ordering};
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{number}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("c.json");
        std::fs::write(&path, content).unwrap();
        Self(path)
    }

    fn load(&self, variables: &[(&str, &str)]) -> Result<Loaded, Error> {
        load(Some(&self.0), &variables.iter().copied().collect())
    }
}

impl Drop for File {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[track_caller]
fn read(content: &str) -> Config {
    read_with(content, &[])
}

#[track_caller]
fn read_with(content: &str, variables: &[(&str, &str)]) -> Config {
    match File::new(content).load(variables) {
        Ok(loaded) => loaded.config,
        Err(error) => panic!("{content} with {variables:?}: {error}"),
    }
}

/// The mistakes, without the file's path.
#[track_caller]
fn mistakes(content: impl AsRef<[u8]>, variables: &[(&str, &str)]) -> Vec<String> {
    let file = File::new(content);
    match file.load(variables) {
        Err(Error::Mistakes(mistakes)) => {
            let path = format!("{}: ", file.0.display());
            mistakes
                .iter()
                .map(|mistake| mistake.to_string().replace(&path, ""))
                .collect()
        }
        other => panic!("no mistakes but {other:?}"),
    }
}

#[track_caller]
fn mistake(content: &str) -> String {
    let mut all = mistakes(content, &[]);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// What is said about one key's value, save for the key itself.
#[track_caller]
fn refusal(key: &str, value: &Value) -> String {
    let mistake = mistake(&json!({ key: value }).to_string());
    mistake
        .strip_prefix(&format!("{key}: "))
        .unwrap_or_else(|| panic!("{mistake}"))
        .to_owned()
}

#[test]
fn an_empty_object_means_the_defaults() {
    let config = read("{}");
    assert_eq!(config, Config::default());
    assert_eq!(config.address.to_string(), "0.0.0.0");
    assert_eq!(
        (config.port, config.rtp_ports, &config.login),
        (8554, None, &None)
    );
    let stream = config.stream;
    assert_eq!((stream.path.as_str(), stream.codec), ("/live", VideoCodec::H264));
    assert_eq!((stream.width, stream.height), (640, 480));
    assert_eq!(
        (stream.frames_per_second, stream.h264_key_frame_interval),
        (15, 30)
    );
}

#[test]
fn every_key_has_its_say() {
    let config = read(
        r#"{"viewerUsername": "user", "viewerPassword": "password", "serverIPAddress": "::1", "serverPort": 554,
            "videoCodec": "mjpeg", "videoResolution": "1280x720", "framesPerSecond": 25, "h264IFrameInterval": 50,
            "rtspStreamPath": "/cam/1", "rtpPortRange": "50000-50019"}"#,
    );
    assert_eq!(config.address.to_string(), "::1");
    assert_eq!(config.port, 554);
    assert_eq!(
        config.login,
        Some(Login {
            username: "user".into(),
            password: "password".into()
        })
    );
    assert_eq!(
        config.rtp_ports,
        Some(PortRange {
            first: 50000,
            last: 50019
        })
    );
    let stream = config.stream;
    assert_eq!(
        (stream.path.as_str(), stream.codec),
        ("/cam/1", VideoCodec::Mjpeg)
    );
    assert_eq!((stream.width, stream.height), (1280, 720));
    assert_eq!(
        (stream.frames_per_second, stream.h264_key_frame_interval),
        (25, 50)
    );
}

#[test]
fn every_variable_overrides_the_file() {
    let file =
        File::new(r#"{"viewerUsername": "a", "videoCodec": "h264", "framesPerSecond": 1, "serverPort": 1}"#);
    let variables = [
        ("RTSP_VIEWER_USERNAME", "user"),
        ("RTSP_VIEWER_PASSWORD", "password"),
        ("RTSP_SERVER_IP", "127.0.0.1"),
        ("RTSP_SERVER_PORT", "0"),
        ("RTSP_VIDEO_CODEC", "mjpeg"),
        ("RTSP_VIDEO_RESOLUTION", "320x240"),
        ("RTSP_FPS", "30"),
        ("RTSP_H264_GOP", "60"),
        ("RTSP_STREAM_PATH", "/"),
        ("RTSP_RTP_PORT_RANGE", "1024-1025"),
    ];
    let loaded = file.load(&variables).unwrap();
    assert_eq!(loaded.variables, variables.map(|(name, _)| name));
    let config = loaded.config;
    assert_eq!(config.address.to_string(), "127.0.0.1");
    assert_eq!(config.port, 0);
    assert_eq!(
        config.login,
        Some(Login {
            username: "user".into(),
            password: "password".into()
        })
    );
    assert_eq!(
        config.rtp_ports,
        Some(PortRange {
            first: 1024,
            last: 1025
        })
    );
    let stream = config.stream;
    assert_eq!((stream.path.as_str(), stream.codec), ("/", VideoCodec::Mjpeg));
    assert_eq!((stream.width, stream.height), (320, 240));
    assert_eq!(
        (stream.frames_per_second, stream.h264_key_frame_interval),
        (30, 60)
    );
}

#[test]
fn an_empty_variable_counts_as_unset_for_what_cannot_be_empty() {
    let names = [
        "RTSP_SERVER_IP",
        "RTSP_SERVER_PORT",
        "RTSP_VIDEO_CODEC",
        "RTSP_VIDEO_RESOLUTION",
        "RTSP_FPS",
        "RTSP_H264_GOP",
        "RTSP_STREAM_PATH",
    ];
    let loaded = File::new(r#"{"framesPerSecond": 7}"#)
        .load(&names.map(|name| (name, "")))
        .unwrap();
    assert!(loaded.variables.is_empty(), "{:?}", loaded.variables);
    assert_eq!(loaded.config.stream.frames_per_second, 7);
}

#[test]
fn an_empty_variable_takes_away_the_log_in_and_the_port_range() {
    let file = r#"{"viewerUsername": "user", "viewerPassword": "password", "rtpPortRange": "50000-50019"}"#;
    let variables = [
        ("RTSP_VIEWER_USERNAME", ""),
        ("RTSP_VIEWER_PASSWORD", ""),
        ("RTSP_RTP_PORT_RANGE", ""),
    ];
    let config = read_with(file, &variables);
    assert_eq!((config.login, config.rtp_ports), (None, None));
}

#[test]
fn the_file_overrides_a_container_images_port_range() {
    let image = ("RTSP_DEFAULT_RTP_PORT_RANGE", "50000-50019");
    let first = |content, variables: &[_]| read_with(content, variables).rtp_ports.map(|ports| ports.first);
    assert_eq!(first("{}", &[image]), Some(50000));
    assert_eq!(first(r#"{"rtpPortRange": "40000-40001"}"#, &[image]), Some(40000));
    assert_eq!(first(r#"{"rtpPortRange": ""}"#, &[image]), None);
    assert_eq!(
        first("{}", &[image, ("RTSP_RTP_PORT_RANGE", "30000-30001")]),
        Some(30000)
    );
}

#[test]
fn a_log_in_that_is_half_there_is_warned_about() {
    let warnings = |content: &str| File::new(content).load(&[]).unwrap().warnings;
    let open = warnings(r#"{"viewerPassword": "hunter2"}"#);
    assert_eq!(
        open,
        ["viewerPassword is set and viewerUsername is not: everybody may watch"]
    );
    let weak = warnings(r#"{"viewerUsername": "user"}"#);
    assert_eq!(
        weak,
        ["viewerUsername is set and viewerPassword is not: the log-in has an empty password"]
    );
}

#[test]
fn a_variable_that_looks_like_ours_is_warned_about() {
    let variables = [
        ("RTSP_RESOLUTION", "1x1"),
        ("RTSP_TRANSPORT", "tcp"),
        ("FPS", "1"),
    ];
    let warnings = File::new("{}").load(&variables).unwrap().warnings;
    assert_eq!(
        warnings,
        ["the variable RTSP_RESOLUTION has no meaning here, did you mean RTSP_VIDEO_RESOLUTION?"]
    );
}

#[test]
fn all_mistakes_are_reported_at_once_and_in_order() {
    let content =
        r#"{"serverPort": "8554", "videoResolution": "big", "framesPersecond": 25, "framesPerSecond": 0}"#;
    let all = mistakes(
        content,
        &[("RTSP_VIDEO_CODEC", "h265"), ("RTSP_H264_GOP", "many")],
    );
    assert_eq!(
        all,
        [
            r#"serverPort: found "8554", expected a whole number from 0 to 65535 (0: any free port)"#,
            r#"videoResolution: found "big", expected WIDTHxHEIGHT such as "1280x720", 32 to 7680 px wide and 32 to 4320 px high"#,
            "framesPersecond: unknown key, did you mean framesPerSecond?",
            "framesPerSecond: found 0, expected a whole number from 1 to 240",
            r#"RTSP_VIDEO_CODEC: found "h265", expected "h264" or "mjpeg""#,
            r#"RTSP_H264_GOP: found "many", expected a whole number from 1 to 3600"#,
        ]
    );
}

#[test]
fn mistakes_are_shown_a_line_each_with_the_file() {
    let file = File::new(r#"{"serverPort": -1, "framesPerSecond": 1.5}"#);
    let path = file.0.display();
    assert_eq!(
        file.load(&[]).unwrap_err().to_string(),
        format!(
            "the configuration has 2 mistakes\n  {path}: serverPort: found -1, expected a whole number from 0 to 65535 \
             (0: any free port)\n  {path}: framesPerSecond: found 1.5, expected a whole number from 1 to 240"
        )
    );
}

#[test]
fn an_unknown_key_brings_the_one_that_was_meant() {
    for (unknown, meant) in [
        ("serverport", "serverPort"),
        ("port", "serverPort"),
        ("fps", "framesPerSecond"),
        ("RTSP_FPS", "framesPerSecond"),
        ("gop", "h264IFrameInterval"),
        ("videoResoluton", "videoResolution"),
        ("username", "viewerUsername"),
        ("serverIpAdress", "serverIPAddress"),
        ("path", "rtspStreamPath"),
    ] {
        let said = mistake(&json!({ unknown: 1 }).to_string());
        assert_eq!(said, format!("{unknown}: unknown key, did you mean {meant}?"));
    }
    assert_eq!(
        mistake(r#"{"colour": 1}"#),
        "colour: unknown key, expected one of viewerUsername, viewerPassword, serverIPAddress, serverPort, videoCodec, \
         videoResolution, framesPerSecond, h264IFrameInterval, rtspStreamPath, rtpPortRange"
    );
}

#[test]
fn a_strange_key_does_no_harm_to_a_terminal() {
    let said = mistake("{\"\\u001b[31mfps\": 1}");
    assert!(said.starts_with(r#""\u{1b}[31mfps": unknown key"#), "{said}");
}

#[test]
fn a_repeated_key_is_a_mistake_with_all_its_values() {
    let said = mistake(r#"{"framesPerSecond": 25, "serverPort": 1, "framesPerSecond": 30}"#);
    assert_eq!(said, "framesPerSecond: found 2 times (25, 30), expected once");
}

#[test]
fn a_password_is_never_shown() {
    const SECRET: &str = "hunter2";
    let long = SECRET.repeat(100);
    for content in [
        format!(r#"{{"viewerPassword": ["{SECRET}"]}}"#),
        format!(r#"{{"viewerPassword": "{SECRET}\n"}}"#),
        format!(r#"{{"viewerPassword": "{long}"}}"#),
        format!(r#"{{"viewerPassword": "{SECRET}", "viewerPassword": "{SECRET}"}}"#),
        format!(r#"{{"viewerPasword": "{SECRET}"}}"#),
        format!(r#"{{"viewerPassword": "{SECRET}" "serverPort": 1}}"#),
    ] {
        let all = mistakes(&content, &[]);
        assert!(!all.concat().contains(SECRET), "{all:?}");
    }
    let all = mistakes("{}", &[("RTSP_VIEWER_PASSWORD", "hunter2\n")]);
    assert!(
        all[0].starts_with("RTSP_VIEWER_PASSWORD: found a text, expected a text of at most 255"),
        "{all:?}"
    );
    let loaded = File::new(format!(
        r#"{{"viewerUsername": "u", "viewerPassword": "{SECRET}"}}"#
    ))
    .load(&[])
    .unwrap();
    assert!(!format!("{loaded:?}").contains(SECRET), "{loaded:?}");
}

#[test]
fn a_syntax_error_has_line_and_column() {
    assert_eq!(
        mistake("{\n  \"serverPort\": 8554,\n}"),
        "not JSON: trailing comma at line 3 column 1"
    );
    assert_eq!(
        mistake(""),
        "not JSON: EOF while parsing a value at line 1 column 0"
    );
}

#[test]
fn a_file_that_is_no_object_is_a_mistake() {
    assert_eq!(mistake("[1]"), "found an array, expected an object {…}");
    assert_eq!(mistake("null"), "found null, expected an object {…}");
}

#[test]
fn a_file_that_is_not_utf_8_is_a_mistake() {
    let said = mistakes(b"{\"viewerUsername\": \"\xE9\"}", &[]);
    assert_eq!(said, ["not JSON: invalid unicode code point at line 1 column 21"]);
}

#[test]
fn a_variable_that_is_not_utf_8_is_a_mistake_and_not_shown() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;
    let environment: Environment = [(
        "RTSP_VIEWER_PASSWORD",
        OsString::from_vec(b"hunter2\xFF".to_vec()),
    )]
    .into_iter()
    .collect();
    let file = File::new("{}");
    let error = load(Some(&file.0), &environment).unwrap_err().to_string();
    assert_eq!(
        error,
        "the configuration has 1 mistake\n  RTSP_VIEWER_PASSWORD: its value is not UTF-8"
    );
}

#[test]
fn every_type_is_held_to() {
    for key in ["serverPort", "framesPerSecond", "h264IFrameInterval"] {
        for value in [
            json!(null),
            json!(true),
            json!("1"),
            json!(1.5),
            json!(-1),
            json!(4_294_967_297_u64),
            json!([]),
        ] {
            assert!(
                refusal(key, &value).contains(", expected a whole number from "),
                "{key} {value}"
            );
        }
    }
    for key in [
        "viewerUsername",
        "serverIPAddress",
        "videoCodec",
        "videoResolution",
        "rtspStreamPath",
        "rtpPortRange",
    ] {
        for value in [json!(null), json!(false), json!(1), json!({})] {
            let shown = match value {
                Value::Object(_) => "an object".into(),
                ref value => value.to_string(),
            };
            assert!(
                refusal(key, &value).starts_with(&format!("found {shown}, expected ")),
                "{key} {value}"
            );
        }
    }
}

#[test]
fn the_limits_themselves_are_allowed_and_what_lies_behind_them_is_not() {
    for (key, allowed, refused) in [
        ("serverPort", [json!(0), json!(65535)], json!(65536)),
        ("framesPerSecond", [json!(1), json!(240)], json!(241)),
        ("h264IFrameInterval", [json!(1), json!(3600)], json!(3601)),
        (
            "videoResolution",
            [json!("32x32"), json!("7680x4320")],
            json!("7682x4320"),
        ),
        (
            "rtpPortRange",
            [json!("1024-1025"), json!("65534-65535")],
            json!("1022-1023"),
        ),
    ] {
        for value in allowed {
            read(&json!({ key: value }).to_string());
        }
        refusal(key, &refused);
    }
}

#[test]
fn texts_that_are_not_what_they_should_be_are_refused() {
    for (key, values) in [
        (
            "viewerUsername",
            &["a:b", "a\"b", "a\\b", "a\nb", "\0"] as &[&str],
        ),
        (
            "serverIPAddress",
            &[
                "",
                "localhost",
                "1.2.3",
                "1.2.3.4:80",
                "224.0.0.1",
                "[::1]",
                " 1.2.3.4",
            ],
        ),
        ("videoCodec", &["", "H264", "h265", "vp8"]),
        (
            "videoResolution",
            &[
                "",
                "640",
                "640x",
                "x480",
                "640X480",
                "640x480x1",
                " 640x480",
                "+640x480",
                "640x31",
            ],
        ),
        (
            "rtspStreamPath",
            &[
                "", "live", "/a b", "/a?b", "/a#b", "/é", "/a/", "//a", "/a//b", "/a/../b", "/.", "/a\n",
            ],
        ),
        (
            "rtpPortRange",
            &[
                "50000",
                "50001-50010",
                "50000-50000",
                "50010-50000",
                "50000-65536",
                "50000 - 50019",
            ],
        ),
    ] {
        for value in values {
            refusal(key, &json!(value));
        }
    }
}

#[test]
fn h264_takes_even_sizes_only() {
    assert_eq!(
        mistakes(
            r#"{"videoResolution": "641x480"}"#,
            &[("RTSP_VIDEO_CODEC", "h264")]
        ),
        [
            "videoResolution: found 641x480, which videoCodec h264 (RTSP_VIDEO_CODEC) cannot carry: width and height must \
          be even, as colour is sent for every second pixel and line"
        ]
    );
    assert_eq!(mistakes(r#"{"videoResolution": "640x481"}"#, &[]).len(), 1);
    read(r#"{"videoResolution": "642x482"}"#);
}

#[test]
fn mjpeg_takes_what_rfc_2435_can_say() {
    assert_eq!(
        mistakes(r#"{"videoCodec": "mjpeg", "videoResolution": "2048x1080"}"#, &[]),
        [
            "videoResolution: found 2048x1080, which videoCodec mjpeg (videoCodec) cannot carry: RTP carries JPEG (RFC \
          2435) with width and height in multiples of 8 and up to 2040 px"
        ]
    );
    for refused in ["644x480", "640x484", "640x2048"] {
        assert_eq!(
            mistakes(
                json!({"videoCodec": "mjpeg", "videoResolution": refused}).to_string(),
                &[]
            )
            .len(),
            1
        );
    }
    read(r#"{"videoCodec": "mjpeg", "videoResolution": "2040x2040"}"#);
    read(r#"{"videoCodec": "mjpeg", "videoResolution": "648x488"}"#);
}

#[test]
fn a_size_is_not_held_against_a_codec_that_is_a_mistake() {
    let all = mistakes(r#"{"videoCodec": "h265", "videoResolution": "641x480"}"#, &[]);
    assert_eq!(all, [r#"videoCodec: found "h265", expected "h264" or "mjpeg""#]);
}

/// The repository's sample, which is also what the schema is about.
fn sample() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_sample_is_the_seeds_example_with_an_open_camera() {
    let config = read(&sample().to_string());
    assert_eq!(config.login, None);
    assert_eq!(
        (config.address.to_string().as_str(), config.port),
        ("0.0.0.0", 8554)
    );
    let stream = config.stream;
    assert_eq!((stream.path.as_str(), stream.codec), ("/live", VideoCodec::H264));
    assert_eq!((stream.width, stream.height), (1280, 720));
    assert_eq!(
        (stream.frames_per_second, stream.h264_key_frame_interval),
        (25, 50)
    );
}

#[test]
fn the_schema_has_the_seeds_nine_keys_and_the_port_range() {
    let schema = schema::schema().to_value();
    let keys: Vec<&str> = schema["properties"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let sample = sample();
    let seeds: Vec<&str> = sample.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(seeds.len(), 9);
    assert_eq!(keys, [seeds.as_slice(), &["rtpPortRange"]].concat());
    assert_eq!(schema["additionalProperties"], json!(false));
}

#[test]
fn the_schemas_defaults_are_the_servers() {
    let schema = schema::schema().to_value();
    let properties = schema["properties"].as_object().unwrap();
    let defaults: Value = properties
        .iter()
        .map(|(key, value)| (key.clone(), value["default"].clone()))
        .collect();
    assert_eq!(read(&defaults.to_string()), Config::default(), "{defaults}");
    assert!(
        properties.values().all(|value| value["description"].is_string()),
        "{schema:#}"
    );
}

/// The schema's limits are the reader's: what lies on them is read, what lies behind them is refused.
#[test]
fn the_schemas_limits_are_the_servers() {
    let schema = schema::schema().to_value();
    for key in ["serverPort", "framesPerSecond", "h264IFrameInterval"] {
        let limit = |name: &str| schema["properties"][key][name].as_i64().unwrap();
        let (minimum, maximum) = (limit("minimum"), limit("maximum"));
        for inside in [minimum, maximum] {
            read(&json!({ key: inside }).to_string());
        }
        for outside in [minimum - 1, maximum + 1] {
            refusal(key, &json!(outside));
        }
    }
    assert_eq!(schema["properties"]["viewerUsername"]["maxLength"], json!(255));
    let pattern = schema["properties"]["viewerUsername"]["pattern"]
        .as_str()
        .unwrap();
    assert!(pattern.starts_with(r#"^[^:"\\"#), "{pattern}");
    read(&json!({"viewerUsername": "é".repeat(255)}).to_string());
    refusal("viewerUsername", &json!("é".repeat(256)));
}

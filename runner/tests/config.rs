//! config.json and the environment: what they mean, and what is said about each mistake.

use std::path::PathBuf;

use rtsp_clock_server::config::{
    AudioCodec, ClockSource, Config, Corner, Encoder, Environment, Error, Loaded, Login, PortRange, Stamp,
    VideoCodec, load, schema,
};
use rtsp_clock_server::log;
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
    assert_eq!(config.streams[0].mounts[0].address.to_string(), "0.0.0.0");
    assert_eq!(
        (config.streams[0].mounts[0].port, config.rtp_ports, &config.login),
        (8554, None, &None)
    );
    let stream = &config.streams[0];
    assert_eq!(
        (stream.mounts[0].path.as_str(), stream.codec),
        ("/live", VideoCodec::H264)
    );
    assert_eq!((stream.width, stream.height), (640, 480));
    assert_eq!((stream.frames_per_second, stream.key_frame_interval), (15, 30));
    assert_eq!(
        (stream.stamp, stream.stamp_position, stream.stamp_id, stream.flash),
        (Stamp::None, Corner::TopRight, 0, false)
    );
}

#[test]
fn every_key_has_its_say() {
    let config = read(
        r#"{"viewerUsername": "user", "viewerPassword": "password", "serverIPAddress": "::1", "serverPort": 554,
            "videoCodec": "mjpeg", "videoResolution": "1280x720", "framesPerSecond": 25, "h264IFrameInterval": 50,
            "rtspStreamPath": "/cam/1", "rtpPortRange": "50000-50019",
            "stamp": "qr", "stampPosition": "bottom-left", "stampId": 99999, "flash": true}"#,
    );
    assert_eq!(config.streams[0].mounts[0].address.to_string(), "::1");
    assert_eq!(config.streams[0].mounts[0].port, 554);
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
    let stream = &config.streams[0];
    assert_eq!(
        (stream.mounts[0].path.as_str(), stream.codec),
        ("/cam/1", VideoCodec::Mjpeg)
    );
    assert_eq!((stream.width, stream.height), (1280, 720));
    assert_eq!((stream.frames_per_second, stream.key_frame_interval), (25, 50));
    assert_eq!(
        (stream.stamp, stream.stamp_position, stream.stamp_id, stream.flash),
        (Stamp::Qr, Corner::BottomLeft, 99_999, true)
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
        ("RTSP_STAMP", "qr"),
        ("RTSP_STAMP_POSITION", "top-left"),
        ("RTSP_STAMP_ID", "3"),
        ("RTSP_FLASH", "true"),
        ("RTSP_LOG_LEVEL", "warn,gstreamer=off"),
        ("RTSP_LOG_FORMAT", "json"),
        ("RTSP_JPEG_QUALITY", "40"),
        ("RTSP_CONSTANT_BITRATE", "false"),
        ("RTSP_ENCODER", "jpegenc"),
        ("RTSP_AUTHENTICATION", "digest"),
        ("RTSP_RELOAD", "true"),
    ];
    let loaded = file.load(&variables).unwrap();
    assert_eq!(loaded.variables, variables.map(|(name, _)| name));
    let config = loaded.config;
    assert_eq!(config.streams[0].mounts[0].address.to_string(), "127.0.0.1");
    assert_eq!(config.streams[0].mounts[0].port, 0);
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
    let stream = &config.streams[0];
    assert_eq!(
        (stream.mounts[0].path.as_str(), stream.codec),
        ("/", VideoCodec::Mjpeg)
    );
    assert_eq!((stream.width, stream.height), (320, 240));
    assert_eq!((stream.frames_per_second, stream.key_frame_interval), (30, 60));
    assert_eq!(
        (stream.stamp, stream.stamp_position, stream.stamp_id, stream.flash),
        (Stamp::Qr, Corner::TopLeft, 3, true)
    );
    assert_eq!(
        (stream.jpeg_quality, stream.encoder.clone()),
        (40, Encoder::Named("jpegenc".into()))
    );
}

#[test]
fn the_codings_keys_and_variables_have_their_say() {
    let stream = read(
        r#"{"videoCodec": "h265", "keyFrameInterval": 7, "bitrateKbps": 4000, "constantBitrate": true,
            "encoder": "x265enc"}"#,
    )
    .streams
    .remove(0);
    assert_eq!(
        (stream.codec, stream.key_frame_interval, stream.bitrate_kbps),
        (VideoCodec::H265, 7, Some(4000))
    );
    assert!(stream.constant_bitrate);
    assert_eq!(stream.encoder, Encoder::Named("x265enc".into()));
    let variables = [
        ("RTSP_KEY_FRAME_INTERVAL", "8"),
        ("RTSP_BITRATE_KBPS", "500"),
        ("RTSP_CONSTANT_BITRATE", "true"),
        ("RTSP_ENCODER", "auto"),
    ];
    let stream = read_with(r#"{"h264IFrameInterval": 7, "encoder": "x264enc"}"#, &variables)
        .streams
        .remove(0);
    assert_eq!(
        (
            stream.key_frame_interval,
            stream.bitrate_kbps,
            stream.constant_bitrate
        ),
        (8, Some(500), true)
    );
    assert_eq!(stream.encoder, Encoder::Auto);
    for codec in VideoCodec::ALL {
        assert_eq!(
            read(&json!({"videoCodec": codec.to_string()}).to_string()).streams[0].codec,
            codec
        );
    }
}

#[test]
fn a_key_beside_its_older_name_is_a_mistake_that_names_both() {
    assert_eq!(
        mistake(r#"{"h264IFrameInterval": 50, "keyFrameInterval": 50}"#),
        "h264IFrameInterval: found beside keyFrameInterval, of which it is the older name, expected one of them"
    );
    assert_eq!(
        mistakes(
            "{}",
            &[("RTSP_H264_GOP", "50"), ("RTSP_KEY_FRAME_INTERVAL", "50")]
        ),
        [
            "RTSP_H264_GOP: found beside RTSP_KEY_FRAME_INTERVAL, of which it is the older name, expected one of them"
        ]
    );
    // A variable overrides the file, by whichever name.
    let interval = |file, variable| read_with(file, &[(variable, "9")]).streams[0].key_frame_interval;
    assert_eq!(interval(r#"{"keyFrameInterval": 50}"#, "RTSP_H264_GOP"), 9);
    assert_eq!(
        interval(r#"{"h264IFrameInterval": 50}"#, "RTSP_KEY_FRAME_INTERVAL"),
        9
    );
}

#[test]
fn an_encoder_is_one_of_its_codec() {
    assert_eq!(
        mistakes(r#"{"encoder": "x265enc"}"#, &[("RTSP_VIDEO_CODEC", "vp8")]),
        [
            "encoder: found \"x265enc\", which is not known to encode videoCodec vp8 (RTSP_VIDEO_CODEC), expected \"auto\" or \
             one of vp8enc, v4l2vp8enc; any other goes into a pipeline of one's own (pipeline)"
        ]
    );
    for named in ["x264enc", "openh264enc", "vah264enc", "nvh264enc", "v4l2h264enc"] {
        read(&json!({ "encoder": named }).to_string());
    }
    for value in ["", "x264enc ! fakesink", "x264enc tune=4"] {
        let said = refusal("encoder", &json!(value));
        assert!(
            said.contains("expected \"auto\" or the name of a GStreamer element"),
            "{said}"
        );
    }
}

#[test]
fn a_bitrate_is_for_codecs_that_can_aim_at_one() {
    assert_eq!(
        mistake(r#"{"videoCodec": "mjpeg", "bitrateKbps": 4000}"#),
        "bitrateKbps: found 4000, which videoCodec mjpeg (videoCodec) has no way to aim at: its size is set by quality"
    );
    let constant = |more: &str| mistake(&format!(r#"{{"constantBitrate": true, {more}}}"#));
    assert_eq!(
        constant(r#""videoCodec": "vp9", "bitrateKbps": 4000"#),
        "constantBitrate: found true, and videoCodec vp9 (videoCodec) cannot be filled up, expected false, or videoCodec \
         h264 or h265"
    );
    assert_eq!(
        constant(r#""encoder": "openh264enc", "bitrateKbps": 4000"#),
        "constantBitrate: found true, and the encoder openh264enc (encoder) does not fill up, expected false, or encoder \
         x264enc"
    );
    assert_eq!(
        mistake(r#"{"constantBitrate": true}"#),
        "constantBitrate: found true, and no bitrateKbps that says how much that is"
    );
}

#[test]
fn a_quality_without_mjpeg_is_warned_about() {
    let warnings = |content: &str| File::new(content).load(&[]).unwrap().warnings;
    assert_eq!(
        warnings(r#"{"quality": 50}"#),
        ["quality is that of mjpeg, and has no effect with videoCodec h264"]
    );
    assert_eq!(warnings(r#"{"quality": 50, "videoCodec": "mjpeg"}"#), [""; 0]);
}

#[test]
fn a_pipeline_of_ones_own_says_all_about_the_picture() {
    const PIPELINE: &str = "clocksrc ! x264enc ! rtph264pay name=pay0";
    let file =
        json!({"pipeline": PIPELINE, "videoResolution": "641x480", "stamp": "qr", "rtspStreamPath": "/a"});
    let loaded = File::new(file.to_string()).load(&[]).unwrap();
    assert_eq!(loaded.config.streams[0].pipeline.as_deref(), Some(PIPELINE));
    assert_eq!(
        loaded.warnings,
        ["pipeline says all about the picture: no effect has videoResolution, stamp"]
    );
    assert_eq!(
        read_with("{}", &[("RTSP_PIPELINE", PIPELINE)]).streams[0]
            .pipeline
            .as_deref(),
        Some(PIPELINE)
    );
    let file = json!({ "pipeline": PIPELINE }).to_string();
    assert_eq!(
        read_with(&file, &[("RTSP_PIPELINE", "")]).streams[0].pipeline,
        None
    );
    let loud = format!("{PIPELINE} clocktone ! opusenc ! rtpopuspay name=pay1");
    assert_eq!(
        mistake(&json!({"pipeline": loud, "audio": "aac"}).to_string()),
        "audio: found \"aac\" beside a pipeline (pipeline) with sound of its own (pay1), expected \"none\""
    );
    for lacking in ["clocksrc", "videotestsrc ! x264enc ! rtph264pay name=pay0"] {
        let said = refusal("pipeline", &json!(lacking));
        assert!(
            said.contains("expected a launch string with a clocksrc and a payloader named pay0 in it"),
            "{said}"
        );
    }
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
        "RTSP_STAMP",
        "RTSP_STAMP_POSITION",
        "RTSP_STAMP_ID",
        "RTSP_FLASH",
        "RTSP_LOG_LEVEL",
        "RTSP_LOG_FORMAT",
        "RTSP_RELOAD",
    ];
    let loaded = File::new(r#"{"framesPerSecond": 7}"#)
        .load(&names.map(|name| (name, "")))
        .unwrap();
    assert!(loaded.variables.is_empty(), "{:?}", loaded.variables);
    assert_eq!(loaded.config.streams[0].frames_per_second, 7);
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
    let variables = [("RTSP_RESOLUTION", "1x1"), ("RTSP_SEEK", "1"), ("FPS", "1")];
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
    let all = mistakes(content, &[("RTSP_VIDEO_CODEC", "av1"), ("RTSP_H264_GOP", "many")]);
    assert_eq!(
        all,
        [
            r#"serverPort: found "8554", expected a whole number from 0 to 65535 (0: any free port), or a text such as "8553+{n}""#,
            r#"videoResolution: found "big", expected WIDTHxHEIGHT such as "1280x720", 32 to 7680 px wide and 32 to 4320 px high"#,
            "framesPersecond: unknown key, did you mean framesPerSecond?",
            "framesPerSecond: found 0, expected a whole number from 1 to 240",
            r#"RTSP_VIDEO_CODEC: found "av1", expected "h264", "h265", "mjpeg", "vp8" or "vp9""#,
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
             (0: any free port), or a text such as \"8553+{{n}}\"\n  {path}: framesPerSecond: found 1.5, expected a whole number from 1 to 240"
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
        ("h264Interval", "h264IFrameInterval"),
        ("bitrate", "bitrateKbps"),
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
         videoResolution, framesPerSecond, h264IFrameInterval, rtspStreamPath, rtpPortRange, stamp, stampPosition, \
         stampId, flash, audio, label, timeFormat, timeZone, font, textColor, backgroundColor, clientsFormat, \
         horizontalAlignment, verticalAlignment, textScale, logo, logoPosition, logoScale, alwaysOn, count, \
         sharedPicture, logLevel, logFormat, keyFrameInterval, bitrateKbps, quality, constantBitrate, encoder, \
         pipeline, transports, multicastAddressRange, multicastPortRange, multicastTtl, tlsPort, tlsCertificate, \
         tlsPrivateKey, plainRtsp, authentication, sessionTimeoutSeconds, maxViewers, maxServerViewers, clock, \
         ntpExtension, reload, users, streams"
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
    for key in [
        "serverPort",
        "framesPerSecond",
        "h264IFrameInterval",
        "stampId",
        "keyFrameInterval",
        "bitrateKbps",
        "quality",
        "sessionTimeoutSeconds",
        "maxViewers",
        "maxServerViewers",
    ] {
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
        "stamp",
        "stampPosition",
        "logLevel",
        "logFormat",
        "encoder",
        "pipeline",
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
        ("stampId", [json!(0), json!(99_999)], json!(100_000)),
        ("keyFrameInterval", [json!(1), json!(3600)], json!(3601)),
        ("bitrateKbps", [json!(16), json!(100_000)], json!(100_001)),
        ("quality", [json!(1), json!(100)], json!(101)),
        ("sessionTimeoutSeconds", [json!(5), json!(3600)], json!(4)),
        ("maxViewers", [json!(1), json!(10_000)], json!(10_001)),
        ("maxServerViewers", [json!(1), json!(10_000)], json!(0)),
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
        ("videoCodec", &["", "H264", "av1", "VP8"]),
        ("stamp", &["", "QR", "aztec"]),
        ("stampPosition", &["", "topRight", "top_right", "right"]),
        ("flash", &["", "true", "on"]),
        ("reload", &["", "true", "on"]),
        (
            "logLevel",
            &["", "inof", "INFO", "3", "info,debug", "gstreamer=loud"],
        ),
        ("logFormat", &["", "JSON", "xml"]),
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
fn all_codecs_but_mjpeg_take_even_sizes_only() {
    for codec in ["h265", "vp8", "vp9"] {
        let said = mistake(&json!({"videoCodec": codec, "videoResolution": "640x481"}).to_string());
        assert!(
            said.ends_with("colour is sent for every second pixel and line"),
            "{said}"
        );
        read(&json!({"videoCodec": codec, "videoResolution": "7680x4320"}).to_string());
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
fn a_picture_without_room_for_its_stamp_is_a_mistake() {
    read(r#"{"stamp": "qr", "videoResolution": "66x166"}"#);
    read(r#"{"stamp": "none", "videoResolution": "160x120"}"#);
    for size in ["320x164", "64x480"] {
        assert_eq!(
            mistakes(
                format!(r#"{{"videoResolution": "{size}"}}"#),
                &[("RTSP_STAMP", "qr")]
            ),
            [format!(
                "RTSP_STAMP: found \"qr\", for which videoResolution {size} (videoResolution) has no room: a picture with \
                 a stamp is at least 66 px wide and 165 px high; expected \"none\" or a larger picture"
            )]
        );
    }
}

#[test]
fn a_truth_value_is_true_or_false() {
    for value in [json!(null), json!(1), json!("true"), json!([])] {
        let said = refusal("flash", &value);
        assert!(said.ends_with(", expected true or false"), "{said}");
    }
    assert_eq!(
        mistakes("{}", &[("RTSP_FLASH", "yes")]),
        [r#"RTSP_FLASH: found "yes", expected true or false"#]
    );
    assert!(!read_with(r#"{"flash": true}"#, &[("RTSP_FLASH", "false")]).streams[0].flash);
}

#[test]
fn a_size_is_not_held_against_a_codec_that_is_a_mistake() {
    let all = mistakes(r#"{"videoCodec": "av1", "videoResolution": "641x480"}"#, &[]);
    assert_eq!(
        all,
        [r#"videoCodec: found "av1", expected "h264", "h265", "mjpeg", "vp8" or "vp9""#]
    );
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
        (
            config.streams[0].mounts[0].address.to_string().as_str(),
            config.streams[0].mounts[0].port
        ),
        ("0.0.0.0", 8554)
    );
    let stream = &config.streams[0];
    assert_eq!(
        (stream.mounts[0].path.as_str(), stream.codec),
        ("/live", VideoCodec::H264)
    );
    assert_eq!((stream.width, stream.height), (1280, 720));
    assert_eq!((stream.frames_per_second, stream.key_frame_interval), (25, 50));
}

#[test]
fn the_schema_has_the_seeds_nine_keys_and_those_that_came_later() {
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
    let missing: Vec<_> = seeds.iter().filter(|key| !keys.contains(key)).collect();
    assert_eq!(missing, Vec::<&&str>::new());
    let later: Vec<_> = keys.into_iter().filter(|key| !seeds.contains(key)).collect();
    let expected = [
        "authentication",
        "users",
        "rtpPortRange",
        "multicastAddressRange",
        "multicastPortRange",
        "multicastTtl",
        "tlsCertificate",
        "tlsPrivateKey",
        "logLevel",
        "logFormat",
        "sessionTimeoutSeconds",
        "maxServerViewers",
        "clock",
        "reload",
        "stamp",
        "stampPosition",
        "stampId",
        "flash",
        "audio",
        "ntpExtension",
        "keyFrameInterval",
        "bitrateKbps",
        "quality",
        "constantBitrate",
        "encoder",
        "pipeline",
        "label",
        "timeFormat",
        "timeZone",
        "font",
        "textColor",
        "backgroundColor",
        "clientsFormat",
        "horizontalAlignment",
        "verticalAlignment",
        "textScale",
        "logo",
        "logoPosition",
        "logoScale",
        "alwaysOn",
        "count",
        "sharedPicture",
        "transports",
        "tlsPort",
        "plainRtsp",
        "maxViewers",
        "streams",
    ];
    assert_eq!(later, expected);
    let takes = |file: &Value| jsonschema::is_valid(&schema, file);
    assert!(takes(
        &json!({"streams": [{"framesPerSecond": 5}, {"serverPort": "8553+{n}", "count": 7}]})
    ));
    assert!(takes(&json!({"authentication": "digest", "users": [
        {"username": "u", "password": ""}, {"username": "v", "password": "p", "streams": ["/cam{n}"]}
    ]})));
    for wrong in [
        json!({"colour": 1}),
        json!({"streams": []}),
        json!({"streams": [{"colour": 1}]}),
        json!({"streams": [{"viewerUsername": "user"}]}),
        json!({"streams": [{"reload": true}]}),
        json!({"streams": [{"framesPerSecond": 0}]}),
        json!({"authentication": "none"}),
        json!({"users": []}),
        json!({"users": [{"username": "", "password": "p"}]}),
        json!({"users": [{"username": "u"}]}),
        json!({"users": [{"username": "u", "password": "p", "streams": []}]}),
        json!({"users": [{"username": "u", "password": "p", "colour": 1}]}),
        json!({"streams": [{"users": [{"username": "u", "password": "p"}]}]}),
    ] {
        assert!(!takes(&wrong), "{wrong}");
    }
}

#[test]
fn the_log_has_a_level_and_a_format() {
    let config = read(r#"{"logLevel": "debug,gstreamer::rtspclient=off", "logFormat": "json"}"#);
    assert_eq!(config.log_level.to_string(), "debug,gstreamer::rtspclient=off");
    assert_eq!(config.log_format, log::Format::Json);
    assert_eq!(Config::default().log_level.to_string(), "info");
    assert_eq!(Config::default().log_format, log::Format::Text);
    assert_eq!(
        refusal("logLevel", &json!("verbose")),
        "found \"verbose\", expected \"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\", for parts of the \
         server as well with commas between: \"info,rtsp_clock_server::viewers=debug,gstreamer=warn\""
    );
    assert_eq!(
        refusal("logFormat", &json!("xml")),
        r#"found "xml", expected "text" or "json""#
    );
}

#[test]
fn viewers_have_a_time_and_a_number() {
    let config = read(
        r#"{"sessionTimeoutSeconds": 7, "maxServerViewers": 50, "maxViewers": 10,
            "streams": [{"rtspStreamPath": "/1"}, {"rtspStreamPath": "/2", "maxViewers": 3}]}"#,
    );
    assert_eq!((config.session_timeout, config.max_viewers), (7, Some(50)));
    let of_streams: Vec<_> = config.streams.iter().map(|stream| stream.max_viewers).collect();
    assert_eq!(of_streams, [Some(10), Some(3)]);
    let config = Config::default();
    assert_eq!((config.session_timeout, config.max_viewers), (30, None));
    assert_eq!(config.streams[0].max_viewers, None);
    let variables = [
        ("RTSP_SESSION_TIMEOUT_SECONDS", "5"),
        ("RTSP_MAX_VIEWERS", "2"),
        ("RTSP_MAX_SERVER_VIEWERS", "4"),
    ];
    let config = read_with(r#"{"maxViewers": 10}"#, &variables);
    assert_eq!((config.session_timeout, config.max_viewers), (5, Some(4)));
    assert_eq!(config.streams[0].max_viewers, Some(2));
    assert_eq!(
        mistakes(r#"{"streams": [{"maxServerViewers": 2}]}"#, &[]),
        ["streams[0].maxServerViewers: is about the server as a whole, expected beside streams"]
    );
}

#[test]
fn a_change_of_the_file_is_followed_only_where_it_says_so() {
    assert!(!Config::default().reload);
    assert!(!read("{}").reload);
    assert!(read(r#"{"reload": true}"#).reload);
    assert!(!read_with(r#"{"reload": true}"#, &[("RTSP_RELOAD", "false")]).reload);
    assert_eq!(refusal("reload", &json!(1)), "found 1, expected true or false");
    let said = mistake(r#"{"streams": [{"reload": true}]}"#);
    assert_eq!(
        said,
        "streams[0].reload: is about the server as a whole, expected beside streams"
    );
}

#[test]
fn the_clock_is_this_machines_or_a_networks() {
    let ntp = |host: &str, port| ClockSource::Ntp {
        host: host.into(),
        port,
    };
    let schema = schema::schema().to_value();
    let fits_the_schema = |value: &str| jsonschema::is_valid(&schema, &json!({"clock": value}));
    for (value, clock) in [
        ("system", ClockSource::System),
        ("ntp://time.example", ntp("time.example", 123)),
        ("ntp://192.0.2.1:1123", ntp("192.0.2.1", 1123)),
        ("ntp://[2001:db8::1]", ntp("2001:db8::1", 123)),
        ("ntp://[::1]:65535", ntp("::1", 65535)),
        ("ptp:0", ClockSource::Ptp { domain: 0 }),
        ("ptp:255", ClockSource::Ptp { domain: 255 }),
    ] {
        assert_eq!(read(&json!({"clock": value}).to_string()).clock, clock);
        assert_eq!(read_with("{}", &[("RTSP_CLOCK", value)]).clock, clock);
        assert_eq!(clock.to_string(), value);
        assert!(fits_the_schema(value), "{value}");
    }
    assert_eq!(read(r#"{"clock": "ntp://a:123"}"#).clock.to_string(), "ntp://a");
    assert_eq!(
        refusal("clock", &json!("ntp:time.example")),
        "found \"ntp:time.example\", expected \"system\", \"ntp://HOST\" or \"ntp://HOST:PORT\" for the time of an NTP \
         server, or \"ptp:DOMAIN\" for that of a PTP domain from 0 to 255"
    );
    for wrong in [
        "",
        "utc",
        "ntp://",
        "ntp://:123",
        "ntp://a:",
        "ntp://a:+1",
        "ntp://a b",
        "ntp://a/b",
        "ntp://[::1",
        "ntp://::1",
        "ntp://[a]",
        "ptp:",
        "ptp:-1",
        "ptp:x",
    ] {
        refusal("clock", &json!(wrong));
        assert!(!fits_the_schema(wrong) || wrong == "ntp://[a]", "{wrong}");
    }
    for wrong in [
        json!("ptp:256"),
        json!("ntp://a:0"),
        json!("ntp://a:65536"),
        json!(5),
    ] {
        refusal("clock", &wrong);
    }
    let in_entry = mistakes(r#"{"streams": [{"clock": "system"}]}"#, &[]);
    assert_eq!(in_entry.len(), 1, "{in_entry:?}");
}

#[test]
fn the_ntp_extension_is_a_streams() {
    let config =
        read(r#"{"ntpExtension": true, "streams": [{}, {"ntpExtension": false, "rtspStreamPath": "/b"}]}"#);
    let has: Vec<bool> = config.streams.iter().map(|stream| stream.ntp_extension).collect();
    assert_eq!(has, [true, false]);
    assert!(read_with("{}", &[("RTSP_NTP_EXTENSION", "true")]).streams[0].ntp_extension);
    refusal("ntpExtension", &json!("yes"));
}

#[test]
fn sound_is_none_or_one_of_three_codecs() {
    for (value, codec) in [
        ("none", None),
        ("pcmu", Some(AudioCodec::Pcmu)),
        ("aac", Some(AudioCodec::Aac)),
        ("opus", Some(AudioCodec::Opus)),
    ] {
        assert_eq!(read(&json!({"audio": value}).to_string()).streams[0].audio, codec);
        assert_eq!(read_with("{}", &[("RTSP_AUDIO", value)]).streams[0].audio, codec);
        if let Some(codec) = codec {
            assert_eq!(codec.to_string(), value);
        }
    }
    assert_eq!(
        refusal("audio", &json!("mp3")),
        r#"found "mp3", expected "none", "pcmu", "aac" or "opus""#
    );
    refusal("audio", &json!(false));
}

#[test]
fn picture_and_sound_need_four_ports() {
    read(r#"{"audio": "aac", "rtpPortRange": "50000-50003"}"#);
    assert_eq!(
        mistakes(r#"{"rtpPortRange": "50000-50002"}"#, &[("RTSP_AUDIO", "aac")]),
        [
            "rtpPortRange: found 50000-50002, which are too few for picture and sound (audio aac, RTSP_AUDIO): \
          expected 4 ports or more"
        ]
    );
}

#[test]
fn the_schemas_defaults_are_the_servers() {
    let schema = schema::schema().to_value();
    let properties = schema["properties"].as_object().unwrap();
    // Those that are for nothing unless set have none.
    let defaults: Value = properties
        .iter()
        .filter(|(key, value)| {
            !["streams", "users"].contains(&key.as_str()) && value.get("default").is_some()
        })
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
    for key in [
        "serverPort",
        "framesPerSecond",
        "h264IFrameInterval",
        "stampId",
        "keyFrameInterval",
        "bitrateKbps",
        "quality",
        "multicastTtl",
        "sessionTimeoutSeconds",
        "maxViewers",
        "maxServerViewers",
    ] {
        let property = &schema["properties"][key];
        let limits = property["anyOf"].get(0).unwrap_or(property);
        let limit = |name: &str| limits[name].as_i64().unwrap();
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

/// The streams' places and numbers.
fn streams(content: &str) -> Vec<(String, u32)> {
    let streams = read(content).streams.into_iter();
    streams.map(|stream| (stream.name(), stream.stamp_id)).collect()
}

#[test]
fn an_entry_has_what_the_top_level_says_save_for_its_own_keys() {
    let config = read(
        r#"{"framesPerSecond": 5, "videoCodec": "mjpeg", "viewerUsername": "user",
            "streams": [{"rtspStreamPath": "/1"}, {"rtspStreamPath": "/2", "framesPerSecond": 10, "alwaysOn": true}]}"#,
    );
    assert!(config.login.is_some());
    let said: Vec<_> = config
        .streams
        .iter()
        .map(|stream| (stream.codec, stream.frames_per_second, stream.always_on))
        .collect();
    assert_eq!(
        said,
        [(VideoCodec::Mjpeg, 5, false), (VideoCodec::Mjpeg, 10, true)]
    );
}

#[test]
fn a_variable_overrides_every_entry() {
    let content =
        r#"{"streams": [{"rtspStreamPath": "/1", "framesPerSecond": 5}, {"rtspStreamPath": "/2"}]}"#;
    let rates: Vec<_> = read_with(content, &[("RTSP_FPS", "7")])
        .streams
        .iter()
        .map(|stream| stream.frames_per_second)
        .collect();
    assert_eq!(rates, [7, 7]);
}

#[test]
fn a_count_makes_numbered_streams_spread_over_a_frame_period() {
    let content =
        r#"{"streams": [{"rtspStreamPath": "/cam{n}", "count": 4, "framesPerSecond": 25, "stampId": 7}]}"#;
    let places = [1, 2, 3, 4].map(|n| (format!("0.0.0.0:8554/cam{n}"), 6 + n));
    assert_eq!(streams(content), places);
    let phases: Vec<_> = read(content).streams.iter().map(|stream| stream.phase).collect();
    assert_eq!(phases, [0, 10_000_000, 20_000_000, 30_000_000]);
}

#[test]
fn a_hundred_cameras_on_a_hundred_ports_are_one_entry() {
    let all = streams(r#"{"streams": [{"serverPort": "8553+{n}", "count": 100}]}"#);
    assert_eq!(all.len(), 100);
    assert_eq!(
        (all[0].0.as_str(), all[99].0.as_str()),
        ("0.0.0.0:8554/live", "0.0.0.0:8653/live")
    );
}

#[test]
fn a_shared_picture_is_one_stream_with_many_places() {
    let config = read(r#"{"rtspStreamPath": "/cam{n}", "count": 300, "sharedPicture": true}"#);
    assert_eq!((config.streams.len(), config.streams[0].mounts.len()), (1, 300));
    assert_eq!(config.streams[0].name(), "0.0.0.0:8554/cam1 and 299 more");
}

#[test]
fn a_stream_that_viewers_would_not_find_is_a_mistake_that_names_all_three() {
    let with = |paths: &[&str]| {
        let streams: Vec<_> = paths
            .iter()
            .map(|path| json!({ "rtspStreamPath": path }))
            .collect();
        json!({ "streams": streams }).to_string()
    };
    assert_eq!(
        mistakes(with(&["/live/1", "/live", "/live-2"]), &[]),
        [
            "streams[0].rtspStreamPath: found \"/live/1\", where \"/live\" and \"/live-2\" are as well: viewers would get \
             the one at \"/live\" in its place; expected another path for one of the three"
        ]
    );
    assert_eq!(mistakes(with(&["/a/b", "/a/b.c", "/a/b/c/d"]), &[]).len(), 1);
    for found in [
        &["/live", "/live/1", "/live/2"][..],
        &["/live", "/live-2", "/live2"],
        &["/live-2", "/live/1"],
        &["/", "/-", "/live"],
        &["/live", "/live2", "/live/1"],
    ] {
        assert_eq!(read(&with(found)).streams.len(), found.len());
    }
}

#[test]
fn two_streams_at_one_place_are_a_mistake_that_names_both() {
    assert_eq!(
        mistake(r#"{"streams": [{}, {"rtspStreamPath": "/2"}, {"framesPerSecond": 5}]}"#),
        r#"default: found "/live" at 0.0.0.0:8554 for streams[2], where streams[0] is already: expected another path, port or address"#
    );
    assert_eq!(
        mistake(r#"{"rtspStreamPath": "/a", "count": 2}"#),
        r#"rtspStreamPath: found "/a" at 0.0.0.0:8554 for more than one of count 2: expected {n} in rtspStreamPath or in serverPort"#
    );
    assert_eq!(
        mistake(r#"{"streams": [{"serverIPAddress": "127.0.0.1"}, {"rtspStreamPath": "/2"}]}"#),
        "default: found 0.0.0.0, where 127.0.0.1 (streams[0].serverIPAddress) listens on all addresses or one of them: \
         both have port 8554"
    );
}

#[test]
fn what_is_wrong_in_streams_is_named_by_its_entry() {
    assert_eq!(
        mistakes(
            r#"{"streams": [{"framesPerSecond": 0, "viewerPassword": "hunter2", "colour": 1, "count": 0}, 7, []]}"#,
            &[]
        )
        .iter()
        .map(|mistake| mistake.split(", ").next().unwrap())
        .collect::<Vec<_>>(),
        [
            "streams[0].framesPerSecond: found 0",
            "streams[0].viewerPassword: is about the server as a whole",
            "streams[0].colour: unknown key",
            "streams[0].count: found 0",
            "streams[1]: found 7",
            "streams[2]: found an array",
        ]
    );
    for wrong in [r#"{"streams": []}"#, r#"{"streams": {}}"#, r#"{"streams": null}"#] {
        assert!(mistake(wrong).contains("expected an array of objects"), "{wrong}");
    }
    assert_eq!(
        mistake(r#"{"streams": [{"serverPort": "65500+{n}", "count": 36}]}"#),
        r#"streams[0].serverPort: found "65500+{n}", from which count 36 (streams[0].count) goes on beyond 65535"#
    );
    assert_eq!(
        mistake(r#"{"stampId": 99999, "count": 2, "rtspStreamPath": "/{n}"}"#),
        "stampId: found 99999, from which count 2 (count) goes on to 100000, beyond 99999"
    );
}

#[test]
fn what_several_entries_have_from_the_top_level_is_wrong_once() {
    assert_eq!(
        mistakes(r#"{"videoResolution": "33x33", "streams": [{"rtspStreamPath": "/1"}, {"rtspStreamPath": "/2"}]}"#, &[]).len(),
        1
    );
}

#[test]
fn the_look_of_the_picture_is_the_sources_to_show() {
    let config = read(
        r##"{"label": "Cam {n}\nNorth \"gate\"", "timeFormat": "%H:%M", "timeZone": "Europe/Berlin", "font": "serif 20",
            "textColor": "#ff0000", "backgroundColor": "#00000080", "clientsFormat": "", "horizontalAlignment": "left",
            "verticalAlignment": "bottom", "textScale": 0.5, "logoPosition": "top-left", "logoScale": 0.25}"##,
    );
    let expected = [
        ("text", "Cam 1\nNorth \"gate\""),
        ("time-format", "%H:%M"),
        ("time-zone", "Europe/Berlin"),
        ("font-desc", "serif 20"),
        ("foreground-color", "4294901760"),
        ("background-color", "2147483648"),
        ("clients-format", ""),
        ("halignment", "left"),
        ("valignment", "bottom"),
        ("text-scale", "0.5"),
        ("logo-position", "top-left"),
        ("logo-scale", "0.25"),
    ];
    assert_eq!(
        config.streams[0].look.properties(),
        expected.map(|(name, value)| (name, value.to_owned()))
    );
    let streams = read(r#"{"label": "Cam {n}", "rtspStreamPath": "/{n}", "count": 2}"#).streams;
    let labels: Vec<_> = streams.iter().map(|stream| stream.look.label.as_str()).collect();
    assert_eq!(labels, ["Cam 1", "Cam 2"]);
    let smaller = read_with("{}", &[("RTSP_TEXT_SCALE", "0.5")]);
    assert_eq!(
        smaller.streams[0].look.properties(),
        [("text-scale", "0.5".to_owned())]
    );
}

#[test]
fn a_look_that_cannot_be_shown_is_refused() {
    for (key, value, said) in [
        (
            "textColor",
            json!("red"),
            r##"found "red", expected a color as "#rrggbb" or, with alpha, "#rrggbbaa""##,
        ),
        ("textScale", json!(0), "found 0, expected a number from 0.1 to 1"),
        (
            "logoScale",
            json!(0.6),
            "found 0.6, expected a number from 0.01 to 0.5",
        ),
        (
            "horizontalAlignment",
            json!("top"),
            r#"found "top", expected "left", "center" or "right""#,
        ),
    ] {
        assert_eq!(refusal(key, &value), said);
    }
    for (key, value, cause) in [
        ("timeFormat", "%Q%", "strftime"),
        ("timeZone", "Mars/Olympus", "IANA"),
        ("logo", "/no/such/logo.png", "/no/such/logo.png"),
        ("label", "\u{7}", "16 lines"),
    ] {
        let said = refusal(key, &json!(value));
        assert!(said.contains(cause), "{said}");
    }
    let no_picture = File::new("no PNG");
    let said = refusal("logo", &json!(no_picture.0.display().to_string()));
    assert!(said.contains("PNG"), "{said}");
}

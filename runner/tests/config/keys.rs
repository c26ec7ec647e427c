//! What each key says, in the file and as a variable.

use std::collections::BTreeSet;

use rtsp_clock_server::log;
use rtsp_clock_server::{
    config::{
        AudioCodec, ClockSource, Config, Corner, Encoder, FrameRate, Login, PortRange, Stamp, VideoCodec,
    },
    config_file::schema,
};
use serde_json::json;

use crate::{File, mistake, mistakes, read, read_with, refusal};

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
    assert_eq!(
        (stream.frames_per_second, stream.key_frame_interval),
        (FrameRate::whole(15), 30)
    );
    let look = &stream.look;
    assert_eq!(
        (look.stamp, look.stamp_position, look.stamp_id, look.flash),
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
    assert_eq!(
        (stream.frames_per_second, stream.key_frame_interval),
        (FrameRate::whole(25), 50)
    );
    let look = &stream.look;
    assert_eq!(
        (look.stamp, look.stamp_position, look.stamp_id, look.flash),
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
    let told: BTreeSet<_> = loaded.variables.into_iter().collect();
    assert_eq!(told, variables.map(|(name, _)| name).into());
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
    assert_eq!(
        (stream.frames_per_second, stream.key_frame_interval),
        (FrameRate::whole(30), 60)
    );
    let look = &stream.look;
    assert_eq!(
        (look.stamp, look.stamp_position, look.stamp_id, look.flash),
        (Stamp::Qr, Corner::TopLeft, 3, true)
    );
    assert_eq!(
        (stream.jpeg_quality, stream.encoder.clone()),
        (40, Encoder::Named("jpegenc".into()))
    );
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
fn the_log_has_a_level_and_a_format() {
    let config = read(r#"{"logLevel": "debug,gstreamer::rtspclient=off", "logFormat": "json"}"#);
    assert_eq!(config.log_level.to_string(), "debug,gstreamer::rtspclient=off");
    assert_eq!(config.log_format, log::Format::Json);
    assert_eq!(Config::default().log_level.to_string(), "info");
    assert_eq!(Config::default().log_format, log::Format::Text);
    assert_eq!(
        refusal("logLevel", &json!("verbose")),
        "found \"verbose\", expected \"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\", for parts of the \
         server as well with commas between: \"info,viewers=debug,gstreamer=warn\""
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
fn sound_is_none_or_one_of_four_codecs() {
    for (value, codec) in [
        ("none", None),
        ("pcmu", Some(AudioCodec::Pcmu)),
        ("pcma", Some(AudioCodec::Pcma)),
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
        r#"found "mp3", expected "none", "pcmu", "pcma", "aac" or "opus""#
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
fn a_frame_rate_is_a_number_or_a_fraction() {
    let rate = |numerator, denominator| FrameRate::new(numerator, denominator).unwrap();
    for (value, expected) in [
        (json!(29.97), rate(30_000, 1001)),
        (json!("30000/1001"), rate(30_000, 1001)),
        (json!(0.5), rate(1, 2)),
        (json!(25), rate(25, 1)),
    ] {
        let config = read(&json!({ "framesPerSecond": value }).to_string());
        assert_eq!(config.streams[0].frames_per_second, expected);
        let variable = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let config = read_with("{}", &[("RTSP_FPS", &variable)]);
        assert_eq!(config.streams[0].frames_per_second, expected, "{variable}");
        assert!(jsonschema::is_valid(
            &schema::schema().to_value(),
            &json!({ "framesPerSecond": value })
        ));
    }
    for value in [
        json!(0),
        json!(-1),
        json!("25"),
        json!("1/0"),
        json!(240.5),
        json!(null),
        json!([25]),
    ] {
        refusal("framesPerSecond", &value);
    }
    let phases = read(r#"{"framesPerSecond": "30000/1001", "count": 2, "rtspStreamPath": "/{n}"}"#);
    let phases: Vec<u64> = phases.streams.iter().map(|stream| stream.phase).collect();
    assert_eq!(phases, [0, 20_621_733]);
}

//! What is said about each mistake, and about all of them.

use rtsp_clock_server::config_file;
use serde_json::{Value, json};

use crate::{File, mistake, mistakes, read, read_with, refusal};

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
            r#"framesPerSecond: found 0, expected a number from 0.1 to 240 of at most 6 places, or a fraction within these such as "30000/1001""#,
            r#"RTSP_VIDEO_CODEC: found "av1", expected "h264", "h265", "mjpeg", "vp8" or "vp9""#,
            r#"RTSP_H264_GOP: found "many", expected a whole number from 1 to 3600"#,
        ]
    );
}

#[test]
fn mistakes_are_shown_a_line_each_with_the_file() {
    let file = File::new(r#"{"serverPort": -1, "framesPerSecond": 0.01}"#);
    let path = file.0.display();
    assert_eq!(
        file.load(&[]).unwrap_err().to_string(),
        format!(
            "the configuration has 2 mistakes\n  {path}: serverPort: found -1, expected a whole number from 0 to 65535 \
             (0: any free port), or a text such as \"8553+{{n}}\"\n  {path}: framesPerSecond: found 0.01, expected a number from 0.1 to 240 of at most 6 places, or a fraction within these such as \"30000/1001\""
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
    let own = config_file::keys().filter(|key| key.section().is_none());
    let names: Vec<_> = own.map(|key| key.name).collect();
    assert_eq!(
        mistake(r#"{"colour": 1}"#),
        format!("colour: unknown key, expected one of {}", names.join(", "))
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
fn every_type_is_held_to() {
    let keys = config_file::keys().filter(|key| key.expected().starts_with("a whole number"));
    for key in keys.map(|key| key.name) {
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
    let texts = config_file::keys()
        .filter(|key| key.default().is_string() && !["viewerPassword", "http.token"].contains(&key.name));
    for key in texts.map(|key| key.name) {
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
        ("framesPerSecond", [json!(0.1), json!(240)], json!(241)),
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
                "", "live", "/a b", "/a?", "/a#b", "/é", "/a/", "//a", "/a//b", "/a/../b", "/.", "/a\n",
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
fn a_truth_value_is_true_or_false() {
    for value in [json!(null), json!(1), json!("true"), json!([])] {
        let said = refusal("flash", &value);
        assert!(said.ends_with(", expected true or false"), "{said}");
    }
    assert_eq!(
        mistakes("{}", &[("RTSP_FLASH", "yes")]),
        [r#"RTSP_FLASH: found "yes", expected true or false"#]
    );
    assert!(
        !read_with(r#"{"flash": true}"#, &[("RTSP_FLASH", "false")]).streams[0]
            .look
            .flash
    );
}

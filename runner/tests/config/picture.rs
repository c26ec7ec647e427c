//! How the picture is encoded and what it looks like: what goes together, and what does not.

use rtsp_clock_server::config::{Encoder, VideoCodec};
use serde_json::json;
use strum::IntoEnumIterator as _;

use crate::{File, mistake, mistakes, read, read_with, refusal};

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
    for codec in VideoCodec::iter() {
        assert_eq!(
            read(&json!({"videoCodec": codec.to_string()}).to_string()).streams[0].codec,
            codec
        );
    }
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
    let file = json!({"pipeline": PIPELINE, "videoResolution": "641x480", "stamp": "qr", "label": "1", "rtspStreamPath": "/a"});
    let loaded = File::new(file.to_string()).load(&[]).unwrap();
    assert_eq!(loaded.config.streams[0].pipeline.as_deref(), Some(PIPELINE));
    assert_eq!(
        loaded.warnings,
        ["pipeline says all about the picture: videoResolution, label, stamp have no effect"]
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
fn a_size_is_not_held_against_a_codec_that_is_a_mistake() {
    let all = mistakes(r#"{"videoCodec": "av1", "videoResolution": "641x480"}"#, &[]);
    assert_eq!(
        all,
        [r#"videoCodec: found "av1", expected "h264", "h265", "mjpeg", "vp8" or "vp9""#]
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

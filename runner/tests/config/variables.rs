//! What the environment says beside the file.

use rtsp_clock_server::config::FrameRate;

use rtsp_clock_server::config_file::{Environment, load};

use crate::{File, read_with};

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
    assert_eq!(loaded.config.streams[0].frames_per_second, FrameRate::whole(7));
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
fn a_variable_that_looks_like_ours_is_warned_about() {
    let variables = [("RTSP_RESOLUTION", "1x1"), ("RTSP_SEEK", "1"), ("FPS", "1")];
    let warnings = File::new("{}").load(&variables).unwrap().warnings;
    assert_eq!(
        warnings,
        ["the variable RTSP_RESOLUTION has no meaning here, did you mean RTSP_VIDEO_RESOLUTION?"]
    );
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

//! What keeps the server from starting.

use super::Run;

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

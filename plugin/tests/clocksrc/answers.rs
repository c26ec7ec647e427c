//! What it answers: caps, queries, seeks, the end.

use gst::prelude::*;
use gst_check::Harness;

use crate::{CAPS_25, DEADLINE, clocksrc, harness, init};

#[test]
fn it_makes_640x480_at_15_frames_where_nobody_cares() {
    let element = clocksrc(&[("is-live", false.to_value())]);
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.set_sink_caps_str("video/x-raw");
    harness.play();
    harness.pull().unwrap();
    let caps = harness.sinkpad().unwrap().current_caps().unwrap();
    let info = gst_video::VideoInfo::from_caps(&caps).unwrap();
    assert_eq!(
        (info.format(), info.width(), info.height()),
        (gst_video::VideoFormat::I420, 640, 480)
    );
    assert_eq!(info.fps(), gst::Fraction::new(15, 1));
}

/// The format that is made where downstream takes `offered`.
fn format_for(offered: &str) -> String {
    let element = clocksrc(&[("is-live", false.to_value())]);
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.set_sink_caps_str(offered);
    harness.play();
    harness.pull().unwrap();
    let caps = harness.sinkpad().unwrap().current_caps().unwrap();
    let structure = caps.structure(0).unwrap();
    structure.get::<&str>("format").unwrap().to_owned()
}

#[test]
fn it_makes_i420_wherever_it_may_and_grey_only_where_it_must() {
    const ANY_FEATURES: &str = "video/x-raw(ANY),format={GRAY8,RGB,I420}";
    for (offered, made) in [
        ("video/x-raw", "I420"),
        ("video/x-raw,format={Y444,Y42B,I420,NV12}", "I420"),
        ("video/x-raw,format={GRAY8,RGB,NV12,I420}", "I420"),
        ("video/x-raw,format={GRAY8,NV12}", "NV12"),
        ("video/x-raw,format={RGB,NV12}", "NV12"),
        ("video/x-raw,format={GRAY8,RGB}", "RGB"),
        ("video/x-raw,format={GRAY16_LE,GRAY8,BGRx}", "BGRx"),
        ("video/x-raw,format={GRAY8,GRAY16_LE}", "GRAY8"),
        // Structure by structure, as converters offer what passes through first.
        ("video/x-raw,format=GRAY8;video/x-raw,format=RGB", "RGB"),
        (
            "video/x-raw,format=Y444,width=[1,99];video/x-raw,format=GRAY8;video/x-raw,format={NV12,I420},width=[16,4096]",
            "I420",
        ),
        (
            "video/x-raw(memory:DMABuf),format=I420;video/x-raw,format={GRAY8,NV12}",
            "NV12",
        ),
        (ANY_FEATURES, "I420"),
        (
            "video/x-raw,format={GRAY8,I420},interlace-mode={interleaved,progressive}",
            "I420",
        ),
    ] {
        assert_eq!(format_for(offered), made, "{offered}");
    }
}

#[test]
fn every_format_is_made_on_request() {
    init();
    let factory = gst::ElementFactory::find("clocksrc").unwrap();
    let template = factory.static_pad_templates().into_iter().next().unwrap().caps();
    let formats = template.structure(0).unwrap().get::<gst::List>("format").unwrap();
    assert_eq!(formats.len(), 17);
    for format in formats.iter().map(|format| format.get::<&str>().unwrap()) {
        assert_eq!(format_for(&format!("video/x-raw,format={format}")), format);
    }
}

/// The formats of `clocksrc` and of what `encoder` gets behind a converter, without caps between.
fn formats_before(encoder: &str) -> [String; 2] {
    init();
    let line = format!(
        "clocksrc name=source num-buffers=1 ! videoconvert ! {encoder} name=encoder ! fakesink name=sink"
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    let pipeline = pipeline.downcast::<gst::Pipeline>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let timeout = gst::ClockTime::try_from(DEADLINE).unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline.bus().unwrap().timed_pop_filtered(timeout, &end);
    let formats = [("source", "src"), ("encoder", "sink")].map(|(element, pad)| {
        let pad = pipeline.by_name(element).unwrap().static_pad(pad).unwrap();
        let caps = pad.current_caps().expect("caps");
        caps.structure(0).unwrap().get::<String>("format").unwrap()
    });
    pipeline.set_state(gst::State::Null).unwrap();
    let end = message.map(|message| message.type_());
    assert_eq!(end, Some(gst::MessageType::Eos), "{encoder}");
    formats
}

/// x264enc begins its offer with Y444, which few players know, and pngenc ends its own with grey.
#[test]
fn what_stands_behind_a_converter_gets_its_colours() {
    assert_eq!(formats_before("x264enc"), ["I420", "I420"]);
    assert_eq!(formats_before("jpegenc"), ["I420", "I420"]);
    let [made, got] = formats_before("pngenc");
    assert!(made == "I420" && got.starts_with("RGB"), "{made}, {got}");
}

#[test]
fn it_answers_latency_and_has_no_duration_and_no_seeks() {
    let mut live = harness(&[]);
    live.pull().unwrap();
    let pad = live.element().unwrap().static_pad("src").unwrap();
    let mut latency = gst::query::Latency::new();
    assert!(pad.query(&mut latency));
    assert_eq!(latency.result(), (true, gst::ClockTime::ZERO, None));
    assert_eq!(pad.query_duration::<gst::ClockTime>(), None);
    let mut seeking = gst::query::Seeking::new(gst::Format::Time);
    assert!(pad.query(&mut seeking));
    assert!(!seeking.result().0);
    let element = live.element().unwrap();
    assert!(
        element
            .seek_simple(gst::SeekFlags::FLUSH, gst::ClockTime::ZERO)
            .is_err()
    );
    live.crank_single_clock_wait().unwrap();
    live.pull().unwrap();
}

#[test]
fn it_ends_after_num_buffers() {
    let element = clocksrc(&[("is-live", false.to_value()), ("num-buffers", 3.to_value())]);
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.set_sink_caps_str(CAPS_25);
    harness.play();
    let mut frames = 0;
    while harness.pull_until_eos().unwrap().is_some() {
        frames += 1;
    }
    assert_eq!(frames, 3);
}

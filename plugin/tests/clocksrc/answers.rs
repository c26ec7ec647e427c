//! What it answers: caps, queries, seeks, the end.

use gst::prelude::*;
use gst_check::Harness;

use crate::{CAPS_25, clocksrc, harness};

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

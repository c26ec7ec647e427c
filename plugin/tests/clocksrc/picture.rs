//! What frames show, and that each shows nothing else.

use std::sync::Arc;

use gst::prelude::*;
use gst_check::Harness;
use parking_lot::Mutex;

use crate::{CAPS_25, START, bytes, clocksrc, fast, harness, reader};

#[test]
fn output_from_a_start_time_is_the_same_byte_for_byte() {
    for caps in [
        CAPS_25,
        "video/x-raw,format=NV12,width=321,height=123,framerate=30000/1001",
    ] {
        let runs = [0, 1].map(|_| fast(&[], caps, 40));
        for (first, second) in runs[0].iter().zip(&runs[1]) {
            assert!(bytes(first) == bytes(second), "frame {} differs", first.offset());
        }
        assert!(
            bytes(&runs[0][0]) != bytes(&runs[0][39]),
            "the clock stands still"
        );
    }
}

#[test]
fn live_frames_look_like_those_made_ahead() {
    let expected = fast(&[], CAPS_25, 30);
    let mut harness = harness(&[]);
    for (index, expected) in expected.iter().enumerate() {
        if index > 0 {
            harness.crank_single_clock_wait().unwrap();
        }
        assert!(
            bytes(&harness.pull().unwrap()) == bytes(expected),
            "frame {index} differs"
        );
    }
}

#[test]
fn drawing_on_a_buffer_leaves_no_ghost_in_later_frames() {
    let caps = "video/x-raw,format=I420,width=160,height=120,framerate=25/1";
    let clean: Vec<_> = fast(&[], caps, 40).iter().map(|buffer| bytes(buffer)).collect();
    let element = clocksrc(&[
        ("is-live", false.to_value()),
        ("start-time", START.to_value()),
        ("num-buffers", 40.to_value()),
    ]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    element
        .static_pad("src")
        .unwrap()
        .add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(buffer) = info.buffer_mut() {
                log.lock().push(bytes(buffer));
                buffer.make_mut().map_writable().unwrap().fill(0x55);
            }
            gst::PadProbeReturn::Ok
        });
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.set_sink_caps_str(caps);
    harness.play();
    let drawn: Vec<_> = (0..40).map(|_| harness.pull().unwrap()).collect();
    assert!(
        drawn
            .iter()
            .all(|buffer| bytes(buffer).iter().all(|&byte| byte == 0x55))
    );
    assert!(*seen.lock() == clean, "a frame shows what was drawn on another");
}

#[test]
fn frames_that_downstream_keeps_stay_as_they_were() {
    let kept = fast(&[], CAPS_25, 30);
    for (index, buffer) in (0..).zip(&kept) {
        let start = ("start-time", (START + index * 40_000_000).to_value());
        assert!(
            bytes(buffer) == bytes(&fast(&[start], CAPS_25, 1)[0]),
            "frame {index} was painted over"
        );
    }
}

#[test]
fn any_size_is_painted() {
    for (width, height) in [
        (1, 1),
        (2, 7),
        (32, 32),
        (33, 33),
        (641, 481),
        (7680, 4320),
        (5, 2000),
    ] {
        let caps = format!("video/x-raw,format=I420,width={width},height={height},framerate=25/1");
        let [frame] = &fast(&[("text", "Camera".to_value())], &caps, 1)[..] else {
            panic!("no frame")
        };
        let info = gst_video::VideoInfo::from_caps(&caps.parse::<gst::Caps>().unwrap()).unwrap();
        assert_eq!(frame.size(), info.size());
        let luma = &bytes(frame)[..info.stride()[0].unsigned_abs() as usize * height];
        assert_eq!(
            luma.iter().any(|&luma| luma > 100),
            height >= 32 && width >= 32,
            "{caps}"
        );
    }
}

#[test]
fn text_that_no_frame_can_hold_is_painted_as_far_as_it_goes() {
    let long = "W".repeat(100_000);
    for (text, font) in [
        (long.as_str(), "monospace"),
        (&long[..3000], "monospace 30000"),
        ("!", "sans 1000000000"),
        ("", "serif 0.001"),
    ] {
        let properties = [("text", text.to_value()), ("font-desc", font.to_value())];
        for caps in [
            CAPS_25,
            "video/x-raw,format=I420,width=1920,height=1080,framerate=25/1",
        ] {
            assert_eq!(fast(&properties, caps, 1).len(), 1, "{font} at {caps}");
        }
    }
}

#[test]
fn a_picture_of_160x120_can_be_read() {
    let reader = reader::Reader::new(160, 120);
    let caps = "video/x-raw,format=GRAY8,width=160,height=120,framerate=25/1,colorimetry=(string)2:4:7:1";
    for (index, frame) in (0..).zip(fast(&[("clients", 7_u32.to_value())], caps, 100)) {
        let said = reader.read(&bytes(&frame), 160);
        assert_eq!(
            said,
            reader::Said {
                time_of_day: index * 40,
                viewers: 7
            }
        );
    }
}

#[test]
fn white_is_white_in_the_colours_of_the_caps() {
    for (colorimetry, white) in [
        ("bt601", 235),
        ("bt709", 235),
        ("1:4:0:0", 255),
        ("2:3:5:1", 235),
        ("1:3:5:1", 255),
    ] {
        let caps = format!(
            "video/x-raw,format=I420,width=320,height=240,framerate=25/1,colorimetry=(string){colorimetry}"
        );
        let frame = bytes(&fast(&[], &caps, 1)[0]);
        assert_eq!(frame[..320 * 240].iter().max(), Some(&white), "{colorimetry}");
    }
}

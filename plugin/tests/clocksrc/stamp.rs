//! The stamp and the flash of `clocksrc`: that they say of each frame what its buffer says.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use clockface::{Luma, Sighting, Stamp, StampReader};
use gst::glib;
use gst::prelude::*;
use gst_check::Harness;
use gstclocksrc::clocksrc::ClockSrcStamp;

const MS: u64 = 1_000_000;
/// 2026-01-01T00:00:00Z.
const START: i64 = 1_767_225_600_000_000_000;
const WIDTH: usize = 640;
const HEIGHT: usize = 480;
const CAPS: &str = "video/x-raw,format=GRAY8,width=640,height=480,framerate=25/1";

fn init() {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
}

fn clocksrc(properties: &[(&str, glib::Value)]) -> gst::Element {
    init();
    let element = gst::ElementFactory::make("clocksrc")
        .property("time-zone", "UTC")
        .property_from_str("stamp", "qr")
        .build()
        .unwrap();
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    element
}

fn play(element: &gst::Element, caps: &str) -> Harness {
    let mut harness = Harness::with_element(element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(caps);
    harness.play();
    harness
}

/// A `clocksrc` that makes frames as fast as they are taken.
fn fast(properties: &[(&str, glib::Value)], caps: &str) -> Harness {
    let element = clocksrc(&[("is-live", false.to_value()), ("start-time", START.to_value())]);
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    play(&element, caps)
}

fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

/// The stamp of a GRAY8 frame of the usual size, or of a planar one's luma.
fn sighting(buffer: &gst::BufferRef) -> Option<Sighting> {
    StampReader::new().read(&Luma {
        data: &bytes(buffer),
        stride: WIDTH,
        step: 1,
        width: WIDTH,
        height: HEIGHT,
    })
}

#[track_caller]
fn stamp(buffer: &gst::BufferRef) -> Stamp {
    sighting(buffer).expect("a stamp").stamp
}

/// The instant of the buffer's `ReferenceTimestampMeta` (ns since the Unix epoch).
fn instant(buffer: &gst::BufferRef) -> u64 {
    let metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    let mut unix = metas.filter(|meta| meta.reference().to_string() == "timestamp/x-unix");
    unix.next().expect("an instant").timestamp().nseconds()
}

#[test]
fn every_frame_says_what_its_buffer_says_whatever_downstream_keeps() {
    for rate in ["25/1", "30000/1001"] {
        let caps = format!("video/x-raw,format=I420,width=640,height=480,framerate={rate}");
        let viewers = ("clients", 3_u32.to_value());
        let mut harness = fast(&[viewers, ("stamp-id", 70_007_u32.to_value())], &caps);
        let mut kept = Vec::new();
        for number in 0..40 {
            let buffer = harness.pull().unwrap();
            let said = stamp(&buffer);
            let expected = Stamp {
                instant: i64::try_from(instant(&buffer) / 1000).unwrap(),
                frame: number,
                viewers: 3,
                stream: 70_007,
                run: said.run,
            };
            assert_eq!(said, expected, "at {rate}");
            assert_eq!(buffer.offset(), number);
            let running = instant(&buffer) - START.unsigned_abs();
            assert_eq!(buffer.pts().unwrap().nseconds(), running);
            if number % 3 == 0 {
                kept.push((said, buffer));
            }
        }
        for (said, buffer) in kept {
            assert_eq!(stamp(&buffer), said, "a kept frame was painted over");
        }
    }
}

#[test]
fn drawing_on_a_buffer_does_not_reach_the_next_stamps() {
    let mut harness = fast(&[], CAPS);
    for number in 0..20 {
        let mut buffer = harness.pull().unwrap();
        assert_eq!(stamp(&buffer).frame, number);
        buffer.make_mut().map_writable().unwrap().fill(0x55);
    }
}

#[test]
fn the_flash_is_lit_for_the_first_100_ms_of_each_second() {
    for (kind, rate, period_ms) in [
        (ClockSrcStamp::Qr, 25, 40),
        (ClockSrcStamp::None, 100, 10),
        (ClockSrcStamp::None, 10, 100),
    ] {
        let caps = format!("video/x-raw,format=GRAY8,width=640,height=480,framerate={rate}/1");
        let mut harness = fast(
            &[
                ("stamp", kind.to_value()),
                ("flash", true.to_value()),
                ("time-format", "".to_value()),
                ("clients-format", "".to_value()),
            ],
            &caps,
        );
        // The stamp is in the right half of the picture, the flash in the left one.
        let left_half = |frame: &[u8]| -> Vec<u8> {
            let rows = frame.chunks(WIDTH);
            rows.flat_map(|row| &row[..WIDTH / 2]).copied().collect()
        };
        let (mut lit, mut unlit) = (BTreeSet::new(), BTreeSet::new());
        for number in 0..250_u64 {
            let buffer = harness.pull().unwrap();
            let into_second = instant(&buffer) % (1000 * MS);
            assert_eq!(into_second, number * period_ms % 1000 * MS);
            let looks = if into_second < 100 * MS {
                &mut lit
            } else {
                &mut unlit
            };
            looks.insert(left_half(&bytes(&buffer)));
        }
        // Frames of the same kind look alike: one look each, a full disc and a rim.
        assert_eq!((lit.len(), unlit.len()), (1, 1), "{rate} frames a second");
        let bright = |looks: &BTreeSet<Vec<u8>>| looks.iter().flatten().filter(|&&luma| luma > 128).count();
        assert!(bright(&unlit) > 0, "the rim is not visible");
        assert!(
            bright(&lit) > 3 * bright(&unlit),
            "{} and {}",
            bright(&lit),
            bright(&unlit)
        );
    }
}

#[test]
fn everything_can_be_changed_while_playing() {
    let element = clocksrc(&[("start-time", START.to_value())]);
    element.set_property_from_str("stamp", "none");
    let mut harness = play(&element, CAPS);
    harness.pull().unwrap();
    let mut next = |change: &dyn Fn()| {
        harness.wait_for_clock_id_waits(1, 20).unwrap();
        change();
        harness.crank_single_clock_wait().unwrap();
        harness.pull().unwrap()
    };
    let without = next(&|| ());
    assert!(sighting(&without).is_none());
    for (position, right, bottom) in [
        ("top-right", true, false),
        ("bottom-left", false, true),
        ("top-left", false, false),
        ("bottom-right", true, true),
    ] {
        let frame = next(&|| {
            element.set_property_from_str("stamp", "qr");
            element.set_property_from_str("stamp-position", position);
        });
        let (x, y) = sighting(&frame).expect("a stamp").corners[0];
        assert_eq!(
            (x > 320.0, y > 240.0),
            (right, bottom),
            "{position} stands at {x}, {y}"
        );
    }
    let before = stamp(&next(&|| element.set_property("stamp-id", 8_u32)));
    assert_eq!(before.stream, 8);
    let lit = next(&|| element.set_property("flash", true));
    let plain = next(&|| element.set_property("flash", false));
    assert!(bytes(&lit) != bytes(&plain), "the flash changes nothing");
    let after = stamp(&plain);
    assert_eq!((after.run, after.frame), (before.run, before.frame + 2));
    let gone = next(&|| element.set_property_from_str("stamp", "none"));
    assert!(sighting(&gone).is_none());
}

#[test]
fn every_start_is_a_run_of_its_own_unless_output_is_to_be_reproducible() {
    let run = |properties: &[(&str, glib::Value)]| {
        let element = clocksrc(properties);
        let mut harness = play(&element, CAPS);
        stamp(&harness.pull().unwrap()).run
    };
    let live = ("start-time", START.to_value());
    let runs: BTreeSet<u32> = (0..4).map(|_| run(std::slice::from_ref(&live))).collect();
    assert_eq!(runs.len(), 4, "{runs:?}");
    let by_the_wall_clock = [("is-live", false.to_value())];
    assert_ne!(run(&by_the_wall_clock), run(&by_the_wall_clock));
    let from = |start: i64| run(&[("is-live", false.to_value()), ("start-time", start.to_value())]);
    assert_eq!(from(START), from(START));
    assert_ne!(from(START), from(START + 1_000_000_000));
}

#[test]
fn a_restart_of_one_element_is_another_run() {
    let element = clocksrc(&[("start-time", START.to_value())]);
    let mut runs = BTreeSet::new();
    for _ in 0..3 {
        let mut harness = play(&element, CAPS);
        runs.insert(stamp(&harness.pull().unwrap()).run);
        drop(harness);
        element.set_state(gst::State::Null).unwrap();
    }
    assert_eq!(runs.len(), 3, "{runs:?}");
}

/// The texts of the warnings that a pipeline posts until its stream ends.
fn warnings(line: &str) -> Vec<String> {
    init();
    let pipeline = gst::parse::launch(line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut texts = Vec::new();
    let kinds = [
        gst::MessageType::Warning,
        gst::MessageType::Error,
        gst::MessageType::Eos,
    ];
    loop {
        let patience = gst::ClockTime::from_seconds(20);
        let message = pipeline.bus().unwrap().timed_pop_filtered(patience, &kinds);
        match message.expect("the stream ends").view() {
            gst::MessageView::Warning(warning) => texts.push(warning.error().to_string()),
            gst::MessageView::Eos(_) => break,
            other => panic!("{other:?}"),
        }
    }
    pipeline.set_state(gst::State::Null).unwrap();
    texts
}

#[test]
fn a_picture_without_room_for_a_stamp_brings_one_warning_that_says_what_to_do() {
    let line = |stamp: &str, width: u32, height: u32| {
        let caps = format!("video/x-raw,format=I420,width={width},height={height},framerate=25/1");
        format!("clocksrc is-live=false num-buffers=20 stamp={stamp} ! {caps} ! fakesink")
    };
    for (width, height) in [(640, 164), (64, 480)] {
        let said = warnings(&line("qr", width, height));
        let [warning] = &said[..] else {
            panic!("{width}x{height}: {said:?}")
        };
        let size = format!("{width}x{height}");
        assert!(warning.contains(&size), "{warning}");
        assert!(
            warning.contains("66x165") && warning.contains("stamp=none"),
            "{warning}"
        );
    }
    for line in [line("qr", 640, 165), line("qr", 66, 165), line("none", 64, 64)] {
        assert!(warnings(&line).is_empty(), "{line}");
    }
}

#[test]
fn gstreamers_zbar_reads_every_stamp_behind_an_encoder() {
    init();
    for chain in [
        "x264enc bitrate=256 tune=zerolatency speed-preset=ultrafast threads=1 ! avdec_h264",
        "jpegenc quality=50 ! jpegdec",
    ] {
        let line = format!(
            "clocksrc is-live=false start-time={START} num-buffers=25 stamp=qr \
             ! video/x-raw,format=I420,width=1280,height=720,framerate=25/1 ! {chain} ! videoconvert \
             ! zbar cache=false ! fakesink"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap_or_else(|error| panic!("{line}: {error} (on Debian: gstreamer1.0-plugins-bad)"));
        let bus = pipeline.bus().unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let mut frames = Vec::new();
        for message in bus.iter_timed(gst::ClockTime::from_seconds(60)) {
            match message.view() {
                gst::MessageView::Eos(_) => break,
                gst::MessageView::Error(error) => panic!("{line}: {error:?}"),
                gst::MessageView::Element(element) => {
                    let symbol = element
                        .structure()
                        .and_then(|fields| fields.get::<String>("symbol").ok());
                    frames.extend(
                        symbol
                            .and_then(|text| Stamp::parse(&text))
                            .map(|stamp| stamp.frame),
                    );
                }
                _ => {}
            }
        }
        pipeline.set_state(gst::State::Null).unwrap();
        frames.dedup();
        assert_eq!(frames, (0..25).collect::<Vec<u64>>(), "{line}");
    }
}

#[test]
fn zbarimg_reads_the_stamp_of_a_picture_file() {
    for (width, height) in [(1280, 720), (640, 480), (320, 240)] {
        let name = format!("stamp-{}-{width}x{height}.png", std::process::id());
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let caps = format!("video/x-raw,format=RGB,width={width},height={height},framerate=25/1");
        let said = warnings(&format!(
            "clocksrc is-live=false start-time={START} num-buffers=1 stamp=qr stamp-id=5 ! {caps} ! pngenc ! filesink \
             location=\"{}\"",
            file.display()
        ));
        assert!(said.is_empty(), "{said:?}");
        let output = Command::new("zbarimg")
            .args(["--raw", "-q"])
            .arg(&file)
            .output()
            .expect("zbarimg is installed (on Debian: zbar-tools)");
        let read = String::from_utf8(output.stdout).unwrap();
        let stamp = Stamp::parse(read.trim()).unwrap_or_else(|| panic!("{width}x{height}: {read:?}"));
        assert_eq!((stamp.instant, stamp.stream), (START / 1000, 5));
        std::fs::remove_file(&file).unwrap();
    }
}

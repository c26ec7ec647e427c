//! `clocksrc` in GStreamer's hands: when its frames leave, what is written on them, what it answers.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../tests/support/reader.rs"]
mod reader;

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst_check::Harness;

const MS: u64 = 1_000_000;
/// 2026-01-01T00:00:00Z, which is on every grid of whole seconds.
const START: i64 = 1_767_225_600_000_000_000;
const CAPS_25: &str = "video/x-raw,format=GRAY8,width=64,height=64,framerate=25/1";
/// How long anything that has to happen may take to happen.
const DEADLINE: Duration = Duration::from_secs(20);

fn init() {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
}

fn clocksrc(properties: &[(&str, glib::Value)]) -> gst::Element {
    init();
    let element = gst::ElementFactory::make("clocksrc")
        .property("time-zone", "UTC")
        .build()
        .unwrap();
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    element
}

/// A playing `clocksrc` on a test clock at 0 that shows `START` plus running time.
fn harness(properties: &[(&str, glib::Value)]) -> Harness {
    let element = clocksrc(&[("start-time", START.to_value())]);
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(CAPS_25);
    harness.play();
    harness
}

/// Frames as fast as they can be made, by their bytes.
fn fast(properties: &[(&str, glib::Value)], caps: &str, frames: i32) -> Vec<gst::Buffer> {
    let element = clocksrc(&[
        ("is-live", false.to_value()),
        ("start-time", START.to_value()),
        ("num-buffers", frames.to_value()),
    ]);
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.set_sink_caps_str(caps);
    harness.play();
    (0..frames).map(|_| harness.pull().expect("a frame")).collect()
}

fn bytes(buffer: &gst::BufferRef) -> Vec<u8> {
    buffer.map_readable().unwrap().to_vec()
}

fn pts(buffer: &gst::Buffer) -> u64 {
    buffer.pts().expect("a PTS").nseconds()
}

fn stat(element: &gst::Element, name: &str) -> u64 {
    element.property::<gst::Structure>("stats").get(name).unwrap()
}

fn reference(buffer: &gst::Buffer, caps: &str) -> u64 {
    let metas = buffer.iter_meta::<gst::ReferenceTimestampMeta>();
    let mut found = metas.filter(|meta| meta.reference().to_string() == caps);
    found
        .next()
        .unwrap_or_else(|| panic!("no {caps}"))
        .timestamp()
        .nseconds()
}

/// The next frame, however many waits on the clock lie before it.
fn next_frame(harness: &mut Harness) -> gst::Buffer {
    for _ in 0..10 {
        harness.wait_for_clock_id_waits(1, 20).unwrap();
        if harness.buffers_in_queue() > 0 {
            return harness.pull().unwrap();
        }
        harness.crank_single_clock_wait().unwrap();
    }
    panic!("ten waits and no frame");
}

#[track_caller]
fn assert_frame(buffer: &gst::Buffer, number: u64, pts_ms: u64, discont: bool) {
    assert_eq!(buffer.offset(), number, "its number");
    assert_eq!(buffer.offset_end(), number + 1);
    assert_eq!(pts(buffer), pts_ms * MS, "the PTS of frame {number}");
    assert_eq!(
        buffer.flags().contains(gst::BufferFlags::DISCONT),
        discont,
        "DISCONT of frame {number}"
    );
    let shown = START.unsigned_abs() + pts(buffer);
    assert_eq!(reference(buffer, "timestamp/x-unix"), shown);
    assert_eq!(
        reference(buffer, "timestamp/x-ntp"),
        shown + 2_208_988_800_000_000_000
    );
}

#[test]
fn frames_leave_when_they_are_due() {
    let mut harness = harness(&[]);
    assert_frame(&harness.pull().unwrap(), 0, 0, true);
    for number in 1..50 {
        assert_eq!(
            harness.testclock().unwrap().time().nseconds(),
            (number - 1) * 40 * MS
        );
        assert_eq!(
            harness.buffers_in_queue(),
            0,
            "frame {number} left before its time"
        );
        harness.crank_single_clock_wait().unwrap();
        let buffer = harness.pull().unwrap();
        assert_frame(&buffer, number, number * 40, false);
        assert_eq!(buffer.duration().unwrap().nseconds(), 40 * MS);
    }
    let element = harness.element().unwrap();
    assert_eq!((stat(&element, "rendered"), stat(&element, "dropped")), (50, 0));
    assert_eq!(
        (stat(&element, "max-lateness"), stat(&element, "mean-lateness")),
        (0, 0)
    );
}

#[test]
fn a_frame_leaves_earlier_by_the_lead_time() {
    let mut harness = harness(&[("lead-time", (30 * MS).to_value())]);
    assert_frame(&harness.pull().unwrap(), 0, 0, true);
    for number in 1..10 {
        harness.crank_single_clock_wait().unwrap();
        assert_eq!(
            harness.testclock().unwrap().time().nseconds(),
            (number * 40 - 30) * MS
        );
        assert_frame(&harness.pull().unwrap(), number, number * 40, false);
    }
}

#[test]
fn frames_fall_on_the_grid_and_its_phase() {
    for (align, phase, start, first) in [
        (true, 0, 17, 23),
        (true, 7, 17, 30),
        (true, -1, 0, 39),
        (false, 0, 17, 0),
        (false, 7, 17, 0),
    ] {
        let mut harness = harness(&[
            ("align", align.to_value()),
            ("phase", (phase * 1_000_000_i64).to_value()),
            ("start-time", (START + start * 1_000_000).to_value()),
        ]);
        let buffer = harness.pull().unwrap();
        assert_eq!(
            pts(&buffer),
            first * MS,
            "align={align} phase={phase} start={start}"
        );
        harness.crank_single_clock_wait().unwrap();
        assert_eq!(pts(&harness.pull().unwrap()), (first + 40) * MS);
    }
}

#[test]
fn a_late_source_skips_frames_counts_them_and_uses_their_numbers_up() {
    let mut harness = harness(&[]);
    harness.pull().unwrap();
    harness.crank_single_clock_wait().unwrap();
    assert_frame(&harness.pull().unwrap(), 1, 40, false);
    // The machine was away for 8 frames: 2 to 9 are past, 10 is due just now.
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    harness.set_time(gst::ClockTime::from_mseconds(400)).unwrap();
    harness.crank_single_clock_wait().unwrap();
    assert_frame(&harness.pull().unwrap(), 10, 400, true);
    harness.crank_single_clock_wait().unwrap();
    assert_frame(&harness.pull().unwrap(), 11, 440, false);
    let element = harness.element().unwrap();
    assert_eq!((stat(&element, "rendered"), stat(&element, "dropped")), (4, 8));
}

#[test]
fn what_held_the_first_frame_back_makes_nothing_late() {
    let element = clocksrc(&[("start-time", START.to_value())]);
    let pad = element.static_pad("src").unwrap();
    let (release, held) = mpsc::channel::<()>();
    let (entered, entry) = mpsc::channel();
    let held = Mutex::new(Some(held));
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        if let Some(held) = held.lock().unwrap().take() {
            entered.send(()).unwrap();
            held.recv_timeout(DEADLINE).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(CAPS_25);
    harness.play();
    entry.recv_timeout(DEADLINE).unwrap();
    harness.set_time(gst::ClockTime::from_mseconds(8005)).unwrap();
    release.send(()).unwrap();
    assert_frame(&harness.pull().unwrap(), 0, 0, true);
    harness.crank_single_clock_wait().unwrap();
    assert_frame(&harness.pull().unwrap(), 1, 8040, true);
    assert_eq!(stat(&element, "dropped"), 0);
    assert!(stat(&element, "max-lateness") < 40 * MS);
}

#[test]
fn it_plays_on_after_a_pause() {
    let mut harness = harness(&[]);
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    let element = harness.element().unwrap();
    for pause in 1..4_u64 {
        element.set_state(gst::State::Paused).unwrap();
        let (_, state, _) = element.state(gst::ClockTime::from_seconds(20));
        assert_eq!(state, gst::State::Paused);
        // A pipeline would move the base time by the length of the pause.
        let clock = harness.testclock().unwrap();
        clock.advance_time(5_000_000_000);
        element.set_base_time(gst::ClockTime::from_seconds(5 * pause));
        element.set_state(gst::State::Playing).unwrap();
        assert_frame(&next_frame(&mut harness), pause, pause * 40, false);
    }
}

#[test]
fn it_stops_at_once_while_it_waits() {
    let mut harness = harness(&[]);
    harness.set_sink_caps_str("video/x-raw,format=GRAY8,width=64,height=64,framerate=1/100");
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    let (done, stopped) = mpsc::channel();
    std::thread::spawn(move || {
        drop(harness);
        done.send(()).unwrap();
    });
    stopped
        .recv_timeout(DEADLINE)
        .expect("stopping takes longer than the deadline");
}

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
fn a_frame_rate_of_zero_is_refused_and_any_other_is_kept() {
    let refused = clocksrc(&[]);
    let pad = refused.static_pad("src").unwrap();
    let still = gst::Caps::builder("video/x-raw")
        .field("framerate", gst::Fraction::new(0, 1))
        .build();
    assert!(!pad.query_caps(None).can_intersect(&still));
    for (num, den) in [(30_000_u64, 1001_u64), (1, 10), (1000, 1), (24_000, 1001)] {
        let caps = format!("video/x-raw,format=GRAY8,width=32,height=32,framerate={num}/{den}");
        let origin = ("start-time", 0_i64.to_value());
        for (index, buffer) in (0_u64..).zip(fast(&[origin], &caps, 100)) {
            assert_eq!(
                pts(&buffer),
                index * den * 1_000_000_000 / num,
                "frame {index} at {num}/{den}"
            );
        }
    }
}

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
                log.lock().unwrap().push(bytes(buffer));
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
    assert!(
        *seen.lock().unwrap() == clean,
        "a frame shows what was drawn on another"
    );
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
fn the_number_of_viewers_shows_in_the_next_frame_and_notifies() {
    let mut harness = harness(&[]);
    let element = harness.element().unwrap();
    let (notify, notified) = mpsc::channel();
    element.connect_notify(Some("clients"), move |element, _| {
        notify.send(element.property::<u32>("clients")).unwrap();
    });
    let alone = bytes(&harness.pull().unwrap());
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    element.set_property("clients", 3_u32);
    assert_eq!(notified.recv_timeout(DEADLINE).unwrap(), 3);
    harness.crank_single_clock_wait().unwrap();
    let shown = bytes(&harness.pull().unwrap());
    let start = ("start-time", (START + 40_000_000).to_value());
    assert!(shown == bytes(&fast(&[start.clone(), ("clients", 3_u32.to_value())], CAPS_25, 1)[0]));
    assert!(shown != bytes(&fast(&[start], CAPS_25, 1)[0]) && shown != alone);
}

#[test]
fn text_properties_change_the_picture_and_take_any_string() {
    let plain = bytes(&fast(&[], CAPS_25, 1)[0]);
    let hostile = "\"quotes\" 'single' ! \\ <b>&amp; שלום {} %H";
    for name in ["text", "clients-format", "font-desc"] {
        let value = if name == "font-desc" {
            "serif italic"
        } else {
            hostile
        };
        let changed = fast(&[(name, value.to_value())], CAPS_25, 1);
        assert!(bytes(&changed[0]) != plain, "{name} changes nothing");
        assert_eq!(
            clocksrc(&[(name, value.to_value())]).property::<String>(name),
            value
        );
    }
    fast(
        &[
            ("text", None::<&str>.to_value()),
            ("font-desc", "no such font !".to_value()),
        ],
        CAPS_25,
        1,
    );
}

#[test]
fn an_impossible_value_is_refused_and_the_old_one_stays() {
    let element = clocksrc(&[]);
    element.set_property("time-zone", "Europe/Berlin");
    element.set_property("time-zone", "Nowhere/Land");
    assert_eq!(element.property::<String>("time-zone"), "Europe/Berlin");
    element.set_property("time-format", "%T");
    element.set_property("time-format", "%H:%!");
    assert_eq!(element.property::<String>("time-format"), "%T");
}

#[test]
fn changes_while_playing_show_in_the_next_frame() {
    let mut harness = harness(&[]);
    let element = harness.element().unwrap();
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    element.set_property("text", "Yard");
    element.set_property("time-format", "%S%.3f");
    element.set_property("foreground-color", 0xff80_8080_u32);
    harness.crank_single_clock_wait().unwrap();
    let shown = bytes(&harness.pull().unwrap());
    let expected = fast(
        &[
            ("start-time", (START + 40_000_000).to_value()),
            ("text", "Yard".to_value()),
            ("time-format", "%S%.3f".to_value()),
            ("foreground-color", 0xff80_8080_u32.to_value()),
        ],
        CAPS_25,
        1,
    );
    assert!(shown == bytes(&expected[0]));
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

#[test]
fn other_caps_while_playing_go_on_without_a_gap() {
    let mut harness = harness(&[]);
    for number in 0..3 {
        if number > 0 {
            harness.crank_single_clock_wait().unwrap();
        }
        assert_frame(&harness.pull().unwrap(), number, number * 40, number == 0);
    }
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    harness.set_sink_caps_str("video/x-raw,format=I420,width=98,height=66,framerate=50/1");
    let mut last = 80 * MS;
    for number in 3..10 {
        harness.crank_single_clock_wait().unwrap();
        let buffer = harness.pull().unwrap();
        assert_eq!(buffer.offset(), number);
        assert!(
            (20 * MS..=40 * MS).contains(&(pts(&buffer) - last)),
            "{} after {last}",
            pts(&buffer)
        );
        last = pts(&buffer);
    }
    let info = gst_video::VideoInfo::from_caps(&harness.sinkpad().unwrap().current_caps().unwrap()).unwrap();
    assert_eq!((info.width(), info.height()), (98, 66));
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

/// Wall clock minus running time, read within a millisecond (ns).
fn wall_clock_offset(pipeline: &gst::Pipeline) -> i128 {
    let wall = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos().cast_signed();
    let (clock, base_time) = (pipeline.clock().unwrap(), pipeline.base_time().unwrap());
    let until = std::time::Instant::now() + DEADLINE;
    while std::time::Instant::now() < until {
        let (before, running, after) = (wall(), clock.time() - base_time, wall());
        if (0..1_000_000).contains(&(after - before)) {
            return before - i128::from(running.nseconds());
        }
    }
    panic!("the clocks cannot be read within a millisecond of each other");
}

#[test]
fn a_frame_shows_the_wall_clock_of_its_pts_and_on_the_grid() {
    init();
    let line = format!("clocksrc num-buffers=10 ! {CAPS_25} ! appsink name=sink");
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("sink")
        .unwrap()
        .downcast::<gst_app::AppSink>()
        .unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    for _ in 0..10 {
        let sample = sink
            .try_pull_sample(gst::ClockTime::from_seconds(20))
            .expect("a frame");
        let buffer = sample.buffer_owned().unwrap();
        let shown = reference(&buffer, "timestamp/x-unix");
        assert_eq!(shown % (40 * MS), 0, "off the grid");
        let due = wall_clock_offset(&pipeline) + i128::from(pts(&buffer));
        assert!(
            (due - i128::from(shown)).abs() < 2_000_000,
            "shows {shown}, is of {due}"
        );
    }
    pipeline.set_state(gst::State::Null).unwrap();
}

#[test]
fn the_wall_clock_is_stepped_under_a_clock_of_ones_own() {
    // The pipeline's clock runs by hand, the machine's goes on by itself: to clocksrc its wall clock is stepped
    // back by what the test clock advances.
    let element = clocksrc(&[]);
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(CAPS_25);
    harness.play();
    let mut last = harness.pull().unwrap();
    for _ in 0..3 {
        harness.wait_for_clock_id_waits(1, 20).unwrap();
        let clock = harness.testclock().unwrap();
        clock.advance_time(3_600_000_000_000);
        let buffer = next_frame(&mut harness);
        assert!(buffer.flags().contains(gst::BufferFlags::DISCONT));
        assert_eq!(buffer.offset(), last.offset() + 1, "a step is no lateness");
        assert!(pts(&buffer) >= pts(&last) + 20 * MS);
        let shown = |buffer| reference(buffer, "timestamp/x-unix");
        assert_eq!(shown(&buffer) % (40 * MS), 0);
        assert!(
            shown(&buffer).abs_diff(shown(&last)) < 60_000 * MS,
            "the machine's time did not jump"
        );
        last = buffer;
    }
    assert_eq!(stat(&element, "dropped"), 0);
}

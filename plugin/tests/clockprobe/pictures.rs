//! `clockprobe` and pictures: what it reads, what it posts, what it leaves alone.

use std::time::{SystemTime, UNIX_EPOCH};

use gst::glib;
use gst::prelude::*;
use gst_check::Harness;

use crate::stamped::{
    MS, PERIOD, Probe, SIDE, START, blank, buffer, caps, gray, init, picture, play_to_the_end, stamp,
};

// ---- pictures that are not read ---------------------------------------------------------------------------

#[test]
fn pictures_without_a_stamp_have_no_reading() {
    const FRAMES: u64 = 20;
    init();
    let patterns = glib::EnumClass::with_type(
        gst::ElementFactory::make("videotestsrc")
            .build()
            .unwrap()
            .property_type("pattern")
            .unwrap(),
    );
    let patterns = patterns.unwrap();
    assert!(patterns.values().len() >= 24, "{}", patterns.values().len());
    for pattern in patterns.values() {
        for (width, height) in [(160, 120), (641, 481), (1280, 720)] {
            let line = format!(
                "videotestsrc num-buffers={FRAMES} pattern={} ! video/x-raw,format=I420,width={width},height={height} \
                 ! clockprobe name=probe ! fakesink",
                pattern.nick()
            );
            let pipeline = gst::parse::launch(&line)
                .unwrap()
                .downcast::<gst::Pipeline>()
                .unwrap();
            let probe = pipeline.by_name("probe").unwrap();
            play_to_the_end(&pipeline);
            let stats = probe.property::<gst::Structure>("stats");
            let counts = ["frames", "readings", "unreadable"].map(|name| stats.get::<u64>(name).unwrap());
            assert_eq!(counts, [FRAMES, 0, FRAMES], "{line}");
            assert!(
                !stats.has_field("latency-p50") && !stats.has_field("drift-ppm"),
                "{stats}"
            );
        }
    }
}

#[test]
fn a_frame_that_cannot_be_mapped_is_unreadable_and_passes() {
    let mut probe = Probe::new();
    probe.push(buffer(vec![0; 10], 0));
    probe.push(gst::Buffer::new());
    assert_eq!(probe.counts(["frames", "unreadable"]), [2, 2]);
    let messages = probe.messages();
    let pts = |index: usize| messages[index].get::<u64>("pts").unwrap();
    assert!(
        messages
            .iter()
            .all(|message| message.name() == "clockprobe-unreadable")
    );
    assert_eq!((messages.len(), pts(0), pts(1)), (2, 0, u64::MAX));
}

#[test]
fn each_format_is_read() {
    init();
    let factory = gst::ElementFactory::find("clockprobe").unwrap();
    let template = factory
        .static_pad_templates()
        .into_iter()
        .find(|template| template.name_template() == "sink");
    let template = template.unwrap().caps();
    let formats = template.structure(0).unwrap().get::<gst::List>("format").unwrap();
    assert!(formats.len() > 30, "{}", formats.len());
    for format in formats.iter().map(|format| format.get::<&str>().unwrap()) {
        let line = format!("videoconvert ! video/x-raw,format={format} ! clockprobe name=probe");
        let mut harness = Harness::new_parse(&line);
        harness.set_src_caps_str(&caps("GRAY8"));
        harness.push(picture(&stamp(1, 0), 0)).unwrap();
        let bin = harness.element().unwrap().downcast::<gst::Bin>().unwrap();
        let stats = bin.by_name("probe").unwrap().property::<gst::Structure>("stats");
        assert_eq!(stats.get("readings"), Ok(1_u64), "{format}");
    }
}

// ---- latency ----------------------------------------------------------------------------------------------

#[test]
fn a_reading_says_what_the_stamp_says_and_when_it_came() {
    let mut probe = Probe::new();
    probe.set_time(83 * MS);
    probe.push(picture(&stamp(9, 1), PERIOD));
    let messages = probe.messages();
    let [reading] = messages.as_slice() else {
        panic!("{messages:?}")
    };
    assert_eq!(reading.name(), "clockprobe-reading");
    let long = |name: &str| reading.get::<u64>(name).unwrap();
    assert_eq!(long("instant"), START.unsigned_abs() + PERIOD);
    assert_eq!(long("arrival"), START.unsigned_abs() + 83 * MS);
    assert_eq!(reading.get("latency"), Ok(43_000_000_i64));
    assert_eq!(["frame", "pts", "running-time"].map(long), [1, PERIOD, PERIOD]);
    let short = |name: &str| reading.get::<u32>(name).unwrap();
    assert_eq!(["run", "stream", "viewers"].map(short), [9, 7, 2]);
}

/// The latencies of the statistics in ns: min, mean, p50, p90, p99, max.
fn latencies(stats: &gst::StructureRef) -> [i64; 6] {
    ["min", "mean", "p50", "p90", "p99", "max"].map(|name| stats.get(format!("latency-{name}")).unwrap())
}

#[test]
fn a_delay_is_reported_as_it_is() {
    for delay in [0, 50, 200, 1000, -30] {
        let delay = delay * 1_000_000_i64;
        let mut probe = Probe::new();
        for frame in 5..30 {
            let time = (frame * PERIOD).checked_add_signed(delay).unwrap();
            probe.push_at(&stamp(1, frame), time);
        }
        for latency in latencies(&probe.stats()) {
            // To the three digits that percentiles are kept with.
            let off = (latency - delay).abs();
            assert!(off <= delay.abs() / 1_000, "{latency}, not {delay}");
        }
        let drift: f64 = probe.stats().get("drift-ppm").unwrap();
        assert!(drift.abs() < 1e-6, "{drift}");
    }
}

#[test]
fn what_a_queue_holds_back_is_in_the_latency() {
    init();
    for held in [2, 5, 25] {
        let line = format!(
            "queue max-size-time=0 max-size-buffers=0 max-size-bytes=0 min-threshold-buffers={} ! \
             clockprobe name=probe start-time={START}",
            held + 1
        );
        let mut harness = Harness::new_parse(&line);
        harness.use_testclock();
        harness.set_src_caps_str(&caps("GRAY8"));
        harness.play();
        for frame in 0..held + 20 {
            let time = gst::ClockTime::from_nseconds(frame * PERIOD);
            harness.set_time(time).unwrap();
            harness.push(picture(&stamp(1, frame), frame * PERIOD)).unwrap();
            // The queue lets go of a frame once it holds so many and one more, in a thread of its own.
            if frame >= held {
                harness.pull().unwrap();
            }
        }
        let bin = harness.element().unwrap().downcast::<gst::Bin>().unwrap();
        let stats = bin.by_name("probe").unwrap().property::<gst::Structure>("stats");
        let expected = i64::try_from(held * PERIOD).unwrap();
        for latency in latencies(&stats) {
            assert!(
                (latency - expected).abs() <= 1_000_000,
                "{latency}, not {expected}"
            );
        }
    }
}

#[test]
fn a_latency_that_grows_is_drift() {
    let mut probe = Probe::new();
    for frame in 0..100 {
        // 2 µs in 40 ms.
        probe.push_at(&stamp(1, frame), frame * PERIOD + 300 * MS + frame * 2_000);
    }
    let drift: f64 = probe.stats().get("drift-ppm").unwrap();
    assert!((drift - 50.0).abs() < 0.1, "{drift}");
}

#[test]
fn arrival_is_by_the_wall_clock() {
    let now = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap();
    init();
    let element = gst::ElementFactory::make("clockprobe").build().unwrap();
    let mut probe = Probe::of(&element);
    probe.harness.use_systemclock();
    for frame in 0..5 {
        let before = now();
        probe.push(picture(&stamp(1, frame), 0));
        let messages = probe.messages();
        let arrival: u64 = messages[0].get("arrival").unwrap();
        assert!(
            (before..=now()).contains(&arrival),
            "{before}, {arrival}, {}",
            now()
        );
    }
}

// ---- messages ---------------------------------------------------------------------------------------------

#[test]
fn statistics_and_messages_agree() {
    let mut probe = Probe::new();
    for frame in 0..50 {
        let time = frame * PERIOD + frame % 7 * MS;
        probe.push_at(&stamp(1, frame), time);
        probe.push(blank(time));
    }
    let messages = probe.messages();
    let readings: Vec<_> = messages
        .iter()
        .filter(|message| message.name() == "clockprobe-reading")
        .collect();
    let all = messages.len() as u64;
    let read = readings.len() as u64;
    assert_eq!(
        probe.counts(["frames", "readings", "unreadable"]),
        [all, read, all - read]
    );
    let of_messages = readings
        .iter()
        .map(|message| message.get::<i64>("latency").unwrap());
    let sum: i64 = of_messages.clone().sum();
    let [min, mean, .., max] = latencies(&probe.stats());
    assert_eq!(Some(min), of_messages.clone().min());
    assert_eq!(Some(max), of_messages.max());
    assert!((mean - sum / 50).abs() <= 1);
}

/// Two stamps side by side, the second one upside down and with its colours inverted.
fn two_stamps(left: &clockface::Stamp, right: &clockface::Stamp, pts: u64) -> gst::Buffer {
    let (left, right) = (gray(left), gray(right));
    let turned: Vec<u8> = right.iter().rev().map(|&value| 255 - value).collect();
    let rows = std::iter::zip(left.chunks(SIDE), turned.chunks(SIDE));
    buffer(
        rows.flat_map(|(left, right)| [left, right].concat()).collect(),
        pts,
    )
}

#[test]
fn all_stamps_of_a_picture_are_posted_where_they_are_asked_for() {
    let mut probe = Probe::new();
    let wide = format!("width={}", 2 * SIDE);
    let caps = caps("GRAY8").replace(&format!("width={SIDE}"), &wide);
    probe.harness.set_src_caps_str(&caps);
    let (ahead, behind) = (stamp(1, 11), stamp(1, 3));
    probe.push(two_stamps(&ahead, &behind, 0));
    assert_eq!(probe.messages().len(), 1, "the one that is followed");
    probe.element().set_property("every-stamp", true);
    probe.push(two_stamps(&ahead, &behind, PERIOD));
    let messages = probe.messages();
    assert_eq!(messages.len(), 2);
    let message = &messages[1];
    assert_eq!(message.name(), "clockprobe-stamps");
    assert_eq!(message.get("pts"), Ok(PERIOD));
    let stamps = message.get::<gst::Array>("stamps").unwrap();
    let seen: Vec<gst::Structure> = stamps.iter().map(|stamp| stamp.get().unwrap()).collect();
    let expected = [(&ahead, 0_u32, false), (&behind, 180, true)];
    assert_eq!(seen.len(), expected.len());
    for (place, (seen, (stamp, turned, inverted))) in std::iter::zip(&seen, expected).enumerate() {
        assert_eq!(
            seen.get("instant"),
            Ok(stamp.instant.unsigned_abs() * 1000),
            "{seen}"
        );
        assert_eq!(seen.get("frame"), Ok(stamp.frame), "{seen}");
        assert_eq!(
            (seen.get("turned"), seen.get("inverted")),
            (Ok(turned), Ok(inverted)),
            "{seen}"
        );
        assert_eq!(seen.get("mirrored"), Ok(false), "{seen}");
        let middle = seen.get::<u32>("x").unwrap();
        let expected = u32::try_from(SIDE * place + SIDE / 2).unwrap();
        assert!(middle.abs_diff(expected) <= 2, "{seen}");
        assert!(seen.get::<u32>("size").unwrap().abs_diff(100) <= 2, "{seen}");
    }
}

#[test]
fn messages_can_be_turned_off() {
    let mut probe = Probe::new();
    probe.element().set_property("post-messages", false);
    probe.push(picture(&stamp(1, 0), 0));
    probe.push(blank(PERIOD));
    assert!(probe.messages().is_empty());
    assert_eq!(probe.counts(["readings", "unreadable"]), [1, 1]);
}

// ---- what passes ------------------------------------------------------------------------------------------

#[test]
fn buffers_pass_untouched() {
    let mut probe = Probe::new();
    let reference = gst::Caps::new_empty_simple("timestamp/x-unix");
    for writable in [true, false] {
        let mut buffer = picture(&stamp(1, 0), 0);
        let fields = buffer.get_mut().unwrap();
        fields.set_offset(42);
        fields.set_flags(gst::BufferFlags::DISCONT | gst::BufferFlags::MARKER);
        gst::ReferenceTimestampMeta::add(fields, &reference, gst::ClockTime::SECOND, gst::ClockTime::NONE);
        let (address, flags) = (buffer.as_ptr(), buffer.flags());
        let kept = (!writable).then(|| buffer.clone());
        probe.harness.push(buffer).unwrap();
        let passed = probe.harness.pull().unwrap();
        assert_eq!(passed.as_ptr(), address);
        assert_eq!((passed.offset(), passed.flags()), (42, flags));
        assert_eq!(passed.iter_meta::<gst::ReferenceTimestampMeta>().count(), 1);
        assert!(passed.map_readable().unwrap().as_slice() == gray(&stamp(1, 0)));
        drop(kept);
    }
}

#[test]
fn caps_events_and_queries_pass() {
    let mut probe = Probe::new();
    let harness = &mut probe.harness;
    harness.set_upstream_latency(gst::ClockTime::from_mseconds(30));
    assert_eq!(harness.query_latency(), Some(gst::ClockTime::from_mseconds(30)));

    while harness.try_pull_event().is_some() {}
    let structure = |name: &str| gst::Structure::new_empty(name);
    harness.push_event(gst::event::CustomDownstream::new(structure("down")));
    let event = harness.try_pull_event().expect("an event");
    assert_eq!(event.structure().unwrap().name(), "down");
    harness.push_upstream_event(gst::event::CustomUpstream::new(structure("up")));
    let events = std::iter::from_fn(|| harness.try_pull_upstream_event());
    let names: Vec<_> = events
        .filter_map(|event| Some(event.structure()?.name().to_string()))
        .collect();
    assert!(names.iter().any(|name| name == "up"), "{names:?}");

    harness.add_propose_allocation_meta(gst_video::VideoMeta::meta_api(), None);
    let caps_25: gst::Caps = caps("GRAY8").parse().unwrap();
    let mut query = gst::query::Allocation::new(Some(&caps_25), true);
    assert!(probe.element().static_pad("sink").unwrap().query(&mut query));
    assert!(query.find_allocation_meta::<gst_video::VideoMeta>().is_some());
}

#[test]
fn neighbours_agree_on_caps() {
    init();
    let mut harness = Harness::new("clockprobe");
    harness.set_sink_caps_str("video/x-raw,format=NV12,width=64,height=64,framerate=25/1");
    let sink = harness.element().unwrap().static_pad("sink").unwrap();
    let caps = sink.query_caps(None);
    let format: &str = caps.structure(0).unwrap().get("format").unwrap();
    assert_eq!((caps.size(), format), (1, "NV12"));
}

#[test]
fn caps_may_change() {
    let mut probe = Probe::new();
    probe.push(picture(&stamp(1, 0), 0));
    probe
        .harness
        .set_src_caps_str(&caps("GRAY8").replace(&format!("height={SIDE}"), "height=160"));
    let mut bytes = gray(&stamp(1, 1));
    bytes.resize(SIDE * 160, 235);
    probe.push(buffer(bytes, PERIOD));
    assert_eq!(probe.counts(["readings", "lost"]), [2, 0]);
}

//! When frames leave, and the times that are written on them.

use std::sync::mpsc;

use gst::prelude::*;
use gst_check::Harness;
use parking_lot::Mutex;

use crate::{
    CAPS_25, DEADLINE, MS, START, assert_frame, clocksrc, fast, harness, init, next_frame, pts, reference,
    stat,
};

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
        if let Some(held) = held.lock().take() {
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

//! When buffers leave, and their PTS and offsets.

use std::sync::mpsc;

use gst::prelude::*;
use gst_check::Harness;
use parking_lot::Mutex;

use crate::{CAPS, DEADLINE, MS, SECOND, clocktone, fast, harness, next_buffer, pts, stat};

#[test]
fn buffers_leave_when_they_are_due_and_follow_each_other_for_ten_minutes() {
    let caps = "audio/x-raw,format=S16LE,layout=interleaved,rate=44100,channels=1";
    let mut harness = harness(&[("lead-time", (3 * MS).to_value())], caps);
    let first = harness.pull().unwrap();
    assert_eq!((pts(&first), first.offset()), (0, 0));
    assert!(first.flags().contains(gst::BufferFlags::DISCONT));
    for number in 1..60_000_u64 {
        harness.crank_single_clock_wait().unwrap();
        let buffer = harness.pull().unwrap();
        assert_eq!(pts(&buffer), number * 10 * MS);
        assert_eq!(
            harness.testclock().unwrap().time().nseconds(),
            (number * 10 - 3) * MS
        );
        assert_eq!(
            (buffer.offset(), buffer.offset_end()),
            (number * 441, (number + 1) * 441)
        );
        assert!(!buffer.flags().contains(gst::BufferFlags::DISCONT));
    }
    let element = harness.element().unwrap();
    assert_eq!(
        (stat(&element, "rendered"), stat(&element, "dropped")),
        (60_000, 0)
    );
    assert_eq!(
        (stat(&element, "ticks"), stat(&element, "max-lateness")),
        (600, 3 * MS),
        "the first buffer leaves at once"
    );
}

#[test]
fn pts_never_drift_at_a_rate_that_no_buffer_divides() {
    let caps = "audio/x-raw,format=U8,layout=interleaved,rate=11025,channels=1";
    for (number, buffer) in (0_u64..).zip(fast(&[], caps, 3000)) {
        assert_eq!(pts(&buffer), number * 110 * SECOND / 11_025);
        assert_eq!(buffer.offset(), number * 110);
        assert_eq!(buffer.size(), 110);
    }
}

#[test]
fn a_late_source_skips_whole_buffers_and_counts_them() {
    let mut harness = harness(&[], CAPS);
    harness.pull().unwrap();
    harness.crank_single_clock_wait().unwrap();
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    // Buffers 2 to 19 are past, 20 is due just now.
    harness.set_time(gst::ClockTime::from_mseconds(200)).unwrap();
    harness.crank_single_clock_wait().unwrap();
    let skipping = harness.pull().unwrap();
    assert_eq!((pts(&skipping), skipping.offset()), (200 * MS, 20 * 480));
    assert!(skipping.flags().contains(gst::BufferFlags::DISCONT));
    harness.crank_single_clock_wait().unwrap();
    let next = harness.pull().unwrap();
    assert_eq!(pts(&next), 210 * MS);
    assert!(!next.flags().contains(gst::BufferFlags::DISCONT));
    let element = harness.element().unwrap();
    assert_eq!((stat(&element, "rendered"), stat(&element, "dropped")), (4, 18));
}

#[test]
fn what_held_the_first_buffers_back_makes_nothing_late() {
    let element = clocktone(&[("lead-time", (50 * MS).to_value())]);
    let pad = element.static_pad("src").unwrap();
    let (release, held) = mpsc::channel::<()>();
    let (entered, entry) = mpsc::channel();
    let state = Mutex::new((0, held));
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let mut state = state.lock();
        state.0 += 1;
        // An encoder takes two buffers to make its first packet, which is held.
        if state.0 == 3 {
            entered.send(()).unwrap();
            state.1.recv_timeout(DEADLINE).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(CAPS);
    harness.play();
    entry.recv_timeout(DEADLINE).unwrap();
    harness.set_time(gst::ClockTime::from_mseconds(8005)).unwrap();
    release.send(()).unwrap();
    for number in 0..3 {
        assert_eq!(pts(&harness.pull().unwrap()), number * 10 * MS);
    }
    let now = harness.pull().unwrap();
    assert_eq!(pts(&now), 8010 * MS);
    assert!(now.flags().contains(gst::BufferFlags::DISCONT));
    assert_eq!(stat(&element, "dropped"), 0);
}

#[test]
fn it_plays_on_after_a_pause() {
    let mut harness = harness(&[], CAPS);
    harness.pull().unwrap();
    harness.wait_for_clock_id_waits(1, 20).unwrap();
    let element = harness.element().unwrap();
    for pause in 1..4_u64 {
        element.set_state(gst::State::Paused).unwrap();
        let (_, state, _) = element.state(gst::ClockTime::from_seconds(20));
        assert_eq!(state, gst::State::Paused);
        // A pipeline would move the base time by the length of the pause.
        harness.testclock().unwrap().advance_time(5_000_000_000);
        element.set_base_time(gst::ClockTime::from_seconds(5 * pause));
        element.set_state(gst::State::Playing).unwrap();
        let buffer = next_buffer(&mut harness);
        assert_eq!((pts(&buffer), buffer.offset()), (pause * 10 * MS, pause * 480));
        assert!(!buffer.flags().contains(gst::BufferFlags::DISCONT));
    }
}

#[test]
fn it_stops_at_once_while_it_waits() {
    let mut harness = harness(&[], CAPS);
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
fn a_wall_clock_that_is_stepped_moves_ticks_and_no_samples() {
    // The pipeline's clock runs by hand, the machine's goes on by itself: to clocktone its wall clock is stepped back
    // by what the test clock advances.
    let element = clocktone(&[("start-time", (-1_i64).to_value())]);
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(CAPS);
    harness.play();
    let mut last = harness.pull().unwrap();
    for _ in 0..500 {
        harness.crank_single_clock_wait().unwrap();
        let buffer = harness.pull().unwrap();
        assert_eq!(pts(&buffer), pts(&last) + 10 * MS);
        assert_eq!(buffer.offset(), last.offset() + 480);
        assert!(!buffer.flags().contains(gst::BufferFlags::DISCONT));
        last = buffer;
    }
    assert_eq!(stat(&element, "dropped"), 0);
}

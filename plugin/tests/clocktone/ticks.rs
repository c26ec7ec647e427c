//! Where ticks begin, by the clock and by what the properties say.

use gst::prelude::*;

use crate::{
    CAPS, MS, SECOND, START, bytes, clocktone, ear, expected, fast, harness, next_buffer, pts, values,
};

#[test]
fn each_tick_begins_at_its_exact_instant_at_any_rate_and_with_any_channels() {
    // 0.123456789 s before a whole second: between two samples of each rate.
    let start = ("start-time", (START - 123_456_789).to_value());
    for (rate, channels) in [
        (8000, 1),
        (44_100, 2),
        (48_000, 6),
        (11_025, 1),
        (96_000, 2),
        (48_000, 64),
    ] {
        let caps = format!("audio/x-raw,format=F64LE,layout=interleaved,rate={rate},channels={channels}");
        let sound = bytes(&fast(std::slice::from_ref(&start), &caps, 250));
        let frames = sound.chunks_exact(8 * channels);
        assert_eq!(frames.len() as u64, 250 * (rate / 100));
        for (index, frame) in (0..).zip(frames) {
            let meant = expected(index, rate, 123_456_789);
            for sample in frame.chunks_exact(8) {
                let value = f64::from_le_bytes(sample.try_into().unwrap());
                assert!(
                    (value - meant).abs() < 1e-7,
                    "sample {index} at {rate} Hz is {value}, not {meant}"
                );
            }
        }
    }
}

#[test]
fn a_tick_that_was_skipped_into_is_not_torn() {
    let start = ("start-time", (START - 100 * 1_000_000).to_value());
    // The buffer that begins with the tick is not late until its successor is due, 110 ms after the start.
    for late in [115, 105] {
        let mut harness = harness(std::slice::from_ref(&start), CAPS);
        harness.pull().unwrap();
        harness.wait_for_clock_id_waits(1, 20).unwrap();
        harness.set_time(gst::ClockTime::from_mseconds(late)).unwrap();
        let mut heard = Vec::new();
        for _ in 0..10 {
            heard.extend(values(&bytes(&[next_buffer(&mut harness)])));
        }
        if late < 110 {
            assert_eq!(ear::onsets(&[vec![0.0; 480], heard].concat(), 48_000.0).len(), 1);
        } else {
            assert!(
                heard.iter().all(|value| value.abs() < f64::EPSILON),
                "half a tick"
            );
        }
    }
}

#[test]
fn an_offset_moves_pts_and_leaves_out_what_would_come_before_0() {
    for offset in [-33_340_000_i64, 33_340_000] {
        let buffers = fast(&[("ts-offset", offset.to_value())], CAPS, 250);
        assert!(pts(&buffers[0]) < 10 * MS || offset > 0, "{}", pts(&buffers[0]));
        let sound = values(&bytes(&buffers));
        #[allow(clippy::cast_precision_loss)]
        let first = pts(&buffers[0]) as f64 * 1e-9;
        let ticks: Vec<f64> = ear::onsets(&sound, 48_000.0)
            .iter()
            .map(|onset| first + onset)
            .collect();
        let meant = [1.0, 2.0].map(|second| second + f64::from(i32::try_from(offset).unwrap()) * 1e-9);
        let ticks = &ticks[ticks.len() - 2..];
        assert!(
            ticks
                .iter()
                .zip(meant)
                .all(|(tick, meant)| (tick - meant).abs() < 1e-5),
            "{ticks:?}, not {meant:?}"
        );
    }
    let mut live = harness(&[("ts-offset", (-(33 * MS).cast_signed()).to_value())], CAPS);
    assert!(pts(&live.pull().unwrap()) < 10 * MS);
}

#[test]
fn tick_interval_frequency_and_volume_change_while_it_plays() {
    let mut harness = harness(&[], CAPS);
    let element = harness.element().unwrap();
    let mut sound = values(&bytes(&[harness.pull().unwrap()]));
    for number in 1..200 {
        if number == 50 {
            element.set_property("tick-interval", 200 * MS);
            element.set_property("volume", 0.2);
        }
        if number == 150 {
            element.set_property("tick-interval", 250 * MS);
        }
        harness.crank_single_clock_wait().unwrap();
        sound.extend(values(&bytes(&[harness.pull().unwrap()])));
    }
    let from = |index: usize| &sound[index..];
    let ticks = ear::onsets(from(4800), 48_000.0);
    let meant = [0.6, 0.8, 1.0, 1.2, 1.4, 1.5, 1.75].map(|time| time - 0.1);
    assert_eq!(ticks.len(), meant.len(), "{ticks:?}");
    assert!(
        ticks
            .iter()
            .zip(meant)
            .all(|(tick, meant)| (tick - meant).abs() < 1e-5),
        "{ticks:?}, not {meant:?}"
    );
    let loudest = from(4800)
        .iter()
        .fold(0.0_f64, |loudest, value| loudest.max(value.abs()));
    assert!((loudest - 0.2).abs() < 0.001, "{loudest}");
}

#[test]
fn ticks_are_at_whole_seconds_of_the_wall_clock() {
    clocktone(&[]);
    let line = format!(
        "clocktone name=source lead-time=200000000 ! {CAPS} ! appsink name=sink sync=false max-buffers=1000"
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline
        .by_name("sink")
        .and_downcast::<gst_app::AppSink>()
        .unwrap();
    let wall = || std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos().cast_signed();
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut sound = Vec::new();
    let mut first = None;
    while sound.len() < 48_000 * 3 {
        let sample = sink
            .try_pull_sample(gst::ClockTime::from_seconds(20))
            .expect("sound");
        let buffer = sample.buffer().unwrap();
        if buffer.flags().contains(gst::BufferFlags::DISCONT) {
            // This machine was away: what follows has a time of its own.
            first = Some(pts(buffer));
            sound.clear();
        }
        sound.extend(values(&buffer.map_readable().unwrap()));
    }
    let (clock, base_time) = (pipeline.clock().unwrap(), pipeline.base_time().unwrap());
    let readings = (0..1000).map(|_| (wall(), clock.time(), wall()));
    let (before, now, after) = readings.min_by_key(|(before, _, after)| after - before).unwrap();
    let offset = i128::midpoint(before, after) - i128::from((now - base_time).nseconds());
    pipeline.set_state(gst::State::Null).unwrap();
    let ticks = ear::onsets(&sound, 48_000.0);
    assert!(ticks.len() >= 2, "{ticks:?}");
    for tick in ticks {
        #[allow(clippy::cast_possible_truncation)]
        let running = i128::from(first.unwrap()) + (tick * 1e9) as i128;
        let second = (running + offset).rem_euclid(SECOND.into());
        let error = second.min(i128::from(SECOND) - second);
        assert!(error < 1_000_000, "{error} ns off a whole second");
    }
}

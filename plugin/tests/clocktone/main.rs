//! `clocktone` in GStreamer's hands: when its buffers leave, where its ticks begin, what is in between.

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../tests/support/ear.rs"]
mod ear;

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst_audio::AudioFormat;
use gst_check::Harness;
use gstclocksrc::clocktone::tick::Sound;

const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// 2026-01-01T00:00:00Z, a whole second.
const START: i64 = 1_767_225_600_000_000_000;
const CAPS: &str = "audio/x-raw,format=S16LE,layout=interleaved,rate=48000,channels=1";
/// How long anything that has to happen may take to happen.
const DEADLINE: Duration = Duration::from_secs(20);

fn clocktone(properties: &[(&str, glib::Value)]) -> gst::Element {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
    let element = gst::ElementFactory::make("clocktone").build().unwrap();
    element.set_property("start-time", START);
    for (name, value) in properties {
        element.set_property_from_value(name, value);
    }
    element
}

/// A playing `clocktone` on a test clock at 0 whose wall clock is `START` plus running time.
fn harness(properties: &[(&str, glib::Value)], caps: &str) -> Harness {
    let mut harness = Harness::with_element(&clocktone(properties), None, Some("src"));
    harness.use_testclock();
    harness.set_sink_caps_str(caps);
    harness.play();
    harness
}

/// Buffers as fast as they can be made.
fn fast(properties: &[(&str, glib::Value)], caps: &str, buffers: u32) -> Vec<gst::Buffer> {
    let element = clocktone(properties);
    element.set_property("is-live", false);
    element.set_property("num-buffers", i32::try_from(buffers).unwrap());
    let mut harness = Harness::with_element(&element, None, Some("src"));
    harness.set_sink_caps_str(caps);
    harness.play();
    (0..buffers).map(|_| harness.pull().expect("a buffer")).collect()
}

fn bytes(buffers: &[gst::Buffer]) -> Vec<u8> {
    let parts = buffers
        .iter()
        .map(|buffer| buffer.map_readable().unwrap().to_vec());
    parts.collect::<Vec<_>>().concat()
}

/// Mono samples of 16 bits as values between -1 and 1.
fn values(bytes: &[u8]) -> Vec<f64> {
    let samples = bytes
        .chunks_exact(2)
        .map(|pair| i16::from_le_bytes([pair[0], pair[1]]));
    samples.map(|sample| f64::from(sample) / 32_767.0).collect()
}

fn pts(buffer: &gst::BufferRef) -> u64 {
    buffer.pts().expect("a PTS").nseconds()
}

fn stat(element: &gst::Element, name: &str) -> u64 {
    element.property::<gst::Structure>("stats").get(name).unwrap()
}

/// The next buffer, however many waits on the clock lie before it.
fn next_buffer(harness: &mut Harness) -> gst::Buffer {
    for _ in 0..10 {
        harness.wait_for_clock_id_waits(1, 20).unwrap();
        if harness.buffers_in_queue() > 0 {
            return harness.pull().unwrap();
        }
        harness.crank_single_clock_wait().unwrap();
    }
    panic!("ten waits and no buffer");
}

/// The default tick at a sample, that many seconds after START + `start` ns.
#[allow(clippy::cast_precision_loss)]
fn expected(sample: u64, rate: u64, start: u64) -> f64 {
    let sound = Sound {
        frequency: 1000.0,
        volume: 0.8,
    };
    let time = i128::from(sample * SECOND) - i128::from(start * rate);
    let since = time as f64 / (rate * SECOND) as f64;
    sound.at(since.rem_euclid(1.0))
}

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
fn all_formats_sound_alike() {
    let meant: Vec<f64> = (0..4800).map(|sample| expected(sample, 48_000, 0)).collect();
    for (format, precision) in [
        ("S8", 1e-2),
        ("U8", 1e-2),
        ("S16LE", 1e-4),
        ("S16BE", 1e-4),
        ("S24LE", 1e-6),
        ("S24_32LE", 1e-6),
        ("S32LE", 1e-8),
        ("F32LE", 1e-6),
        ("F64LE", 1e-9),
    ] {
        let caps = format!("audio/x-raw,format={format},layout=interleaved,rate=48000,channels=1");
        let line = format!(
            "appsrc name=in format=time caps={caps} ! audioconvert ! audio/x-raw,format=F64LE ! appsink name=out"
        );
        let sound = convert(&line, fast(&[], &caps, 10));
        assert_eq!(sound.len(), meant.len(), "{format}");
        for (index, (value, meant)) in sound.iter().zip(&meant).enumerate() {
            assert!(
                (value - meant).abs() < precision,
                "{format}: sample {index} is {value}, not {meant}"
            );
        }
    }
}

fn convert(line: &str, buffers: Vec<gst::Buffer>) -> Vec<f64> {
    let pipeline = gst::parse::launch(line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let source = pipeline.by_name("in").and_downcast::<gst_app::AppSrc>().unwrap();
    let sink = pipeline
        .by_name("out")
        .and_downcast::<gst_app::AppSink>()
        .unwrap();
    sink.set_sync(false);
    pipeline.set_state(gst::State::Playing).unwrap();
    for buffer in buffers {
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let mut values = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        let buffer = sample.buffer().unwrap().map_readable().unwrap();
        values.extend(
            buffer
                .chunks_exact(8)
                .map(|value| f64::from_le_bytes(value.try_into().unwrap())),
        );
    }
    pipeline.set_state(gst::State::Null).unwrap();
    values
}

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
fn what_held_the_first_buffers_back_makes_nothing_late() {
    let element = clocktone(&[("lead-time", (50 * MS).to_value())]);
    let pad = element.static_pad("src").unwrap();
    let (release, held) = mpsc::channel::<()>();
    let (entered, entry) = mpsc::channel();
    let state = Mutex::new((0, held));
    pad.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let mut state = state.lock().unwrap();
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
fn output_from_a_start_time_is_the_same_byte_for_byte() {
    let runs = [0, 1].map(|_| bytes(&fast(&[], CAPS, 300)));
    assert!(runs[0] == runs[1]);
    assert!(runs[0].iter().any(|byte| *byte != 0), "no tick");
}

#[test]
fn live_sound_is_that_made_ahead() {
    let ahead = bytes(&fast(&[], CAPS, 120));
    let mut harness = harness(&[], CAPS);
    let mut live = bytes(&[harness.pull().unwrap()]);
    for _ in 1..120 {
        harness.crank_single_clock_wait().unwrap();
        live.extend(bytes(&[harness.pull().unwrap()]));
    }
    assert!(live == ahead);
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
fn a_tick_has_its_energy_at_its_frequency() {
    for frequency in [400.0, 1000.0, 3000.0] {
        let sound = values(&bytes(&fast(&[("frequency", frequency.to_value())], CAPS, 2)));
        let power = |frequency: f64| -> f64 {
            let (mut real, mut imaginary) = (0.0, 0.0);
            for (index, value) in (0_u32..).zip(&sound) {
                let angle = std::f64::consts::TAU * frequency * f64::from(index) / 48_000.0;
                real += value * angle.cos();
                imaginary += value * angle.sin();
            }
            real * real + imaginary * imaginary
        };
        let here = power(frequency);
        for other in [frequency / 2.0, frequency + 200.0, frequency * 2.0] {
            assert!(
                power(other) < here / 100.0,
                "{other} Hz in a tick of {frequency} Hz"
            );
        }
    }
}

#[test]
fn many_channels_get_their_usual_places_and_nobody_cares_means_mono() {
    for (caps, channels, rate) in [
        ("audio/x-raw", 1, 48_000),
        ("audio/x-raw,channels=6", 6, 48_000),
        ("audio/x-raw,channels=2,rate=8000", 2, 8000),
        ("audio/x-raw,channels=13,format=U8", 13, 48_000),
    ] {
        let mut harness =
            Harness::with_element(&clocktone(&[("is-live", false.to_value())]), None, Some("src"));
        harness.set_sink_caps_str(caps);
        harness.play();
        let buffer = harness.pull().unwrap();
        let caps = harness.sinkpad().unwrap().current_caps().unwrap();
        let info = gst_audio::AudioInfo::from_caps(&caps).unwrap();
        assert_eq!((info.channels(), info.rate()), (channels, rate), "{caps}");
        assert_eq!(buffer.size(), (rate / 100 * info.bpf()) as usize);
        assert!(info.format() == AudioFormat::S16le || caps.to_string().contains("U8"));
    }
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

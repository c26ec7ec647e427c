//! What sounds, in each format, and that it is always the same.

use gst::prelude::*;
use gst_audio::AudioFormat;
use gst_check::Harness;

use crate::{CAPS, bytes, clocktone, expected, fast, harness, values};

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

//! `clocktone` in GStreamer's hands: when its buffers leave, where its ticks begin, what is in between.
//!
//! | module | subject |
//! | --- | --- |
//! | `timing` | when buffers leave, and their PTS |
//! | `ticks` | where ticks begin |
//! | `sound` | what sounds, in each format |

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../../tests/support/ear.rs"]
mod ear;

mod sound;
mod ticks;
mod timing;

use std::time::Duration;

use clockface::tick::Sound;
use gst::glib;
use gst::prelude::*;
use gst_check::Harness;

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

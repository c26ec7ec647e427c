//! CPU time that `clockprobe` takes for a 1080p frame once it follows the stamp. The bar is 4 ms.
//!
//! `cargo bench -p gst-plugin-clocksrc --bench clockprobe`

use std::fs;
use std::process::ExitCode;

use clockface::Stamp;
use gst::prelude::*;
use gst_check::Harness;

const WIDTH: usize = 1920;
const HEIGHT: usize = 1080;
const MODULE: usize = 8;
/// Frames in a round; the median of the rounds counts.
const FRAMES: u64 = 200;
const ROUNDS: usize = 5;
/// In ms a frame.
const BAR: f64 = 4.0;

fn main() -> ExitCode {
    gst::init().expect("GStreamer is installed");
    gstclocksrc::register_static().expect("the plugin registers");
    let mut rounds: Vec<f64> = (0..ROUNDS).map(|_| round()).collect();
    rounds.sort_by(f64::total_cmp);
    let median = rounds[ROUNDS / 2];
    println!("clockprobe, 1920x1080 I420, a frame: {median:.3} ms (bar {BAR} ms; rounds {rounds:.3?})");
    if median <= BAR {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Ms a frame. All of the work is in the thread that pushes.
#[allow(clippy::cast_precision_loss, reason = "small counts")]
fn round() -> f64 {
    let mut harness = Harness::new("clockprobe");
    harness.set_src_caps_str("video/x-raw,format=I420,width=1920,height=1080,framerate=60/1");
    let frames: Vec<gst::Buffer> = (0..20).map(picture).collect();
    // The first frame has the whole picture searched.
    harness.push(picture(0)).expect("it passes");
    let before = cpu_time();
    for frame in (0..FRAMES).zip(frames.iter().cycle()).map(|(_, frame)| frame) {
        harness.push(frame.clone()).expect("it passes");
        harness.pull().expect("it passed");
    }
    let took = (cpu_time() - before) as f64 / 1e6 / FRAMES as f64;
    let element = harness.element().expect("it has an element");
    let stats: gst::Structure = element.property("stats");
    assert_eq!(stats.get("readings"), Ok(FRAMES + 1), "{stats}");
    took
}

/// CPU time of this thread in ns: the first field of `schedstat` (Linux, sched-stats.rst).
fn cpu_time() -> u64 {
    let times = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells");
    let time = times.split_whitespace().next().and_then(|time| time.parse().ok());
    time.expect("a time in ns")
}

/// Grey noise with a stamp in its top right corner.
fn picture(frame: u64) -> gst::Buffer {
    let stamp = Stamp {
        instant: 1_767_225_600_000_000,
        frame,
        viewers: 1,
        stream: 0,
        run: 1,
    };
    let modules = stamp.modules();
    let mut bytes = vec![128; WIDTH * HEIGHT * 3 / 2];
    for (index, byte) in bytes.iter_mut().take(WIDTH * HEIGHT).enumerate() {
        *byte = u8::try_from((index * 7919 + index / WIDTH * 104_729) % 97).unwrap_or_default() + 40;
    }
    let left = WIDTH - 33 * MODULE;
    for y in 0..33 * MODULE {
        for x in 0..33 * MODULE {
            let module = |at: usize| (at / MODULE).checked_sub(4).filter(|&at| at < 25);
            let dark = module(y)
                .zip(module(x))
                .is_some_and(|(row, column)| modules[row][column]);
            bytes[y * WIDTH + left + x] = if dark { 16 } else { 235 };
        }
    }
    gst::Buffer::from_mut_slice(bytes)
}

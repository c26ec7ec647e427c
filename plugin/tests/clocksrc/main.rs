//! `clocksrc` in GStreamer's hands: when its frames leave, what is written on them, what it answers.
//!
//! | module | subject |
//! | --- | --- |
//! | `timing` | when frames leave, and their PTS |
//! | `picture` | what frames show |
//! | `properties` | what the properties change, and refuse |
//! | `answers` | caps, queries, seeks, the end |
//! | `far_times` | clocks that are set to a time that nothing can tell |
//! | `look` | how frames look, and values that cannot be used |
//! | `network_clock` | a pipeline that runs by a network's clock |
//! | `stamp` | what stamp and flash say of each frame |

#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../../tests/support/reader.rs"]
mod reader;

mod answers;
mod far_times;
mod look;
mod network_clock;
mod picture;
mod properties;
mod stamp;
mod timing;

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

//! A `clockprobe` on a test clock, and pictures with stamps for it.

use clockface::Stamp;
use gst::prelude::*;
use gst_check::Harness;

pub(crate) const MS: u64 = 1_000_000;
/// 2026-01-01T00:00:00Z in ns.
pub(crate) const START: i64 = 1_767_225_600_000_000_000;
/// From one frame to the next.
pub(crate) const PERIOD: u64 = 40 * MS;
/// Stamps here have modules of that many px.
const MODULE: usize = 4;
/// Stamp and quiet zone fill the picture.
pub(crate) const SIDE: usize = (25 + 2 * 4) * MODULE;

pub(crate) fn init() {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
}

/// A frame of a camera that shows `START` plus running time, and numbers its frames from there.
pub(crate) fn stamp(run: u32, frame: u64) -> Stamp {
    Stamp {
        instant: (START + i64::try_from(frame * PERIOD).unwrap()) / 1000,
        frame,
        viewers: 2,
        stream: 7,
        run,
    }
}

pub(crate) fn caps(format: &str) -> String {
    format!("video/x-raw,format={format},width={SIDE},height={SIDE},framerate=25/1")
}

/// A stamp in black and white, one byte a pixel. Rows have no padding: the side is a multiple of 4.
pub(crate) fn gray(stamp: &Stamp) -> Vec<u8> {
    let modules = stamp.modules();
    let module = |at: usize| (at / MODULE).checked_sub(4).filter(|&module| module < 25);
    let pixel = |at: usize| match (module(at / SIDE), module(at % SIDE)) {
        (Some(row), Some(column)) if modules[row][column] => 16,
        _ => 235,
    };
    (0..SIDE * SIDE).map(pixel).collect()
}

pub(crate) fn buffer(bytes: Vec<u8>, pts: u64) -> gst::Buffer {
    let mut buffer = gst::Buffer::from_mut_slice(bytes);
    let fields = buffer.get_mut().unwrap();
    fields.set_pts(gst::ClockTime::from_nseconds(pts));
    fields.set_duration(gst::ClockTime::from_nseconds(PERIOD));
    buffer
}

pub(crate) fn picture(stamp: &Stamp, pts: u64) -> gst::Buffer {
    buffer(gray(stamp), pts)
}

/// A picture without a stamp.
pub(crate) fn blank(pts: u64) -> gst::Buffer {
    buffer(vec![128; SIDE * SIDE], pts)
}

/// A probe and its bus on a test clock at 0; arrival is `START` plus running time.
pub(crate) struct Probe {
    pub(crate) harness: Harness,
    bus: gst::Bus,
}

impl Probe {
    pub(crate) fn new() -> Self {
        init();
        let element = gst::ElementFactory::make("clockprobe")
            .property("start-time", START)
            .build()
            .unwrap();
        Self::of(&element)
    }

    /// A playing probe of this element.
    pub(crate) fn of(element: &gst::Element) -> Self {
        let mut harness = Harness::with_element(element, Some("sink"), Some("src"));
        harness.use_testclock();
        let bus = gst::Bus::new();
        element.set_bus(Some(&bus));
        harness.set_src_caps_str(&caps("GRAY8"));
        harness.play();
        Self { harness, bus }
    }

    pub(crate) fn element(&self) -> gst::Element {
        self.harness.element().unwrap()
    }

    /// Lets a buffer pass.
    pub(crate) fn push(&mut self, buffer: gst::Buffer) {
        self.harness.push(buffer).unwrap();
        self.harness.pull().unwrap();
    }

    /// Lets a frame pass at that running time, which is its PTS as well.
    pub(crate) fn push_at(&mut self, stamp: &Stamp, time: u64) {
        self.set_time(time);
        self.push(picture(stamp, time));
    }

    pub(crate) fn set_time(&mut self, running: u64) {
        self.harness
            .set_time(gst::ClockTime::from_nseconds(running))
            .unwrap();
    }

    pub(crate) fn stats(&self) -> gst::Structure {
        self.element().property("stats")
    }

    #[track_caller]
    pub(crate) fn count(&self, name: &str) -> u64 {
        self.stats().get(name).unwrap()
    }

    #[track_caller]
    pub(crate) fn counts<const N: usize>(&self, names: [&str; N]) -> [u64; N] {
        let stats = self.stats();
        names.map(|name| stats.get(name).unwrap())
    }

    /// The messages since the last call.
    pub(crate) fn messages(&self) -> Vec<gst::Structure> {
        std::iter::from_fn(|| self.bus.pop_filtered(&[gst::MessageType::Element]))
            .filter_map(|message| message.structure().map(ToOwned::to_owned))
            .collect()
    }
}

/// Plays until the end, which is no error.
#[track_caller]
pub(crate) fn play_to_the_end(pipeline: &gst::Pipeline) {
    pipeline.set_state(gst::State::Playing).unwrap();
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let message = pipeline
        .bus()
        .unwrap()
        .timed_pop_filtered(gst::ClockTime::from_seconds(60), &end);
    pipeline.set_state(gst::State::Null).unwrap();
    let message = message.expect("it ends");
    assert_eq!(message.type_(), gst::MessageType::Eos, "{message:?}");
}

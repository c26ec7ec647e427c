//! Sound against picture of recordings whose sound is ahead or behind by a growing amount.

use std::path::{Path, PathBuf};
use std::process::Command;

use gst::prelude::*;
use rtsp_clock_probe::figures::Sound;
use rtsp_clock_probe::target::Target;
use rtsp_clock_probe::{Options, measure};

/// Ten seconds of a clock and its ticks.
const LINE: &str = "clocksrc is-live=false start-time=1767225600000000000 stamp=qr num-buffers=250 \
    ! video/x-raw,format=I420,width=320,height=240,framerate=25/1 ! jpegenc quality=90 ! queue ! mux. \
    clocktone is-live=false start-time=1767225600000000000 num-buffers=1000 \
    ! audio/x-raw,format=S16LE,rate=48000,channels=1 ! queue ! mux. matroskamux name=mux ! filesink name=file";

/// A file in the tests' own folder; gone with this.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let name = format!("{name}-{}.mkv", std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // It may never have been written.
        let _ = std::fs::remove_file(&self.0);
    }
}

fn recording() -> File {
    rtsp_clock_probe::init().expect("GStreamer and clocksrc");
    let file = File::new("in-step");
    let pipeline = gst::parse::launch(LINE).expect("a pipeline");
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
    let sink = bin.by_name("file").expect("a sink");
    sink.set_property("location", file.0.to_str().expect("UTF-8"));
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let end = [gst::MessageType::Eos, gst::MessageType::Error];
    let bus = pipeline.bus().expect("a bus");
    let message = bus.timed_pop_filtered(gst::ClockTime::from_seconds(120), &end);
    pipeline.set_state(gst::State::Null).expect("it stops");
    assert_eq!(
        message.map(|message| message.type_()),
        Some(gst::MessageType::Eos)
    );
    file
}

/// The recording with the times of its pictures, or of its sound, `factor` times as large.
fn stretched(recording: &File, stream: &str, factor: f64) -> File {
    let file = File::new(&format!("{stream}-{factor}"));
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-y", "-i"])
        .arg(&recording.0)
        .args([
            "-c",
            "copy",
            &format!("-bsf:{stream}"),
            &format!("setts=ts=TS*{factor}"),
        ])
        .arg(&file.0)
        .status();
    assert!(status.expect("ffmpeg is installed").success());
    file
}

fn sound(file: &File) -> Sound {
    let target = Target::parse(file.0.to_str().expect("UTF-8"), None).expect("a file");
    let outcome = measure(&Options::of(target)).expect("it is measured");
    assert!(outcome.is_good(), "{:#?}", outcome.measurement);
    outcome.measurement.streams[0].sound.expect("it has sound")
}

#[test]
fn a_growing_offset_of_sound_and_picture_is_told_as_it_is_and_the_same_each_time() {
    let recording = recording();
    for factor in [1.02, 0.99, 1.0] {
        let file = stretched(&recording, "v", factor);
        let told = sound(&file);
        println!("{factor}: {told:?}");
        // In ms: what the picture shows at a tick, less the second of it.
        let truth = |tick: f64| 1e3 * tick * (1.0 / factor - 1.0);
        let near =
            |told: Option<f64>, truth: f64, by: f64| told.is_some_and(|told| (told - truth).abs() < by);
        // The first tick is where the sound begins, without quiet before it.
        assert_eq!(told.ticks, 9, "{factor}");
        assert!(near(told.offset_median, truth(5.0), 1.0), "{factor}: {told:?}");
        assert!(near(told.offset_max, truth(9.0), 1.0), "{factor}: {told:?}");
        let drift = 1e6 * (1.0 / factor - 1.0);
        let uncertainty = told.drift_uncertainty_ppm.expect("nine ticks");
        assert!(
            near(told.drift_ppm, drift, uncertainty + 1.0),
            "{factor}: {told:?}"
        );
        assert!(uncertainty < 200.0, "{factor}: {told:?}");
        for _ in 0..2 {
            assert_eq!(sound(&file), told, "{factor}");
        }
    }
}

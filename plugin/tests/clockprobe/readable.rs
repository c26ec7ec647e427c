//! The stamp through encoders, scalers and changes of rate: every frame is read, and says what went in.

use clockface::{Luma, Sighting, Stamp, StampReader};
use gst::prelude::*;
use gst_video::VideoFrameExt;

const FRAMES: u64 = 100;
const FPS: u64 = 25;
/// The first frame's instant, in µs since the Unix epoch.
const START: u64 = 1_767_225_600_000_000;
/// One thread, so that the test sees the same pictures each time: threads race for the bits of a frame.
const X264: &str = "x264enc bitrate=256 tune=zerolatency speed-preset=ultrafast threads=1 ! avdec_h264";
const JPEG: &str = "jpegenc quality=50 ! jpegdec";
const PATIENCE: gst::ClockTime = gst::ClockTime::from_seconds(60);

/// The stamp of frame `number` in the source's run.
fn stamp_of(number: u64, run: u32) -> Stamp {
    Stamp {
        instant: (START + number * 1_000_000 / FPS).cast_signed(),
        frame: number,
        viewers: 2,
        stream: 7,
        run,
    }
}

/// Plays [`FRAMES`] frames of a size through `chain`. All must come out, and be read as those of their time.
#[track_caller]
fn assert_all_read(width: usize, height: usize, chain: &str) {
    let frames = play(FRAMES, width, height, chain);
    assert_eq!(
        frames.len(),
        usize::try_from(FRAMES).unwrap(),
        "frames out of {chain}"
    );
    assert!(
        frames.iter().any(|(_, sighting)| sighting.is_some()),
        "nothing read of {width}x{height} ! {chain}"
    );
    let run = run_of(&frames);
    for (running_time, sighting) in frames {
        let number = (running_time.nseconds() * FPS + 500_000_000) / 1_000_000_000;
        let stamp = sighting.map(|sighting| sighting.stamp);
        assert_eq!(
            stamp,
            Some(stamp_of(number, run)),
            "{running_time} of {width}x{height} ! {chain}"
        );
        let followed = sighting.is_some_and(|sighting| sighting.followed);
        assert!(followed || number == 0, "{running_time} of {chain} was searched");
    }
}

/// A frame's running time, and what was read in it.
type Frame = (gst::ClockTime, Option<Sighting>);

/// What the source called its run: all frames are of one.
fn run_of(frames: &[Frame]) -> u32 {
    let first = frames.iter().find_map(|(_, sighting)| *sighting);
    first.expect("a frame that can be read").stamp.run
}

/// The frames that come out of `chain`.
fn play(count: u64, width: usize, height: usize, chain: &str) -> Vec<Frame> {
    let (pipeline, sink) = pipeline(count, width, height, chain);
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut reader = StampReader::new();
    let mut frames = Vec::new();
    while let Some(sample) = sink.try_pull_sample(PATIENCE) {
        let segment = sample
            .segment()
            .unwrap()
            .downcast_ref::<gst::ClockTime>()
            .unwrap();
        // x264enc moves all PTS by 1000 h, and the segment with them.
        let running_time = segment.to_running_time(sample.buffer().unwrap().pts());
        frames.push((running_time.unwrap(), read(&mut reader, &sample)));
    }
    assert!(sink.is_eos(), "{chain} stopped after {} frames", frames.len());
    pipeline.set_state(gst::State::Null).unwrap();
    frames
}

fn pipeline(count: u64, width: usize, height: usize, chain: &str) -> (gst::Pipeline, gst_app::AppSink) {
    gst::init().unwrap();
    gstclocksrc::register_static().unwrap();
    let line = format!(
        "clocksrc is-live=false start-time={} num-buffers={count} stamp=qr stamp-id=7 flash=true clients=2 \
         ! video/x-raw,format=I420,width={width},height={height},framerate={FPS}/1 ! {chain} \
         ! videoconvert ! video/x-raw,format=I420 ! appsink name=sink sync=false max-buffers=4",
        START * 1000
    );
    let pipeline = gst::parse::launch(&line)
        .unwrap()
        .downcast::<gst::Pipeline>()
        .unwrap();
    let sink = pipeline.by_name("sink").unwrap().downcast().unwrap();
    (pipeline, sink)
}

fn read(reader: &mut StampReader, sample: &gst::Sample) -> Option<Sighting> {
    let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
    let frame = gst_video::VideoFrameRef::from_buffer_ref_readable(sample.buffer().unwrap(), &info).unwrap();
    reader.read(&Luma {
        data: frame.plane_data(0).unwrap(),
        stride: usize::try_from(frame.plane_stride()[0]).unwrap(),
        step: 1,
        width: frame.width() as usize,
        height: frame.height() as usize,
    })
}

#[test]
fn h264_at_256_kbit_per_second() {
    assert_all_read(1280, 720, X264);
}

#[test]
fn jpeg_at_quality_50() {
    assert_all_read(1280, 720, JPEG);
}

#[test]
fn half_the_size() {
    assert_all_read(
        1280,
        720,
        &format!("videoscale ! video/x-raw,width=640,height=360 ! {X264}"),
    );
    assert_all_read(1920, 1080, "videoscale ! video/x-raw,width=960,height=540");
}

/// The larger picture has as many bits a pixel as 720p at 256 kbit/s.
#[test]
fn one_and_a_half_times_the_size() {
    assert_all_read(
        1280,
        720,
        &format!("{X264} ! videoscale ! video/x-raw,width=1920,height=1080"),
    );
    assert_all_read(
        1920,
        1080,
        "x264enc bitrate=576 tune=zerolatency speed-preset=ultrafast threads=1 ! avdec_h264 \
         ! videoscale ! video/x-raw,width=2880,height=1620",
    );
}

/// `videorate` takes one of the frames around the time that it gives it, and shows the last one again at the end.
#[test]
fn another_frame_rate() {
    for rate in [10, 30] {
        let chain = format!("videorate ! video/x-raw,framerate={rate}/1 ! {X264}");
        let frames = play(3 * FRAMES, 1280, 720, &chain);
        assert!(frames.len() >= 100, "{} frames", frames.len());
        let run = run_of(&frames);
        for (running_time, sighting) in frames {
            let stamp = sighting.expect("a stamp in every frame").stamp;
            assert_eq!(stamp, stamp_of(stamp.frame, run));
            let shown = gst::ClockTime::SECOND * stamp.frame / FPS;
            let off = gst::ClockTime::from_nseconds(running_time.nseconds().abs_diff(shown.nseconds()));
            assert!(
                off <= gst::ClockTime::SECOND / FPS,
                "{running_time} shows {shown}"
            );
        }
    }
}

#[test]
fn small_pictures() {
    for chain in [X264, JPEG] {
        assert_all_read(320, 240, chain);
        assert_all_read(640, 480, chain);
    }
}

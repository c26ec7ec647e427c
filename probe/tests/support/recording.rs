//! Recordings of a stamped clock, with frames put where a test wants them.

use std::path::{Path, PathBuf};

use gst::prelude::*;

/// From one frame to the next, in ms.
pub(crate) const PERIOD: u64 = 40;
const SIZE: (u32, u32) = (320, 240);
const CAPS: &str = "video/x-raw,format=I420,width=320,height=240,framerate=25/1";

/// The frames of one run of a camera.
pub(crate) fn frames(count: usize) -> Vec<gst::Buffer> {
    rtsp_clock_probe::init().expect("GStreamer and clocksrc");
    let line = format!(
        "clocksrc is-live=false stamp=qr stamp-id=7 num-buffers={count} ! {CAPS} ! appsink name=frames sync=false"
    );
    let pipeline = gst::parse::launch(&line).expect("a pipeline");
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
    let appsink: gst_app::AppSink = bin.by_name("frames").and_downcast().expect("an appsink");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let frames = std::iter::from_fn(|| appsink.pull_sample().ok()?.buffer_owned())
        .map(|frame| frame.copy_deep().expect("memory"))
        .collect::<Vec<_>>();
    pipeline.set_state(gst::State::Null).expect("it stops");
    assert_eq!(frames.len(), count);
    frames
}

/// A frame without a stamp: grey.
pub(crate) fn blank() -> gst::Buffer {
    rtsp_clock_probe::init().expect("GStreamer");
    let bytes = (SIZE.0 * SIZE.1 * 3 / 2) as usize;
    gst::Buffer::from_mut_slice(vec![128; bytes])
}

/// A frame and the place in time where it is shown, in frame periods.
pub(crate) type Placed<'a> = (u64, &'a gst::Buffer);

/// Frames one after the other.
pub(crate) fn in_a_row<'a>(frames: impl IntoIterator<Item = &'a gst::Buffer>) -> Vec<Placed<'a>> {
    (0..).zip(frames).collect()
}

/// A recording; gone with this.
pub(crate) struct Recording(PathBuf);

impl Recording {
    pub(crate) fn name(&self) -> &str {
        self.0.to_str().expect("UTF-8")
    }

    /// Encodes the frames and writes them to a file of that name.
    pub(crate) fn write(name: &str, frames: &[Placed<'_>]) -> Self {
        gst::init().expect("GStreamer");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.mkv", std::process::id()));
        let line = format!(
            "appsrc name=frames format=time caps={CAPS} ! jpegenc quality=90 ! matroskamux ! filesink location={}",
            path.display()
        );
        let pipeline = gst::parse::launch(&line).expect("a pipeline");
        let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
        let appsrc: gst_app::AppSrc = bin.by_name("frames").and_downcast().expect("an appsrc");
        pipeline.set_state(gst::State::Playing).expect("it plays");
        for (place, frame) in frames {
            let mut frame = frame.copy();
            let buffer = frame.make_mut();
            buffer.set_pts(gst::ClockTime::from_mseconds(place * PERIOD));
            buffer.set_duration(gst::ClockTime::from_mseconds(PERIOD));
            appsrc.push_buffer(frame).expect("it is taken");
        }
        appsrc.end_of_stream().expect("it is taken");
        let bus = pipeline.bus().expect("a bus");
        let end = bus.timed_pop_filtered(
            gst::ClockTime::from_seconds(60),
            &[gst::MessageType::Eos, gst::MessageType::Error],
        );
        let end = end.expect("it ends");
        assert_eq!(end.type_(), gst::MessageType::Eos, "{end:?}");
        pipeline.set_state(gst::State::Null).expect("it stops");
        Self(path)
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // It may be gone.
        let _ = std::fs::remove_file(&self.0);
    }
}

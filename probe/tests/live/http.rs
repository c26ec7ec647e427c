//! What comes over HTTP as it happens.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gst::prelude::*;
use rtsp_clock_probe::figures::Sample;
use rtsp_clock_probe::target::Target;
use rtsp_clock_probe::{Observer, Options, Outcome, measure_until};

const PARTS: u64 = 60;
/// Parts that may be under way: what holds up more has a queue.
const UNDER_WAY: u64 = 3;
/// Longer than any of it takes.
const PATIENCE: Duration = Duration::from_mins(1);

/// JPEG pictures of one run of a camera.
fn pictures(count: u64) -> Vec<Vec<u8>> {
    rtsp_clock_probe::init().expect("GStreamer and clocksrc");
    let line = format!(
        "clocksrc is-live=false stamp=qr num-buffers={count} ! video/x-raw,width=320,height=240,framerate=25/1 \
         ! jpegenc quality=90 ! appsink name=pictures sync=false"
    );
    let pipeline = gst::parse::launch(&line).expect("a pipeline");
    let bin = pipeline.downcast_ref::<gst::Bin>().expect("a bin");
    let appsink: gst_app::AppSink = bin.by_name("pictures").and_downcast().expect("an appsink");
    pipeline.set_state(gst::State::Playing).expect("it plays");
    let buffers = std::iter::from_fn(|| appsink.pull_sample().ok()?.buffer_owned());
    let pictures = buffers
        .map(|buffer| buffer.map_readable().expect("memory").to_vec())
        .collect();
    pipeline.set_state(gst::State::Null).expect("it stops");
    pictures
}

/// What the probe has read so far.
#[derive(Default)]
struct Read(AtomicU64);

struct Reader(Arc<Read>);

impl Observer for Reader {
    fn picture(&mut self, _url: &str, sample: &Sample) -> anyhow::Result<()> {
        self.0
            .0
            .fetch_add(u64::from(sample.stamp.is_some()), Ordering::Relaxed);
        Ok(())
    }
}

impl Read {
    fn wait_for(&self, pictures: u64) -> bool {
        let begin = Instant::now();
        while self.0.load(Ordering::Relaxed) < pictures {
            if begin.elapsed() > PATIENCE / 2 {
                return false;
            }
            thread::sleep(Duration::from_millis(1));
        }
        true
    }
}

/// Gives out pictures as an IP camera or `ffmpeg -f mpjpeg` does, and the next one only once those before it are read.
fn camera(with_length: bool, read: Arc<Read>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!(
        "http://{}/stream.mjpg",
        listener.local_addr().expect("its address")
    );
    let pictures = pictures(PARTS);
    thread::spawn(move || {
        let (connection, _) = listener.accept().expect("a viewer");
        let request = BufReader::new(&connection).lines().map_while(Result::ok);
        request.take_while(|line| !line.is_empty()).for_each(drop);
        serve(&connection, &pictures, with_length, &read);
    });
    url
}

fn serve(mut to: &TcpStream, pictures: &[Vec<u8>], with_length: bool, read: &Read) {
    let head =
        "HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace;boundary=ffmpeg\r\n\r\n--ffmpeg\r\n";
    to.write_all(head.as_bytes()).expect("it is taken");
    for (picture, sent) in pictures.iter().zip(0_u64..) {
        if !read.wait_for((sent + 1).saturating_sub(UNDER_WAY)) {
            return;
        }
        let length = if with_length {
            format!("Content-length: {}\r\n", picture.len())
        } else {
            String::new()
        };
        let head = format!("Content-type: image/jpeg\r\n{length}\r\n");
        let part = [head.as_bytes(), picture, b"\r\n--ffmpeg\r\n"].concat();
        // A probe that has seen enough hangs up.
        if to.write_all(&part).is_err() {
            return;
        }
    }
}

fn measured(url: &str, frames: u64, read: Arc<Read>) -> Outcome {
    let options = Options {
        frames: Some(frames),
        duration: Some(PATIENCE),
        ..Options::of(Target::parse(url, None).expect("a URL"))
    };
    measure_until(&options, &AtomicBool::new(false), &mut Reader(read)).expect("it is measured")
}

#[test]
fn pictures_in_parts_are_shown_as_they_come() {
    for with_length in [false, true] {
        let read = Arc::<Read>::default();
        let url = camera(with_length, read.clone());
        let outcome = measured(&url, PARTS - UNDER_WAY, read.clone());
        let stream = &outcome.measurement.streams[0];
        let count = read.0.load(Ordering::Relaxed);
        assert!(
            outcome.is_good(),
            "{count} pictures read, with length: {with_length}: {stream:#?}"
        );
        assert_eq!((stream.live, stream.codec.as_deref()), (true, Some("MJPEG")));
        assert_eq!(
            (stream.counts.lost, stream.counts.unreadable),
            (0, 0),
            "{:?}",
            stream.counts
        );
    }
}

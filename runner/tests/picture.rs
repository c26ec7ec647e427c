//! The picture as a viewer gets it: decoded, read back, and held against RTP time and RTCP sender reports.

mod common;
#[allow(
    dead_code,
    unreachable_pub,
    reason = "each test binary uses its own part of it"
)]
#[path = "../../tests/support/reader.rs"]
mod reader;

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use common::{config, start, url, wait_for_viewers};
use gst::prelude::*;
use reader::{DAY, Reader, Said, apart, time_of_day};
use rtsp_clock_server::config::{Config, VideoCodec};

/// The frame period at 25 frames a second, in ms.
const PERIOD: i64 = 40;
const HALF_A_PERIOD: Duration = Duration::from_millis(20);

/// Frames as `rtspsrc` and a decoder bring them, with the NTP time that sender reports give each.
struct Player {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    /// PTS to the instant in ns since the Unix epoch, as RTP time and sender reports say.
    instants: Arc<Mutex<BTreeMap<u64, i128>>>,
    reader: Reader,
}

impl Player {
    fn play(url: &str, config: &Config, protocol: &str) -> Self {
        gst::init().unwrap();
        let decoder = match config.stream.codec {
            VideoCodec::H264 => "rtph264depay ! avdec_h264",
            VideoCodec::Mjpeg => "rtpjpegdepay ! jpegdec idct-method=ifast",
        };
        let line = format!(
            "rtspsrc name=source location={url} protocols={protocol} latency=100 add-reference-timestamp-meta=true \
             ! identity name=packets ! {decoder} ! videoconvert ! video/x-raw,format=GRAY8,colorimetry=bt601 \
             ! appsink name=sink sync=false max-buffers=100"
        );
        let pipeline = gst::parse::launch(&line)
            .unwrap()
            .downcast::<gst::Pipeline>()
            .unwrap();
        let instants = Arc::new(Mutex::new(BTreeMap::new()));
        let packets = pipeline.by_name("packets").unwrap().static_pad("src").unwrap();
        let noted = Arc::clone(&instants);
        packets.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
            if let Some(packet) = info.buffer() {
                note_instant(&noted, packet);
            }
            gst::PadProbeReturn::Ok
        });
        let sink = pipeline
            .by_name("sink")
            .unwrap()
            .downcast::<gst_app::AppSink>()
            .unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let (width, height) = (config.stream.width as usize, config.stream.height as usize);
        Self {
            pipeline,
            sink,
            instants,
            reader: Reader::new(width, height),
        }
    }

    /// What the next frame says, and the instant that its RTP time stands for once a sender report has told.
    fn next(&self) -> (Said, Option<i128>) {
        let Some(sample) = self.sink.try_pull_sample(gst::ClockTime::from_seconds(20)) else {
            panic!("no frame: {:?}", self.pipeline.bus().and_then(|bus| bus.pop()));
        };
        let buffer = sample.buffer().unwrap();
        let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
        let stride = usize::try_from(info.stride()[0]).unwrap();
        let said = self.reader.read(&buffer.map_readable().unwrap(), stride);
        let instant = self
            .instants
            .lock()
            .unwrap()
            .get(&buffer.pts().unwrap().nseconds())
            .copied();
        (said, instant)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
    }
}

fn note_instant(instants: &Mutex<BTreeMap<u64, i128>>, packet: &gst::BufferRef) {
    const NTP_TO_UNIX: i128 = 2_208_988_800_000_000_000;
    let ntp = packet.iter_meta::<gst::ReferenceTimestampMeta>().next();
    if let (Some(pts), Some(ntp)) = (packet.pts(), ntp) {
        let instant = i128::from(ntp.timestamp().nseconds()) - NTP_TO_UNIX;
        instants.lock().unwrap().insert(pts.nseconds(), instant);
    }
}

/// A thread that does nothing but sleep for a short while, again and again: how late it wakes is what this machine does
/// to whoever has to be on time.
struct Sleeper {
    /// The thread ends when this is dropped.
    wanted: Arc<()>,
    thread: JoinHandle<Duration>,
}

impl Sleeper {
    const SLEEP: Duration = Duration::from_millis(5);

    fn start() -> Self {
        let wanted = Arc::new(());
        let watched = Arc::downgrade(&wanted);
        let thread = thread::spawn(move || {
            let mut worst = Duration::ZERO;
            while watched.strong_count() > 0 {
                let begin = Instant::now();
                thread::sleep(Self::SLEEP);
                worst = worst.max(begin.elapsed().saturating_sub(Self::SLEEP));
            }
            worst
        });
        Self { wanted, thread }
    }

    /// By how much its latest sleep was late.
    fn worst(self) -> Duration {
        drop(self.wanted);
        self.thread.join().expect("it slept")
    }
}

/// Plays for that long. Every frame says the instant that RTP time and sender reports give it, within a
/// millisecond; and each says a frame period more than the one before. A missing frame is excused only if a plain sleep
/// was later than half a frame period in the same run.
fn assert_truth(config: &Config, protocol: &str, time: Duration) {
    let server = start(config);
    let player = Player::play(&url(&server), config, protocol);
    let (mut last, mut confirmed, mut gaps) = (None::<i64>, 0, 0);
    let sleeper = Sleeper::start();
    let end = Instant::now() + time;
    while Instant::now() < end || confirmed < 25 {
        assert!(
            Instant::now() < end + Duration::from_secs(30),
            "only {confirmed} frames could be confirmed"
        );
        let (said, instant) = player.next();
        assert_eq!(said.time_of_day % PERIOD, 0, "off the grid: {said:?}");
        if let Some(last) = last {
            let step = (said.time_of_day - last).rem_euclid(DAY);
            assert!(
                step > 0 && step % PERIOD == 0,
                "{} after {last}",
                said.time_of_day
            );
            gaps += step / PERIOD - 1;
        }
        if let Some(instant) = instant {
            let distance = apart(said.time_of_day, time_of_day(instant + 500_000));
            assert!(
                distance <= 1,
                "{said:?}, but RTP and RTCP say {instant} ns: {distance} ms apart"
            );
            confirmed += 1;
        }
        last = Some(said.time_of_day);
    }
    let lateness = sleeper.worst();
    assert!(
        gaps == 0 || lateness > HALF_A_PERIOD,
        "{gaps} frames are missing, and no sleep was later than {lateness:?}"
    );
    assert_eq!(player.next().0.viewers, 1);
}

fn camera(codec: VideoCodec) -> Config {
    let mut config = config();
    config.stream.codec = codec;
    config
}

#[test]
fn h264_over_tcp_tells_the_truth() {
    assert_truth(&camera(VideoCodec::H264), "tcp", Duration::from_secs(10));
}

#[test]
fn h264_over_udp_tells_the_truth() {
    assert_truth(&camera(VideoCodec::H264), "udp", Duration::from_secs(4));
}

#[test]
fn mjpeg_over_tcp_tells_the_truth() {
    assert_truth(&camera(VideoCodec::Mjpeg), "tcp", Duration::from_secs(4));
}

#[test]
fn mjpeg_over_udp_tells_the_truth() {
    assert_truth(&camera(VideoCodec::Mjpeg), "udp", Duration::from_secs(4));
}

#[test]
fn the_picture_shows_who_is_watching() {
    let config = camera(VideoCodec::H264);
    let server = start(&config);
    let player = Player::play(&url(&server), &config, "tcp");
    let until_it_shows = |viewers| {
        let end = Instant::now() + common::PATIENCE;
        while player.next().0.viewers != viewers {
            assert!(Instant::now() < end, "the picture never shows {viewers} viewers");
        }
    };
    until_it_shows(1);
    let second = common::RtspClient::watch(&server);
    let third = common::RtspClient::watch(&server);
    until_it_shows(3);
    drop((second, third));
    wait_for_viewers(&server, 1);
    until_it_shows(1);
}

#[test]
fn tesseract_reads_a_decoded_frame() {
    let mut config = camera(VideoCodec::H264);
    (config.stream.width, config.stream.height) = (1280, 720);
    let server = start(&config);
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("tesseract.png");
    let status = Command::new("ffmpeg")
        .args([
            "-v",
            "error",
            "-y",
            "-rtsp_transport",
            "tcp",
            "-i",
            &url(&server),
            "-frames:v",
            "25",
            "-update",
            "1",
        ])
        .arg(&file)
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success());
    let output = Command::new("tesseract")
        .arg(&file)
        .args(["-", "--psm", "6"])
        .output()
        .expect("tesseract is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let looks_like_time = |word: &str| {
        word.len() == 12
            && word
                .bytes()
                .zip("00:00:00.000".bytes())
                .all(|(a, b)| a.is_ascii_digit() == b.is_ascii_digit())
    };
    assert!(
        text.split_whitespace().any(looks_like_time),
        "no time in {text:?}"
    );
    assert!(text.contains("Connected Clients: 1"), "no viewers in {text:?}");
}

//! The digits of the picture as a viewer gets it: decoded, read back, and held against RTP time and RTCP sender reports.
//! Everything else about pictures the probe sees by their stamps (`probe.rs`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use gst::prelude::*;
use parking_lot::Mutex;
use rtsp_clock_server::config::Config;

use crate::common::{self, config, start, url, wait_for_viewers};
use crate::reader::{DAY, Reader, Said, apart, time_of_day};

/// The frame period at 25 frames a second, in ms.
const PERIOD: i64 = 40;
/// How long the digits are read.
const TIME: Duration = Duration::from_secs(6);

/// Frames as `rtspsrc` and a decoder bring them, with the NTP time that sender reports give each.
struct Player {
    pipeline: gst::Pipeline,
    sink: gst_app::AppSink,
    /// PTS to the instant in ns since the Unix epoch, as RTP time and sender reports say.
    instants: Arc<Mutex<BTreeMap<u64, i128>>>,
    reader: Reader,
}

impl Player {
    fn play(url: &str, config: &Config) -> Self {
        gst::init().unwrap();
        let line = format!(
            "rtspsrc name=source location={url} protocols=tcp latency=100 add-reference-timestamp-meta=true \
             ! identity name=packets ! rtph264depay ! avdec_h264 ! videoconvert ! video/x-raw,format=GRAY8,colorimetry=bt601 \
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
        let (width, height) = (
            config.streams[0].width as usize,
            config.streams[0].height as usize,
        );
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
        instants.lock().insert(pts.nseconds(), instant);
    }
}

/// Every frame says the instant that RTP time and sender reports give it, within a
/// millisecond; and each says a frame period more than the one before. A missing frame is excused only if the camera
/// itself skipped it, because this machine was late.
#[test]
fn the_digits_tell_the_truth() {
    let config = config();
    let server = start(&config);
    let player = Player::play(&url(&server), &config);
    let (mut last, mut confirmed, mut gaps) = (None::<i64>, 0, 0);
    let end = Instant::now() + TIME;
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
    let skipped = server.skipped();
    assert!(
        u64::try_from(gaps).expect("each step is forward") <= skipped,
        "{gaps} frames are missing, and the camera skipped {skipped}"
    );
    assert_eq!(player.next().0.viewers, 1);
}

#[test]
fn the_picture_shows_who_is_watching() {
    let config = config();
    let server = start(&config);
    let player = Player::play(&url(&server), &config);
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

/// The characters that there are: a zero at the head of a word is a Q otherwise.
const WHITELIST: &str = "tessedit_char_whitelist=0123456789:.Ccdeilnost";

/// A program that knows nothing of this clock reads it. It is made for print: of five pictures it has to read one.
#[test]
fn tesseract_reads_a_decoded_frame() {
    let mut config = config();
    (config.streams[0].width, config.streams[0].height) = (1280, 720);
    let server = start(&config);
    let texts: Vec<String> = (0..5)
        .map(|number| ocr(&decoded_frame(&url(&server), number)))
        .collect();
    let is_read = |text: &&String| {
        let words: Vec<&str> = text.split_whitespace().collect();
        words.iter().any(|word| looks_like_time(word)) && words.concat().ends_with("ConnectedClients:1")
    };
    assert!(
        texts.iter().any(|text| is_read(&text)),
        "no time and viewers in {texts:?}"
    );
}

/// A picture as ffmpeg plays it, in a file.
fn decoded_frame(url: &str, number: u32) -> PathBuf {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("tesseract-{number}.png"));
    let input = ["-v", "error", "-y", "-rtsp_transport", "tcp", "-i", url];
    let status = Command::new("ffmpeg")
        .args(input)
        .args(["-frames:v", "10", "-update", "1"])
        .arg(&file)
        .status()
        .expect("ffmpeg is installed");
    assert!(status.success());
    file
}

fn ocr(picture: &Path) -> String {
    let output = Command::new("tesseract")
        .arg(picture)
        .args(["-", "--psm", "6", "-c", WHITELIST])
        .output()
        .expect("tesseract is installed");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn looks_like_time(word: &str) -> bool {
    let pattern = "00:00:00.000";
    let same_kind = |(a, b): (u8, u8)| a.is_ascii_digit() && b.is_ascii_digit() || a == b;
    word.len() == pattern.len() && word.bytes().zip(pattern.bytes()).all(same_kind)
}

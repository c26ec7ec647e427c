//! The stamp's reader beside OpenCV's and zbar's, on the same frames, in one run: how many frames each of
//! them reads, and the CPU time of its thread for a frame (median).
//! `cargo bench -p gst-plugin-clocksrc --bench readers`
//!
//! Prints a table in Markdown. Fails when this reader does not read all, another one reads more, or following a
//! stamp is not [`TIMES`] times as fast as each of them.
//!
//! OpenCV and zbar are called from Python (`python3-opencv`, libzbar through ctypes): benches/readers.py. The
//! environment's `READERS_PYTHON` names another Python with another OpenCV.

use std::io::Write;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clockface::{Luma, Stamp, StampReader};
use gst::prelude::*;

const FRAMES: usize = 50;
/// How many times as fast as any other reader this one has to be while it follows.
const TIMES: u32 = 10;
/// One thread, so that each run compares the same pictures: with 1080p in three slices, which race for the bits of
/// a frame, x264 often leaves nothing of the third frame's stamp for any reader.
const X264: &str = "x264enc bitrate=256 tune=zerolatency speed-preset=ultrafast threads=1 ! avdec_h264";
const JPEG: &str = "jpegenc quality=50 ! jpegdec";
const FOLLOWING: &str = "clockface, following";
const SEARCHING: &str = "clockface, searching";

/// Frames that all readers get.
struct Scene {
    name: String,
    width: usize,
    height: usize,
    /// The luma of each, without padding.
    frames: Vec<Vec<u8>>,
}

/// What a reader made of the frames of a scene: whether it read each, and in what CPU time.
struct Score {
    reader: String,
    results: Vec<(bool, Duration)>,
}

fn main() -> Result<ExitCode> {
    // `cargo test --benches` asks for a check that it runs, not for figures.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(ExitCode::SUCCESS);
    }
    gst::init()?;
    gstclocksrc::register_static()?;
    println!("| frames | reader | read | CPU per frame, median |\n| --- | --- | --- | --- |");
    let mut broken = Vec::new();
    for (width, height) in [(1280, 720), (1920, 1080)] {
        for (chain, size) in [
            (X264, (width, height)),
            (JPEG, (width, height)),
            (X264, (width / 2, height / 2)),
        ] {
            let scene = Scene::played((width, height), "qr", chain, size)?;
            broken.extend(compare(&scene)?);
        }
    }
    // Nothing to follow: each frame is searched, whole and in vain.
    let unstamped = Scene::played((1920, 1080), "none", X264, (1920, 1080))?;
    broken.extend(compare(&unstamped)?);
    for bar in &broken {
        eprintln!("readers: {bar}");
    }
    Ok(ExitCode::from(u8::from(!broken.is_empty())))
}

/// Prints what all readers make of a scene; answers the bars that are broken.
fn compare(scene: &Scene) -> Result<Vec<String>> {
    let following = scene.score(FOLLOWING, false);
    let searching = scene.score(SEARCHING, true);
    let others = scene.scores_of_others()?;
    for score in [&following, &searching].into_iter().chain(&others) {
        println!(
            "| {} | {} | {} of {} | {:.3} ms |",
            scene.name,
            score.reader,
            score.read(),
            score.results.len(),
            score.median().as_secs_f64() * 1e3
        );
    }
    let mut broken = Vec::new();
    let is_stamped = following.read() > 0;
    for score in [&following, &searching] {
        if is_stamped && score.read() < score.results.len() {
            broken.push(format!("{}: {} does not read all", scene.name, score.reader));
        }
    }
    for other in &others {
        for own in [&following, &searching]
            .into_iter()
            .filter(|own| own.read() < other.read())
        {
            broken.push(format!(
                "{}: {} reads more than {}",
                scene.name, other.reader, own.reader
            ));
        }
        let follows = following.read() > 0;
        if follows && following.median() * TIMES > other.median() {
            broken.push(format!(
                "{}: not {TIMES} times as fast as {}",
                scene.name, other.reader
            ));
        }
    }
    Ok(broken)
}

impl Score {
    fn read(&self) -> usize {
        self.results.iter().filter(|(is_read, _)| *is_read).count()
    }

    fn median(&self) -> Duration {
        let mut times: Vec<Duration> = self.results.iter().map(|(_, time)| *time).collect();
        times.sort_unstable();
        times.get(times.len() / 2).copied().unwrap_or_default()
    }
}

impl Scene {
    /// The frames of a `clocksrc` with `stamp`, of the size `from`, behind `chain` and scaled to the size
    /// `to`.
    fn played(from: (usize, usize), stamp: &str, chain: &str, to: (usize, usize)) -> Result<Self> {
        let line = format!(
            "clocksrc is-live=false start-time=1767225600000000000 num-buffers={FRAMES} stamp={stamp} stamp-id=7 \
             clients=2 ! video/x-raw,format=I420,width={},height={},framerate=25/1 ! {chain} ! videoconvert \
             ! videoscale ! video/x-raw,format=GRAY8,width={},height={} ! appsink name=sink sync=false",
            from.0, from.1, to.0, to.1
        );
        let frames = luma_of(&line, to).with_context(|| line.clone())?;
        ensure!(
            frames.len() == FRAMES,
            "{} frames came out of {line}",
            frames.len()
        );
        let codec = if chain == X264 {
            "x264 256 kbit/s"
        } else {
            "MJPEG q 50"
        };
        let size = if to == from { "" } else { ", half size" };
        let without = if stamp == "none" { ", no stamp" } else { "" };
        Ok(Self {
            name: format!("{}p, {codec}{size}{without}", from.1),
            width: to.0,
            height: to.1,
            frames,
        })
    }

    /// What this project's reader makes of it; `is_searching` keeps it from following.
    fn score(&self, name: &str, is_searching: bool) -> Score {
        let mut reader = StampReader::new();
        let results = self.frames.iter().map(|frame| {
            if is_searching {
                reader = StampReader::new();
            }
            let picture = Luma {
                data: frame,
                stride: self.width,
                step: 1,
                width: self.width,
                height: self.height,
            };
            let before = thread_time();
            let is_read = reader.read(&picture).is_some();
            (is_read, thread_time().saturating_sub(before))
        });
        Score {
            reader: name.into(),
            results: results.collect(),
        }
    }

    /// Sends the frames to Python, and takes its lines of reader, payload and ns.
    fn scores_of_others(&self) -> Result<Vec<Score>> {
        let python = std::env::var("READERS_PYTHON").unwrap_or_else(|_| "/usr/bin/python3".into());
        let mut child = Command::new(&python)
            .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/benches/readers.py"))
            .args([self.width.to_string(), self.height.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.clone())?;
        let mut input = child.stdin.take().context("a pipe")?;
        let frames = self.frames.concat();
        let output = thread::scope(|scope| {
            // Dropped at its end, which is the end of the frames.
            scope.spawn(move || input.write_all(&frames));
            child.wait_with_output()
        })?;
        ensure!(output.status.success(), "{python}: {}", output.status);
        let mut scores: Vec<Score> = Vec::new();
        for line in String::from_utf8(output.stdout)?.lines() {
            // OpenCV itself prints that it cannot decode.
            let [reader, payload, time] = line.split('\t').collect::<Vec<_>>()[..] else {
                continue;
            };
            let result = (
                Stamp::parse(payload).is_some(),
                Duration::from_nanos(time.parse()?),
            );
            match scores.last_mut() {
                Some(score) if score.reader == reader => score.results.push(result),
                _ => scores.push(Score {
                    reader: reader.into(),
                    results: vec![result],
                }),
            }
        }
        for library in ["OpenCV", "zbar"] {
            ensure!(
                scores.iter().any(|score| score.reader.starts_with(library)),
                "{python} has no {library} to compare with"
            );
        }
        Ok(scores)
    }
}

/// The CPU time that this thread has used.
fn thread_time() -> Duration {
    let clock = nix::time::ClockId::CLOCK_THREAD_CPUTIME_ID;
    nix::time::clock_gettime(clock)
        .expect("the thread's clock")
        .into()
}

/// The frames that a pipeline brings its `sink`, without padding.
fn luma_of(line: &str, (width, height): (usize, usize)) -> Result<Vec<Vec<u8>>> {
    let pipeline = gst::parse::launch(line)?
        .downcast::<gst::Pipeline>()
        .ok()
        .context("a pipeline")?;
    let sink = pipeline
        .by_name("sink")
        .and_downcast::<gst_app::AppSink>()
        .context("an appsink")?;
    pipeline.set_state(gst::State::Playing)?;
    let mut frames = Vec::new();
    while let Ok(sample) = sink.pull_sample() {
        let map = sample.buffer().context("a buffer")?.map_readable()?;
        let rows = map.chunks(width.next_multiple_of(4)).take(height);
        frames.push(rows.flat_map(|row| &row[..width]).copied().collect());
    }
    pipeline.set_state(gst::State::Null)?;
    Ok(frames)
}

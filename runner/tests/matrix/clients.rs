//! How those clients are made to play that everybody has, and what they make of it; and what the other ones share.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use gst::prelude::*;

use crate::table::Transport;

/// Frames enough to see that it plays.
pub(crate) const FRAMES: usize = 10;

/// Plays, and answers how many frames it decoded.
pub(crate) type Play = fn(&Task) -> Result<usize, String>;

/// What a client is to play.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) url: String,
    pub(crate) credentials: Option<(&'static str, String)>,
    pub(crate) transport: &'static Transport,
    pub(crate) patience: Duration,
    /// For what it writes.
    pub(crate) folder: PathBuf,
}

impl Task {
    pub(crate) fn url_with_credentials(&self) -> String {
        let Some((name, password)) = &self.credentials else {
            return self.url.clone();
        };
        self.url.replacen("://", &format!("://{name}:{password}@"), 1)
    }
}

pub(crate) fn rtspsrc(task: &Task) -> Result<usize, String> {
    let (scheme, properties) = task.transport.rtspsrc;
    let rest = task.url.trim_start_matches(task.transport.scheme);
    let line = format!(
        "rtspsrc name=source location={scheme}{rest} latency=0 {properties} ! decodebin ! fakesink name=sink sync=false"
    );
    let pipeline = gst::parse::launch(&line).map_err(|error| error.to_string())?;
    let player = Player(pipeline.downcast().map_err(|_| "no pipeline")?);
    if let (Some((name, password)), Some(source)) = (&task.credentials, player.0.by_name("source")) {
        source.set_property("user-id", *name);
        source.set_property("user-pw", password);
    }
    player.play(task.patience)
}

fn said(message: &gst::Message) -> String {
    match message.view() {
        gst::MessageView::Error(error) => format!("{} {:?}", error.error(), error.debug()),
        _ => format!("{message:?}"),
    }
}

/// Stops when dropped.
struct Player(gst::Pipeline);

impl Player {
    fn play(&self, patience: Duration) -> Result<usize, String> {
        let deadline = Instant::now() + patience;
        let bus = self.0.bus().ok_or("no bus")?;
        self.0
            .set_state(gst::State::Playing)
            .map_err(|error| error.to_string())?;
        while self.frames() < FRAMES && Instant::now() < deadline {
            let errors = [gst::MessageType::Error];
            if let Some(message) = bus.timed_pop_filtered(gst::ClockTime::from_mseconds(20), &errors) {
                return Err(said(&message));
            }
        }
        Ok(self.frames())
    }

    fn frames(&self) -> usize {
        let sink = self.0.by_name("sink").expect("the sink");
        let stats = sink.property::<gst::Structure>("stats");
        usize::try_from(stats.get::<u64>("rendered").expect("a count")).unwrap_or(usize::MAX)
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        let _stopped = self.0.set_state(gst::State::Null);
    }
}

/// Each frame is a line of what it writes.
pub(crate) fn ffmpeg(task: &Task) -> Result<usize, String> {
    let mut command = Command::new("ffmpeg");
    command.args([
        "-nostdin",
        "-v",
        "error",
        "-rtsp_transport",
        task.transport.ffmpeg,
    ]);
    command.args(["-i", &task.url_with_credentials()]);
    command.args(["-fps_mode", "passthrough", "-frames:v", &FRAMES.to_string()]);
    command.args(["-f", "framecrc", "-"]);
    let output = output(command, task.patience)?;
    // What comes without its key frame is an error to a decoder, and does not make it fail.
    if !(output.errors.is_empty() || task.transport.may_lose()) {
        return Err(output.errors);
    }
    let frames = output
        .written
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(frames.count())
}

/// Each frame is a file.
pub(crate) fn mpv(task: &Task) -> Result<usize, String> {
    let _empty = std::fs::remove_dir_all(&task.folder);
    let mut command = Command::new("mpv");
    command.args([
        "--no-config",
        "--really-quiet",
        "--no-audio",
        "--untimed",
        "--framedrop=no",
    ]);
    command.args(["--vo=image", "--vo-image-format=jpg"]);
    command.arg(format!("--vo-image-outdir={}", task.folder.display()));
    command.arg(format!("--frames={FRAMES}"));
    command.arg(format!("--rtsp-transport={}", task.transport.ffmpeg));
    command.arg(task.url_with_credentials());
    output(command, task.patience)?;
    let frames = std::fs::read_dir(&task.folder).map_err(|error| format!("no frames: {error}"))?;
    Ok(frames.count())
}

/// What a command has said.
pub(crate) struct Output {
    pub(crate) written: String,
    pub(crate) errors: String,
}

/// What `command` says once it has ended well.
pub(crate) fn output(mut command: Command, patience: Duration) -> Result<Output, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("{name}: {error}"))?;
    let mut child = Killed(child);
    let written = child.0.stdout.take().map(read);
    let errors = child.0.stderr.take().map(read);
    let deadline = Instant::now() + patience;
    let status = loop {
        if let Some(status) = child.0.try_wait().map_err(|error| error.to_string())? {
            break Some(status);
        }
        if Instant::now() > deadline {
            break None;
        }
        thread::sleep(Duration::from_millis(20));
    };
    drop(child);
    let text =
        |reader: Option<JoinHandle<String>>| reader.and_then(|reader| reader.join().ok()).unwrap_or_default();
    let (written, errors) = (text(written), text(errors));
    match status {
        Some(status) if status.success() => Ok(Output { written, errors }),
        Some(status) => Err(format!("{name}: {status}: {errors}")),
        None => Err(format!(
            "{name} has not ended after {patience:?}: {written}{errors}"
        )),
    }
}

fn read(mut pipe: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What was read before it broke is good.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// A process that is killed when dropped.
pub(crate) struct Killed(pub(crate) Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _killed = self.0.kill();
        let _ended = self.0.wait();
    }
}

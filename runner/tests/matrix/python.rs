//! Clients that are libraries for Python.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use crate::clients::{FRAMES, Output, Task, output};

pub(crate) fn opencv(task: &Task) -> Result<usize, String> {
    let mut command = Command::new(python_with_opencv());
    command.env(
        "OPENCV_FFMPEG_CAPTURE_OPTIONS",
        format!("rtsp_transport;{}", task.transport.ffmpeg),
    );
    command.args(["-c", include_str!("opencv.py"), &task.url_with_credentials()]);
    command.arg(FRAMES.to_string());
    Ok(counts(command, task)?[0])
}

/// A distribution's packages are for its own Python, which need not be the first one in the path.
fn python_with_opencv() -> &'static str {
    static PYTHON: OnceLock<&str> = OnceLock::new();
    PYTHON.get_or_init(|| {
        let has_opencv = |python: &&str| {
            let mut import = Command::new(python);
            import.args(["-c", "import cv2"]).stderr(Stdio::null());
            import.status().is_ok_and(|status| status.success())
        };
        let found = ["python3", "/usr/bin/python3"].into_iter().find(has_opencv);
        found.expect("OpenCV for Python: python3-opencv in Debian")
    })
}

/// Its frames are packets that end one: it takes no packets apart.
pub(crate) fn aiortsp(task: &Task) -> Result<usize, String> {
    let mut command = Command::new(python_with_clients()?);
    command.args(["-c", include_str!("aiortsp.py"), &task.url_with_credentials()]);
    command.args([task.transport.ffmpeg, &FRAMES.to_string()]);
    Ok(counts(command, task)?[0])
}

/// Its frames are depacketized, not decoded.
pub(crate) fn aio_rtsp_toolkit(task: &Task) -> Result<usize, String> {
    Ok(play_with_toolkit(task, 0)?[0])
}

/// How many pictures, and how many pieces of sound.
pub(crate) fn aio_rtsp_toolkit_with_sound(task: &Task) -> Result<[usize; 2], String> {
    play_with_toolkit(task, FRAMES)
}

fn play_with_toolkit(task: &Task, sounds: usize) -> Result<[usize; 2], String> {
    if task.transport.ffmpeg != "tcp" {
        return Err("it cannot be asked for that".to_owned());
    }
    let mut command = Command::new(python_with_clients()?);
    let script = include_str!("aio_rtsp_toolkit.py");
    command.args(["-c", script, &task.url_with_credentials()]);
    command.args([FRAMES, sounds].map(|count| count.to_string()));
    let counts = counts(command, task)?;
    <[usize; 2]>::try_from(counts).map_err(|counts| format!("it says {counts:?}"))
}

/// What `command` counts, as its last line says; what it says before is its log.
fn counts(command: Command, task: &Task) -> Result<Vec<usize>, String> {
    let Output { written, .. } = output(command, task.patience)?;
    let last = written.lines().last().unwrap_or_default();
    let counts: Result<Vec<usize>, _> = last.split_whitespace().map(str::parse).collect();
    match counts {
        Ok(counts) if !counts.is_empty() => Ok(counts),
        _ => Err(format!("it does not say how many: {written}")),
    }
}

/// The packages that no distribution has are in a virtual environment beside what cargo builds.
fn python_with_clients() -> Result<PathBuf, String> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("python");
    let has = std::fs::read_to_string(folder.join("requirements.txt")).unwrap_or_default();
    if has != include_str!("../../../scripts/requirements.txt") {
        let folder = folder.display();
        return Err(format!(
            "{folder} is missing or old: `scripts/setup.sh test` makes it, with PyPI in reach"
        ));
    }
    Ok(folder.join("bin/python"))
}

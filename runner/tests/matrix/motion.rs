//! motion: it watches a camera, and writes pictures into a folder until it is ended.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::clients::{FRAMES, Killed, Task};
use crate::common::holds_within;

/// Whether it has to be there: Debian and its kin have it, and scripts/setup.sh installs it there. Elsewhere whoever wants
/// it tried has it.
pub(crate) fn is_to_be_tried() -> bool {
    ["dpkg", "motion"].into_iter().any(is_in_path)
}

fn is_in_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// Each frame is a file. Where it sees no camera it writes pictures as well, all of them the same: those that differ count.
pub(crate) fn motion(task: &Task) -> Result<usize, String> {
    let _empty = std::fs::remove_dir_all(&task.folder);
    std::fs::create_dir_all(&task.folder).map_err(|error| error.to_string())?;
    let file = task.folder.join("motion.conf");
    std::fs::write(&file, configuration(task)).map_err(|error| error.to_string())?;
    let child = Command::new("motion")
        .args(["-n", "-c"])
        .arg(&file)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| format!("motion: {error}"))?;
    let motion = Killed(child);
    let mut pictures = Pictures::default();
    let mut refusal = None;
    holds_within(task.patience, || {
        pictures.look(&task.folder);
        refusal = refusal_in(&task.folder);
        pictures.different.len() >= FRAMES || refusal.is_some()
    });
    end(motion, task)?;
    refusal.map_or(Ok(pictures.different.len()), Err)
}

/// It is to listen nowhere. Pictures have nothing in them but what was decoded: by default they tell the time as well.
fn configuration(task: &Task) -> String {
    format!(
        "daemon off
log_file {folder}/log
log_level 4
target_dir {folder}
netcam_url {url}
netcam_params rtsp_transport={transport}
width 320
height 240
framerate 25
text_right camera
emulate_motion on
pre_capture 0
picture_output on
picture_type ppm
movie_output off
webcontrol_port 0
stream_port 0
",
        folder = task.folder.display(),
        url = task.url_with_credentials(),
        transport = task.transport.ffmpeg,
    )
}

/// Pictures that differ from each other.
#[derive(Default)]
struct Pictures {
    looked_at: HashSet<PathBuf>,
    different: HashSet<Vec<u8>>,
}

impl Pictures {
    /// A file that is still being written is shorter than it will be: the next look takes it.
    fn look(&mut self, folder: &Path) {
        let is_whole = |picture: &Vec<u8>| picture.len() > 320 * 240 * 3;
        let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
        for path in files.map(|file| file.path()) {
            if path.extension().is_none_or(|end| end != "ppm") || self.looked_at.contains(&path) {
                continue;
            }
            if let Some(picture) = std::fs::read(&path).ok().filter(is_whole) {
                self.different.insert(picture);
                self.looked_at.insert(path);
            }
        }
    }
}

/// It would try for ever where a camera does not let it in.
fn refusal_in(folder: &Path) -> Option<String> {
    let log = std::fs::read_to_string(folder.join("log")).unwrap_or_default();
    log.contains("Unable to open camera").then_some(log)
}

/// It takes its leave of the camera.
fn end(mut motion: Killed, task: &Task) -> Result<(), String> {
    let asked = Command::new("kill")
        .args(["-s", "TERM", &motion.0.id().to_string()])
        .status()
        .is_ok_and(|status| status.success());
    let mut has_ended = || matches!(motion.0.try_wait(), Ok(Some(_)));
    if asked && holds_within(task.patience, &mut has_ended) {
        return Ok(());
    }
    Err("motion does not end".to_owned())
}

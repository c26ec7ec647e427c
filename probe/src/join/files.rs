//! The segments that a folder or a playlist stands for.

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use crate::target::Target;

/// What recorders call their files. Others in a folder are left alone: indices, thumbnails, logs.
const RECORDINGS: [&str; 23] = [
    "mp4", "m4v", "m4s", "mov", "3gp", "mkv", "webm", "ts", "mts", "m2ts", "avi", "flv", "mpg", "mpeg",
    "mjpg", "mjpeg", "h264", "264", "h265", "265", "hevc", "dav", "ogv",
];
const PLAYLISTS: [&str; 2] = ["m3u", "m3u8"];
/// A playlist is no longer (bytes).
const LONGEST: u64 = 16 << 20;

/// The files that these arguments name: files, folders of them, playlists. None twice.
///
/// # Errors
/// A sentence that says what is wrong with which of them.
pub(crate) fn segments(arguments: &[OsString]) -> anyhow::Result<Vec<Target>> {
    let mut targets = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if path.is_dir() {
            targets.extend(of_folder(path)?);
        } else if has_extension(path, &PLAYLISTS) && path.is_file() {
            targets.extend(of_playlist(path)?);
        } else {
            targets.push(Target::named(argument, None)?);
        }
    }
    for target in &targets {
        ensure!(
            target.scheme() == "file",
            "--join takes files, and {} is none",
            target.name
        );
    }
    let mut seen = HashSet::new();
    targets.retain(|target| seen.insert(target.uri.clone()));
    Ok(targets)
}

fn of_folder(folder: &Path) -> anyhow::Result<Vec<Target>> {
    let cannot = || format!("cannot read the folder {}", folder.display());
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(cannot)? {
        let path = entry.with_context(cannot)?.path();
        if has_extension(&path, &RECORDINGS) && path.is_file() {
            files.push(path);
        }
    }
    ensure!(
        !files.is_empty(),
        "there is no recording in the folder {} (*.mp4, *.mkv, *.ts, …)",
        folder.display()
    );
    files.sort();
    files
        .iter()
        .map(|file| Target::named(file.as_os_str(), None))
        .collect()
}

/// Each line is a file, relative to the playlist's folder, or an empty line or a comment (RFC 8216, 4.1).
fn of_playlist(playlist: &Path) -> anyhow::Result<Vec<Target>> {
    let cannot = || format!("cannot read the playlist {}", playlist.display());
    let mut text = Vec::new();
    let file = File::open(playlist).with_context(cannot)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut text)
        .with_context(cannot)?;
    ensure!(
        text.len() as u64 <= LONGEST,
        "the playlist {} is too long",
        playlist.display()
    );
    let text = String::from_utf8_lossy(&text);
    let folder = playlist.parent().unwrap_or(Path::new(""));
    let lines = text
        .lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim());
    let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let targets: Vec<Target> = entries
        .map(|entry| {
            if entry.contains("://") {
                Target::parse(entry, None)
            } else {
                Target::named(folder.join(entry).as_os_str(), None)
            }
        })
        .collect::<anyhow::Result<_>>()
        .with_context(|| format!("in the playlist {}", playlist.display()))?;
    ensure!(
        !targets.is_empty(),
        "the playlist {} names no file",
        playlist.display()
    );
    Ok(targets)
}

fn has_extension(path: &Path, known: &[&str]) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| known.iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

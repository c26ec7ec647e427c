//! Events of what anybody writes to stderr past the log, a line each, for a log that machines read.
//!
//! Libraries that know nothing of GLib (`OpenH264`, Fontconfig, the C library) have printed there, and so does
//! GStreamer's own log. Their target is `stderr`. Nobody who writes waits for more than this process's own thread,
//! which never waits for whoever reads the log. What is written in the very moment in which the process is killed is
//! lost.

use std::fs::File;
use std::io::{self, BufRead, BufReader, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use parking_lot::Mutex;
use tracing::Level;

use super::foreign::{self, Saying};

const TARGET: &str = "stderr";

/// How many bytes a line has at most; what goes beyond becomes another line.
const LONGEST: u64 = 2000;

/// A line that nobody else writes: once it comes back, all lines before it have been told.
const MARK: &[u8] = b"\0\n";

/// The way by which everything comes that others write to stderr.
#[derive(Debug)]
pub(super) struct Detour {
    marks: Mutex<(PipeWriter, Receiver<()>)>,
}

/// Has everybody else's lines come this way from now on, and answers the file to which the log's own lines go: what
/// stderr was.
///
/// # Errors
/// When the system has no pipe or no thread for it; stderr is then as it was.
pub(super) fn divert() -> io::Result<(Detour, File)> {
    let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
    let (reader, writer) = io::pipe()?;
    let (sender, receiver) = channel();
    thread::Builder::new()
        .name("stderr".into())
        .spawn(move || read(reader, &sender))?;
    nix::unistd::dup2_stderr(&writer)?;
    let marks = Mutex::new((writer, receiver));
    Ok((Detour { marks }, stderr))
}

impl Detour {
    /// Waits until all lines written so far have been told, `patience` at most.
    pub(super) fn flush(&self, patience: Duration) {
        let mut marks = self.marks.lock();
        let (writer, told) = &mut *marks;
        if writer.write_all(MARK).is_ok() {
            let _late = told.recv_timeout(patience);
        }
    }
}

/// Tells each line that comes. It ends when nobody can write any more.
fn read(reader: PipeReader, marks: &Sender<()>) {
    let mut reader = BufReader::new(reader);
    while let Ok(Some(line)) = next_line(&mut reader) {
        if line == MARK {
            let _gone = marks.send(());
        } else {
            tell(&String::from_utf8_lossy(&line));
        }
    }
}

/// A line, or as much of it as is told at once; `None` at the end.
fn next_line(reader: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let mut line = Vec::new();
    reader.by_ref().take(LONGEST).read_until(b'\n', &mut line)?;
    Ok((!line.is_empty()).then_some(line))
}

fn tell(line: &str) {
    let line = without_colors(line);
    let line = line.trim();
    if line.is_empty() || !foreign::is_told(TARGET, Level::INFO) {
        return;
    }
    let saying = Saying {
        message: foreign::clean(line),
        ..Saying::default()
    };
    foreign::without_nesting(|| foreign::tell(TARGET, Level::INFO, &saying));
}

/// The line without the sequences that make a terminal colour it (ECMA-48's SGR).
fn without_colors(line: &str) -> String {
    let mut plain = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("\u{1b}[") {
        plain.push_str(before);
        let end = after.find(|c: char| !(c.is_ascii_digit() || c == ';'));
        rest = end
            .and_then(|end| after[end..].strip_prefix('m'))
            .unwrap_or(after);
    }
    plain.push_str(rest);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_taken_out() {
        assert_eq!(
            without_colors("\u{1b}[33;01mWARN \u{1b}[00m a\u{1b}[m"),
            "WARN  a"
        );
        assert_eq!(without_colors("plain [1m"), "plain [1m");
        assert_eq!(without_colors("\u{1b}[2Jx\u{1b}["), "2Jx");
    }

    #[test]
    fn a_line_without_end_is_told_in_parts() {
        let text = vec![b'x'; 5000];
        let mut reader = text.as_slice();
        let mut lengths = Vec::new();
        while let Some(line) = next_line(&mut reader).expect("it can be read") {
            lengths.push(line.len());
        }
        assert_eq!(lengths, [2000, 2000, 1000]);
    }
}

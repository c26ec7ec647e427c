//! A file that somebody named: read whole where it is one, and small enough to be what it is taken for.
//!
//! A name may stand for anything: a pipe that never ends or never begins, a device, a file that somebody writes to
//! while it is read. Whoever reads it must not wait for it, nor hold all of it in memory.

use std::fs::{self, FileType, Metadata, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The most that [`read`] reads, in bytes: a configuration has kilobytes, a logo or a chain of certificates less than this.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// The bytes of a regular file, or of one that a link leads to.
///
/// # Errors
/// When it is a directory ([`io::ErrorKind::IsADirectory`]) or anything else but a regular file, when it has more than
/// [`MAX_BYTES`], or when it cannot be read.
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref();
    // Some devices do something when they are merely opened.
    expect_regular(&fs::metadata(path)?)?;
    let file = OpenOptions::new()
        .read(true)
        // A pipe that has taken the file's place meanwhile must not be waited for, nor a terminal become this process's.
        .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
        .open(path)?;
    expect_regular(&file.metadata()?)?;
    let mut bytes = Vec::new();
    // It may be larger than it says: it may grow, and what is below /proc says 0.
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let problem = format!("it has more than {} MiB", MAX_BYTES / 1024 / 1024);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

fn expect_regular(metadata: &Metadata) -> io::Result<()> {
    if metadata.is_file() {
        return Ok(());
    }
    if metadata.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    let problem = format!("it is {}, and no regular file", kind(metadata.file_type()));
    Err(io::Error::new(io::ErrorKind::InvalidInput, problem))
}

/// What it is in place of a regular file, with its article.
fn kind(file: FileType) -> &'static str {
    if file.is_fifo() {
        "a pipe (FIFO)"
    } else if file.is_socket() {
        "a socket"
    } else if file.is_char_device() || file.is_block_device() {
        "a device"
    } else {
        "something else"
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    use super::*;

    /// A folder of its own, which goes with it.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("clockface-file-{}-{name}", std::process::id()));
            fs::create_dir_all(&folder).expect("a folder");
            Self(folder)
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.join(name)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[track_caller]
    fn refusal(path: impl AsRef<Path>) -> String {
        read(path).expect_err("it is refused").to_string()
    }

    #[test]
    fn a_file_is_read_whole_and_so_is_one_behind_links() {
        let folder = Folder::new("whole");
        let (file, link) = (folder.path("file"), folder.path("link"));
        fs::write(&file, "content").expect("it can be written");
        symlink(&file, &link).expect("it can be linked");
        for path in [file, link] {
            assert_eq!(read(path).expect("it can be read"), b"content");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_refused_and_never_waited_for() {
        let folder = Folder::new("kinds");
        let (pipe, socket, link) = (folder.path("pipe"), folder.path("socket"), folder.path("link"));
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.expect("mkfifo runs").success());
        let _listener = UnixListener::bind(&socket).expect("a socket");
        symlink("/dev/zero", &link).expect("it can be linked");
        assert_eq!(refusal(pipe), "it is a pipe (FIFO), and no regular file");
        assert_eq!(refusal(socket), "it is a socket, and no regular file");
        for device in [link, "/dev/zero".into(), "/dev/null".into()] {
            assert_eq!(refusal(device), "it is a device, and no regular file");
        }
        let directory = read(&folder.0).expect_err("it is refused");
        assert_eq!(directory.kind(), io::ErrorKind::IsADirectory);
    }

    /// Both have holes, and take no room on the disk.
    #[test]
    fn more_than_the_limit_is_refused() {
        let folder = Folder::new("size");
        let path = folder.path("large");
        let file = fs::File::create(&path).expect("it can be made");
        file.set_len(MAX_BYTES).expect("a size");
        assert_eq!(read(&path).expect("it can be read").len() as u64, MAX_BYTES);
        for size in [MAX_BYTES + 1, 1 << 40] {
            file.set_len(size).expect("a size");
            assert_eq!(refusal(&path), "it has more than 16 MiB");
        }
    }

    #[test]
    fn a_file_that_says_no_size_is_read_all_the_same() {
        assert_eq!(fs::metadata("/proc/self/status").expect("it is there").len(), 0);
        assert!(!read("/proc/self/status").expect("it can be read").is_empty());
    }
}

//! Writes the configuration's file, whole or not at all.

use std::{
    fs, io,
    io::Write as _,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    },
    path::{Path, PathBuf},
};

use atomic_write_file::{AtomicWriteFile, OpenOptions, unix::OpenOptionsExt as _};
use nix::unistd::{AccessFlags, access};

use super::{Document, Source};

/// A file that is made may have passwords in it.
const MODE_OF_NEW_FILES: u32 = 0o600;

/// The text that a file will have, written beside it. Dropping it leaves the file as it is.
#[derive(Debug)]
pub(crate) struct Replacement {
    file: AtomicWriteFile,
    path: PathBuf,
}

/// Why a file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be written: {cause}", .path.display())]
pub(crate) struct Unwritable {
    path: PathBuf,
    cause: Cause,
}

#[derive(Debug, thiserror::Error)]
enum Cause {
    #[error("it is read-only")]
    ReadOnly,
    #[error(
        "it is mounted alone, and to write it whole or not at all another file has to take its place: mount its folder"
    )]
    MountedAlone,
    #[error("it has been changed since it was read: have it read again (POST /reload), and decide anew")]
    Changed,
    #[error("it belongs to user {0}, and the one in its place would not")]
    SomebodyElses(u32),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Replacement {
    /// Writes `document` beside the file that `source` names, with the mode and the owner of that. What the file says has to be
    /// `known`; `None` for a file that is not there.
    pub(crate) fn write(
        source: &Source,
        document: &Document,
        known: Option<&Document>,
    ) -> Result<Self, Unwritable> {
        // Where the path is a link, the file that it leads to is written.
        let path = fs::canonicalize(source.path()).unwrap_or_else(|_| source.path().to_owned());
        match write(&path, document, known) {
            Ok(file) => Ok(Self { file, path }),
            Err(cause) => Err(Unwritable { path, cause }),
        }
    }

    /// Puts it in the file's place.
    pub(crate) fn take_its_place(self) -> Result<(), Unwritable> {
        let Self { file, path } = self;
        let cause = |cause: io::Error| Unwritable {
            path,
            cause: cause.into(),
        };
        file.commit().map_err(cause)
    }
}

fn write(path: &Path, document: &Document, known: Option<&Document>) -> Result<AtomicWriteFile, Cause> {
    let before = match fs::metadata(path) {
        Ok(before) => Some(before),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    if before.is_some() && !is_writable(path) {
        return Err(Cause::ReadOnly);
    }
    if before.is_some() != known.is_some() || !says(path, known)? {
        return Err(Cause::Changed);
    }
    if is_mounted(path) {
        return Err(Cause::MountedAlone);
    }
    let mut options = OpenOptions::new();
    options.mode(MODE_OF_NEW_FILES).preserve_owner(true);
    let mut file = options
        .open(path)
        .map_err(|error| match (error.raw_os_error(), before) {
            (Some(libc::EPERM), Some(before)) => Cause::SomebodyElses(before.uid()),
            (Some(libc::EROFS), _) => Cause::ReadOnly,
            _ => error.into(),
        })?;
    file.write_all(document.text().as_bytes())?;
    Ok(file)
}

/// Whether the file says what is known of it.
fn says(path: &Path, known: Option<&Document>) -> io::Result<bool> {
    let Some(known) = known else { return Ok(true) };
    Ok(Document::in_file(&clockface::file::read(path)?).as_ref() == Some(known))
}

/// Whether its mode lets anybody write it, and this process among them. Root may write what is read-only for everybody, and
/// whoever made it so did not mean that.
fn is_writable(path: &Path) -> bool {
    let has_mode = fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o222 != 0);
    has_mode && access(path, AccessFlags::W_OK).is_ok()
}

/// Whether the file itself is a mount, as a single file in a container is.
fn is_mounted(path: &Path) -> bool {
    let mounts = fs::read("/proc/self/mountinfo").unwrap_or_default();
    let points = mounts
        .split(|byte| *byte == b'\n')
        .filter_map(|line| line.split(|byte| *byte == b' ').nth(4));
    points
        .map(unescaped)
        .any(|point| point == path.as_os_str().as_bytes())
}

/// A path of the kernel's list of mounts, in which spaces and backslashes are three octal digits behind a backslash.
fn unescaped(point: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(point.len());
    let mut rest = point;
    while let [first, others @ ..] = rest {
        let digits = others.first_chunk::<3>().filter(|_| *first == b'\\');
        let code = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 8).ok());
        bytes.push(code.unwrap_or(*first));
        rest = others
            .get(if code.is_some() { 3 } else { 0 }..)
            .unwrap_or_default();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of a test's own.
    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("replacement-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::canonicalize(folder).unwrap()
    }

    fn document() -> Document {
        Document::parse(Some(br#"{"serverPort": 8555, "label": "Door"}"#))
    }

    fn write_whole(path: &Path, known: Option<&Document>) -> Result<(), Unwritable> {
        Replacement::write(&Source::Named(path.into()), &document(), known)?.take_its_place()
    }

    fn empty() -> Document {
        Document::parse(Some(b"{}"))
    }

    #[test]
    fn a_file_keeps_its_mode_and_the_link_that_leads_to_it() {
        let folder = folder("mode");
        let (path, link) = (folder.join("config.json"), folder.join("link.json"));
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        let _old = fs::remove_file(&link);
        std::os::unix::fs::symlink(&path, &link).unwrap();
        write_whole(&link, Some(&empty())).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), document().text());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o640);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    }

    #[test]
    fn nothing_is_there_before_it_takes_its_place_and_nothing_stays_where_it_does_not() {
        let folder = folder("whole");
        let path = folder.join("config.json");
        fs::write(&path, "{}").unwrap();
        let source = Source::Named(path.clone());
        drop(Replacement::write(&source, &document(), Some(&empty())).unwrap());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_is_made_is_its_owners_alone() {
        let path = folder("new").join("config.json");
        let _old = fs::remove_file(&path);
        write_whole(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o7777, 0o600);
    }

    #[test]
    fn what_is_read_only_stays_as_it_is() {
        let path = folder("read-only").join("config.json");
        let _old = fs::remove_file(&path);
        fs::write(&path, "{}").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).unwrap();
        let refused = write_whole(&path, Some(&empty())).unwrap_err().to_string();
        assert!(refused.ends_with("it is read-only"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}");
    }

    #[test]
    fn what_somebody_else_has_written_is_not_written_over() {
        let path = folder("changed").join("config.json");
        for (text, known) in [
            (r#"{"label": "mine"}"#, Some(empty())),
            ("{", Some(empty())),
            ("{}", None),
        ] {
            fs::write(&path, text).unwrap();
            let refused = write_whole(&path, known.as_ref()).unwrap_err().to_string();
            assert!(refused.contains("changed since"), "{refused}");
            assert_eq!(fs::read_to_string(&path).unwrap(), text);
        }
        fs::remove_file(&path).unwrap();
        assert!(write_whole(&path, Some(&empty())).is_err(), "it is gone");
    }

    #[test]
    fn mounts_are_known_by_their_paths() {
        assert!(is_mounted(Path::new("/proc")));
        assert!(!is_mounted(Path::new("/proc/self")));
        assert_eq!(unescaped(br"/a\040b\134c\09"), br"/a b\c\09");
    }
}

//! Whether a file has changed.
//!
//! Its metadata is looked at once a second. The kernel's notices of changes (inotify) do not come out of Docker
//! Desktop's and network file systems' mounts, and stay with the old inode when an editor puts a new file in its place:
//! they would need such looks beside them. A look by path sees all changes, and costs a system call.

use std::{
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

/// A file that is looked at again and again.
#[derive(Debug)]
pub(super) struct Watch {
    path: PathBuf,
    seen: Option<Print>,
    told: Option<Print>,
}

/// The metadata by which a change of the file is noticed: device, inode, size, and when it was written and renamed;
/// `None` where there is no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Print(Option<(u64, u64, u64, [i64; 4])>);

impl Print {
    fn of(path: &Path) -> Self {
        let print = std::fs::metadata(path).map(|file| {
            let times = [file.mtime(), file.mtime_nsec(), file.ctime(), file.ctime_nsec()];
            (file.dev(), file.ino(), file.size(), times)
        });
        Self(print.ok())
    }
}

impl Watch {
    /// Watches the file at `path`. The file as it is counts as a change at first: whoever read it may have done so
    /// before its latest change.
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.into(),
            seen: None,
            told: None,
        }
    }

    /// Whether there is a change that has not been told yet. It is told once, when the file is the same at two looks: it
    /// may be half written at the first.
    pub(super) fn look(&mut self) -> bool {
        let now = Print::of(&self.path);
        let is_settled = self.seen.replace(now) == Some(now);
        is_settled && self.told.replace(now) != Some(now)
    }

    /// Counts the file as it is now as told, because somebody is about to read it.
    pub(super) fn skip(&mut self) {
        let now = Some(Print::of(&self.path));
        (self.seen, self.told) = (now, now);
    }
}

/// Whether the file at `path` has lost its name: a mount of a single file goes on showing the old one when an editor puts
/// a new one in its place.
pub(super) fn is_orphan(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|file| file.nlink() == 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("watch-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        folder.join("config.json")
    }

    #[test]
    fn a_change_is_told_once_and_when_it_is_complete() {
        let path = file("once");
        fs::write(&path, "one").expect("it can be written");
        let mut watch = Watch::new(&path);
        assert_eq!([(); 4].map(|()| watch.look()), [false, true, false, false]);
        fs::write(&path, "half").expect("it can be written");
        assert!(!watch.look());
        fs::write(&path, "a whole one").expect("it can be written");
        assert_eq!([(); 3].map(|()| watch.look()), [false, true, false]);
        fs::write(&path, "read by somebody else").expect("it can be written");
        watch.skip();
        assert_eq!([(); 2].map(|()| watch.look()), [false, false]);
    }

    #[test]
    fn a_file_that_takes_the_others_name_is_a_change_and_so_is_none() {
        let path = file("renamed");
        fs::write(&path, "one").expect("it can be written");
        let mut watch = Watch::new(&path);
        watch.skip();
        let other = path.with_extension("new");
        fs::write(&other, "two").expect("it can be written");
        fs::rename(&other, &path).expect("it can be renamed");
        assert_eq!([(); 2].map(|()| watch.look()), [false, true]);
        fs::remove_file(&path).expect("it can be removed");
        assert_eq!([(); 3].map(|()| watch.look()), [false, true, false]);
        assert!(!is_orphan(&path));
    }
}

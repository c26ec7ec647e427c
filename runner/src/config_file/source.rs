//! Where the configuration is read from: the environment, and the file that is named or that usually stands there.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::keys::keys;

/// The variable that names the file where `--config` does not.
const PATH_VARIABLE: &str = "CONFIG_PATH";

/// The file that is read where nothing names one.
const USUAL_FILE: &str = "./config.json";

/// The variable of each key; keys that are older names have none.
pub(crate) fn variables() -> impl Iterator<Item = &'static str> {
    let current = keys().filter(|key| key.older_name_of.is_none());
    current.filter_map(|key| key.variable)
}

/// The environment variables that the configuration is read from.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<OsString, OsString>);

impl Environment {
    /// The environment of this process.
    #[must_use]
    pub(crate) fn of_process() -> Self {
        std::env::vars_os().collect()
    }

    /// The value that the variable is set to.
    pub(super) fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The names that are UTF-8, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().filter_map(|name| name.to_str())
    }
}

impl<N: Into<OsString>, V: Into<OsString>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(
            variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
        )
    }
}

/// Which file the configuration came from, and how it was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The file that `--config` names.
    Named(PathBuf),
    /// The file that `CONFIG_PATH` names.
    Variable(PathBuf),
    /// `./config.json`.
    Usual,
    /// No file: there is no `./config.json`, and nothing names another.
    Defaults,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(path) => write!(f, "{} (--config)", path.display()),
            Self::Variable(path) => write!(f, "{} ({PATH_VARIABLE})", path.display()),
            Self::Usual => f.write_str(USUAL_FILE),
            Self::Defaults => write!(f, "defaults (there is no {USUAL_FILE})"),
        }
    }
}

impl Source {
    /// Chooses the file: that of `--config`, else of `CONFIG_PATH` (an empty one counts as unset), else
    /// `./config.json`.
    pub(super) fn choose(named: Option<&Path>, environment: &Environment) -> Self {
        if let Some(path) = named {
            return Self::Named(path.into());
        }
        match environment.get(PATH_VARIABLE) {
            Some(path) if !path.is_empty() => Self::Variable(path.into()),
            _ => Self::Usual,
        }
    }

    /// The path of the file; where none was found, of the one that would be read.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Named(path) | Self::Variable(path) => path,
            Self::Usual | Self::Defaults => Path::new(USUAL_FILE),
        }
    }

    /// Notes that its file has been written: the usual one is there from now on, where it was not.
    pub(crate) fn note_written(&mut self) {
        if *self == Self::Defaults {
            *self = Self::Usual;
        }
    }

    /// The file's bytes, or `None` (and the defaults from here on) where the usual file is not there.
    pub(super) fn read(&mut self) -> io::Result<Option<Vec<u8>>> {
        match clockface::file::read(self.path()) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(cause) if *self == Self::Usual && cause.kind() == io::ErrorKind::NotFound => {
                *self = Self::Defaults;
                Ok(None)
            }
            Err(cause) => Err(cause),
        }
    }
}

/// What the person can do about a file that cannot be read, with its leading punctuation; empty where nothing is known
/// to help.
pub(super) fn hint(cause: &io::Error) -> String {
    match cause.kind() {
        io::ErrorKind::PermissionDenied => format!("; {}", permission_hint()),
        io::ErrorKind::IsADirectory if in_container() => {
            "; Docker makes an empty directory where the file to mount \
            is not there on the host: check the path behind -v"
                .into()
        }
        _ => String::new(),
    }
}

fn permission_hint() -> String {
    use std::os::unix::fs::MetadataExt as _;
    let user = std::fs::metadata("/proc/self")
        .map_or_else(|_| "its own user".into(), |m| format!("user {}", m.uid()));
    let mut hint = format!("the server runs as {user}, who must be allowed to read it (chmod a+r)");
    if in_container() {
        hint += "; or start the container as the file's owner: docker run --user \"$(id -u):$(id -g)\"";
    }
    hint
}

/// Docker and Podman leave these files in every container.
fn in_container() -> bool {
    ["/.dockerenv", "/run/.containerenv"]
        .iter()
        .any(|file| Path::new(file).exists())
}

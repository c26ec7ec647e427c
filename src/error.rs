//! Why text cannot be worded, and why a face cannot be painted.

use std::io;

use thiserror::Error;

/// Why a reading could not be painted.
#[derive(Debug, Error)]
pub enum FaceError {
    /// Pango found no font at all.
    #[error("no font is installed (on Debian: fonts-dejavu-core)")]
    NoFont,
    /// Pango would end the process for want of a thread to look for fonts with.
    #[error("the system has no room for another thread: {0}")]
    Threads(#[source] io::Error),
    /// cairo could not draw.
    #[error("cairo could not draw the text: {0}")]
    Cairo(#[from] cairo::Error),
    /// cairo's surface could not be read.
    #[error("cairo's surface could not be read: {0}")]
    Surface(#[from] cairo::BorrowError),
    /// The time could not be put into words.
    #[error(transparent)]
    Wording(#[from] WordingError),
}

/// Why a text setting cannot be used.
#[derive(Debug, Error)]
pub enum WordingError {
    /// The time format has a directive that does not exist or cannot be filled in.
    #[error("the time format {format:?} cannot be used: {cause}")]
    TimeFormat {
        /// The format as given.
        format: String,
        /// What is wrong with it.
        cause: jiff::Error,
    },
    /// The time zone is not in the IANA database.
    #[error(
        "there is no time zone {name:?} (use an IANA name such as \"Europe/Berlin\", or \"UTC\"): {cause}"
    )]
    TimeZone {
        /// The name as given.
        name: String,
        /// What the database says.
        cause: jiff::Error,
    },
    /// The variable `TZ` is no time zone.
    #[error(
        "the variable TZ is {value:?}, which is no time zone (use an IANA name such as \"Europe/Berlin\", a POSIX one such \
         as \"CET-1CEST,M3.5.0,M10.5.0/3\", or a file's with its whole path): {cause}"
    )]
    Variable {
        /// Its value.
        value: String,
        /// Why it is none.
        cause: String,
    },
}

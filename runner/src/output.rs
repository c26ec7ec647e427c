//! What goes to stdout.

use std::io::{self, Write as _};

use anyhow::Context as _;

/// A line to stdout. Whoever closed it early (`| head`) has seen enough.
///
/// # Errors
/// When it cannot be written to for another reason, as a full disk.
pub fn print(line: &str) -> anyhow::Result<()> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

//! What is told on stdout and stderr: whoever closed one of them is told no more, and nothing ends for that.

use std::io::{self, Write as _};

use anyhow::Context as _;

/// Writes to stdout. Whoever closed it early (`| head`) has seen enough.
///
/// # Errors
/// When it cannot be written to for another reason, as a full disk.
pub fn print(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(error).context("cannot write to stdout")
        }
        _ => Ok(()),
    }
}

/// Writes to stderr. Where nobody listens there, nobody else could be told of it.
pub fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

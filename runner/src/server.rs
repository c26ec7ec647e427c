//! The RTSP server, its mounts, access, ports and session clean-up.

use crate::config::Config;

/// Serves until SIGINT or SIGTERM.
///
/// # Errors
/// When the server cannot start.
pub fn run(_config: &Config) -> anyhow::Result<()> {
    Ok(())
}

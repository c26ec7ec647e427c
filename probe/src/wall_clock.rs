//! This machine's wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// This machine's wall clock, in ns since the Unix epoch.
pub(crate) fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

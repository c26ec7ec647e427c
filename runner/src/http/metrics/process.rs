//! What the process takes of its machine.

use std::fs;

use nix::sys::{
    resource::{Resource, UsageWho, getrlimit, getrusage},
    time::TimeVal,
};

/// What the process takes, as far as the system tells.
#[derive(Debug, Clone, Copy)]
pub(super) struct Process {
    /// The time that all cores have spent on it, in seconds.
    pub(super) cpu_seconds: Option<f64>,
    /// How much memory it has, in bytes.
    pub(super) resident_bytes: Option<u64>,
    /// How many threads it has.
    pub(super) threads: Option<u64>,
    /// How many file descriptors it has.
    pub(super) descriptors: Option<u64>,
    /// How many it may have.
    pub(super) most_descriptors: Option<u64>,
}

impl Process {
    /// Reads what this process takes.
    pub(super) fn read() -> Self {
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let usage = getrusage(UsageWho::RUSAGE_SELF).ok();
        let most = getrlimit(Resource::RLIMIT_NOFILE).ok();
        Self {
            cpu_seconds: usage.map(|usage| seconds(usage.user_time()) + seconds(usage.system_time())),
            resident_bytes: field(&status, "VmRSS").map(|kibibytes| kibibytes * 1024),
            threads: field(&status, "Threads"),
            descriptors: descriptors(),
            most_descriptors: most.map(|(soft, _)| soft),
        }
    }
}

/// The number behind that name.
fn field(status: &str, name: &str) -> Option<u64> {
    let mut lines = status.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(key, _)| *key == name)?;
    value.split_whitespace().next()?.parse().ok()
}

/// All but the one that counts them.
fn descriptors() -> Option<u64> {
    let count = fs::read_dir("/proc/self/fd").ok()?.count();
    u64::try_from(count).ok()?.checked_sub(1)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a process runs for less than 2^53 µs, which is 285 years"
)]
fn seconds(time: TimeVal) -> f64 {
    time.tv_sec() as f64 + time.tv_usec() as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_takes_something_of_everything() {
        let Process {
            cpu_seconds,
            resident_bytes,
            threads,
            descriptors,
            most_descriptors,
        } = Process::read();
        assert!(cpu_seconds.is_some_and(|seconds| seconds > 0.0));
        assert!(
            resident_bytes.is_some_and(|bytes| bytes > 1 << 20),
            "{resident_bytes:?}"
        );
        assert!(threads > Some(1), "{threads:?}");
        assert!(
            Some(2) < descriptors && descriptors < most_descriptors,
            "{descriptors:?}"
        );
    }

    #[test]
    fn what_the_system_does_not_tell_is_nothing() {
        let status = "Name:\tVmRSS\nVmRSS:\t  12 kB\nThreads:\tmany\n";
        assert_eq!(field(status, "VmRSS"), Some(12));
        assert_eq!((field(status, "Threads"), field(status, "VmSize")), (None, None));
    }
}

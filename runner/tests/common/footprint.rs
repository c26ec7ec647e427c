//! What a process holds of the system.

use std::{
    fs,
    time::{Duration, Instant},
};

/// Memory, descriptors and threads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Resident memory in KiB.
    pub memory: u64,
    pub descriptors: usize,
    pub threads: u64,
}

impl Footprint {
    #[track_caller]
    pub fn of(process: u32) -> Self {
        let folder = format!("/proc/{process}");
        let status = fs::read_to_string(format!("{folder}/status")).expect("the server runs");
        let number = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
            number.unwrap_or_else(|| panic!("no {name} in {status}"))
        };
        Self {
            memory: number("VmRSS:"),
            threads: number("Threads:"),
            descriptors: fs::read_dir(format!("{folder}/fd"))
                .expect("its descriptors")
                .count(),
        }
    }

    /// As it is once it has not changed for a while, memory aside.
    #[track_caller]
    pub fn settled(process: u32, patience: Duration) -> Self {
        const QUIET: Duration = Duration::from_secs(2);
        let deadline = Instant::now() + patience;
        let (mut latest, mut since) = (Self::of(process), Instant::now());
        while since.elapsed() < QUIET {
            assert!(Instant::now() < deadline, "it does not come to rest: {latest:?}");
            std::thread::sleep(Duration::from_millis(50));
            let now = Self::of(process);
            if (now.descriptors, now.threads) != (latest.descriptors, latest.threads) {
                since = Instant::now();
            }
            latest = now;
        }
        latest
    }
}

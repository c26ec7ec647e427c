//! What tests share that burden a server with all that this machine can: they run one at a time, variables set their size,
//! and what the server took of memory, descriptors and threads comes back.

use std::{
    net::Ipv4Addr,
    process::Command,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};

use super::{
    footprint::Footprint,
    holds_within,
    process::{Process, wrapped},
};

/// Each test takes the whole machine.
pub fn alone() -> MutexGuard<'static, ()> {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    ONE_AT_A_TIME.lock()
}

/// What `variable` says, else the usual size.
pub fn size(variable: &str, usual: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => usual,
    }
}

/// As [`Process::start`], on two CPUs at most: the more the server has, the more of what its threads have freed malloc keeps
/// apart, and the bars for memory are to be the same on each machine.
pub fn start_burdened(configure: impl FnOnce(&mut Command)) -> Process {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let allowed = status
        .lines()
        .find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    let cpus = first_two(allowed.expect("Linux tells it").trim());
    let mut command = wrapped("taskset", |server| {
        vec!["--cpu-list".to_owned(), cpus, server.to_owned()]
    });
    command.env("RTSP_SERVER_IP", Ipv4Addr::LOCALHOST.to_string());
    Process::start_command(command, configure)
}

/// The first two, or the only one, of a list like `0,2-7`, as such a list.
fn first_two(list: &str) -> String {
    let number = |text: &str| text.parse::<usize>().expect("a number of a CPU");
    let ranges = list.split(',').map(|range| {
        let (from, to) = range.split_once('-').unwrap_or((range, range));
        number(from)..=number(to)
    });
    let two = ranges.flatten().take(2).map(|cpu| cpu.to_string());
    two.collect::<Vec<_>>().join(",")
}

/// How a server is to come back from a burden.
pub struct Recovery {
    /// Within which time.
    pub time: Duration,
    /// What memory may have grown by, in KiB.
    pub memory: u64,
}

impl Recovery {
    /// What the server holds before the burden.
    #[track_caller]
    pub fn before(&self, server: &Process) -> Footprint {
        Footprint::settled(server.id(), self.time)
    }

    /// Waits until the server holds no more than `before`.
    #[track_caller]
    pub fn assert_of(&self, server: &Process, before: Footprint) {
        let asked = Instant::now();
        let mut now = Footprint::of(server.id());
        let has_recovered = holds_within(self.time, || {
            now = Footprint::of(server.id());
            now.descriptors <= before.descriptors
                && now.threads <= before.threads
                && now.memory <= before.memory + self.memory
        });
        println!("{before:?} before, {now:?} after, {:?} later", asked.elapsed());
        assert!(has_recovered, "{before:?} before, {now:?} after");
    }
}

/// Ends the server, and holds against it what only a bug in it can do, and these words; answers its log.
#[track_caller]
pub fn assert_ends_without_bugs(mut server: Process, words: &[&str]) -> String {
    assert_eq!(server.end_by("TERM"), Some(0));
    let log = server.whole_log();
    for word in ["CRITICAL", "panicked", "assertion"].iter().chain(words) {
        assert!(!log.contains(word), "{word} in the log:\n{log}");
    }
    log
}

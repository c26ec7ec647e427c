//! What the benches share: the table, CPU time and memory of a process, and the noise of the machine.

#![allow(dead_code, unreachable_pub, reason = "each bench uses its own part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// A name to choose it by, and what measures it.
pub type Measure = (&'static str, fn() -> Row);

/// One line of the table.
pub struct Row {
    pub what: String,
    pub bound: String,
    pub measured: String,
    pub met: bool,
}

/// Measures those of `rows` that `chosen` names, or all, and prints them as a table.
pub fn print_table(rows: &[Measure], chosen: &[String]) -> ExitCode {
    println!("| what | at least | measured | met |\n| --- | --- | --- | --- |");
    let mut all_met = true;
    for (name, measure) in rows {
        if chosen.is_empty() || chosen.iter().any(|choice| choice == name) {
            let Row {
                what,
                bound,
                measured,
                met,
            } = measure();
            all_met &= met;
            println!(
                "| {what} | {bound} | {measured} | {} |",
                if met { "yes" } else { "no" }
            );
        }
    }
    if all_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// CPU time of a process so far in ms, its threads and ended ones included; proc(5), fields 14 and 15 of `stat`.
pub fn cpu_of(process: &str) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process runs");
    let fields = stat.rsplit_once(')').expect("a process has a name").1;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks: f64 = ticks
        .map(|field| field.parse::<f64>().expect("ticks are numbers"))
        .sum();
    // USER_HZ is 100 on every architecture that Linux shows to user space.
    ticks * 10.0
}

/// CPU time in ms of the threads that a process has now, to the nanosecond: of what takes next to nothing.
pub fn precise_cpu_of(process: u32) -> f64 {
    let threads = fs::read_dir(format!("/proc/{process}/task")).expect("the process runs");
    let times = threads.flatten().filter_map(|thread| {
        let stat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        stat.split(' ').next()?.parse::<f64>().ok()
    });
    times.sum::<f64>() / 1e6
}

/// CPU time in ms that a process takes while something happens, and what that answers.
pub fn cpu_while<T>(process: u32, time: Duration, happen: impl FnOnce(Instant) -> T) -> (f64, T) {
    let before = cpu_of(&process.to_string());
    let answer = happen(Instant::now() + time);
    (cpu_of(&process.to_string()) - before, answer)
}

/// The memory of a process in MB that no file stands behind, pages that it shares with others counted in part; proc(5),
/// `smaps_rollup`.
pub fn memory_of(process: u32) -> f64 {
    let maps = fs::read_to_string(format!("/proc/{process}/smaps_rollup")).expect("the process runs");
    let line = maps.lines().find_map(|line| line.strip_prefix("Pss_Anon:"));
    let kib: f64 = line
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .expect("Linux 5.5 or later tells it");
    kib * 1024.0 / 1e6
}

/// What `measure` answers, and by how many ms a sleep of 5 ms was late meanwhile.
pub fn beside_sleeps<T>(measure: impl FnOnce() -> T) -> (T, Vec<f64>) {
    const SLEEP: Duration = Duration::from_millis(5);
    let done = Arc::new(AtomicBool::new(false));
    let sleeper = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            let mut lateness = Vec::new();
            while !done.load(Ordering::Relaxed) {
                let started = Instant::now();
                thread::sleep(SLEEP);
                lateness.push(started.elapsed().saturating_sub(SLEEP).as_secs_f64() * 1e3);
            }
            lateness
        }
    });
    let answer = measure();
    done.store(true, Ordering::Relaxed);
    (answer, sleeper.join().expect("the sleeper slept"))
}

/// The value below which that many percent lie (nearest rank).
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "small counts"
)]
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

/// A configuration as a file of that name.
pub fn config_file(name: &str, config: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::write(&path, config).expect("the configuration can be written");
    path
}

/// The encoder and its caps as the server sets them; `server` is its command.
pub fn encoder_of_the_server(mut server: Command, config: &Path) -> String {
    let output = server
        .args(["--print-launch", "--config"])
        .arg(config)
        .output()
        .expect("the server prints its launch string");
    let line = String::from_utf8(output.stdout).expect("it is text");
    let start = line.find("x264enc").expect("it encodes");
    let end = line.find(" ! rtph264pay").expect("it pays");
    line[start..end].to_owned()
}

/// What a plain sleep says of the machine meanwhile, of lateness in ms.
pub fn noise(lateness: &[f64]) -> String {
    let (p50, p99) = (percentile(lateness, 50.0), percentile(lateness, 99.0));
    format!("a 5 ms sleep late by p50 {p50:.2} ms, p99 {p99:.2} ms")
}

/// The row of something that did not come to be measured.
pub fn broken(what: String, bound: &str, reason: &str) -> Row {
    Row {
        what,
        bound: bound.to_owned(),
        measured: reason.to_owned(),
        met: false,
    }
}

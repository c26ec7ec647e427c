//! The command line: what it takes, and what each option does.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, ensure};
use clap::Parser;
use jiff::SignedDuration;

use crate::console;
use crate::failures::{PASSWORD, USERNAME};
use crate::figures::Sample;
use crate::join::{self, measure_joined};
use crate::limits::Limits;
use crate::live::{Lines, Progress};
use crate::measure::{Observer, Options, Outcome, measure_until};
use crate::player::Transport;
use crate::report;
use crate::secrets;
use crate::target::{Credentials, Target};

const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " (",
    env!("COMMIT_ID"),
    ", ",
    env!("BUILD_REL_DATE"),
    ")"
);

const AFTER_HELP: &str = "\
A camera is logged in to with the credentials of its URL (rtsp://USER:PASSWORD@HOST/…), else with --user and
--password, else with those in the environment, which other users of the machine cannot see:
  RTSP_PROBE_USERNAME   RTSP_PROBE_PASSWORD
They are shown nowhere.

Durations are written like 250ms, 60s, 5m or \"1h 30m\".

Exit status: 0 if all streams were measured and all limits kept, 1 if not, 2 for a wrong command line.";

/// What of a stamped clock picture comes out of a chain: latency, loss, freezes, drift.
#[derive(Parser)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
#[command(name = "rtsp-clock-probe", version = VERSION, after_help = AFTER_HELP)]
pub struct Arguments {
    /// What to measure: URLs or files, any that GStreamer plays
    #[arg(value_name = "URL", required_unless_present = "print_schema")]
    urls: Vec<OsString>,
    /// Another way to the first URL's camera, such as its stream as an NVR hands it on: what does that add?
    #[arg(long, value_name = "URL")]
    via: Vec<OsString>,
    /// How an RTSP server is to send
    #[arg(long, value_enum, default_value = "auto")]
    transport: Transport,
    /// The user name for URLs that have none
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// The password for URLs that have none
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Accept any TLS certificate, for cameras that sign their own
    #[arg(long)]
    insecure: bool,
    /// For how long to measure [default: until Ctrl+C; a file: to its end]
    #[arg(long, value_name = "TIME", value_parser = duration)]
    duration: Option<Duration>,
    /// Ask again for a live stream whose connection ended, until it is back, and say how long it was away
    #[arg(long)]
    reconnect: bool,
    /// Ask this NTP server how far this machine's clock is off, and correct latencies by it: the camera keeps its time
    #[arg(long, value_name = "HOST")]
    ntp: Option<String>,
    /// A picture that stands still for longer is frozen
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "500ms")]
    freeze_threshold: Duration,
    /// Measure files, folders of them and playlists (.m3u8) as one recording, in the order of their stamps: what is missing
    /// between two segments, and what is in both
    #[arg(long, conflicts_with_all = ["via", "every"])]
    join: bool,
    /// Examine one in N pictures; not with --via, which needs every one
    #[arg(long, value_name = "N", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// How long rtspsrc may wait for a packet that is late; pictures whose packets are all there do not wait
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "200ms")]
    latency: Duration,
    /// Read all stamps of a picture, such as a screenshot of camera and player: how far is each behind each other?
    #[arg(long)]
    spot: bool,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    outputs: OutputArguments,
}

/// Passwords are among them.
impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Arguments { .. }")
    }
}

/// Limits
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Limits (exit status 1 if one is broken)")]
struct LimitArguments {
    /// The median of the latency
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_p50: Option<Duration>,
    /// What 99 % of the latencies keep
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_p99: Option<Duration>,
    /// Every latency
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_latency: Option<Duration>,
    /// Frames that never came
    #[arg(long, value_name = "N")]
    max_lost: Option<u64>,
    /// Freezes
    #[arg(long, value_name = "N")]
    max_frozen: Option<u64>,
    /// Pictures whose stamp could not be read
    #[arg(long, value_name = "N")]
    max_unreadable: Option<u64>,
    /// The drift, either way, in parts per million; its uncertainty counts in
    #[arg(long, value_name = "PPM", value_parser = positive)]
    max_drift: Option<f64>,
    /// How far sound may be from its picture, either way
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_sound_offset: Option<Duration>,
    /// The longest time from one new frame to the next
    #[arg(long, value_name = "TIME", value_parser = duration)]
    max_gap: Option<Duration>,
    /// Frames a second, at least
    #[arg(long, value_name = "N", value_parser = positive)]
    min_fps: Option<f64>,
}

/// Outputs
#[derive(Debug, clap::Args)]
#[expect(
    clippy::option_option,
    reason = "--json without a value, with one, or not at all"
)]
#[command(next_help_heading = "Output (a table, unless --json goes to stdout)")]
struct OutputArguments {
    /// The figures as JSON, to stdout or to a file
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    json: Option<Option<PathBuf>>,
    /// Each picture as a line, while it comes
    #[arg(long, value_name = "FILE")]
    csv: Option<PathBuf>,
    /// One self-contained HTML page
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Print the JSON Schema of --json and exit
    #[arg(long)]
    print_schema: bool,
}

/// Why there are no arguments.
#[derive(Debug)]
pub struct Misread {
    /// What to print.
    pub text: String,
    /// Whether it is a mistake, and not help or the version.
    pub is_mistake: bool,
}

/// `text` without the log-ins and secrets of any URL among the arguments, which clap repeats as they are.
fn hidden(text: &str, arguments: impl Iterator<Item = OsString>) -> String {
    arguments.fold(text.to_owned(), |text, argument| {
        // As clap shows what is not UTF-8.
        let argument = argument.to_string_lossy();
        text.replace(&*argument, &secrets::shown(&argument))
    })
}

/// A duration such as `250ms`, not negative.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "write it like 250ms, 60s or 5m".to_owned();
    let duration: SignedDuration = text.parse().map_err(|_| wrong())?;
    Duration::try_from(duration).map_err(|_| wrong())
}

/// A number that is not negative, with its unit or without.
fn positive(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches("ppm").trim_end();
    let number: f64 = number
        .parse()
        .map_err(|_| "write a number, like 25 or 0.5".to_owned())?;
    if number.is_finite() && number >= 0.0 {
        Ok(number)
    } else {
        Err("write a number that is not negative".into())
    }
}

/// A command line that makes sense.
#[derive(Debug)]
#[expect(clippy::option_option, reason = "as above")]
pub struct Plan {
    options: Options,
    join: bool,
    json: Option<Option<PathBuf>>,
    csv: Option<PathBuf>,
    report: Option<PathBuf>,
}

/// Credentials as the environment has them.
#[derive(Clone, Default)]
pub struct Environment {
    /// `RTSP_PROBE_USERNAME`.
    pub username: Option<String>,
    /// `RTSP_PROBE_PASSWORD`.
    pub password: Option<String>,
}

impl Environment {
    /// That of this process. An empty variable counts as unset.
    #[must_use]
    pub fn of_process() -> Self {
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self {
            username: variable(USERNAME),
            password: variable(PASSWORD),
        }
    }
}

impl Arguments {
    /// The command line of this process.
    ///
    /// # Errors
    /// What to print and exit with, where it cannot be understood or asks for help. No log-in is in it.
    pub fn of_process() -> Result<Self, Misread> {
        Self::try_parse().map_err(|error| Misread {
            text: hidden(&error.render().to_string(), std::env::args_os()),
            is_mistake: error.use_stderr(),
        })
    }

    /// Whether only the schema of the JSON is asked for.
    #[must_use]
    pub fn wants_schema(&self) -> bool {
        self.outputs.print_schema
    }

    /// What is to be done.
    ///
    /// # Errors
    /// When a URL cannot be read or a file is not there: a sentence without any password.
    pub fn plan(self, environment: Environment) -> anyhow::Result<Plan> {
        let user = self.user.or(environment.username);
        let password = self.password.or(environment.password);
        ensure!(
            user.is_some() || password.is_none(),
            "there is a password and no user name: set --user or {USERNAME}"
        );
        ensure!(
            self.via.is_empty() || self.every == 1,
            "--via holds every frame against its fellow: leave out --every"
        );
        let credentials = user.map(|username| Credentials {
            username,
            password: password.unwrap_or_default(),
        });
        let targets = |named: &[OsString]| -> anyhow::Result<Vec<Target>> {
            named
                .iter()
                .map(|named| Target::named(named, credentials.as_ref()))
                .collect()
        };
        let options = Options {
            targets: if self.join {
                join::segments(&self.urls)?
            } else {
                targets(&self.urls)?
            },
            vias: targets(&self.via)?,
            transport: self.transport,
            duration: self.duration,
            frames: None,
            limits: Limits {
                p50: self.limits.max_p50,
                p99: self.limits.max_p99,
                latency: self.limits.max_latency,
                lost: self.limits.max_lost,
                frozen: self.limits.max_frozen,
                unreadable: self.limits.max_unreadable,
                drift: self.limits.max_drift,
                sound_offset: self.limits.max_sound_offset,
                gap: self.limits.max_gap,
                fps: self.limits.min_fps,
            },
            ntp: self.ntp,
            freeze_threshold: self.freeze_threshold,
            every: self.every,
            latency: self.latency,
            any_certificate: self.insecure,
            spot: self.spot,
            reconnect: self.reconnect,
        };
        Ok(Plan {
            options,
            join: self.join,
            json: self.outputs.json,
            csv: self.outputs.csv,
            report: self.outputs.report,
        })
    }
}

/// Measures, and writes what was asked for. Answers whether everything was measured and each limit kept.
///
/// # Errors
/// When something cannot be written, or GStreamer not be started.
pub fn run(plan: &Plan) -> anyhow::Result<bool> {
    // Files that cannot be written are better known before an hour's measurement than after it.
    let json_file = plan
        .json
        .as_ref()
        .and_then(Option::as_deref)
        .map(Output::create)
        .transpose()?;
    let report_file = plan.report.as_deref().map(Output::create).transpose()?;
    let mut watcher = Watcher::new(plan.csv.as_deref())?;
    let measure = if plan.join { measure_joined } else { measure_until };
    let outcome = measure(&plan.options, &*stop_on_signal()?, &mut watcher)?;
    watcher.finish()?;
    if let Some(file) = json_file {
        file.write(&line(report::json(&outcome.measurement)))?;
    }
    if let Some(file) = report_file {
        file.write(&report::html(&outcome.measurement, &outcome.evidence))?;
    }
    console::print(&told_on_stdout(plan, &outcome))?;
    Ok(outcome.is_good())
}

/// Prints the JSON Schema of `--json`.
///
/// # Errors
/// When stdout cannot be written to.
pub fn print_schema() -> anyhow::Result<()> {
    console::print(&line(report::schema()))
}

fn told_on_stdout(plan: &Plan, outcome: &Outcome) -> String {
    line(match plan.json {
        Some(None) => report::json(&outcome.measurement),
        _ => report::table(&outcome.measurement),
    })
}

/// With one line end behind it.
fn line(mut text: String) -> String {
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Set by the first SIGINT, SIGTERM or SIGHUP; the second ends the process at once.
fn stop_on_signal() -> anyhow::Result<Arc<AtomicBool>> {
    const INTERRUPTED: i32 = 130;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = stop.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("cannot wait for Ctrl+C")?;
    Ok(stop)
}

/// A file that will be written at the end.
struct Output<'a> {
    path: &'a Path,
    file: File,
}

impl<'a> Output<'a> {
    fn create(path: &'a Path) -> anyhow::Result<Self> {
        let file = File::create(path).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(Self { path, file })
    }

    fn write(mut self, text: &str) -> anyhow::Result<()> {
        self.file
            .write_all(text.as_bytes())
            .with_context(|| format!("cannot write {}", self.path.display()))
    }
}

/// Writes each picture, says what is wrong, and draws how it goes.
struct Watcher {
    csv: Option<(PathBuf, report::csv::Writer<BufWriter<File>>)>,
    lines: Option<Lines<io::Stderr>>,
}

impl Watcher {
    fn new(csv: Option<&Path>) -> anyhow::Result<Self> {
        let csv = csv.map(|path| {
            let file = Output::create(path)?.file;
            let writer =
                report::csv::Writer::new(BufWriter::new(file)).map_err(|error| failed(path, &error))?;
            Ok::<_, anyhow::Error>((path.to_owned(), writer))
        });
        Ok(Self {
            csv: csv.transpose()?,
            lines: Lines::on_terminal(),
        })
    }

    fn finish(&mut self) -> anyhow::Result<()> {
        if let Some(lines) = &mut self.lines {
            lines.clear();
        }
        match &mut self.csv {
            Some((path, csv)) => csv.flush().map_err(|error| failed(path, &error)),
            None => Ok(()),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write {}: {error}", path.display())
}

impl Observer for Watcher {
    fn picture(&mut self, url: &str, sample: &Sample) -> anyhow::Result<()> {
        match &mut self.csv {
            Some((path, csv)) => csv.write(url, sample).map_err(|error| failed(path, &error)),
            None => Ok(()),
        }
    }

    fn problem(&mut self, url: &str, sentence: &str) {
        if let Some(lines) = &mut self.lines {
            lines.clear();
        }
        // A server's own words may be among them.
        let (url, sentence) = (report::clean(url), report::clean(sentence));
        console::tell(&format!("rtsp-clock-probe: {url}: {sentence}\n"));
    }

    fn wants_progress(&self) -> bool {
        self.lines.is_some()
    }

    fn progress(&mut self, streams: &[Progress]) {
        if let Some(lines) = &mut self.lines {
            lines.draw(streams);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_do_not_show_a_password() {
        let line = [
            "probe",
            "rtsp://viewer:secret@h/",
            "--user",
            "viewer",
            "--password",
            "secret",
        ];
        let arguments = Arguments::try_parse_from(line).expect("a command line");
        assert!(!format!("{arguments:?}").contains("secret"));
        let plan = arguments.plan(Environment::default()).expect("a plan");
        assert!(!format!("{plan:?}").contains("secret"));
    }

    #[test]
    fn what_clap_cannot_understand_is_shown_without_a_password() {
        for option in ["--duration", "--transport", "--every", "--max-lost", "--latency"] {
            let line = ["probe", option, "rtsp://viewer:se'c@ret@h/a?token=secret"];
            let Err(error) = Arguments::try_parse_from(line) else {
                panic!("{option} takes no URL");
            };
            let shown = hidden(&error.render().to_string(), line.into_iter().map(OsString::from));
            assert!(shown.contains("rtsp://***@h/a?token=***"), "{shown}");
            assert!(!shown.contains("ret"), "{shown}");
        }
    }
}

//! The log: what is logged, how, and where it goes.
//!
//! It goes to stderr, a line for each event. `logLevel` says which events, unless `RUST_LOG` does ([`Filter`]).
//! `logFormat` says how they are written:
//!
//! - `text`: instant in UTC, level, target, sentence, then fields as `name=value`; for people.
//! - `json`: one object a line, for machines:
//!
//!   ```json
//!   {"timestamp":"2026-03-01T12:00:00.123456Z","level":"INFO","message":"stopping","target":"server"}
//!   ```
//!
//!   `timestamp` is RFC 3339 in UTC with microseconds; `level` is one of `ERROR`, `WARN`, `INFO`, `DEBUG` and `TRACE`;
//!   `target` is the part of the server that speaks (`server`, `connections`, `requests`, `viewers`, `stream`, `accounts`,
//!   `config`, `clock` or `log`), or `gstreamer::` and a debug category, `glib::` and a library, or
//!   `stderr`; `message` is the sentence. An event's fields stand beside them: `viewers` is a number, `peer` a text.
//!
//! Whatever keeps the server from starting is told in one more line before it exits, as an event of level `ERROR` in
//! JSON. The mistakes in a configuration are plain text in either format, as it is the configuration that says which
//! format it is.
//!
//! | module | job |
//! | --- | --- |
//! | `filter` | which events are told |
//! | `targets` | the parts of the server that tell them |
//! | `gstreamer` | GStreamer's warnings and errors as events |
//! | `glib_messages` | the messages of GLib, and of all that is built on it, as events |
//! | `stray` | what anybody else writes to stderr, as events |
//! | `foreign` | making events of what these say |
//! | `peers` | who the clients are of whom GStreamer speaks |
//! | `repeats` | how often the same thing is told |
//! | `queue` | the lines on their way to stderr: nobody who logs waits for whoever reads |

use std::io::{self, IsTerminal as _, Write as _, stderr};
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, EnumIter};

use anyhow::Context as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::{EnvFilter, reload};

mod filter;
mod foreign;
mod glib_messages;
mod gstreamer;
mod peers;
mod queue;
pub(crate) mod repeats;
mod stray;
mod targets;

pub use filter::Filter;
pub(crate) use filter::{EXPECTED, PATTERN};
pub(crate) use peers::introduce;
pub(crate) use repeats::Repeats;

/// The variable that says which events are told, in place of `logLevel`. An empty one counts as unset.
const VARIABLE: &str = "RUST_LOG";

/// How long the last lines may take to be written.
const FAREWELL: Duration = Duration::from_millis(500);

/// The log of this process, once it has been started.
static STARTED: OnceLock<Started> = OnceLock::new();

struct Started {
    /// The lines that are on their way.
    lines: queue::Queue,
    /// The way by which everybody else's lines come, where machines read the log.
    detour: Option<stray::Detour>,
    format: Format,
    refilter: Refilter,
}

/// Puts another filter in place of the present one.
type Refilter = Box<dyn Fn(EnvFilter) -> Result<(), reload::Error> + Send + Sync>;

/// How events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Display, EnumIter, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(inline)]
pub enum Format {
    /// A line for people.
    #[default]
    Text,
    /// A JSON object a line, for machines.
    Json,
}

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Settings {
    /// Which events are told, unless [`VARIABLE`] says that.
    pub(crate) filter: Filter,
    /// How they are written.
    pub(crate) format: Format,
}

/// Keeps what GLib says from now on until [`start`] logs it: while the configuration is read, it is not known yet how
/// the log is written.
pub(crate) fn listen() {
    glib_messages::listen();
}

/// Starts the log of this process. GStreamer may be initialized before or after.
///
/// # Errors
/// When [`VARIABLE`] is set and makes no sense, when the system gives no thread, or when there is a log already.
pub(crate) fn start(settings: &Settings) -> anyhow::Result<()> {
    let filter = filter(settings)?;
    let is_terminal = stderr().is_terminal();
    let (lines, detour) = lines(settings.format).context("cannot start the log's thread")?;
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || writer.clone())
        .with_ansi(is_terminal)
        // It would write them to stderr, and panic where there is none.
        .log_internal_errors(false);
    let started = match settings.format {
        Format::Text => {
            let subscriber = subscriber.with_filter_reloading();
            let refilter = refilter(subscriber.reload_handle());
            subscriber.try_init().map(|()| refilter)
        }
        Format::Json => {
            let subscriber = subscriber
                .json()
                .flatten_event(true)
                .with_current_span(false)
                .with_span_list(false)
                .with_filter_reloading();
            let refilter = refilter(subscriber.reload_handle());
            subscriber.try_init().map(|()| refilter)
        }
    };
    let refilter = started.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))?;
    // No other call can have come this far: the subscriber above is the process's only one.
    let _first = STARTED.set(Started {
        lines,
        detour,
        format: settings.format,
        refilter,
    });
    if settings.format == Format::Json {
        tell_panics();
    }
    glib_messages::follow();
    gstreamer::follow();
    Ok(())
}

/// The queue of lines to stderr; where machines read the log, nothing else goes there, and the detour takes it.
fn lines(format: Format) -> io::Result<(queue::Queue, Option<stray::Detour>)> {
    Ok(match format {
        Format::Text => (queue::Queue::start(stderr())?, None),
        Format::Json => {
            let (detour, to) = stray::divert()?;
            (queue::Queue::start(to)?, Some(detour))
        }
    })
}

/// Makes an event of a panic, too. It may be the last one that is told.
fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        tracing::error!(target: "log", "{panic}");
        flush();
    }));
}

fn refilter<S: 'static>(handle: reload::Handle<EnvFilter, S>) -> Refilter {
    Box::new(move |filter| handle.reload(filter))
}

/// Has the log tell the events that `filter` lets through from now on; a process without a log goes on without.
///
/// # Errors
/// When [`VARIABLE`] says which ones are told, so that the configuration has no say.
pub(crate) fn change(filter: &Filter) -> anyhow::Result<()> {
    anyhow::ensure!(!is_overridden(), "{VARIABLE} is set and wins");
    match STARTED.get() {
        None => Ok(()),
        Some(started) => (started.refilter)(filter.to_env_filter()).context("cannot change the log's filter"),
    }
}

/// Whether [`VARIABLE`] says which events are told.
fn is_overridden() -> bool {
    std::env::var_os(VARIABLE).is_some_and(|directives| !directives.is_empty())
}

fn filter(settings: &Settings) -> anyhow::Result<EnvFilter> {
    if !is_overridden() {
        return Ok(settings.filter.to_env_filter());
    }
    let directives = std::env::var(VARIABLE).with_context(|| format!("{VARIABLE} cannot be used"))?;
    EnvFilter::builder()
        .with_default_directive(LevelFilter::INFO.into())
        .parse(targets::modern(&directives))
        .with_context(|| format!("{VARIABLE} cannot be used"))
}

/// Tells why the program ends: as an event where machines read the log, else as a plain line.
pub fn tell_end(error: &anyhow::Error) {
    let format = STARTED.get().map(|started| started.format);
    if format == Some(Format::Json) && tracing::enabled!(tracing::Level::ERROR) {
        tracing::error!(target: "log", "{error:#}");
    } else {
        flush();
        glib_messages::give_up();
        tell(&format!("rtsp-clock-server: error: {error:#}\n"));
    }
}

/// Writes `text` to stderr as it is. Where nobody listens there, there is nobody to be told so.
pub fn tell(text: &str) {
    let _gone = stderr().lock().write_all(text.as_bytes());
}

/// Waits until all that was told has been written, though not for long. To be called before the process ends.
pub fn flush() {
    if let Some(started) = STARTED.get() {
        if let Some(detour) = &started.detour {
            detour.flush(FAREWELL);
        }
        started.lines.flush(FAREWELL);
    }
}

//! Events of what GLib, and all that is built on it, says by GLib's own means: `g_warning` and its like, `g_print`.
//!
//! Their target is `glib::` and the library's domain, such as `glib::Pango`.
//!
//! | GLib says | by a library | by GStreamer's RTSP |
//! | --- | --- | --- |
//! | ERROR, after which it ends the process | `error` | `error` |
//! | CRITICAL | `warn` | `info` |
//! | WARNING | `warn` | `debug` |
//! | MESSAGE, and what is printed | `info` | `info` |
//! | INFO and DEBUG, where `G_MESSAGES_DEBUG` asks for it | `info` | `info` |
//!
//! GStreamer's RTSP has a column of its own, because it warns of what a peer sends. Messages that come before there is
//! a log wait for it, since it is the configuration that says how the log is written.

use std::sync::Once;
use std::time::{Duration, Instant};

use gst::glib::{self, LogField, LogLevel, LogWriterOutput};
use parking_lot::Mutex;
use tracing::Level;

use super::{
    LazyLock, Repeats,
    foreign::{self, Saying},
};

/// How often one library may say something that begins the same way.
const INTERVAL: Duration = Duration::from_secs(10);
/// How many messages are told apart: more than libraries have to say.
const PLACES: usize = 256;
/// How many characters at its beginning tell one message from another; what follows may be a peer's words.
const BEGINNING: usize = 20;
/// How many messages are kept at most before there is a log.
const EARLY: usize = 100;

static REPEATS: LazyLock<Repeats> = LazyLock::new(|| Repeats::new(INTERVAL, PLACES));
static MESSAGES: Mutex<Early> = Mutex::new(Early::Waiting(Vec::new()));

/// The messages that came before there was a log.
enum Early {
    Waiting(Vec<Message>),
    /// There is a log.
    Over,
}

/// A message that was given by GLib's means.
struct Message {
    target: String,
    level: Level,
    text: String,
    /// Whether somebody asked for it, so that it is told however often it comes.
    is_wanted: bool,
}

/// Takes messages from now on, and keeps them until [`follow`].
pub(super) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        glib::log_set_writer_func(write);
        glib::set_print_handler(|text| print("print", text));
        glib::set_printerr_handler(|text| print("printerr", text));
    });
}

/// Makes events of messages from now on, and of those that were kept.
pub(super) fn follow() {
    listen();
    for message in kept() {
        message.tell();
    }
}

/// Writes the messages that were kept for a log that never came, as plain text.
pub(super) fn give_up() {
    for message in kept() {
        eprintln!("{} {}: {}", message.level, message.target, message.text);
    }
}

fn kept() -> Vec<Message> {
    let mut early = MESSAGES.lock();
    match std::mem::replace(&mut *early, Early::Over) {
        Early::Waiting(messages) => messages,
        Early::Over => Vec::new(),
    }
}

/// GLib's writer, for every domain.
fn write(level: LogLevel, fields: &[LogField<'_>]) -> LogWriterOutput {
    let field = |key: &str| {
        let field = fields.iter().find(|field| field.key() == key)?;
        field.value_bytes().map(String::from_utf8_lossy)
    };
    let domain = field("GLIB_DOMAIN").unwrap_or_default();
    let is_wanted = matches!(level, LogLevel::Info | LogLevel::Debug);
    if is_wanted && !is_asked_for(&domain) {
        return LogWriterOutput::Handled;
    }
    let message = Message {
        target: target(&domain),
        level: level_of(&domain, level),
        text: foreign::clean(field("MESSAGE").unwrap_or_default().trim()),
        is_wanted,
    };
    foreign::without_nesting(|| message.take());
    if level == LogLevel::Error || ends_the_process() {
        super::flush();
    }
    LogWriterOutput::Handled
}

fn target(domain: &str) -> String {
    if domain.is_empty() {
        "glib".into()
    } else {
        format!("glib::{domain}")
    }
}

fn level_of(domain: &str, level: LogLevel) -> Level {
    let is_of_peers = domain.starts_with("GStreamer-RTSP");
    match level {
        LogLevel::Error => Level::ERROR,
        LogLevel::Critical if !is_of_peers => Level::WARN,
        LogLevel::Warning if is_of_peers => Level::DEBUG,
        LogLevel::Warning => Level::WARN,
        LogLevel::Critical | LogLevel::Message | LogLevel::Info | LogLevel::Debug => Level::INFO,
    }
}

/// Whether `G_MESSAGES_DEBUG` asks for the messages that a library has for its makers.
fn is_asked_for(domain: &str) -> bool {
    static DOMAINS: LazyLock<String> =
        LazyLock::new(|| std::env::var("G_MESSAGES_DEBUG").unwrap_or_default());
    DOMAINS
        .split_whitespace()
        .any(|asked| asked == "all" || asked == domain)
}

/// Whether a warning may be the last word of the process, as `G_DEBUG` has it.
fn ends_the_process() -> bool {
    std::env::var_os("G_DEBUG").is_some_and(|flags| flags.to_string_lossy().contains("fatal"))
}

fn print(by: &str, text: &str) {
    for line in text.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
        let message = Message {
            target: target(by),
            level: Level::INFO,
            text: foreign::clean(line),
            is_wanted: true,
        };
        foreign::without_nesting(|| message.take());
    }
}

impl Message {
    /// Tells the message, or keeps it until there is a log.
    fn take(self) {
        let mut early = MESSAGES.lock();
        match &mut *early {
            Early::Waiting(messages) if messages.len() < EARLY => messages.push(self),
            Early::Waiting(_) => {}
            Early::Over => {
                drop(early);
                self.tell();
            }
        }
    }

    fn tell(self) {
        if !foreign::is_told(&self.target, self.level) {
            return;
        }
        let beginning: String = self.text.chars().take(BEGINNING).collect();
        let place = format!("{} {} {beginning}", self.target, self.level);
        let held_back = if self.is_wanted {
            Some(0)
        } else {
            REPEATS.may_tell(&place, Instant::now())
        };
        let Some(held_back) = held_back else {
            return;
        };
        let saying = Saying {
            message: self.text,
            held_back,
            ..Saying::default()
        };
        foreign::tell(&self.target, self.level, &saying);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_can_bring_about_is_no_warning() {
        for (level, of_libraries, of_peers) in [
            (LogLevel::Error, Level::ERROR, Level::ERROR),
            (LogLevel::Critical, Level::WARN, Level::INFO),
            (LogLevel::Warning, Level::WARN, Level::DEBUG),
            (LogLevel::Message, Level::INFO, Level::INFO),
        ] {
            assert_eq!(level_of("Pango", level), of_libraries);
            assert_eq!(level_of("GStreamer-RTSP", level), of_peers);
        }
    }
}

//! GStreamer's warnings and errors as events.
//!
//! Their target is `gstreamer::` and the debug category, such as `gstreamer::rtspclient`; `object` and `function` say
//! who speaks. What an operator has to know is not what GStreamer means by its levels:
//!
//! | GStreamer says | by an element | in a category of [clients](is_of_clients) |
//! | --- | --- | --- |
//! | ERROR | `warn` | `info` |
//! | WARNING | `info` | `debug` |
//!
//! A step lower, because what really ends a pipeline is posted on its bus as well, and the server tells that as an
//! error of its own. Another step where any peer can bring a message about: a wrong path is `ERROR` to gst-rtsp-server,
//! and every viewer that comes or goes makes it warn.
//!
//! Nobody can flood the log so: each place in GStreamer's code speaks once in [`INTERVAL`], and then says with
//! `held_back` how many more there were.
//!
//! `GST_DEBUG` and `GST_DEBUG_FILE` do what they always do. Where GStreamer's own log goes to stderr for `GST_DEBUG`,
//! there are no events of it: nothing is told twice.
//!
//! At these levels GStreamer writes no header of a request, and so no password; it writes paths, and a URL with a slash
//! in its password looks like one: what stands before an `@` is left out.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

use gst::log::{DebugCategory, DebugMessage, LoggedObject};
use gst::{DebugLevel, glib};
use tracing::{Event, Level, Metadata, Value, dispatcher};
use tracing_core::callsite::Callsite;
use tracing_core::field::FieldSet;
use tracing_core::identify_callsite;
use tracing_core::metadata::Kind;
use tracing_core::subscriber::Interest;

use super::repeats::Repeats;

/// How often one place in GStreamer's code may speak.
const INTERVAL: Duration = Duration::from_secs(10);
/// More places than GStreamer's plugins have on the way of a clock picture.
const PLACES: usize = 1024;
/// A peer chooses how long a path is; characters beyond are left out.
const LONGEST: usize = 300;

const TARGET: &str = "gstreamer";
const FIELDS: &[&str] = &["message", "object", "function", "held_back"];

static REPEATS: LazyLock<Repeats> = LazyLock::new(|| Repeats::new(INTERVAL, PLACES));

thread_local! {
    /// Whether this thread is telling something: what that brings about is not told.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Makes events of what GStreamer warns about from now on.
pub(super) fn follow() {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let (has_levels, has_file) = (is_set("GST_DEBUG"), is_set("GST_DEBUG_FILE"));
    if has_levels && !has_file {
        return;
    }
    if !has_file {
        gst::log::remove_default_log_function();
    }
    if !has_levels {
        gst::log::set_default_threshold(DebugLevel::Warning);
    }
    gst::log::add_log_function(|category, level, file, function, line, object, message| {
        let told = Told {
            category,
            file,
            function,
            line,
            object,
            message,
        };
        if let Some(level) = level_of(category.name(), level) {
            told.tell_alone(level);
        }
    });
}

/// The level of an event; none for what is not told.
fn level_of(category: &str, level: DebugLevel) -> Option<Level> {
    match (level, is_of_clients(category)) {
        (DebugLevel::Error, false) => Some(Level::WARN),
        (DebugLevel::Error, true) | (DebugLevel::Warning, false) => Some(Level::INFO),
        (DebugLevel::Warning, true) => Some(Level::DEBUG),
        _ => None,
    }
}

/// Whether what a category says can be a peer's doing: RTSP (connections speak as `default`), RTP and UDP; and the pipeline,
/// which warns whenever a transport comes to it.
fn is_of_clients(category: &str) -> bool {
    let families = ["rtsp", "rtp", "udp", "multiudp", "dynudp"];
    matches!(category, "default" | "pipeline") || families.iter().any(|family| category.starts_with(family))
}

/// What GStreamer hands to a log function.
struct Told<'a> {
    category: DebugCategory,
    file: &'a glib::GStr,
    function: &'a glib::GStr,
    line: u32,
    object: Option<&'a LoggedObject>,
    message: &'a DebugMessage,
}

impl Told<'_> {
    /// Unless this thread is about it already. A panic ends here: one in a thread's last moments, when what `tracing`
    /// keeps for the thread is gone, must not reach C.
    fn tell_alone(&self, level: Level) {
        if TELLING.replace(true) {
            return;
        }
        let _panic = catch_unwind(AssertUnwindSafe(|| self.tell(level)));
        TELLING.set(false);
    }

    fn tell(&self, level: Level) {
        let metadata = metadata(self.category, level);
        if !dispatcher::get_default(|dispatch| dispatch.enabled(metadata)) {
            return;
        }
        let place = format!("{} {}:{}", self.category.name(), self.file, self.line);
        let Some(held_back) = REPEATS.may_tell(&place, Instant::now()) else {
            return;
        };
        let message = clean(&self.message.get().unwrap_or_default());
        let object = self.object.map(|object| clean(&object.to_string()));
        let values = [
            Some(&message as &dyn Value),
            object.as_ref().map(|object| object as &dyn Value),
            Some(&self.function.as_str()),
            (held_back > 0).then_some(&held_back),
        ];
        emit(metadata, values);
    }
}

/// Hands an event with the values of [`FIELDS`] to the log.
fn emit(metadata: &'static Metadata<'static>, values: [Option<&dyn Value>; 4]) {
    let fields = metadata.fields();
    let mut names = fields.iter();
    let [Some(message), Some(object), Some(function), Some(held_back)] =
        std::array::from_fn(|_| names.next())
    else {
        return;
    };
    let pairs = [
        (&message, values[0]),
        (&object, values[1]),
        (&function, values[2]),
        (&held_back, values[3]),
    ];
    Event::dispatch(metadata, &fields.value_set(&pairs));
}

/// A message as it may stand in a line: bounded, without control characters, and without what may be a password.
fn clean(message: &str) -> String {
    let mut kept: String = message
        .chars()
        .take(LONGEST)
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    while let Some(at) = kept.find('@') {
        let start = kept[..at]
            .rfind([' ', '\'', '"', '<'])
            .map_or(0, |space| space + 1);
        kept.replace_range(start..=at, "…");
    }
    if message.chars().nth(LONGEST).is_some() {
        kept.push('…');
    }
    kept
}

/// What `tracing` knows of a category's events at one level: made when it is first needed, kept as long as the process, as
/// categories are. There are some hundred.
fn metadata(category: DebugCategory, level: Level) -> &'static Metadata<'static> {
    type Known = HashMap<(DebugCategory, Level), &'static Metadata<'static>>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry((category, level)).or_insert_with(|| {
        let target = format!("{TARGET}::{}", category.name()).leak();
        Box::leak(Box::new(metadata_of(target, level)))
    })
}

const fn metadata_of(target: &'static str, level: Level) -> Metadata<'static> {
    let fields = FieldSet::new(FIELDS, identify_callsite!(&SITE));
    Metadata::new(TARGET, target, level, None, None, None, fields, Kind::EVENT)
}

/// The one place in this code that all these events come from.
struct Site;

static SITE: Site = Site;

impl Callsite for Site {
    /// The log is asked about each event instead.
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        static METADATA: Metadata<'static> = metadata_of(TARGET, Level::INFO);
        &METADATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_peer_can_bring_about_is_no_warning() {
        for category in [
            "rtspclient",
            "rtspmedia",
            "rtph264pay",
            "udpsrc",
            "default",
            "pipeline",
        ] {
            assert_eq!(
                level_of(category, DebugLevel::Error),
                Some(Level::INFO),
                "{category}"
            );
            assert_eq!(
                level_of(category, DebugLevel::Warning),
                Some(Level::DEBUG),
                "{category}"
            );
        }
        for category in ["x264enc", "clocksrc", "basesink", "GST_PADS"] {
            assert_eq!(
                level_of(category, DebugLevel::Error),
                Some(Level::WARN),
                "{category}"
            );
            assert_eq!(
                level_of(category, DebugLevel::Warning),
                Some(Level::INFO),
                "{category}"
            );
        }
    }

    #[test]
    fn gstreamers_other_levels_are_not_told() {
        for level in [
            DebugLevel::Fixme,
            DebugLevel::Info,
            DebugLevel::Debug,
            DebugLevel::Log,
        ] {
            assert_eq!(level_of("x264enc", level), None, "{level:?}");
        }
    }

    #[test]
    fn what_may_be_a_password_is_left_out_of_a_message() {
        for (message, kept) in [
            ("no factory for path /nope", "no factory for path /nope"),
            (
                "no factory for path /ss@127.0.0.1:8554/live",
                "no factory for path …127.0.0.1:8554/live",
            ),
            ("rtsp://user:pa@ss@host/ and a@b", "…host/ and …b"),
            ("media '/a:b@c' not found", "media '…c' not found"),
            ("@", "…"),
        ] {
            assert_eq!(clean(message), kept);
        }
    }

    #[test]
    fn a_message_is_one_line_of_bounded_length() {
        assert_eq!(clean("a\r\nb\u{1b}[31m"), "a  b [31m");
        let long = clean(&"é".repeat(1000));
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert_eq!(clean(&"é".repeat(LONGEST)), "é".repeat(LONGEST));
    }
}

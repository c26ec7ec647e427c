//! Events of GStreamer's warnings and errors.
//!
//! Their target is `gstreamer::` and the debug category, such as `gstreamer::rtspclient`; `object` and `function` say
//! who speaks. What an operator has to know is not what GStreamer means by its levels:
//!
//! | GStreamer says | by an element | in a category of [clients](is_of_clients) |
//! | --- | --- | --- |
//! | ERROR | `warn` | `info` |
//! | WARNING | `info` | `debug` |
//!
//! Levels are a step lower, because whatever really ends a pipeline is posted on its bus as well, and the server tells
//! that as an error of its own. They are another step lower where any peer can cause a message: a wrong path is `ERROR`
//! to gst-rtsp-server, and every viewer that comes or goes makes it warn.
//!
//! gst-rtsp-server calls its clients by where they are in memory. Where the client's network address is known, that is
//! the event's `peer`; a message that has other such numbers in it, and nobody's name, is `debug` in place of `info`.
//!
//! A category that warns at each start is `debug` as well.
//!
//! Nobody can flood the log by these: each place in GStreamer's code speaks once in [`INTERVAL`], and then says with
//! `held_back` how many more messages there were.
//!
//! `GST_DEBUG` and `GST_DEBUG_FILE` do what they always do. Where GStreamer's own log goes to stderr for `GST_DEBUG`,
//! there are no events of it: nothing is told twice.
//!
//! At these levels GStreamer writes no header of a request, and so no password; it writes paths, and a URL with a slash
//! in its password looks like a path: whatever stands before an `@` is left out.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use gst::log::{DebugCategory, DebugMessage, LoggedObject};
use gst::{DebugLevel, glib};
use tracing::Level;

use super::{
    foreign::{self, Saying},
    peers,
    repeats::Repeats,
};

/// How often one place in GStreamer's code may speak.
const INTERVAL: Duration = Duration::from_secs(10);
/// How many places are told apart: more than GStreamer's plugins have on the way of a clock picture.
const PLACES: usize = 1024;

const TARGET: &str = "gstreamer";

/// The categories that warn at each start, and mean nothing: `vp9enc` says which settings are those of VP8 alone.
const ALWAYS_WARNS: [&str; 1] = ["vpxenc"];

static REPEATS: LazyLock<Repeats> = LazyLock::new(|| Repeats::new(INTERVAL, PLACES));

/// Makes events of GStreamer's warnings from now on.
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
        let call = LogCall {
            category,
            level,
            file,
            function,
            line,
            object,
            message,
        };
        // Messages of other levels are many, and this must not cost a frame.
        if matches!(level, DebugLevel::Error | DebugLevel::Warning) {
            foreign::without_nesting(|| call.tell());
        }
    });
}

/// The words of gst-rtsp-server where a request does not go on at once: the server has refused it and said so itself,
/// or has it wait.
const OURS: &str = "not allowed";

/// The level of an event; `None` for one that is not told.
fn level_of(category: &str, level: DebugLevel, is_nobodys: bool) -> Option<Level> {
    let level = match (level, is_of_clients(category)) {
        (DebugLevel::Error, false) => Level::WARN,
        (DebugLevel::Warning, _) if ALWAYS_WARNS.contains(&category) => Level::DEBUG,
        (DebugLevel::Error, true) | (DebugLevel::Warning, false) => Level::INFO,
        (DebugLevel::Warning, true) => Level::DEBUG,
        _ => return None,
    };
    Some(if is_nobodys && level == Level::INFO {
        Level::DEBUG
    } else {
        level
    })
}

/// Whether a category's messages can be a peer's doing: those of RTSP (connections speak as `default`), RTP and UDP;
/// and those of the pipeline, which warns whenever a transport comes to it.
fn is_of_clients(category: &str) -> bool {
    let families = ["rtsp", "rtp", "udp", "multiudp", "dynudp"];
    matches!(category, "default" | "pipeline") || families.iter().any(|family| category.starts_with(family))
}

/// The arguments that GStreamer hands to a log function.
struct LogCall<'a> {
    category: DebugCategory,
    level: DebugLevel,
    file: &'a glib::GStr,
    function: &'a glib::GStr,
    line: u32,
    object: Option<&'a LoggedObject>,
    message: &'a DebugMessage,
}

impl LogCall<'_> {
    fn tell(&self) {
        let category = self.category.name();
        let message = peers::plain(&foreign::clean(&self.message.get().unwrap_or_default()));
        let object = self
            .object
            .map(|object| peers::plain(&foreign::clean(&object.to_string())));
        let peer = message.peer.or_else(|| object.as_ref()?.peer);
        let has_addresses =
            message.had_addresses || object.as_ref().is_some_and(|object| object.had_addresses);
        let is_nobodys = has_addresses && peer.is_none();
        let is_ours = category == "rtspclient" && message.text == OURS;
        let Some(level) = level_of(category, self.level, is_nobodys || is_ours) else {
            return;
        };
        let target = format!("{TARGET}::{category}");
        if !foreign::is_told(&target, level) {
            return;
        }
        let place = format!("{category} {}:{}", self.file, self.line);
        let Some(held_back) = REPEATS.may_tell(&place, Instant::now()) else {
            return;
        };
        let saying = Saying {
            message: message.text,
            object: object
                .filter(|object| !object.had_addresses)
                .map(|object| object.text),
            function: Some(self.function.as_str()),
            peer: peer.map(|peer| peer.to_string()),
            held_back,
        };
        foreign::tell(&target, level, &saying);
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
                level_of(category, DebugLevel::Error, false),
                Some(Level::INFO),
                "{category}"
            );
            assert_eq!(
                level_of(category, DebugLevel::Warning, false),
                Some(Level::DEBUG),
                "{category}"
            );
        }
        for category in ["x264enc", "clocksrc", "basesink", "GST_PADS"] {
            assert_eq!(
                level_of(category, DebugLevel::Error, false),
                Some(Level::WARN),
                "{category}"
            );
            assert_eq!(
                level_of(category, DebugLevel::Warning, false),
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
            assert_eq!(level_of("x264enc", level, false), None, "{level:?}");
        }
    }

    #[test]
    fn what_has_addresses_of_memory_and_nobodys_name_is_for_those_who_look_for_it() {
        for (category, level) in [
            ("rtspclient", DebugLevel::Error),
            ("x264enc", DebugLevel::Warning),
        ] {
            assert_eq!(level_of(category, level, true), Some(Level::DEBUG));
        }
        assert_eq!(level_of("x264enc", DebugLevel::Error, true), Some(Level::WARN));
    }
}

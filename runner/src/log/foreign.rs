//! Events of what libraries say: their targets are known only once they speak.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use parking_lot::Mutex;
use tracing::{Event, Level, Metadata, Value, dispatcher};
use tracing_core::callsite::Callsite;
use tracing_core::field::FieldSet;
use tracing_core::identify_callsite;
use tracing_core::metadata::Kind;
use tracing_core::subscriber::Interest;

/// How many characters of a message are told: a peer chooses how long a path is.
const LONGEST: usize = 300;

const NAME: &str = "library";
const FIELDS: &[&str] = &["message", "object", "function", "peer", "held_back"];

thread_local! {
    /// Whether this thread is telling something: messages that this causes are not told.
    static TELLING: Cell<bool> = const { Cell::new(false) };
}

/// Something that a library says.
#[derive(Debug, Default)]
pub(super) struct Saying<'a> {
    /// The sentence, made harmless by [`clean`].
    pub(super) message: String,
    /// The object that it is about.
    pub(super) object: Option<String>,
    /// The function that says it.
    pub(super) function: Option<&'a str>,
    /// The client by whose doing it is said.
    pub(super) peer: Option<String>,
    /// How often the same was said before without being told.
    pub(super) held_back: u64,
}

/// Calls `tell`, unless this thread is telling something already. A panic ends here: one in a thread's last moments,
/// when the data that `tracing` keeps for the thread is gone, must not reach C.
pub(super) fn without_nesting(tell: impl FnOnce()) {
    if TELLING.replace(true) {
        return;
    }
    let _panic = catch_unwind(AssertUnwindSafe(tell));
    TELLING.set(false);
}

/// Whether events of this target and level are told.
pub(super) fn is_told(target: &str, level: Level) -> bool {
    dispatcher::get_default(|dispatch| dispatch.enabled(metadata(target, level)))
}

/// Tells `saying` as an event.
pub(super) fn tell(target: &str, level: Level, saying: &Saying<'_>) {
    let metadata = metadata(target, level);
    let fields = metadata.fields();
    let mut names = fields.iter();
    let [
        Some(message),
        Some(object),
        Some(function),
        Some(peer),
        Some(held_back),
    ] = std::array::from_fn(|_| names.next())
    else {
        return;
    };
    let pairs = [
        (&message, Some(&saying.message as &dyn Value)),
        (&object, saying.object.as_ref().map(|object| object as &dyn Value)),
        (
            &function,
            saying.function.as_ref().map(|function| function as &dyn Value),
        ),
        (&peer, saying.peer.as_ref().map(|peer| peer as &dyn Value)),
        (
            &held_back,
            (saying.held_back > 0).then_some(&saying.held_back as &dyn Value),
        ),
    ];
    Event::dispatch(metadata, &fields.value_set(&pairs));
}

/// A message as it may stand in a line: bounded, without control characters, and without what may be a password.
pub(super) fn clean(message: &str) -> String {
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

/// The metadata that `tracing` needs of a target's events at one level. They are made when they are first needed, and
/// kept as long as the process, as GStreamer's categories and the names of libraries are. There are some hundred.
fn metadata(target: &str, level: Level) -> &'static Metadata<'static> {
    type Known = HashMap<String, [Option<&'static Metadata<'static>>; 5]>;
    static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
    let mut known = KNOWN.lock();
    if !known.contains_key(target) {
        known.insert(target.to_owned(), [None; 5]);
    }
    let make = || -> &'static Metadata<'static> {
        let target: &'static str = target.to_owned().leak();
        Box::leak(Box::new(metadata_of(target, level)))
    };
    match known.get_mut(target) {
        Some(levels) => levels[place(level)].get_or_insert_with(make),
        None => make(),
    }
}

const fn place(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}

const fn metadata_of(target: &'static str, level: Level) -> Metadata<'static> {
    let fields = FieldSet::new(FIELDS, identify_callsite!(&SITE));
    Metadata::new(NAME, target, level, None, None, None, fields, Kind::EVENT)
}

/// The one place in this code that all these events come from.
struct Site;

static SITE: Site = Site;

impl Callsite for Site {
    /// Interest is not kept here: the log is asked about each event instead.
    fn set_interest(&self, _: Interest) {}

    fn metadata(&self) -> &Metadata<'_> {
        static METADATA: Metadata<'static> = metadata_of(NAME, Level::INFO);
        &METADATA
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn a_target_is_made_once_for_each_level() {
        let one = metadata("tests", Level::INFO);
        assert!(std::ptr::eq(one, metadata("tests", Level::INFO)));
        assert_eq!((one.target(), *one.level()), ("tests", Level::INFO));
        assert_eq!(*metadata("tests", Level::TRACE).level(), Level::TRACE);
    }
}

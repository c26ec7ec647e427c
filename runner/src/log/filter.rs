//! Which events are told.

use std::fmt;

use super::targets;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

/// The levels, from the one that tells nothing to the one that tells all.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];

/// What may stand in `logLevel`.
pub(crate) const EXPECTED: &str = "\"off\", \"error\", \"warn\", \"info\", \"debug\" or \"trace\", for parts of the server as well \
                            with commas between: \"info,viewers=debug,gstreamer=warn\"";

/// What may stand in `logLevel`, as a regular expression. It lets two levels for everything pass, which [`Filter::parse`]
/// does not.
pub(crate) const PATTERN: &str = r"^((?:[A-Za-z0-9_:.\-]+=)?(off|error|warn|info|debug|trace))(,(?:[A-Za-z0-9_:.\-]+=)?(off|error|warn|info|debug|trace))*$";

/// Which events are told: a level for everything, and levels for single targets and what is below them.
///
/// It is written as `RUST_LOG` is, without two things that `RUST_LOG` takes in silence: a word that is no level, and
/// spans, which this server does not have. Targets without a level of their own have the one for everything, `info`
/// where none is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter(String);

impl Default for Filter {
    fn default() -> Self {
        Self("info".into())
    }
}

impl fmt::Display for Filter {
    /// Writes the filter as `logLevel` has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Filter {
    /// Reads `logLevel`; `None` where it is not [`EXPECTED`].
    #[must_use]
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let directives: Vec<_> = text.split(',').collect();
        let for_everything = directives.iter().filter(|directive| !directive.contains('='));
        let is_clear = for_everything.count() <= 1;
        (is_clear && directives.into_iter().all(is_directive)).then(|| Self(text.into()))
    }

    /// The filter as `tracing` has it.
    pub(super) fn to_env_filter(&self) -> EnvFilter {
        let has_everything = self.0.split(',').any(|directive| !directive.contains('='));
        let everything = if has_everything { "" } else { "info," };
        let directives = format!("{everything}{}", targets::modern(&self.0));
        EnvFilter::builder()
            .with_default_directive(LevelFilter::INFO.into())
            .parse(directives)
            .unwrap_or_else(|_| EnvFilter::new("info"))
    }
}

/// `level` or `target=level`.
fn is_directive(directive: &str) -> bool {
    let is_level = |level| LEVELS.contains(&level);
    let is_target = |target: &str| !target.is_empty() && target.bytes().all(is_of_a_name);
    match directive.split_once('=') {
        Some((target, level)) => is_target(target) && is_level(level),
        None => is_level(directive),
    }
}

fn is_of_a_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_:.-".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn directives(text: &str) -> Vec<String> {
        let filter = Filter::parse(text).expect("it is a filter").to_env_filter();
        let mut directives: Vec<_> = filter.to_string().split(',').map(String::from).collect();
        directives.sort();
        directives
    }

    #[test]
    fn a_level_is_a_level_for_everything() {
        for level in LEVELS {
            assert_eq!(directives(level), [level]);
        }
    }

    #[test]
    fn what_has_no_level_of_its_own_has_the_one_for_everything_or_info() {
        assert_eq!(
            directives("warn,gstreamer::rtspclient=debug"),
            ["gstreamer::rtspclient=debug", "warn"]
        );
        assert_eq!(directives("gstreamer=off"), ["gstreamer=off", "info"]);
        assert_eq!(
            directives("a-b::GST_PADS=trace,x=error"),
            ["a-b::GST_PADS=trace", "info", "x=error"]
        );
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "inof",
            "INFO",
            "2",
            "info,",
            ",info",
            "info,debug",
            " info",
            "a=",
            "=info",
            "a=loud",
            "a=b=info",
            "a b=info",
            "[span]=info",
            "a[span{field=1}]=info",
            "é=info",
            "gstreamer",
        ] {
            assert_eq!(Filter::parse(text), None, "{text:?}");
        }
    }
}

//! A pipeline of one's own, for what the configuration has no key for.
//!
//! It stands in place of all that makes the picture, up to and with the payloader `pay0`; what the configuration says of
//! the sound is added to it, unless it has a payloader `pay1` of its own. It needs a `clocksrc`, on which the number of viewers is set. Everything else is as written:
//! whoever wants the picture encoded ahead sets the source's `lead-time`, and whoever wants viewers to join fast takes
//! care of key frames.

use std::fmt;

use gst::prelude::*;

use super::syntax::{PICTURE_PAYLOADER, SOUND_PAYLOADER, SOURCE_NAME};

/// The values that may stand in the configuration.
pub(crate) const EXPECTED: &str = "a launch string with a clocksrc and a payloader named pay0 in it, such as \
                            \"clocksrc ! x264enc tune=zerolatency ! rtph264pay name=pay0\"";

const SOURCE: &str = "clocksrc";

/// What a pipeline of one's own lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// There is no `clocksrc` in it.
    Source,
    /// There is no element named `pay0` in it.
    Payloader,
    /// The element named `pay0` makes no RTP.
    Rtp,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "there is no clocksrc in it",
            Self::Payloader => {
                "no element in it is named pay0: the payloader has to be (rtph264pay name=pay0)"
            }
            Self::Rtp => "its element pay0 is no RTP payloader",
        })
    }
}

/// Whether `launch` names all that a pipeline needs, by its words alone.
#[must_use]
pub(crate) fn is_complete(launch: &str) -> bool {
    has_word(launch, |word| word == SOURCE) && names(launch, PICTURE_PAYLOADER)
}

/// Whether `launch` has sound of its own: a payloader named `pay1`.
#[must_use]
pub(crate) fn has_sound(launch: &str) -> bool {
    names(launch, SOUND_PAYLOADER)
}

/// Whether an element in `launch` has this name.
fn names(launch: &str, name: &str) -> bool {
    has_word(launch, |word| {
        word.strip_prefix("name=")
            .is_some_and(|value| value.trim_matches(['"', '\'']) == name)
    })
}

fn has_word(launch: &str, is_wanted: impl Fn(&str) -> bool) -> bool {
    words(launch)
        .iter()
        .any(|word| is_wanted(word.trim_matches(['(', ')'])))
}

/// `launch` as a part of a launch string, without parentheses around it: gst-rtsp-server's own examples have them.
pub(crate) fn part(launch: &str) -> &str {
    let launch = launch.trim();
    let inner = launch.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    // Two bins side by side begin and end with parentheses as well.
    inner.filter(|inner| is_balanced(inner)).map_or(launch, str::trim)
}

/// Whether each parenthesis in `launch` has its counterpart in it.
fn is_balanced(launch: &str) -> bool {
    let mut open = 0_usize;
    for (c, _) in characters(launch).filter(|(_, is_quoted)| !is_quoted) {
        match c {
            '(' => open += 1,
            ')' if open == 0 => return false,
            ')' => open -= 1,
            _ => {}
        }
    }
    open == 0
}

/// The words of `launch`, with quotes and backslashes as they stand.
pub(crate) fn words(launch: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (c, is_quoted) in characters(launch) {
        match words.last_mut() {
            Some(word) if is_quoted || !c.is_whitespace() => word.push(c),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// The characters of `launch`, and whether each stands in quotes or behind a backslash.
pub(super) fn characters(launch: &str) -> impl Iterator<Item = (char, bool)> {
    let (mut quote, mut is_escaped) = (None, false);
    launch.chars().map(move |c| {
        let is_quoted = is_escaped || quote.is_some();
        match quote {
            _ if is_escaped => {}
            None if matches!(c, '"' | '\'') => quote = Some(c),
            Some(open) if open == c => quote = None,
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
        (c, is_quoted)
    })
}

/// Checks that the bin which was made of a launch string can be served.
///
/// # Errors
/// When something that the server needs is not in it.
pub(crate) fn check(bin: &gst::Bin) -> Result<(), Lack> {
    clock_source(bin).ok_or(Lack::Source)?;
    let payloader = bin.by_name(PICTURE_PAYLOADER).ok_or(Lack::Payloader)?;
    let rtp = gst::Caps::new_empty_simple("application/x-rtp");
    let makes_rtp = payloader
        .static_pad("src")
        .is_some_and(|pad| pad.pad_template_caps().can_intersect(&rtp));
    if makes_rtp { Ok(()) } else { Err(Lack::Rtp) }
}

/// The clock source of a stream's pipeline, whatever its name: the one with the usual name, else the first.
#[must_use]
pub(crate) fn clock_source(bin: &gst::Bin) -> Option<gst::Element> {
    let is_source =
        |element: &gst::Element| element.factory().is_some_and(|factory| factory.name() == SOURCE);
    let named = bin.by_name(SOURCE_NAME).filter(is_source);
    named.or_else(|| bin.iterate_recurse().into_iter().flatten().find(is_source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_names_its_source_and_its_payloader() {
        for complete in [
            "clocksrc ! x264enc ! rtph264pay name=pay0",
            "( clocksrc name=c ! x264enc ! rtph264pay pt=96 name=pay0 )",
            "(clocksrc ! jpegenc ! rtpjpegpay name=\"pay0\")",
            "rtph264pay name=pay0\nclocksrc ! x264enc ! pay0.",
        ] {
            assert!(is_complete(complete), "{complete}");
        }
        for lacking in [
            "",
            "clocksrc",
            "videotestsrc ! x264enc ! rtph264pay name=pay0",
            "clocksrc ! x264enc ! rtph264pay name=pay1",
            "clocksrc ! textoverlay text=\"a name=pay0 b\" ! x264enc ! rtph264pay",
        ] {
            assert!(!is_complete(lacking), "{lacking}");
        }
    }

    #[test]
    fn sound_of_its_own_is_what_pay1_makes() {
        let picture = "clocksrc ! x264enc ! rtph264pay name=pay0";
        assert!(!has_sound(picture));
        assert!(has_sound(&format!(
            "{picture} clocktone ! opusenc ! rtpopuspay name=pay1"
        )));
    }

    #[test]
    fn a_text_in_quotes_is_one_word() {
        let launch = r#"a  text="b ! c" d='e f' g\ h "i\" j""#;
        assert_eq!(
            words(launch),
            ["a", r#"text="b ! c""#, "d='e f'", r"g\ h", r#""i\" j""#]
        );
    }

    #[test]
    fn outer_parentheses_are_taken_off() {
        assert_eq!(part(" ( clocksrc ! x264enc ) "), "clocksrc ! x264enc");
        assert_eq!(part("clocksrc ! x264enc"), "clocksrc ! x264enc");
        assert_eq!(part("( a ! b ) ( c ! d )"), "( a ! b ) ( c ! d )");
        assert_eq!(part("( ( a ) ! b text=\")\" )"), "( a ) ! b text=\")\"");
    }

    #[test]
    fn what_is_missing_is_told() {
        gst::init().unwrap();
        gstclocksrc::register_static().unwrap();
        let lack = |launch: &str| {
            let bin = gst::parse::launch(launch).unwrap();
            check(&bin.downcast::<gst::Bin>().unwrap())
        };
        assert_eq!(
            lack("( clocksrc name=any ! jpegenc ! rtpjpegpay name=pay0 )"),
            Ok(())
        );
        assert_eq!(lack("( ( clocksrc ) ! jpegenc ! rtpjpegpay name=pay0 )"), Ok(()));
        assert_eq!(
            lack("( videotestsrc name=source ! jpegenc ! rtpjpegpay name=pay0 )"),
            Err(Lack::Source)
        );
        assert_eq!(lack("( clocksrc ! jpegenc ! rtpjpegpay )"), Err(Lack::Payloader));
        assert_eq!(
            lack("( clocksrc ! jpegenc name=pay0 ! fakesink )"),
            Err(Lack::Rtp)
        );
    }
}

//! What the figures mean, and what they are worth.

use maud::{Markup, html};

use super::url;
use crate::figures::Measurement;
use crate::report::words;

pub(super) fn meaning(measurement: &Measurement) -> Markup {
    html! {
        section class="card" {
            h2 { "What the figures are worth" }
            @if let Some(check) = words::clock_check(&measurement.clock) { p { (check) } }
            @for stream in measurement.streams.iter().filter(|stream| stream.latency.is_some()) {
                p { (url(&stream.url)) ": " (words::worth(&stream.clock)) }
            }
            @if let Some(whose) = words::restreamed(measurement) { p { (whose) } }
            @for stream in &measurement.streams {
                @if let (Some(latency), Some(decoder)) = (stream.latency, stream.decoder) {
                    p {
                        (url(&stream.url)) ": of " (words::ms(latency.p50)) " (p50) the probe's own decoder took "
                        (words::ms(decoder.p50)) " (p50), " (words::ms(decoder.p99)) " (p99)."
                    }
                }
            }
            dl {
                @for (term, meaning) in TERMS { dt { (term) } dd { (meaning) } }
            }
        }
    }
}

const TERMS: [(&str, &str); 9] = [
    (
        "Latency",
        "From the instant that the camera's clock shows in the picture, read from the stamp in it, to the moment at \
         which the decoded picture was at hand in the probe. A screen adds its own.",
    ),
    (
        "Network's share, decoder's share",
        "From the instant shown to the arrival of the frame's last packet, and from there to the decoded \
         picture. What the camera takes to encode is in the first.",
    ),
    (
        "Added",
        "The same frame's arrival by one way and by the other, held against one clock: clocks that differ do not \
         matter.",
    ),
    (
        "p50, p90, p99",
        "Half, 90 % and 99 % of all frames were no later than this.",
    ),
    (
        "Lost, repeated, out of order",
        "By the frame numbers in the stamps: numbers that never came, that came again, that came after a later \
         one. Frames that the camera itself skipped count as lost.",
    ),
    (
        "Frozen",
        "For longer than the threshold no new frame came, or the same one again and again.",
    ),
    (
        "Unreadable",
        "A picture came and no stamp could be read from it. It is not counted as lost.",
    ),
    (
        "Drift",
        "How fast the least latency of each second grows, in µs a second: clocks that run apart, or a buffer that fills.",
    ),
    (
        "Against stamp",
        "The times that the stream itself tells, held against the stamp of the same frame.",
    ),
];

//! The page: one file that needs nothing else, for a ticket, a mail or a printer.

mod charts;
mod meaning;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::rows::{self, GROUPS};
use super::still;
use super::track::{self, Track};
use super::words::{self, NOTHING};
use crate::figures::{Added, Counts, Evidence, Measurement, StreamFigures};

const STYLE: &str = include_str!("report.css");
/// Losses that the page lists; JSON has all of them.
const LISTED_LOSSES: usize = 12;

/// A stream with what the page shows of it.
struct Shown<'a> {
    stream: &'a StreamFigures,
    evidence: &'a Evidence,
    track: Track,
    /// The class that colours its curves.
    class: String,
}

/// The measurement as one page without any external resource. `evidence` is in the order of the measurement's
/// streams.
#[must_use]
pub fn html(measurement: &Measurement, evidence: &[Evidence]) -> String {
    let origin = track::origin(&measurement.streams, evidence);
    let nothing = Evidence::default();
    let evidence = evidence.iter().chain(std::iter::repeat(&nothing));
    let shown: Vec<_> = measurement
        .streams
        .iter()
        .zip(evidence)
        .enumerate()
        .map(|(at, (stream, evidence))| Shown {
            stream,
            evidence,
            track: Track::new(stream, evidence, origin),
            class: format!("s{}", at % charts::COLOURS),
        })
        .collect();
    page(measurement, &shown).into_string()
}

fn page(measurement: &Measurement, shown: &[Shown]) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "rtsp-clock-probe: " (names(measurement)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (heading(measurement)) }
                    p class="soft" {
                        (words::started(&measurement.started)) " · "
                        (words::duration(measurement.seconds * 1e3)) " · rtsp-clock-probe "
                        (words::clean(&measurement.probe))
                    }
                }
                @for added in &measurement.added { (headline(added)) }
                @for stream in &measurement.streams { (spots(stream)) }
                (verdict(measurement))
                (charts::compared(shown))
                @for shown in shown { (section(shown)) }
                (all_figures(measurement))
                (meaning::meaning(measurement))
                footer { p {
                    "Made by rtsp-clock-probe " (words::clean(&measurement.probe)) "; measured from "
                    (words::started(&measurement.started)) " on."
                } }
            }
        }
    }
}

/// A URL, set apart from the text around it.
fn url(url: &str) -> Markup {
    html! { span class="url" { (words::clean(url)) } }
}

fn names(measurement: &Measurement) -> String {
    measurement
        .streams
        .iter()
        .map(|stream| words::clean(&stream.url))
        .collect::<Vec<_>>()
        .join(", ")
}

fn heading(measurement: &Measurement) -> &'static str {
    match measurement.streams.as_slice() {
        [] => "Nothing was measured",
        [one] if !one.live && one.counts.lost > 0 => "The recording lacks frames",
        [one] if !one.live && is_whole(one) => "The recording lacks no frame",
        [one] if !one.live => "Is the recording whole?",
        _ if !measurement.added.is_empty() => "What is added on the way",
        [_] => "How far behind is the picture?",
        _ => "How far behind are the pictures?",
    }
}

/// Whether all of a recording was seen.
fn is_whole(recording: &StreamFigures) -> bool {
    let counts = &recording.counts;
    counts.readings > 0 && counts.unreadable == 0 && recording.problems.is_empty()
}

fn headline(added: &Added) -> Markup {
    let (_, detail) = words::added(added);
    html! {
        div class="card" {
            p class="headline" {
                (url(&added.via))
                @match added.latency {
                    Some(latency) if latency.p50 < 0.0 => {
                        " is " strong { (words::ms(-latency.p50)) } " ahead"
                    },
                    Some(latency) => { " adds " strong { (words::ms(latency.p50)) } },
                    None => { ": what it adds is not known" },
                }
            }
            p class="soft" {
                @if added.latency.is_some() { "Median of the same frames by both ways, against " }
                @else { "Against " }
                (url(&added.from)) ": " (detail) "."
            }
        }
    }
}

/// Stamps that were seen in one picture.
fn spots(stream: &StreamFigures) -> Markup {
    let lines = words::spots(stream);
    html! {
        @if !lines.is_empty() {
            div class="card" {
                p { "Stamps in one picture of " (url(&stream.url)) }
                ul { @for line in lines { li { (line) } } }
            }
        }
    }
}

/// Limits and problems.
fn verdict(measurement: &Measurement) -> Markup {
    let problems: Vec<_> = measurement
        .streams
        .iter()
        .flat_map(|stream| stream.problems.iter().map(move |it| (&stream.url, it)))
        .collect();
    let broken = measurement.limits.iter().filter(|limit| !limit.kept).count();
    html! {
        @if !measurement.limits.is_empty() {
            div class="card" {
                h2 {
                    @if broken == 0 { "All limits were kept" }
                    @else { (broken) " of " (measurement.limits.len()) " limits broken" }
                }
                div class="scroll" { table class="left short" {
                    thead { tr { th { "" } th { "Limit" } th { "Allowed" } th { "Found" } th { "Of" } } }
                    tbody { @for limit in &measurement.limits { tr {
                        @if limit.kept { td class="kept" { "✓ kept" } }
                        @else { td class="broken" { "✗ broken" } }
                        td { (words::clean(&limit.name)) }
                        td { (words::clean(&limit.allowed)) }
                        td { (words::clean(&limit.found)) }
                        td class="wrap url" { (words::clean(&limit.url)) }
                    } } }
                } }
            }
        }
        @if !problems.is_empty() {
            div class="card problems" {
                h2 { "What went wrong" }
                ul { @for (of, problem) in problems { li { (url(of)) ": " (words::clean(problem)) } } }
            }
        }
    }
}

fn section(shown: &Shown) -> Markup {
    let stream = shown.stream;
    html! {
        section class="card" {
            h2 { (url(&stream.url)) }
            p class="soft" { (about(stream)) }
            div class="tiles" {
                @if stream.live { (latency_tiles(stream)) }
                (count_tiles(stream))
            }
            (charts::over_time(shown))
            div class="pair" {
                (charts::histogram(shown))
                @if let Some(picture) = shown.evidence.still.as_ref().and_then(still::data_url) {
                    div class="figure" {
                        h3 { "A frame of it" }
                        img class="still" src=(picture) alt="A frame of the stream";
                    }
                }
            }
            (distributions(stream))
            (losses(stream))
        }
    }
}

/// What the stream is, in a line.
fn about(stream: &StreamFigures) -> String {
    let picture = rows::picture(stream);
    let parts = [
        (picture != NOTHING).then_some(picture),
        stream
            .frames_per_second
            .map(|fps| format!("{} frames a second", words::precise(fps))),
        stream
            .transport
            .as_deref()
            .map(|transport| format!("over {}", words::clean(transport))),
        stream.stream_id.map(|id| format!("camera id {id}")),
        stream
            .viewers
            .map(|viewers| words::counted(viewers.into(), "viewer", "viewers")),
        stream
            .first_picture
            .map(|ms| format!("first picture after {}", words::duration(ms))),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

fn tile(name: &str, value: &str, more: &str, bad: bool) -> Markup {
    html! {
        div class=(if bad { "tile bad" } else { "tile" }) {
            div class="name" { (name) }
            div class="value" { (value) }
            div class="more" { (more) }
        }
    }
}

fn latency_tiles(stream: &StreamFigures) -> Markup {
    let Some(latency) = &stream.latency else {
        return tile("Latency", NOTHING, "no stamp was read", true);
    };
    let decoder = stream
        .decoder
        .map(|decoder| format!("decoder {} of it", words::ms(decoder.p50)));
    html! {
        (tile("Latency p50", &words::ms(latency.p50), &decoder.unwrap_or_default(), false))
        (tile("Latency p99", &words::ms(latency.p99), &format!("max {}", words::ms(latency.max)), false))
    }
}

fn count_tiles(stream: &StreamFigures) -> Markup {
    let Counts {
        frames,
        readings,
        unreadable,
        lost,
        repeated,
        out_of_order,
        frozen,
        frozen_time,
        ..
    } = stream.counts;
    let order = format!("{out_of_order} out of order");
    let still = if frozen > 0 {
        format!("{} in all", words::milliseconds(frozen_time))
    } else {
        String::new()
    };
    let unread = format!("{readings} stamps read");
    html! {
        @if !stream.live { (tile("Frames", &frames.to_string(), "", frames == 0)) }
        (tile("Lost frames", &lost.to_string(), &format!("of {}", lost.saturating_add(frames)), lost > 0))
        (tile("Frozen", &frozen.to_string(), &still, frozen > 0))
        (tile("Unreadable", &unreadable.to_string(), &unread, unreadable > 0))
        (tile("Repeated", &repeated.to_string(), &order, repeated > 0 || out_of_order > 0))
    }
}

const COLUMNS: [&str; 8] = ["", "min", "mean", "p50", "p90", "p99", "max", "values"];

fn distributions(stream: &StreamFigures) -> Markup {
    let known: Vec<_> = rows::distributions(stream)
        .into_iter()
        .filter_map(|(name, found)| Some((name, found?)))
        .collect();
    if known.is_empty() {
        return html! {};
    }
    html! {
        div class="figure" {
            h3 { "Distributions, in ms" }
            div class="scroll" { table class="short" {
                thead { tr { @for name in COLUMNS { th { (name) } } } }
                tbody { @for (name, found) in known { tr {
                    th { (name) }
                    @for value in [found.min, found.mean, found.p50, found.p90, found.p99, found.max] {
                        td { (words::precise(value)) }
                    }
                    td { (found.count) }
                } } }
            } }
        }
    }
}

fn losses(stream: &StreamFigures) -> Markup {
    if stream.losses.is_empty() {
        return html! {};
    }
    html! {
        div class="figure" {
            h3 { "Missing frames" }
            div class="scroll" { table class="left short" {
                thead { tr { th { "Before the frame of" } th { "Frames" } th { "How many" } } }
                tbody { @for loss in stream.losses.iter().take(LISTED_LOSSES) { tr {
                    td { (words::instant(loss.instant)) }
                    td { (words::numbers(loss)) }
                    td { (loss.count) }
                } } }
            } }
            @if stream.losses.len() > LISTED_LOSSES {
                @let more = stream.losses.len() - LISTED_LOSSES;
                p class="soft" { "… and " (more) " more gaps; the JSON has all of them." }
            }
        }
    }
}

fn all_figures(measurement: &Measurement) -> Markup {
    let streams = &measurement.streams;
    if streams.is_empty() {
        return html! {};
    }
    let all: Vec<&StreamFigures> = streams.iter().collect();
    let groups = GROUPS.iter().map(|group| (group.title, rows::shown(group, &all)));
    let groups: Vec<_> = groups.filter(|(_, rows)| !rows.is_empty()).collect();
    html! {
        section class="card" {
            h2 { "All figures" }
            div class="scroll" { table {
                thead { tr {
                    th { "" }
                    @for stream in streams { th class="url" { (words::clean(&stream.url)) } }
                } }
                tbody { @for (title, rows) in &groups {
                    tr { th colspan=(streams.len() + 1) { (title) } }
                    @for (name, tell) in rows { tr {
                        th { (name) }
                        @for stream in streams { td { (tell(stream)) } }
                    } }
                } }
            } }
        }
    }
}

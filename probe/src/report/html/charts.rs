//! The charts of the page.

use maud::{Markup, PreEscaped, html};

use super::{Shown, url};
use crate::report::chart::{Axis, Bars, Marks, Plot};
use crate::report::track::{self, Track};
use crate::report::words;

/// Colours that curves have; more streams than these use them again.
pub(super) const COLOURS: usize = 4;

const HEIGHT: f64 = 270.0;
const LOW_HEIGHT: f64 = 190.0;
const TIME_TICKS: f64 = 10.0;
const FIRST_PICTURE: &str = "since the first picture";

/// The latencies of all streams with the same axes, where there are several.
pub(super) fn compared(shown: &[Shown]) -> Markup {
    let live: Vec<_> = shown
        .iter()
        .filter(|it| it.stream.live && !it.track.values.is_empty())
        .collect();
    if live.len() < 2 {
        return html! {};
    }
    let spans = live.iter().flat_map(|it| [it.track.span.0, it.track.span.1]);
    let values = live
        .iter()
        .flat_map(|it| it.track.values.iter().map(|&(_, value)| value));
    let plot = Plot {
        title: "Latency of each stream over time",
        unit: "ms",
        height: HEIGHT + 50.0,
        time: Axis::of_time(track::span(spans), TIME_TICKS),
        since: FIRST_PICTURE,
        values: Axis::from_zero(track::span(values), 5.0),
        curves: live
            .iter()
            .map(|it| (&it.track.values[..], it.class.clone()))
            .collect(),
        levels: Vec::new(),
        marks: Marks::default(),
    };
    html! {
        section class="card figure" {
            h2 { "Latency side by side" }
            div class="scroll" { (plot.draw()) }
            div class="legend" {
                @for it in live { span { (swatch(&it.class)) (url(&it.stream.url)) } }
            }
        }
    }
}

/// Latency and frame intervals over time, each with what happened marked.
pub(super) fn over_time(shown: &Shown) -> Markup {
    let Shown {
        stream, track, class, ..
    } = shown;
    let time = Axis::of_time(track.span, TIME_TICKS);
    let since = if stream.live { FIRST_PICTURE } else { "of PTS" };
    let marks = || marks(track);
    let (title, unit) = if stream.live {
        ("Latency over time", "ms")
    } else {
        (
            "PTS against the stamp: how far it moved since the first frame",
            "ms",
        )
    };
    let values = track.values.iter().map(|&(_, value)| value);
    let values = Plot {
        title,
        unit,
        height: if stream.live { HEIGHT } else { LOW_HEIGHT },
        time,
        since,
        values: Axis::from_zero(track::span(values), 5.0),
        curves: vec![(&track.values, class.clone())],
        levels: stream
            .latency
            .filter(|latency| latency.p50.is_finite())
            .map(|latency| (latency.p50, "p50".into()))
            .into_iter()
            .collect(),
        marks: marks(),
    };
    let (highest, cut) = highest_interval(shown);
    let intervals = Plot {
        title: "From frame to frame",
        unit: "ms",
        height: LOW_HEIGHT,
        time,
        since,
        values: Axis::from_zero((0.0, highest), 4.0),
        curves: vec![(&track.intervals, class.clone())],
        levels: Vec::new(),
        marks: marks(),
    };
    html! {
        @if !track.values.is_empty() {
            div class="figure" {
                h3 { (title) }
                div class="scroll" { (values.draw()) }
                (legend(track))
            }
        } @else if !track.unreadable.is_empty() {
            p { "Not one stamp of the " (track.unreadable.len()) " pictures could be read." }
        } @else {
            p { "No picture came." }
        }
        @if !track.intervals.is_empty() {
            div class="figure" {
                h3 { (intervals.title) (if stream.live { ", as they arrived" } else { ", by PTS" }) }
                @if let Some(longest) = cut {
                    p class="soft" {
                        "Longer ones are cut off at the top; the longest is " (words::duration(longest)) "."
                    }
                }
                div class="scroll" { (intervals.draw()) }
            }
        } @else if track.values.len() > 1 {
            p class="soft" {
                "Intervals from frame to frame are not drawn: the page holds a part of the frames only. The \
                figures below are of all."
            }
        }
    }
}

/// Up to where intervals are drawn, and the longest one where that is farther: one freeze would make all
/// others a flat line.
fn highest_interval(shown: &Shown) -> (f64, Option<f64>) {
    let (_, longest) = track::span(shown.track.intervals.iter().map(|&(_, value)| value));
    let usual = shown
        .stream
        .interval
        .map_or(longest, |interval| interval.p50.max(interval.p90));
    if longest > 8.0 * usual && usual > 0.0 {
        (4.0 * usual, Some(longest))
    } else {
        (longest, None)
    }
}

/// How often each latency was met; for a file, each interval.
pub(super) fn histogram(shown: &Shown) -> Markup {
    let Shown {
        stream, track, class, ..
    } = shown;
    let (title, points, figures) = if stream.live {
        ("How often each latency", &track.values, stream.latency)
    } else {
        ("How often each interval", &track.intervals, stream.interval)
    };
    let mut values: Vec<f64> = points
        .iter()
        .map(|&(_, value)| value)
        .filter(|value| value.is_finite())
        .collect();
    values.sort_by(f64::total_cmp);
    let (Some(range), Some(&highest)) = (range(&values), values.last()) else {
        return html! {};
    };
    let beyond = values.len() - values.partition_point(|value| *value <= range.1);
    let levels = figures
        .map(|it| vec![(it.p50, "p50"), (it.p99, "p99")])
        .unwrap_or_default();
    let levels = levels
        .into_iter()
        .filter(|(value, _)| *value <= range.1)
        .collect();
    let bars = Bars {
        title,
        unit: "ms",
        class: class.clone(),
        values: &values,
        range,
        levels,
    };
    html! {
        div class="figure" {
            h3 { (title) }
            (bars.draw())
            @if beyond > 0 {
                p class="soft" {
                    "The last bar holds " (beyond) " beyond it too, up to " (words::ms(highest)) "."
                }
            }
        }
    }
}

/// From the lowest value to the highest that is not far out; `None` without values.
fn range(sorted: &[f64]) -> Option<(f64, f64)> {
    let (low, high) = (*sorted.first()?, *sorted.last()?);
    let at = |percent: usize| sorted[(sorted.len() - 1) * percent / 100];
    let usual = at(50) + 3.0 * (at(99) - at(50)).max(0.2);
    Some((low, high.min(usual)))
}

fn marks(track: &Track) -> Marks<'_> {
    let loss = |loss: &crate::figures::Loss| {
        let lost = words::counted(loss.count, "frame", "frames");
        format!(
            "{lost} missing before {}: {}",
            words::instant(loss.instant),
            words::numbers(loss)
        )
    };
    Marks {
        losses: track.losses.iter().map(|(at, it)| (*at, loss(it))).collect(),
        unreadable: &track.unreadable,
        freezes: track
            .freezes
            .iter()
            .map(|&(from, to)| {
                (
                    from,
                    to,
                    format!("frozen for {}", words::duration((to - from) * 1e3)),
                )
            })
            .collect(),
    }
}

/// What the marks mean, of those that there are.
fn legend(track: &Track) -> Markup {
    let kinds = [
        (
            !track.losses.is_empty(),
            r#"<path class="loss" d="M11 12V2m-4 -2h8l-4 6z"/>"#,
            "frames lost",
        ),
        (
            !track.unreadable.is_empty(),
            r#"<path class="unreadable" d="M11 12v-9"/>"#,
            "stamp unreadable",
        ),
        (
            !track.freezes.is_empty(),
            r#"<rect class="freeze" width="22" height="12"/>"#,
            "picture frozen",
        ),
    ];
    html! {
        div class="legend" {
            @for (_, drawing, name) in kinds.into_iter().filter(|(is, ..)| *is) {
                span { svg viewBox="0 0 22 12" aria-hidden="true" { (PreEscaped(drawing)) } (name) }
            }
        }
    }
}

fn swatch(class: &str) -> Markup {
    html! { svg viewBox="0 0 22 12" aria-hidden="true" { path class={ "curve " (class) } d="M1 6H21" {} } }
}

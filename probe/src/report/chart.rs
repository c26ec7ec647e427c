//! Curves, bars and marks as SVG. Lengths are in px of the drawing, which scales to the page.
//!
//! | module | job |
//! | --- | --- |
//! | `axis` | from where to where an axis goes, and the ticks between |
//! | `path` | the curve through points, and the marks along the axis of time |

mod axis;
mod path;

use std::fmt::Write;

use maud::{Markup, html};

use super::track::Point;
use path::{path, teeth};

pub(super) use axis::Axis;

/// Room left of a plot, for the numbers of its axis.
const LEFT: f64 = 58.0;
/// Room right of it, for the names of lines across.
const RIGHT: f64 = 34.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;

/// Curves with the same axes.
pub(super) struct Plot<'a> {
    /// What is drawn, for those who cannot see it.
    pub(super) title: &'a str,
    /// The values' name and unit.
    pub(super) unit: &'a str,
    pub(super) height: f64,
    pub(super) time: Axis,
    /// What the times are counted from.
    pub(super) since: &'a str,
    pub(super) values: Axis,
    /// Curves and the class that colours each.
    pub(super) curves: Vec<(&'a [Point], String)>,
    /// Lines across, each with its name.
    pub(super) levels: Vec<(f64, String)>,
    pub(super) marks: Marks<'a>,
}

/// What happened at places in time.
#[derive(Default)]
pub(super) struct Marks<'a> {
    pub(super) losses: Vec<(f64, String)>,
    pub(super) unreadable: &'a [f64],
    pub(super) freezes: Vec<(f64, f64, String)>,
}

/// A chart as wide as the page.
const WIDTH: f64 = 1040.0;

impl Plot<'_> {
    /// The drawing.
    pub(super) fn draw(&self) -> Markup {
        let x = self.time.placed(LEFT, WIDTH - RIGHT);
        let y = self.values.placed(self.height - BOTTOM, TOP);
        let times: Vec<_> = x.ticks().map(|tick| (tick, x.time(tick))).collect();
        html! {
            @let size = format!("0 0 {WIDTH} {}", self.height);
            svg class="chart wide" viewBox=(size) role="img" aria-label=(self.title) {
                @for (from, to, title) in &self.marks.freezes {
                    (block("freeze", (x.place(*from), x.place(*to)), (TOP, y.from), title))
                }
                (grid(&x, &y, self.unit, &times, &format!("{} {}", x.time_unit(), self.since)))
                (loss_marks(&self.marks.losses, &x, &y))
                @for (points, class) in &self.curves {
                    path class={ "curve " (class) } d=(path(points, &x, &y)) {}
                }
                @for (value, name) in &self.levels {
                    (line("level", (x.from, y.place(*value)), (x.to, y.place(*value))))
                    text class="note" x=(px(x.to + 5.0)) y=(px(y.place(*value) + 4.0)) { (name) }
                }
                path class="unreadable" d=(teeth(self.marks.unreadable, &x, y.from)) {}
            }
        }
    }
}

/// Bars side by side: how many values fall into each of a number of equal ranges.
pub(super) struct Bars<'a> {
    pub(super) title: &'a str,
    pub(super) unit: &'a str,
    pub(super) class: String,
    pub(super) values: &'a [f64],
    /// From where to where bars stand; what is outside goes into the first and the last bar.
    pub(super) range: (f64, f64),
    /// Lines down, each with its name.
    pub(super) levels: Vec<(f64, &'static str)>,
}

/// A chart that has another one beside it.
const HALF: f64 = 510.0;
const BARS_HEIGHT: f64 = 240.0;
const BARS: f64 = 40.0;

impl Bars<'_> {
    /// The drawing.
    pub(super) fn draw(&self) -> Markup {
        let axis = Axis::of_values(self.range, 6.0);
        let width = bar_width(&axis);
        let counts = self.counts(&axis, width);
        let most = counts.iter().copied().max().unwrap_or(0).max(1);
        let x = axis.placed(LEFT, HALF - RIGHT);
        let y = Axis::from_zero((0.0, f64::from(most)), 4.0).placed(BARS_HEIGHT - BOTTOM, TOP);
        let bars: Vec<_> = (0_u32..)
            .zip(&counts)
            .map(|(n, count)| (x.low + f64::from(n) * width, *count))
            .collect();
        let ticks: Vec<_> = x.ticks().map(|tick| (tick, x.number(tick))).collect();
        html! {
            svg viewBox={ "0 0 " (HALF) " " (BARS_HEIGHT) } role="img" aria-label=(self.title) class="chart" {
                (grid(&x, &y, "frames", &ticks, self.unit))
                @for (from, count) in bars.iter().filter(|(_, count)| *count > 0) {
                    @let top = y.place(f64::from(*count)).min(y.from - 1.0);
                    @let sides = (x.place(*from) + 0.5, x.place(from + width) - 0.5);
                    @let title = format!("{} {}: {count}", x.number(*from), self.unit);
                    (block(&format!("bar {}", self.class), sides, (top, y.from), &title))
                }
                @for (at, (value, name)) in (0_u8..).zip(&self.levels) {
                    (line("level", (x.place(*value), y.from), (x.place(*value), TOP)))
                    @let height = TOP + 10.0 + 13.0 * f64::from(at);
                    text class="note" x=(px(x.place(*value) + 4.0)) y=(px(height)) { (name) }
                }
            }
        }
    }

    fn counts(&self, axis: &Axis, width: f64) -> Vec<u32> {
        let edges = (1_u32..).map(|n| axis.low + f64::from(n) * width);
        let edges: Vec<_> = edges.take_while(|edge| *edge < axis.high - width * 0.5).collect();
        let mut counts = vec![0; edges.len() + 1];
        for value in self.values.iter().filter(|value| value.is_finite()) {
            // A value that stands on an edge up to rounding belongs above it.
            counts[edges.partition_point(|edge| *edge <= value + width * 1e-6)] += 1;
        }
        counts
    }
}

fn bar_width(axis: &Axis) -> f64 {
    let per_step = [1.0, 2.0, 4.0, 5.0, 10.0, 20.0];
    let wanted = (axis.high - axis.low) / BARS;
    let width = |per: &f64| axis.step / per;
    per_step
        .iter()
        .map(width)
        .rfind(|width| *width >= wanted * 0.7)
        .unwrap_or(axis.step)
}

/// Lines across with their numbers, ticks below with theirs, and the units.
fn grid(x: &Axis, y: &Axis, unit: &str, ticks: &[(f64, String)], x_unit: &str) -> Markup {
    html! {
        @for tick in y.ticks() {
            @let height = y.place(tick);
            (line("grid", (x.from, height), (x.to, height)))
            text class="tick" x=(px(x.from - 6.0)) y=(px(height + 4.0)) text-anchor="end" { (y.number(tick)) }
        }
        @for (tick, name) in ticks {
            (line("axis", (x.place(*tick), y.from), (x.place(*tick), y.from + 5.0)))
            text class="tick" x=(px(x.place(*tick))) y=(px(y.from + 19.0)) text-anchor="middle" { (name) }
        }
        (line("axis", (x.from, y.from), (x.to, y.from)))
        text class="unit" x=(px(x.from)) y=(px(TOP - 10.0)) text-anchor="start" { (unit) }
        text class="unit" x=(px(x.to)) y=(px(y.from + 34.0)) text-anchor="end" { (x_unit) }
    }
}

fn line(class: &str, from: (f64, f64), to: (f64, f64)) -> Markup {
    html! { line class=(class) x1=(px(from.0)) y1=(px(from.1)) x2=(px(to.0)) y2=(px(to.1)) {} }
}

/// A rectangle from left to right and from top to bottom, at least one px wide.
fn block(class: &str, (left, right): (f64, f64), (top, bottom): (f64, f64), title: &str) -> Markup {
    let (width, height) = ((right - left).max(1.0), (bottom - top).max(0.0));
    html! {
        rect class=(class) x=(px(left)) y=(px(top)) width=(px(width)) height=(px(height)) {
            title { (title) }
        }
    }
}

/// A line down for each place with losses, the ones in the same column of pixels together.
fn loss_marks(losses: &[(f64, String)], x: &Axis, y: &Axis) -> Markup {
    let mut columns: Vec<(f64, String)> = Vec::new();
    for (at, title) in losses {
        let column = x.place(*at).round();
        match columns.last_mut() {
            Some((last, titles)) if px(*last) == px(column) => {
                // Enough to point at: a title is no list.
                if titles.len() < 200 {
                    let _ = write!(titles, "; {title}");
                }
            }
            _ => columns.push((column, title.clone())),
        }
    }
    html! {
        @for (column, title) in &columns {
            path class="loss" d={ "M" (px(*column)) " " (px(y.from)) "V" (px(TOP)) "m-4 -6h8l-4 6z" } {
                title { (title) }
            }
        }
    }
}

/// A length with the digits that a screen can show.
fn px(length: f64) -> String {
    let text = format!("{length:.1}");
    text.strip_suffix(".0").map(Into::into).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_value_is_in_one_bar() {
        let values = [40.0, 40.1, 45.0, 59.9, 60.0, 300.0, -5.0, f64::NAN];
        let bars = Bars {
            title: "",
            unit: "ms",
            class: String::new(),
            values: &values,
            range: (40.0, 60.0),
            levels: Vec::new(),
        };
        let axis = Axis::of_values(bars.range, 6.0);
        let counts = bars.counts(&axis, bar_width(&axis));
        assert_eq!(counts.iter().sum::<u32>(), 7, "{counts:?}");
        assert_eq!(
            (counts.first(), counts.last()),
            (Some(&3), Some(&3)),
            "{counts:?}"
        );
    }
}

//! Curves, bars and marks as SVG. Lengths are in px of the drawing, which scales to the page.

use std::fmt::Write;

use maud::{Markup, html};

use super::track::Point;

/// Room left of a plot, for the numbers of its axis.
const LEFT: f64 = 58.0;
/// Room right of it, for the names of lines across.
const RIGHT: f64 = 34.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 40.0;

/// The steps between the ticks of an axis of time, in seconds, from one second on.
const TIME_STEPS: [f64; 14] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
];

/// An axis: values, and where they stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
    from: f64,
    to: f64,
}

impl Axis {
    /// An axis from `low` to `high` or a little farther, so that it ends at ticks.
    pub(super) fn of_values((low, high): (f64, f64), ticks: f64) -> Self {
        let (low, high) = widened(low, high);
        let step = round_step((high - low) / ticks);
        Self::unplaced((low / step).floor() * step, (high / step).ceil() * step, step)
    }

    /// An axis of values that holds zero.
    pub(super) fn from_zero((low, high): (f64, f64), ticks: f64) -> Self {
        Self::of_values((low.min(0.0), high.max(0.0)), ticks)
    }

    /// An axis of seconds that begins and ends where the values do.
    pub(super) fn of_time((low, high): (f64, f64), ticks: f64) -> Self {
        let (low, high) = widened(low, high);
        let rough = (high - low) / ticks;
        let long = TIME_STEPS.into_iter().find(|step| *step >= rough);
        let step = match long {
            Some(step) if rough > 0.5 => step,
            _ => round_step(rough),
        };
        Self::unplaced(low, high, step)
    }

    fn unplaced(low: f64, high: f64, step: f64) -> Self {
        Self {
            low,
            high,
            step,
            from: 0.0,
            to: 1.0,
        }
    }

    fn placed(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    fn place(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let first = (self.low / self.step - 1e-6).ceil();
        let (low, high, step) = (self.low, self.high, self.step);
        (0..100_u32)
            .map(move |n| (first + f64::from(n)) * step)
            .take_while(move |tick| *tick <= high + step * 1e-6)
            .filter(move |tick| *tick >= low - step * 1e-6)
    }

    /// A tick's number, with the digits that its step needs.
    fn number(&self, tick: f64) -> String {
        let digits = [1.0, 0.1, 0.01, 0.001]
            .iter()
            .take_while(|unit| self.step < **unit * 0.999)
            .count();
        let text = format!("{:.digits$}", tick.abs());
        if tick < -self.step * 1e-3 {
            format!("−{text}")
        } else {
            text
        }
    }

    /// A tick as a time: seconds, or minutes and seconds, or hours and minutes.
    fn time(&self, tick: f64) -> String {
        if self.high < 120.0 || self.step < 1.0 {
            return self.number(tick);
        }
        let minutes = (tick / 60.0 + 1e-9).floor();
        if self.high < 7200.0 {
            return format!("{minutes:.0}:{:02.0}", tick - minutes * 60.0);
        }
        let hours = (minutes / 60.0).floor();
        format!("{hours:.0}:{:02.0}", minutes - hours * 60.0)
    }

    /// What the numbers of [`Axis::time`] are.
    fn time_unit(&self) -> &'static str {
        match self.high {
            high if high < 120.0 => "s",
            high if high < 7200.0 => "min:s",
            _ => "h:min",
        }
    }
}

/// Never an axis without length.
fn widened(low: f64, high: f64) -> (f64, f64) {
    let (low, high) = if low.is_finite() && high.is_finite() {
        (low, high)
    } else {
        (0.0, 1.0)
    };
    let least = (low.abs().max(high.abs()) * 1e-6).max(1e-3);
    if high - low < least {
        (low, low + least.max(1.0))
    } else {
        (low, high)
    }
}

/// The next of 1, 2 or 5 times a power of ten.
fn round_step(rough: f64) -> f64 {
    let power = 10_f64.powf(rough.max(1e-9).log10().floor());
    let step = [1.0, 2.0, 5.0]
        .into_iter()
        .find(|step| step * power >= rough * 0.999);
    step.unwrap_or(10.0) * power
}

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

/// A short line up from the axis in each column of pixels that has a place.
fn teeth(places: &[f64], x: &Axis, foot: f64) -> String {
    let mut path = String::new();
    let mut last = f64::NEG_INFINITY;
    for place in places {
        let column = x.place(*place).round();
        if column > last {
            last = column;
            let _ = write!(path, "M{} {}v-9", px(column), px(foot));
        }
    }
    path
}

/// The curve through points that are in order of time. Of each column of pixels it keeps the first, lowest,
/// highest and last value, so that no spike is lost; it is interrupted where nothing came for long.
fn path(points: &[Point], x: &Axis, y: &Axis) -> String {
    let finite = |(at, value): &&Point| at.is_finite() && value.is_finite();
    let points: Vec<Point> = points.iter().filter(finite).copied().collect();
    let gap = widest_gap(&points, x);
    let mut path = String::new();
    for stretch in points.chunk_by(|one, next| next.0 - one.0 <= gap) {
        for (n, (at, value)) in columns(stretch, x).into_iter().enumerate() {
            let _ = write!(
                path,
                "{}{} {}",
                if n == 0 { "M" } else { "L" },
                px(x.place(at)),
                px(y.place(value))
            );
            if n == 0 {
                // A point that stays alone shows as a dot.
                path.push_str("h0");
            }
        }
    }
    path
}

/// The longest time between two points that a line still joins; never less than what can be seen.
fn widest_gap(points: &[Point], x: &Axis) -> f64 {
    let mut steps: Vec<f64> = points.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    steps.sort_by(f64::total_cmp);
    let usual = steps.get(steps.len() / 2).copied().unwrap_or_default();
    let two_pixels = 2.0 * (x.high - x.low) / (x.to - x.from);
    (usual * 6.0).max(two_pixels).max(0.4)
}

fn columns(points: &[Point], x: &Axis) -> Vec<Point> {
    let column = |point: &Point| px(x.place(point.0).floor());
    points
        .chunk_by(|one, next| column(one) == column(next))
        .flat_map(extremes)
        .collect()
}

/// The first, lowest, highest and last of some points, in their order.
fn extremes(points: &[Point]) -> Vec<Point> {
    let by_value = |one: &(usize, &Point), other: &(usize, &Point)| one.1.1.total_cmp(&other.1.1);
    let lowest = points.iter().enumerate().min_by(by_value);
    let highest = points.iter().enumerate().max_by(by_value);
    let mut kept: Vec<usize> = [lowest, highest]
        .into_iter()
        .flatten()
        .map(|(at, _)| at)
        .collect();
    kept.extend([0, points.len().saturating_sub(1)]);
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter()
        .filter_map(|at| points.get(at).copied())
        .collect()
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
    fn ticks_are_round_numbers() {
        let axis = Axis::from_zero((38.0, 61.0), 5.0);
        let ticks: Vec<_> = axis.ticks().map(|tick| axis.number(tick)).collect();
        assert_eq!(ticks, ["0", "20", "40", "60", "80"]);
        let axis = Axis::of_values((-0.004, 0.011), 5.0);
        let ticks: Vec<_> = axis.ticks().map(|tick| axis.number(tick)).collect();
        assert_eq!(ticks, ["−0.005", "0.000", "0.005", "0.010", "0.015"]);
    }

    #[test]
    fn times_are_told_in_the_unit_that_fits() {
        let told = |high| {
            let axis = Axis::of_time((0.0, high), 6.0);
            (
                axis.ticks().nth(1).map(|tick| axis.time(tick)).unwrap(),
                axis.time_unit(),
            )
        };
        assert_eq!(told(2.0), ("0.5".into(), "s"));
        assert_eq!(told(60.0), ("10".into(), "s"));
        assert_eq!(told(600.0), ("2:00".into(), "min:s"));
        assert_eq!(told(36_000.0), ("2:00".into(), "h:min"));
    }

    #[test]
    fn an_axis_of_one_value_or_none_has_a_length() {
        for span in [
            (0.0, 0.0),
            (41.0, 41.0),
            (-3.0, -3.0),
            (f64::NAN, 1.0),
            (1e12, 1e12),
        ] {
            for axis in [
                Axis::of_values(span, 5.0),
                Axis::from_zero(span, 5.0),
                Axis::of_time(span, 5.0),
            ] {
                assert!(
                    axis.place(span.0.max(0.0)).is_finite() && axis.high > axis.low,
                    "{axis:?}"
                );
                assert!((1..=20).contains(&axis.ticks().count()), "{axis:?}");
            }
        }
    }

    #[test]
    fn a_long_curve_keeps_its_spike_and_little_else() {
        let mut points: Vec<Point> = (0..200_000).map(|n| (f64::from(n) * 0.04, 40.0)).collect();
        points[123_457].1 = 900.0;
        let x = Axis::of_time((0.0, 8000.0), 8.0).placed(0.0, 900.0);
        let y = Axis::from_zero((0.0, 1000.0), 5.0).placed(100.0, 0.0);
        let path = path(&points, &x, &y);
        assert!(
            path.contains(" 10L") || path.contains(" 10\n"),
            "{}",
            &path[..200]
        );
        assert!(path.len() < 50_000, "{} bytes", path.len());
    }

    #[test]
    fn a_curve_stops_where_nothing_came() {
        let points: Vec<Point> = [0.0, 0.04, 0.08, 3.0, 3.04].map(|at| (at, 1.0)).to_vec();
        let x = Axis::of_time((0.0, 4.0), 8.0).placed(0.0, 400.0);
        let y = Axis::from_zero((0.0, 1.0), 5.0).placed(100.0, 0.0);
        assert_eq!(path(&points, &x, &y).matches('M').count(), 2);
    }

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

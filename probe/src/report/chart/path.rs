//! What a chart draws along its axis of time, in no more detail than a screen can show.

use std::fmt::Write;

use super::axis::Axis;
use super::px;
use crate::report::track::Point;

/// A short line up from the axis in each column of pixels that has a place.
pub(super) fn teeth(places: &[f64], x: &Axis, foot: f64) -> String {
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
pub(super) fn path(points: &[Point], x: &Axis, y: &Axis) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;

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
}

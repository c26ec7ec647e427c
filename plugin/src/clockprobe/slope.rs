//! A straight line through points of which some may be far off. Pure arithmetic.

/// The value at time 0 of the line through points of time and value (ns): its slope is the median of the slopes between
/// any two of them, and half of the points lie above it (Theil 1950, Sen 1968). `None` without points.
pub(crate) fn line_at(points: Vec<(i64, i64)>) -> Option<i64> {
    let slope = slope(&points).unwrap_or_default();
    let mut values: Vec<f64> = points
        .into_iter()
        .map(|(time, value)| to_f64(value) - slope * to_f64(time))
        .collect();
    #[allow(clippy::cast_possible_truncation, reason = "a cast saturates")]
    let median = median(&mut values).map(|value| value.round() as i64);
    median
}

/// The median of the slopes between any two points; `None` where all are at one time.
fn slope(points: &[(i64, i64)]) -> Option<f64> {
    let pairs = points.iter().enumerate().flat_map(|(at, one)| {
        let others = points[at + 1..].iter();
        others.map(move |other| (other.0.saturating_sub(one.0), other.1.saturating_sub(one.1)))
    });
    let slopes = pairs.filter(|pair| pair.0 != 0);
    let mut slopes: Vec<f64> = slopes.map(|(time, value)| to_f64(value) / to_f64(time)).collect();
    median(&mut slopes)
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let is_even = values.len().is_multiple_of(2);
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = below.iter().copied().max_by(f64::total_cmp).filter(|_| is_even);
    Some(lower.map_or(*upper, |lower| f64::midpoint(lower, *upper)))
}

#[allow(clippy::cast_precision_loss, reason = "differences of times close by")]
fn to_f64(value: i64) -> f64 {
    value as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_goes_through_what_lies_on_it() {
        let line = |time: i64| 7_000 + time / 50;
        let mut points: Vec<_> = (-20..20).map(|step| (step * 1_000, line(step * 1_000))).collect();
        assert_eq!(line_at(points.clone()), Some(7_000));
        for point in points.iter_mut().step_by(4) {
            point.1 += 1_000_000;
        }
        let value = line_at(points).unwrap();
        assert!((value - 7_000).abs() < 20, "{value}");
    }

    #[test]
    fn few_points_are_what_they_are() {
        assert_eq!(line_at(vec![]), None);
        assert_eq!(line_at(vec![(5, 3)]), Some(3));
        assert_eq!(line_at(vec![(5, 3), (5, 5)]), Some(4));
        assert_eq!(line_at(vec![(-10, 0), (10, 40)]), Some(20));
    }
}

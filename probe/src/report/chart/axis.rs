//! The axes of a chart: from where to where, and the ticks between.

/// The steps between the ticks of an axis of time, in seconds, from one second on.
const TIME_STEPS: [f64; 14] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
];

/// An axis: values, and where they stand.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Axis {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    pub(super) from: f64,
    pub(super) to: f64,
}

impl Axis {
    /// An axis from `low` to `high` or a little farther, so that it ends at ticks.
    pub(crate) fn of_values((low, high): (f64, f64), ticks: f64) -> Self {
        let (low, high) = widened(low, high);
        let step = round_step((high - low) / ticks);
        Self::unplaced((low / step).floor() * step, (high / step).ceil() * step, step)
    }

    /// An axis of values that holds zero.
    pub(crate) fn from_zero((low, high): (f64, f64), ticks: f64) -> Self {
        Self::of_values((low.min(0.0), high.max(0.0)), ticks)
    }

    /// An axis of seconds that begins and ends where the values do.
    pub(crate) fn of_time((low, high): (f64, f64), ticks: f64) -> Self {
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

    pub(super) fn placed(self, from: f64, to: f64) -> Self {
        Self { from, to, ..self }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        let share = (value - self.low) / (self.high - self.low);
        self.from + share.clamp(0.0, 1.0) * (self.to - self.from)
    }

    pub(super) fn ticks(&self) -> impl Iterator<Item = f64> {
        let first = (self.low / self.step - 1e-6).ceil();
        let (low, high, step) = (self.low, self.high, self.step);
        (0..100_u32)
            .map(move |n| (first + f64::from(n)) * step)
            .take_while(move |tick| *tick <= high + step * 1e-6)
            .filter(move |tick| *tick >= low - step * 1e-6)
    }

    /// A tick's number, with the digits that its step needs.
    pub(super) fn number(&self, tick: f64) -> String {
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
    pub(super) fn time(&self, tick: f64) -> String {
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
    pub(super) fn time_unit(&self) -> &'static str {
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
}

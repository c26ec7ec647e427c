//! What the sender reports of one source tell of clocks: how RTP time runs against the NTP time beside it, and how that
//! runs against this machine's.

use crate::figures::{Estimate, SenderReports};
use crate::times::SenderReport;
use crate::values::Values;

/// What clocks do in less time is not told from noise (ns).
const SHORTEST: i64 = 10_000_000_000;
const NS_PER_SECOND: f64 = 1e9;
const PPM: f64 = 1e6;

/// The reports of one source.
#[derive(Debug, Default)]
pub(super) struct Reports {
    count: u64,
    intervals: Values,
    row: Option<Row>,
}

/// Reports of one SSRC, in a row.
#[derive(Debug)]
struct Row {
    first: At,
    last: At,
    /// RTP time since the first one.
    ticks: i64,
    /// How long reports were under way, by clocks that may be apart (ns).
    delays: (i64, i64),
}

#[derive(Debug, Clone, Copy)]
struct At {
    report: SenderReport,
    arrival: i64,
}

impl Reports {
    pub(super) fn report(&mut self, report: SenderReport, arrival: u64) {
        let at = At {
            report,
            arrival: arrival.cast_signed(),
        };
        self.count += 1;
        match &mut self.row {
            Some(row) if row.last.report.ssrc == report.ssrc => {
                self.intervals.push(at.arrival.saturating_sub(row.last.arrival));
                row.add(at);
            }
            row => *row = Some(Row::new(at)),
        }
    }

    /// `None` where none came. RTP time counts in Hz.
    pub(super) fn figures(&self, clock_rate: u32) -> Option<SenderReports> {
        let row = self.row.as_ref()?;
        let long = Some(row).filter(|row| row.span() >= SHORTEST && clock_rate > 0);
        Some(SenderReports {
            count: self.count,
            interval: self.intervals.distribution(),
            rtp_time_ppm: long.map(|row| row.rtp_time_ppm(clock_rate)),
            clock_ppm: long.map(Row::clock_ppm),
        })
    }
}

impl Row {
    fn new(at: At) -> Self {
        let delay = at.delay();
        Self {
            first: at,
            last: at,
            ticks: 0,
            delays: (delay, delay),
        }
    }

    fn add(&mut self, at: At) {
        let step = at.report.rtp_time.wrapping_sub(self.last.report.rtp_time);
        self.ticks = self.ticks.saturating_add(step.cast_signed().into());
        self.delays = (self.delays.0.min(at.delay()), self.delays.1.max(at.delay()));
        self.last = at;
    }

    /// By the NTP time of the reports, in ns.
    fn span(&self) -> i64 {
        self.last.report.instant.saturating_sub(self.first.report.instant)
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "ns of a measurement are far below 2^53"
    )]
    fn rtp_time_ppm(&self, clock_rate: u32) -> f64 {
        let elapsed = self.ticks as f64 / f64::from(clock_rate) * NS_PER_SECOND;
        (elapsed / self.span() as f64 - 1.0) * PPM
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "ns of a measurement are far below 2^53"
    )]
    fn clock_ppm(&self) -> Estimate {
        let arrived = self.last.arrival.saturating_sub(self.first.arrival);
        let spread = self.delays.1.saturating_sub(self.delays.0);
        Estimate {
            value: (self.span() as f64 / arrived.max(1) as f64 - 1.0) * PPM,
            uncertainty: spread as f64 / self.span() as f64 * PPM,
        }
    }
}

impl At {
    fn delay(&self) -> i64 {
        self.arrival.saturating_sub(self.report.instant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: i64 = 1_000_000_000;

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "small numbers; RTP time counts modulo 2^32"
    )]
    /// Reports each 5 s, of an RTP time of 90 kHz that is `rtp` ppm fast and a clock that is `clock` ppm fast.
    fn reports(count: i64, rtp: f64, clock: f64) -> Reports {
        let mut reports = Reports::default();
        for number in 0..count {
            let seconds = 5.0 * number as f64;
            let ticks = seconds * 90_000.0 * (1.0 + rtp / PPM);
            let report = SenderReport {
                ssrc: 1,
                instant: 7000 * S + (seconds * 1e9) as i64,
                rtp_time: (ticks as u64 as u32).wrapping_add(u32::MAX - 100_000),
            };
            let arrival = 7000 * S + (seconds * 1e9 / (1.0 + clock / PPM)) as i64;
            reports.report(report, arrival.unsigned_abs());
        }
        reports
    }

    #[test]
    fn clocks_that_run_apart_are_told() {
        let figures = reports(13, 200.0, 50.0).figures(90_000).expect("reports");
        let interval = figures.interval.expect("several");
        assert_eq!((figures.count, interval.count), (13, 12));
        let (rtp, clock) = (
            figures.rtp_time_ppm.expect("a minute"),
            figures.clock_ppm.expect("a minute"),
        );
        assert!((rtp - 200.0).abs() < 1.0, "{rtp}");
        assert!((clock.value - 50.0).abs() < 1.0, "{clock:?}");
    }

    #[test]
    fn a_few_seconds_tell_nothing_of_clocks() {
        let figures = reports(2, 0.0, 0.0).figures(90_000).expect("reports");
        assert_eq!((figures.rtp_time_ppm, figures.clock_ppm), (None, None));
        assert_eq!(Reports::default().figures(90_000), None);
    }
}

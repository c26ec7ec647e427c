//! Where a stream comes from, and how the camera's clock and this machine's relate.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::figures::{ClockCheck, ClockRelation, Disagreement, Estimate};
use crate::packets::Packets;
use crate::target::{Target, is_this_machine};
use crate::values::{Values, ms};

/// Where a stream comes from, as far as clocks are concerned.
#[derive(Debug, Clone)]
pub(crate) enum Origin {
    /// A recording: nobody knows what clock was held against which.
    File,
    /// A server on this machine.
    ThisMachine,
    /// A server elsewhere, and how long a connection to it takes to open at least.
    Elsewhere(Result<Duration, String>),
}

const CONNECTIONS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(3);

impl Origin {
    /// Looks the server up; where it is another machine's, opens a few connections to see how far it is.
    pub(crate) fn of(target: &Target) -> Self {
        if target.scheme() == "file" {
            return Self::File;
        }
        let addresses = target.addresses();
        if is_this_machine(&addresses) {
            return Self::ThisMachine;
        }
        Self::Elsewhere(round_trip(&addresses))
    }
}

/// The shortest time in which a TCP connection opens: one round trip.
pub(crate) fn round_trip(addresses: &[SocketAddr]) -> Result<Duration, String> {
    let address = addresses.first().ok_or("its host is not known")?;
    let mut shortest = None;
    for _ in 0..CONNECTIONS {
        let asked = Instant::now();
        TcpStream::connect_timeout(address, PATIENCE).map_err(|error| error.to_string())?;
        let took = asked.elapsed();
        shortest = Some(shortest.map_or(took, |shortest: Duration| shortest.min(took)));
    }
    shortest.ok_or_else(|| "no connection was tried".into())
}

/// How the camera's clock and this machine's relate. An NTP server that answered stands above all guesses: what has this
/// machine's address need not be on it.
pub(crate) fn relation(origin: &Origin, check: &ClockCheck, packets: &Packets) -> ClockRelation {
    match (origin, check.offset) {
        (Origin::ThisMachine | Origin::Elsewhere(_), Some(correction)) => ClockRelation::Ntp { correction },
        (Origin::ThisMachine, None) => ClockRelation::Same,
        (Origin::Elsewhere(Ok(round_trip)), None) => {
            by_reports(&packets.report_delays(), *round_trip).unwrap_or(ClockRelation::Unknown)
        }
        (Origin::File, _) | (Origin::Elsewhere(Err(_)), None) => ClockRelation::Unknown,
    }
}

/// A report that took the least time was under way for between nothing and a whole round trip. Not every camera sends a
/// report at the time that stands in it: whatever they differ among themselves is uncertain too.
fn by_reports(delays: &Values, round_trip: Duration) -> Option<ClockRelation> {
    let half = round_trip.as_secs_f64() * 1000.0 / 2.0;
    let (earliest, latest) = delays.extremes()?;
    Some(ClockRelation::SenderReports {
        offset: Estimate {
            value: ms(earliest) - half,
            uncertainty: half + ms(latest.saturating_sub(earliest)),
        },
    })
}

/// No picture comes earlier than it is made, but for what reading two clocks takes (ns).
const EARLIEST: i64 = -1_000_000;
/// A camera's reports and its stamps are of one clock; this far they may differ by what it takes to encode (µs).
const FARTHEST: i64 = 20_000;

/// What speaks against a camera's being on this machine: the least latency (ns), or its sender reports held against the
/// stamp.
pub(crate) fn contradiction(latency: Option<i64>, reports: Option<Disagreement>) -> Option<String> {
    if let Some(latency) = latency.filter(|latency| *latency < EARLIEST) {
        let early = -ms(latency);
        return Some(format!(
            "a picture came {early:.1} ms before the instant that it shows"
        ));
    }
    let apart = reports.filter(|reports| reports.median_us.abs() > FARTHEST)?;
    let apart = ms(apart.median_us.saturating_mul(1000));
    Some(format!("its sender reports are {apart:+.1} ms off the stamp"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn ntp(value: f64) -> ClockCheck {
        ClockCheck {
            offset: Some(Estimate {
                value,
                uncertainty: 1.0,
            }),
            ..ClockCheck::default()
        }
    }

    #[test]
    fn ntp_stands_above_what_an_address_says() {
        let packets = Packets::default();
        let there = Origin::Elsewhere(Ok(Duration::from_millis(4)));
        for origin in [&Origin::ThisMachine, &there] {
            let ClockRelation::Ntp { correction } = relation(origin, &ntp(5.0), &packets) else {
                panic!("NTP is known");
            };
            assert!((correction.value - 5.0).abs() < f64::EPSILON);
        }
        let nothing = ClockCheck::default();
        let here = relation(&Origin::ThisMachine, &nothing, &packets);
        assert_eq!(here, ClockRelation::Same);
        assert_eq!(relation(&there, &nothing, &packets), ClockRelation::Unknown);
        assert_eq!(
            relation(&Origin::File, &nothing, &packets),
            ClockRelation::Unknown
        );
    }

    #[test]
    fn reports_tell_the_clocks_apart_as_well_as_they_agree() {
        let mut delays = Values::default();
        assert_eq!(by_reports(&delays, Duration::ZERO), None);
        for delay in [13_000_000, 10_000_000, 11_000_000] {
            delays.push(delay);
        }
        let offset = Estimate {
            value: 8.0,
            uncertainty: 5.0,
        };
        assert_eq!(
            by_reports(&delays, Duration::from_millis(4)),
            Some(ClockRelation::SenderReports { offset })
        );
    }

    #[test]
    fn what_is_measured_may_speak_against_an_address() {
        let reports = |median_us| {
            Some(Disagreement {
                count: 1,
                median_us,
                max_us: 0,
            })
        };
        assert_eq!(contradiction(Some(200_000), reports(900)), None);
        assert_eq!(contradiction(None, None), None);
        let early = contradiction(Some(-7_000_000), None).expect("it is early");
        assert!(early.contains("7.0 ms before"), "{early}");
        let apart = contradiction(Some(1), reports(-90_000)).expect("they differ");
        assert!(apart.contains("-90.0 ms off"), "{apart}");
    }

    #[test]
    fn a_round_trip_is_measured_and_a_refusal_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        assert!(round_trip(&[address]).expect("it listens") < PATIENCE);
        drop(listener);
        let refused = round_trip(&[address]).expect_err("nobody listens");
        assert!(refused.contains("refused"), "{refused}");
    }
}

//! How far this machine's clock is from an NTP server's.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use rsntp::{Config, SntpClient};

use crate::figures::{ClockCheck, Estimate};

/// The best of so many answers counts.
const QUERIES: usize = 5;
/// How often a server is asked while a measurement runs.
const AGAIN: Duration = Duration::from_mins(4);
const PATIENCE: Duration = Duration::from_secs(2);
const MS_PER_SECOND: f64 = 1000.0;

/// Asks `server` (a host, with or without a port), and says why there is no answer where there is none.
#[must_use]
pub(crate) fn check(server: &str) -> ClockCheck {
    let (offset, error) = match offset(server) {
        Ok(offset) => (Some(offset), None),
        Err(error) => (None, Some(format!("{error:#}"))),
    };
    ClockCheck {
        ntp_server: Some(server.into()),
        offset,
        error,
    }
}

/// Asks a server every few minutes while a measurement runs, and once more at its end.
#[derive(Debug)]
pub(crate) struct Watch {
    /// Gone at the end.
    running: Sender<()>,
    asking: JoinHandle<Vec<anyhow::Result<Estimate>>>,
}

impl Watch {
    /// `None` where the server did not answer in the first place.
    pub(crate) fn start(check: &ClockCheck) -> Option<Self> {
        check.offset?;
        let server = check.ntp_server.clone()?;
        let (running, ended) = mpsc::channel();
        let ask = move || {
            let mut answers = Vec::new();
            loop {
                let end = ended.recv_timeout(AGAIN) != Err(RecvTimeoutError::Timeout);
                answers.push(offset(&server));
                if end {
                    return answers;
                }
            }
        };
        let asking = std::thread::Builder::new().name("ntp".into()).spawn(ask).ok()?;
        Some(Self { running, asking })
    }

    /// The check at the beginning, made as uncertain as what was answered later differs from it.
    pub(crate) fn finish(self, check: ClockCheck) -> ClockCheck {
        drop(self.running);
        let answers = self.asking.join().unwrap_or_default();
        let error = match answers.last() {
            Some(Err(error)) => Some(format!("{error:#}")),
            _ => None,
        };
        let later: Vec<Estimate> = answers.into_iter().flatten().collect();
        ClockCheck {
            offset: check.offset.map(|first| widened(first, &later)),
            error,
            ..check
        }
    }
}

/// `first`, with an uncertainty that covers `later` ones.
fn widened(first: Estimate, later: &[Estimate]) -> Estimate {
    let reach = later
        .iter()
        .map(|it| (it.value - first.value).abs() + it.uncertainty);
    Estimate {
        uncertainty: reach.fold(first.uncertainty, f64::max),
        ..first
    }
}

/// This machine's clock minus that of `server`, in ms. The answer with the shortest way counts: whatever the way there
/// and back do not share, it is off by half of them at most.
///
/// # Errors
/// When none of the queries is answered: the reason of the last.
pub(crate) fn offset(server: &str) -> anyhow::Result<Estimate> {
    let client = SntpClient::with_config(Config::default().timeout(PATIENCE));
    let mut best: Option<Estimate> = None;
    let mut failure = None;
    for _ in 0..QUERIES {
        match client.synchronize(server) {
            Ok(answer) => {
                let estimate = Estimate {
                    value: -answer.clock_offset().as_secs_f64() * MS_PER_SECOND,
                    uncertainty: answer.round_trip_delay().as_secs_f64().abs() / 2.0 * MS_PER_SECOND,
                };
                if best.is_none_or(|best| estimate.uncertainty < best.uncertainty) {
                    best = Some(estimate);
                }
            }
            Err(error) => {
                failure = Some(error);
                // A server that does not answer at all would take up QUERIES times the patience.
                if best.is_none() {
                    break;
                }
            }
        }
    }
    match (best, failure) {
        (Some(best), _) => Ok(best),
        (None, Some(error)) => Err(error).with_context(|| format!("the NTP server {server} gives no time")),
        (None, None) => anyhow::bail!("the NTP server {server} was not asked"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;
    use std::time::{SystemTime, UNIX_EPOCH};

    use clockface::epoch::NTP_TO_UNIX;

    use super::*;

    /// Answers `answers` queries on loopback with a clock that is `ahead` of this machine's, `delay` after they came.
    fn server(ahead: Duration, delay: Duration, answers: usize) -> String {
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = socket.local_addr().expect("its address").to_string();
        std::thread::spawn(move || {
            for _ in 0..answers {
                let mut query = [0; 48];
                let Ok((_, client)) = socket.recv_from(&mut query) else {
                    return;
                };
                let received = ntp_now(ahead);
                std::thread::sleep(delay);
                let mut answer = [0; 48];
                // No leap warning, version 4, mode 4 (server), stratum 1 (RFC 5905, section 7.3).
                answer[..2].copy_from_slice(&[0b00_100_100, 1]);
                answer[24..32].copy_from_slice(&query[40..48]);
                answer[32..40].copy_from_slice(&received);
                answer[40..48].copy_from_slice(&ntp_now(ahead));
                let _ = socket.send_to(&answer, client);
            }
        });
        address
    }

    fn ntp_now(ahead: Duration) -> [u8; 8] {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970") + ahead;
        let fraction = (u64::from(now.subsec_nanos()) << 32) / 1_000_000_000;
        (((now.as_secs() + u64::from(NTP_TO_UNIX)) << 32) | fraction).to_be_bytes()
    }

    #[test]
    fn an_offset_is_found_within_its_uncertainty() {
        // The server's own delay is not part of the way.
        let server = server(Duration::from_millis(1500), Duration::from_millis(20), QUERIES);
        let offset = offset(&server).expect("an answer");
        let error = (offset.value + 1500.0).abs();
        // The stamps are read around the socket's calls, a fraction of 2^-32 s apart at the least.
        assert!(error <= offset.uncertainty + 0.01, "{offset:?}");
        assert!(offset.uncertainty < 200.0, "{offset:?}");
    }

    #[test]
    fn a_clock_that_went_away_during_the_measurement_makes_the_offset_uncertain() {
        let address = server(Duration::from_millis(1500), Duration::ZERO, QUERIES);
        let first = ClockCheck {
            ntp_server: Some(address),
            offset: Some(Estimate {
                value: -1200.0,
                uncertainty: 1.0,
            }),
            error: None,
        };
        let check = Watch::start(&first).expect("a thread").finish(first);
        let offset = check.offset.expect("as before");
        assert!((offset.value + 1200.0).abs() < f64::EPSILON, "{offset:?}");
        assert!((295.0..700.0).contains(&offset.uncertainty), "{offset:?}");
        assert_eq!(check.error, None);
    }

    #[test]
    fn a_server_that_answers_no_more_is_told() {
        let nobody = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = nobody.local_addr().expect("its address").to_string();
        drop(nobody);
        let offset = Some(Estimate {
            value: 1.0,
            uncertainty: 1.0,
        });
        let first = ClockCheck {
            ntp_server: Some(address),
            offset,
            error: None,
        };
        let check = Watch::start(&first).expect("a thread").finish(first);
        assert_eq!((check.offset, check.error.is_some()), (offset, true));
    }

    #[test]
    fn a_server_that_does_not_answer_is_named_with_the_cause() {
        let nobody = UdpSocket::bind("127.0.0.1:0").expect("a port");
        let address = nobody.local_addr().expect("its address").to_string();
        drop(nobody);
        let found = check(&address);
        assert_eq!((found.offset, found.ntp_server), (None, Some(address.clone())));
        assert!(found.error.is_some_and(|error| error.contains(&address)));
    }
}

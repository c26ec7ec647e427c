//! Wrong log-ins of an address: after some in a row each is answered late, and only a few may wait for their answers at
//! a time.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
    time::{Duration, Instant},
};

use crate::budget::Budget;
use parking_lot::Mutex;

/// This many wrong log-ins of an address in a row are answered at once, ...
const IN_A_ROW: u32 = 20;
/// ... and after those one in each interval.
const INTERVAL: Duration = Duration::from_secs(1);
/// How late the others are answered.
pub(crate) const LATENESS: Duration = Duration::from_secs(1);
/// How many of an address may wait for their answers: while they do, no other log-in from there is looked at.
const MOST_LATE: u32 = 8;
/// How many addresses are remembered at most.
const MOST_ADDRESSES: usize = 10_000;

/// The wrong log-ins of all connections of a server.
#[derive(Debug, Default)]
pub(crate) struct Attempts(Mutex<HashMap<IpAddr, Attempt>>);

#[derive(Debug)]
struct Attempt {
    at_once: Budget,
    late: u32,
    latest: Instant,
}

/// A wrong log-in that is to be answered late. It counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Late {
    attempts: Arc<Attempts>,
    address: IpAddr,
}

impl Attempts {
    /// Whether another log-in from `address` is looked at.
    pub(crate) fn may_try(&self, address: IpAddr) -> bool {
        self.0
            .lock()
            .get(&network(address))
            .is_none_or(|attempt| attempt.late < MOST_LATE)
    }

    /// Notes that a log-in from `address` was wrong `now`. Its answer is to be late if this answers `Some`, and then
    /// counts as waiting until that is dropped.
    pub(crate) fn note_wrong(self: &Arc<Self>, address: IpAddr, now: Instant) -> Option<Late> {
        let address = network(address);
        let mut attempts = self.0.lock();
        if attempts.len() >= MOST_ADDRESSES {
            attempts.retain(|_, attempt| attempt.is_of_interest(now));
        }
        if attempts.len() >= MOST_ADDRESSES && !attempts.contains_key(&address) {
            return None;
        }
        let attempt = attempts.entry(address).or_insert_with(|| Attempt {
            at_once: Budget::new(IN_A_ROW, INTERVAL),
            late: 0,
            latest: now,
        });
        attempt.latest = now;
        if attempt.at_once.take(now) {
            return None;
        }
        attempt.late += 1;
        Some(Late {
            attempts: Arc::clone(self),
            address,
        })
    }
}

impl Attempt {
    /// Whether it still differs from a new one: if not, it can be forgotten.
    fn is_of_interest(&self, now: Instant) -> bool {
        self.late > 0 || now.saturating_duration_since(self.latest) < INTERVAL * IN_A_ROW
    }
}

impl Drop for Late {
    fn drop(&mut self) {
        if let Some(attempt) = self.attempts.0.lock().get_mut(&self.address) {
            attempt.late = attempt.late.saturating_sub(1);
        }
    }
}

/// The network of `address`: whoever has one IPv6 address has as a rule all that share its first half.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn after_some_in_a_row_wrong_log_ins_are_late_and_others_do_not_notice() {
        let (attempts, start) = (Arc::<Attempts>::default(), Instant::now());
        let (guesser, other) = (address("192.0.2.7"), address("192.0.2.8"));
        let wrong = |address, seconds| attempts.note_wrong(address, start + Duration::from_secs(seconds));
        let at_once = (0..20).filter(|_| wrong(guesser, 0).is_none()).count();
        assert_eq!(at_once, 20);
        let late: Vec<_> = (0..8).map(|_| wrong(guesser, 0).expect("it is late")).collect();
        assert!(!attempts.may_try(guesser) && attempts.may_try(other));
        assert!(wrong(other, 0).is_none());
        drop(late);
        assert!(attempts.may_try(guesser));
        assert!(wrong(guesser, 1).is_none() && wrong(guesser, 1).is_some());
        assert!(
            (0..20).all(|_| wrong(guesser, 60).is_none()),
            "it was quiet for a while"
        );
    }

    #[test]
    fn half_of_an_address_of_ipv6_is_one_guesser() {
        let attempts = Arc::<Attempts>::default();
        let now = Instant::now();
        let one = |number: u16| address(&format!("2001:db8::{number:x}"));
        let late: Vec<_> = (0..28)
            .filter_map(|number| attempts.note_wrong(one(number), now))
            .collect();
        assert_eq!(late.len(), 8);
        assert!(!attempts.may_try(one(99)) && attempts.may_try(address("2001:db8:1::1")));
        assert!(attempts.may_try(address("::ffff:192.0.2.7")));
    }

    #[test]
    fn many_addresses_are_forgotten_once_they_are_quiet() {
        let (attempts, start) = (Arc::<Attempts>::default(), Instant::now());
        let one = |number: u32| IpAddr::from(number.to_be_bytes());
        for number in 0..10_001 {
            assert!(attempts.note_wrong(one(number), start).is_none());
        }
        assert_eq!(attempts.0.lock().len(), 10_000);
        let later = start + Duration::from_mins(1);
        assert!(attempts.note_wrong(one(20_000), later).is_none());
        assert_eq!(attempts.0.lock().len(), 1);
    }
}

//! Sessions that are ready and do not play yet: how many there may be.
//!
//! One address may have as many as a crowd needs whose SETUPs all come before the first PLAY; all addresses together may have
//! as many as there is memory for. A session that plays is not counted here: how many may play, the configuration says.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use crate::log::Repeats;
use parking_lot::Mutex;

/// How many such sessions one address may have; more, where the configuration lets more viewers in.
const OF_AN_ADDRESS: u32 = 2000;
/// All addresses together may have so many times that number.
const ADDRESSES: u32 = 10;
/// How many sessions one connection may have, playing or not. A viewer needs one for each stream.
pub(in crate::server) const OF_A_CONNECTION: u32 = 100;
/// How often the log tells of one address that it was refused.
const LOG_INTERVAL: Duration = Duration::from_secs(10);
/// How many addresses are remembered for that.
const MOST_LOGGED: usize = 1000;

/// Why a session is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum TooMany {
    OfConnection,
    OfAddress(u32),
    InAll(u32),
}

impl fmt::Display for TooMany {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OfConnection => write!(f, "its connection has {OF_A_CONNECTION}"),
            Self::OfAddress(most) => write!(f, "its address has {most} that do not play"),
            Self::InAll(most) => write!(f, "the server has {most} that do not play"),
        }
    }
}

/// The sessions of all connections of a server that are ready and do not play yet.
#[derive(Debug)]
pub(in crate::server) struct Ready {
    most_of_an_address: AtomicU32,
    counts: Mutex<Counts>,
    refused: Repeats,
}

#[derive(Debug, Default)]
struct Counts {
    of_address: HashMap<IpAddr, u32>,
    all: u32,
}

impl Ready {
    /// None yet, of a server with so many viewers at most.
    pub(in crate::server) fn new(viewers: Option<u32>) -> Self {
        let ready = Self {
            most_of_an_address: AtomicU32::default(),
            counts: Mutex::default(),
            refused: Repeats::new(LOG_INTERVAL, MOST_LOGGED),
        };
        ready.limit(viewers);
        ready
    }

    /// The server may have so many viewers from now on.
    pub(in crate::server) fn limit(&self, viewers: Option<u32>) {
        let most = OF_AN_ADDRESS.max(viewers.unwrap_or(0));
        self.most_of_an_address.store(most, Ordering::Relaxed);
    }

    fn check(&self, address: IpAddr) -> Result<(), TooMany> {
        let of_an_address = self.most_of_an_address.load(Ordering::Relaxed);
        let most = of_an_address.saturating_mul(ADDRESSES);
        self.with(|counts| {
            let of_address = counts.of_address.get(&address).copied().unwrap_or(0);
            if of_address >= of_an_address {
                Err(TooMany::OfAddress(of_an_address))
            } else if counts.all >= most {
                Err(TooMany::InAll(most))
            } else {
                Ok(())
            }
        })
    }

    fn add(&self, address: IpAddr) {
        self.with(|counts| {
            *counts.of_address.entry(address).or_default() += 1;
            counts.all += 1;
        });
    }

    fn subtract(&self, address: IpAddr) {
        self.with(|counts| {
            counts.all = counts.all.saturating_sub(1);
            if let Some(count) = counts.of_address.get_mut(&address) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    counts.of_address.remove(&address);
                }
            }
        });
    }

    fn with<T>(&self, act: impl FnOnce(&mut Counts) -> T) -> T {
        act(&mut self.counts.lock())
    }
}

/// The sessions of one connection that are ready and do not play yet.
#[derive(Debug)]
pub(in crate::server) struct ReadyOfConnection {
    all: Arc<Ready>,
    peer: Option<SocketAddr>,
    sessions: Mutex<HashSet<String>>,
}

impl ReadyOfConnection {
    /// None yet, of a connection from `peer`.
    pub(in crate::server) fn new(all: &Arc<Ready>, peer: Option<SocketAddr>) -> Self {
        Self {
            all: Arc::clone(all),
            peer,
            sessions: Mutex::default(),
        }
    }

    /// Whether the connection, which has so many sessions, playing or not, may have one more.
    ///
    /// # Errors
    /// Why it may not.
    pub(in crate::server) fn check(&self, sessions: u32) -> Result<(), TooMany> {
        if sessions < OF_A_CONNECTION {
            self.all.check(self.address())
        } else {
            Err(TooMany::OfConnection)
        }
    }

    /// Whether the log may tell that a session was refused, and if so how many refusals it has left out.
    pub(in crate::server) fn may_tell(&self) -> Option<u64> {
        self.all
            .refused
            .may_tell(&self.address().to_string(), Instant::now())
    }

    /// The session of that id has begun.
    pub(in crate::server) fn add(&self, session: &str) {
        if self.with(|sessions| sessions.insert(session.to_owned())) {
            self.all.add(self.address());
        }
    }

    /// The session of that id plays, or is over.
    pub(in crate::server) fn remove(&self, session: &str) {
        if self.with(|sessions| sessions.remove(session)) {
            self.all.subtract(self.address());
        }
    }

    fn address(&self) -> IpAddr {
        self.peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |peer| peer.ip())
    }

    fn with<T>(&self, act: impl FnOnce(&mut HashSet<String>) -> T) -> T {
        act(&mut self.sessions.lock())
    }
}

impl Drop for ReadyOfConnection {
    fn drop(&mut self) {
        let remaining = self.with(|sessions| sessions.len());
        for _ in 0..remaining {
            self.all.subtract(self.address());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(all: &Arc<Ready>, host: u8) -> ReadyOfConnection {
        ReadyOfConnection::new(all, Some(([192, 0, 2, host], 5000).into()))
    }

    fn fill(here: &ReadyOfConnection, count: u32) {
        (0..count).for_each(|number| here.add(&number.to_string()));
    }

    #[test]
    fn a_connection_has_no_more_than_it_may() {
        let here = of(&Arc::new(Ready::new(None)), 1);
        assert!(here.check(OF_A_CONNECTION - 1).is_ok());
        assert!(here.check(OF_A_CONNECTION).is_err());
    }

    #[test]
    fn an_address_has_no_more_than_it_may_and_others_do_not_notice() {
        let all = Arc::new(Ready::new(None));
        let (first, second, other) = (of(&all, 1), of(&all, 1), of(&all, 2));
        fill(&first, OF_AN_ADDRESS);
        assert!(first.check(0).is_err() && second.check(0).is_err() && other.check(0).is_ok());
        first.remove("0");
        first.remove("never seen");
        assert!(second.check(0).is_ok(), "one plays");
        second.add("another");
        assert!(second.check(0).is_err());
        drop(first);
        assert!(second.check(0).is_ok(), "a connection has ended");
        drop((second, other));
        let is_empty = |counts: &mut Counts| counts.all == 0 && counts.of_address.is_empty();
        assert!(all.with(is_empty), "{all:?}");
    }

    #[test]
    fn all_together_have_no_more_than_there_may_be() {
        let all = Arc::new(Ready::new(None));
        let crowds = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(|host| {
            let crowd = of(&all, host);
            fill(&crowd, OF_AN_ADDRESS);
            crowd
        });
        let late = of(&all, 11);
        assert_eq!(all.check(late.address()), Err(TooMany::InAll(20_000)));
        drop(crowds);
        assert!(late.check(0).is_ok());
    }

    #[test]
    fn as_many_as_may_watch_may_be_ready() {
        let all = Arc::new(Ready::new(Some(5000)));
        let crowd = of(&all, 1);
        fill(&crowd, 4999);
        assert!(crowd.check(0).is_ok());
        crowd.add("the last one");
        assert_eq!(all.check(crowd.address()), Err(TooMany::OfAddress(5000)));
    }
}

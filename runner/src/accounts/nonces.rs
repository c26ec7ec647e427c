//! Digest's challenges. None is remembered: each one says when, to whom and in which connection it was given, under a
//! seal that only this process can make.

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

/// How long a challenge may be answered in another connection of the same address: some players close the one in which
/// they were refused. In its own connection it is good as long as that stands.
const ELSEWHERE: Duration = Duration::from_secs(30);
/// Eight digits each for the connection and the moment, sixteen for the seal: the length of an MD5, for which every
/// client has room.
const LENGTH: usize = 32;

pub(crate) struct Nonces {
    key: [u8; 32],
    start: Instant,
}

impl Nonces {
    pub(crate) fn new(key: [u8; 32], start: Instant) -> Self {
        Self { key, start }
    }

    /// A challenge for whoever has this connection and address.
    pub(crate) fn issue(&self, connection: u32, address: IpAddr, now: Instant) -> String {
        let seconds = now.saturating_duration_since(self.start).as_secs();
        self.nonce(connection, u32::try_from(seconds).unwrap_or(u32::MAX), address)
    }

    /// Whether `nonce` was given to this connection, or a moment ago to the address.
    pub(crate) fn accepts(&self, nonce: &str, connection: u32, address: IpAddr, now: Instant) -> bool {
        let number = |digits: Option<&str>| u32::from_str_radix(digits?, 16).ok();
        let (Some(given_to), Some(seconds)) = (number(nonce.get(..8)), number(nonce.get(8..16))) else {
            return false;
        };
        let own = self.nonce(given_to, seconds, address);
        let is_sealed = nonce.len() == LENGTH && bool::from(nonce.as_bytes().ct_eq(own.as_bytes()));
        let given = Duration::from_secs(seconds.into());
        let age = now.saturating_duration_since(self.start).saturating_sub(given);
        is_sealed && (given_to == connection || age <= ELSEWHERE)
    }

    fn nonce(&self, connection: u32, seconds: u32, address: IpAddr) -> String {
        let address = match address {
            IpAddr::V4(address) => address.to_ipv6_mapped(),
            IpAddr::V6(address) => address,
        };
        let sealed = Sha256::new()
            .chain_update(self.key)
            .chain_update(connection.to_be_bytes())
            .chain_update(seconds.to_be_bytes())
            .chain_update(address.octets())
            .finalize();
        let seal = sealed
            .iter()
            .take(8)
            .fold(0, |seal: u64, byte| seal << 8 | u64::from(*byte));
        format!("{connection:08x}{seconds:08x}{seal:016x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    #[test]
    fn a_challenge_is_good_in_its_connection_for_ever_and_elsewhere_for_a_moment() {
        let start = Instant::now();
        let nonces = Nonces::new([7; 32], start);
        let after = |seconds| start + Duration::from_secs(seconds);
        let nonce = nonces.issue(5, HERE, after(100));
        assert_eq!(nonce.len(), LENGTH);
        assert!(nonces.accepts(&nonce, 5, HERE, after(1_000_000)));
        assert!(nonces.accepts(&nonce, 6, HERE, after(130)));
        assert!(!nonces.accepts(&nonce, 6, HERE, after(132)));
    }

    #[test]
    fn a_challenge_is_not_good_for_another_address_nor_one_of_ones_own_making() {
        let now = Instant::now();
        let nonces = Nonces::new([7; 32], now);
        let nonce = nonces.issue(5, HERE, now);
        assert!(!nonces.accepts(&nonce, 5, [127, 0, 0, 2].into(), now));
        for index in 0..LENGTH {
            let mut changed = nonce.clone().into_bytes();
            changed[index] = if changed[index] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("digits");
            assert!(!nonces.accepts(&changed, 5, HERE, now), "{changed}");
        }
        for strange in [
            "",
            "0",
            &nonce[..31],
            &format!("{nonce}0"),
            "+000000500000000",
            "ééééééééééééé",
        ] {
            assert!(!nonces.accepts(strange, 5, HERE, now), "{strange}");
        }
        assert!(!Nonces::new([8; 32], now).accepts(&nonce, 5, HERE, now));
    }
}

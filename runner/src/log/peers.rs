//! Which client is meant by an address of memory, by which gst-rtsp-server calls its clients.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use parking_lot::{Mutex, MutexGuard};

/// The addresses of the present clients, by where their objects are in memory.
static PEERS: Mutex<BTreeMap<usize, SocketAddr>> = Mutex::new(BTreeMap::new());

/// The log's knowledge of who a client is, which lasts as long as this.
#[derive(Debug)]
pub(crate) struct Acquaintance(usize);

/// Has messages about the client whose object is at `address` in memory name `peer` from now on.
pub(crate) fn introduce(address: usize, peer: SocketAddr) -> Acquaintance {
    peers().insert(address, peer);
    Acquaintance(address)
}

impl Drop for Acquaintance {
    fn drop(&mut self) {
        peers().remove(&self.0);
    }
}

fn peers() -> MutexGuard<'static, BTreeMap<usize, SocketAddr>> {
    PEERS.lock()
}

/// A sentence without addresses of memory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    /// The sentence, without `client 0x7f…: ` at its beginning, and with a mere `0x…` for each other address.
    pub(super) text: String,
    /// The client that one of the addresses stood for.
    pub(super) peer: Option<SocketAddr>,
    /// Whether there was any address.
    pub(super) had_addresses: bool,
}

/// Takes the addresses of memory out of a sentence.
pub(super) fn plain(text: &str) -> Plain {
    let mut plain = Plain {
        text: String::new(),
        peer: None,
        had_addresses: false,
    };
    let mut rest = text;
    while let Some((before, address, after)) = next_address(rest) {
        plain.had_addresses = true;
        plain.peer = plain.peer.or_else(|| peer(address));
        plain.text.push_str(before);
        plain.text.push_str("0x…");
        rest = after;
    }
    plain.text.push_str(rest);
    for of_client in ["client 0x…: ", "Client 0x…: "] {
        if let Some(said) = plain.text.strip_prefix(of_client) {
            plain.text = said.to_owned();
        }
    }
    plain
}

/// The client whose object is at `address` in memory.
fn peer(address: usize) -> Option<SocketAddr> {
    peers().get(&address).copied()
}

/// The first address of memory as C's `%p` and Rust's `{:p}` write it, and what stands around it. A number of fewer
/// than seven digits may mean anything.
fn next_address(text: &str) -> Option<(&str, usize, &str)> {
    const FEWEST_DIGITS: usize = 7;
    text.match_indices("0x").find_map(|(start, prefix)| {
        let digits = &text[start + prefix.len()..];
        let end = digits
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(digits.len());
        let address = usize::from_str_radix(&digits[..end], 16).ok()?;
        (end >= FEWEST_DIGITS).then_some((&text[..start], address, &digits[end..]))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_memory_becomes_the_client_whose_it_is() {
        let who: SocketAddr = "192.0.2.7:4711".parse().expect("an address");
        let acquaintance = introduce(0x5555_1234_5678, who);
        let said = plain("client 0x555512345678: no factory for path /nope");
        assert_eq!(
            (said.text.as_str(), said.peer),
            ("no factory for path /nope", Some(who))
        );
        drop(acquaintance);
        let said = plain("client 0x555512345678: tunnel lost (connection 0x7f0000001230)");
        assert_eq!(
            (said.text.as_str(), said.peer, said.had_addresses),
            ("tunnel lost (connection 0x…)", None, true)
        );
    }

    #[test]
    fn a_number_is_no_address() {
        for text in ["status 0x10", "0x", "0xé", "", "fourcc 0x3431", "x0y"] {
            let said = plain(text);
            assert_eq!((said.text.as_str(), said.had_addresses), (text, false));
        }
    }
}

//! The URLs at which a stream can be reached.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::config::ListenAt;

/// Names the hosts to show in URLs, separated by spaces, each with a port if it is another one: `camera.example:18554`.
pub(crate) const PUBLIC_ADDRESSES: &str = "RTSP_PUBLIC_ADDRESSES";

/// What the URLs of streams begin with, up to their paths: the `public` hosts where some are given, else the address that the
/// server listens on, or each of the machine's where that is unspecified.
#[must_use]
pub(crate) fn origins(at: ListenAt, public: Option<&str>) -> Vec<String> {
    let hosts = match public.map(str::trim) {
        Some(public) if !public.is_empty() => public
            .split_whitespace()
            // The port that a public host names is that of plain RTSP.
            .map(|host| if at.tls { without_port(host) } else { host })
            .map(|host| with_port(host, at.address.port()))
            .collect(),
        _ => hosts(at),
    };
    let scheme = if at.tls { "rtsps" } else { "rtsp" };
    hosts
        .into_iter()
        .map(|host| format!("{scheme}://{host}"))
        .collect()
}

/// Whether an address is this machine's own to itself, however it is written.
pub(crate) fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// `host` with a port: its own, or `port` if it names none. Several colons outside of brackets make an IPv6 address.
fn with_port(host: &str, port: u16) -> String {
    if let Ok(address) = host.parse::<Ipv6Addr>() {
        return format!("[{address}]:{port}");
    }
    if without_port(host) == host {
        format!("{host}:{port}")
    } else {
        host.to_owned()
    }
}

fn without_port(host: &str) -> &str {
    if host.parse::<Ipv6Addr>().is_ok() {
        return host;
    }
    match host.rsplit_once(':') {
        Some((name, _)) if !name.starts_with('[') || name.ends_with(']') => name,
        _ => host,
    }
}

fn hosts(at: ListenAt) -> Vec<String> {
    let address = at.address.ip();
    let mut addresses = if address.is_unspecified() {
        interface_addresses(address)
    } else {
        vec![]
    };
    if addresses.is_empty() {
        addresses.push(address);
    }
    addresses
        .iter()
        .map(|address| with_port(&address.to_string(), at.address.port()))
        .collect()
}

/// The machine's addresses at which a socket bound to `unspecified` answers, loopback last.
fn interface_addresses(unspecified: IpAddr) -> Vec<IpAddr> {
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(target: "server", "cannot list this machine's addresses: {error}");
        Vec::new()
    });
    let mut addresses: Vec<IpAddr> = interfaces
        .iter()
        // A link-local address is of no use without the name of the viewer's own interface.
        .filter(|interface| !interface.is_link_local())
        .map(if_addrs::Interface::ip)
        .filter(|address| unspecified.is_ipv6() || address.is_ipv4())
        .collect();
    addresses.sort_by_key(|address| (address.is_loopback(), address.is_ipv6()));
    addresses
}

/// The server's address as seen from its own machine.
pub(crate) fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) if address.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(address) if address.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(at: ListenAt, path: &str, public: Option<&str>) -> Vec<String> {
        let origins = origins(at, public);
        origins.iter().map(|origin| format!("{origin}{path}")).collect()
    }

    fn at(address: &str) -> ListenAt {
        let address: IpAddr = address.parse().expect("an address");
        ListenAt {
            tls: false,
            address: (address, 8554).into(),
        }
    }

    #[test]
    fn one_address_makes_one_url() {
        assert_eq!(
            urls(at("192.0.2.1"), "/live", None),
            ["rtsp://192.0.2.1:8554/live"]
        );
        assert_eq!(
            urls(at("2001:db8::1"), "/live", Some(" ")),
            ["rtsp://[2001:db8::1]:8554/live"]
        );
    }

    #[test]
    fn all_addresses_include_loopback_last() {
        let urls = urls(at("0.0.0.0"), "/live", None);
        assert_eq!(
            urls.last().map(String::as_str),
            Some("rtsp://127.0.0.1:8554/live"),
            "{urls:?}"
        );
        assert!(
            urls.iter()
                .all(|url| !url.contains("0.0.0.0") && !url.contains('[')),
            "{urls:?}"
        );
    }

    #[test]
    fn with_tls_the_scheme_and_the_port_are_its_own() {
        let tls = ListenAt {
            tls: true,
            address: ([192, 0, 2, 1], 8322).into(),
        };
        assert_eq!(urls(tls, "/live", None), ["rtsps://192.0.2.1:8322/live"]);
        assert_eq!(
            urls(
                tls,
                "/live",
                Some("camera.example:18554 2001:db8::1 [2001:db8::2]:7")
            ),
            [
                "rtsps://camera.example:8322/live",
                "rtsps://[2001:db8::1]:8322/live",
                "rtsps://[2001:db8::2]:8322/live",
            ]
        );
    }

    #[test]
    fn public_addresses_replace_them() {
        assert_eq!(
            urls(
                at("0.0.0.0"),
                "/live",
                Some("camera.example:18554 192.0.2.1  2001:db8::1 [2001:db8::2] [2001:db8::3]:7")
            ),
            [
                "rtsp://camera.example:18554/live",
                "rtsp://192.0.2.1:8554/live",
                "rtsp://[2001:db8::1]:8554/live",
                "rtsp://[2001:db8::2]:8554/live",
                "rtsp://[2001:db8::3]:7/live",
            ]
        );
    }
}

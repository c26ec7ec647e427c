//! Whose time the cameras show.

use std::fmt;
use std::net::Ipv6Addr;

/// The values that may stand in the configuration.
pub(crate) const EXPECTED: &str = "\"system\", \"ntp://HOST\" or \"ntp://HOST:PORT\" for the time of an NTP server, or \
                                   \"ptp:DOMAIN\" for that of a PTP domain from 0 to 255";
/// The same as a pattern for the schema, which leaves the numbers' limits to the reader.
pub(crate) const PATTERN: &str =
    r"^(system|ntp://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?|ptp:[0-9]+)$";

/// The UDP port of NTP (RFC 5905).
const NTP_PORT: u16 = 123;

/// Whose time the cameras show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum ClockSource {
    /// This machine's clock.
    #[default]
    System,
    /// The clock of an NTP server.
    Ntp {
        /// Its name or address.
        host: String,
        /// Its UDP port.
        port: u16,
    },
    /// The clock of the best master of a PTP domain.
    Ptp {
        /// The domain's number.
        domain: u8,
    },
}

impl fmt::Display for ClockSource {
    /// Writes the source as `clock` has it, such as `ntp://time.example`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("system"),
            Self::Ntp { host, port } => {
                if host.contains(':') {
                    write!(f, "ntp://[{host}]")?;
                } else {
                    write!(f, "ntp://{host}")?;
                }
                if *port == NTP_PORT {
                    return Ok(());
                }
                write!(f, ":{port}")
            }
            Self::Ptp { domain } => write!(f, "ptp:{domain}"),
        }
    }
}

impl ClockSource {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if text == "system" {
            return Some(Self::System);
        }
        if let Some(domain) = text.strip_prefix("ptp:") {
            return number(domain).map(|domain| Self::Ptp { domain });
        }
        let place = text.strip_prefix("ntp://")?;
        let (host, port) = match place.rsplit_once(':') {
            // The last colon is one within an IPv6 address.
            Some((_, rest)) if rest.ends_with(']') => (place, NTP_PORT),
            Some((host, port)) => (host, number(port).filter(|port| *port != 0)?),
            None => (place, NTP_PORT),
        };
        let host = match host.strip_prefix('[') {
            Some(address) => {
                let address = address.strip_suffix(']')?;
                address.parse::<Ipv6Addr>().ok()?;
                address
            }
            None => Some(host).filter(|host| is_name(host))?,
        };
        Some(Self::Ntp {
            host: host.to_owned(),
            port,
        })
    }
}

fn is_name(host: &str) -> bool {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
    !host.is_empty() && host.chars().all(is_allowed)
}

/// `str::parse` would take a leading plus sign.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then(|| text.parse().ok())?
}

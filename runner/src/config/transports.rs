//! By which ways streams may be played: over UDP, TCP, multicast and HTTP, and with TLS.

use std::collections::BTreeSet;
use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::PortRange;
use super::json::Json;
use super::readers::port_range;
use crate::tls::pem;

/// Groups that anybody may use; routers know those below from their own talk (RFC 5771).
const GROUPS: RangeInclusive<Ipv4Addr> = Ipv4Addr::new(224, 0, 1, 0)..=Ipv4Addr::new(239, 255, 255, 255);

/// A way by which a viewer gets a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Transport {
    /// RTP over UDP, to the viewer.
    Udp,
    /// RTP within the RTSP connection.
    Tcp,
    /// RTP over UDP, to a group that any number of viewers join.
    Multicast,
    /// RTP within RTSP within HTTP.
    Http,
}

impl Transport {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Udp, Self::Tcp, Self::Multicast, Self::Http];
    /// Those that need nothing but the viewer.
    pub const USUAL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Http];
}

impl fmt::Display for Transport {
    /// As `transports` has it, such as `udp`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Multicast => "multicast",
            Self::Http => "http",
        })
    }
}

/// Where multicast streams go: each medium of a stream takes a group and two ports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multicast {
    /// The groups.
    pub groups: Groups,
    /// The UDP ports, both at the sender and at the viewers.
    pub ports: PortRange,
    /// How many routers packets may pass, plus one.
    pub ttl: u8,
}

/// A range of multicast addresses, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Groups {
    /// The lowest address.
    pub first: Ipv4Addr,
    /// The highest address.
    pub last: Ipv4Addr,
}

impl fmt::Display for Groups {
    /// As `multicastAddressRange` has it: `239.1.1.0-239.1.1.255`, or one address.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}-{}", self.first, self.last)
        }
    }
}

/// The files with which the server says who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate, and those that lead from it to one that viewers trust (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub private_key: PathBuf,
    /// Tells them from what may stand in the same files later.
    contents: u64,
}

impl TlsFiles {
    /// These, as they are now. One that cannot be read counts as empty: whoever needs it says so.
    #[must_use]
    pub fn new(certificate: PathBuf, private_key: PathBuf) -> Self {
        let mut contents = DefaultHasher::new();
        for file in [&certificate, &private_key] {
            clockface::file::read(file)
                .unwrap_or_default()
                .hash(&mut contents);
        }
        Self {
            certificate,
            private_key,
            contents: contents.finish(),
        }
    }
}

pub(super) fn transports(json: &Json) -> Result<BTreeSet<Transport>, String> {
    let expected = "a list of one or more of \"udp\", \"tcp\", \"multicast\" and \"http\", each once";
    let Json::Array(items) = json else {
        return Err(expected.into());
    };
    let named = |item: &Json| {
        let is_it =
            |transport: &Transport| matches!(item, Json::Text(text) if *text == transport.to_string());
        Transport::ALL.into_iter().find(is_it)
    };
    let transports: Option<BTreeSet<Transport>> = items.iter().map(named).collect();
    transports
        .filter(|transports| !transports.is_empty() && transports.len() == items.len())
        .ok_or_else(|| expected.into())
}

pub(super) fn groups(json: &Json) -> Result<Option<Groups>, String> {
    let expected = format!(
        "a multicast address such as \"239.1.1.1\" or FIRST-LAST such as \"239.1.1.0-239.1.1.255\", within {} to {} \
         (empty: no multicast)",
        GROUPS.start(),
        GROUPS.end()
    );
    match json {
        Json::Text(text) if text.is_empty() => Ok(None),
        Json::Text(text) => range_of_groups(text).map(Some).ok_or(expected),
        _ => Err(expected),
    }
}

fn range_of_groups(text: &str) -> Option<Groups> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let groups = Groups {
        first: first.parse().ok()?,
        last: last.parse().ok()?,
    };
    let is_group = |address| GROUPS.contains(address);
    (is_group(&groups.first) && is_group(&groups.last) && groups.first <= groups.last).then_some(groups)
}

pub(super) fn multicast_ports(json: &Json) -> Result<PortRange, String> {
    let range = match json {
        Json::Text(text) => port_range(text),
        _ => None,
    };
    range.ok_or_else(|| {
        "FIRST-LAST such as \"15000-15999\": two ports or more from 1024 to 65535, the first one even".into()
    })
}

/// A file with a PEM block of this label. Empty: none.
pub(super) fn pem_file(json: &Json, label: &str) -> Result<Option<PathBuf>, String> {
    let expected = format!(
        "the path of a PEM file with a {} (empty: none)",
        label.to_lowercase()
    );
    let Json::Text(path) = json else {
        return Err(expected);
    };
    if path.is_empty() {
        return Ok(None);
    }
    let path = PathBuf::from(path);
    match pem::read(&path, label) {
        Ok(blocks) if !blocks.is_empty() => Ok(Some(path)),
        Ok(_) => Err(format!("{expected}: there is none in it")),
        Err(error) => Err(format!("{expected}: {error}")),
    }
}

//! The transports by which streams may be played: UDP, TCP, multicast and HTTP; and the files of TLS.

use std::fmt;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Serialize;
use strum::{Display, EnumIter, IntoStaticStr};

use super::PortRange;

/// A way by which a viewer gets a stream.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Display,
    EnumIter,
    IntoStaticStr,
    Serialize,
    JsonSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
#[schemars(inline)]
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
    /// The transports that need no key of the configuration besides.
    pub const USUAL: [Self; 3] = [Self::Udp, Self::Tcp, Self::Http];

    /// The transport's name as a sentence has it.
    #[must_use]
    pub(crate) fn full_name(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Multicast => "multicast",
            Self::Http => "HTTP tunnel",
        }
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
    /// Writes the range as `multicastAddressRange` has it: `239.1.1.0-239.1.1.255`, or one address.
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
    /// The certificate, and those that lead from it to a certificate that viewers trust (PEM).
    pub certificate: PathBuf,
    /// Its private key (PEM).
    pub private_key: PathBuf,
    /// A hash of what stands in the files: they may be written anew later.
    contents: u64,
}

impl TlsFiles {
    /// These files, as they are now. A file that cannot be read counts as empty: whoever needs it says so.
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

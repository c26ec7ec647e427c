//! What has been read so far of the server, and of the streams of one entry.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::numbered::{NumberedPort, NumberedText};
use crate::{
    config::{
        Authentication, ClockSource, Config, Groups, Mount, Multicast, PortRange, StreamConfig, TlsFiles,
        Transport, look::Look,
    },
    log,
};

/// The usual ports for multicast: they are free on most machines, and out of the way of the usual ports for RTP.
const MULTICAST_PORTS: PortRange = PortRange {
    first: 15000,
    last: 15999,
};

/// The values that have been read so far, on top of the defaults.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) authentication: Authentication,
    pub(super) rtp_ports: Option<PortRange>,
    pub(super) multicast_groups: Option<Groups>,
    pub(super) multicast_ports: PortRange,
    pub(super) multicast_ttl: u8,
    pub(super) tls_certificate: Option<PathBuf>,
    pub(super) tls_private_key: Option<PathBuf>,
    pub(super) clock: ClockSource,
    pub(super) log_level: log::Filter,
    pub(super) log_format: log::Format,
    pub(super) session_timeout: u32,
    /// How many viewers the server may have.
    pub(super) max_viewers: Option<u32>,
    pub(super) reload: bool,
    pub(super) address: IpAddr,
    pub(super) port: NumberedPort,
    pub(super) tls_port: Option<NumberedPort>,
    /// Whether the streams can be played without TLS.
    pub(super) plain_rtsp: bool,
    /// The transports; `None` for all that can be had.
    pub(super) transports: Option<BTreeSet<Transport>>,
    pub(super) path: NumberedText,
    pub(super) label: NumberedText,
    /// How many streams, or paths of one, the entry makes.
    pub(super) count: u32,
    /// Whether they all show the same picture.
    pub(super) shared_picture: bool,
    /// The part of each stream's configuration that does not depend on its number.
    pub(super) stream: StreamConfig,
}

impl Default for Draft {
    fn default() -> Self {
        let stream = StreamConfig::default();
        let Config {
            authentication,
            rtp_ports,
            clock,
            log_level,
            log_format,
            session_timeout,
            max_viewers,
            reload,
            ..
        } = Config::default();
        let Mount {
            address, port, path, ..
        } = stream.mounts[0].clone();
        Self {
            username: String::new(),
            password: String::new(),
            authentication,
            rtp_ports,
            multicast_groups: None,
            multicast_ports: MULTICAST_PORTS,
            multicast_ttl: 1,
            tls_certificate: None,
            tls_private_key: None,
            clock,
            log_level,
            log_format,
            session_timeout,
            max_viewers,
            reload,
            address,
            port: NumberedPort::fixed(port),
            tls_port: None,
            plain_rtsp: true,
            transports: None,
            path: NumberedText(path),
            label: NumberedText(stream.look.label.clone()),
            count: 1,
            shared_picture: false,
            stream,
        }
    }
}

impl Draft {
    /// The streams of the entry; `None` where there are not enough ports.
    pub(super) fn streams(&self) -> Option<Vec<StreamConfig>> {
        if self.shared_picture {
            return Some(vec![StreamConfig {
                mounts: self.mounts()?,
                transports: self.transports(),
                look: self.look(self.label.of_all(self.count)),
                ..self.stream.clone()
            }]);
        }
        (1..=self.count).map(|number| self.stream(number)).collect()
    }

    /// Where all of them can be played, without TLS and then with it; `None` where there are not enough ports.
    pub(super) fn mounts(&self) -> Option<Vec<Mount>> {
        self.mounts_of(1..=self.count)
    }

    fn mounts_of(&self, numbers: RangeInclusive<u32>) -> Option<Vec<Mount>> {
        let plain = self.plain_rtsp.then_some((self.port, false));
        let ports = plain.into_iter().chain(self.tls_port.map(|port| (port, true)));
        let mounts = ports.flat_map(|(port, tls)| {
            numbers.clone().map(move |number| {
                Some(Mount {
                    address: self.address,
                    port: port.of(number)?,
                    tls,
                    path: self.path.of(number),
                })
            })
        });
        mounts.collect()
    }

    /// The stream of that number. Each has its own number in its stamp, and its own moment in the frame period:
    /// otherwise all would wake at once.
    fn stream(&self, number: u32) -> Option<StreamConfig> {
        let period = self.stream.frames_per_second.period();
        let before = number - 1;
        Some(StreamConfig {
            mounts: self.mounts_of(number..=number)?,
            transports: self.transports(),
            look: Look {
                stamp_id: self.stream.look.stamp_id.saturating_add(before),
                ..self.look(self.label.of(number))
            },
            phase: period * u64::from(before) / u64::from(self.count.max(1)),
            ..self.stream.clone()
        })
    }

    /// The transports by which the streams may be played.
    pub(super) fn transports(&self) -> BTreeSet<Transport> {
        if let Some(transports) = &self.transports {
            return transports.clone();
        }
        let mut usual = BTreeSet::from(Transport::USUAL);
        if self.multicast_groups.is_some() && self.address.is_ipv4() {
            usual.insert(Transport::Multicast);
        }
        usual
    }

    /// Where multicast streams go.
    pub(super) fn multicast(&self) -> Option<Multicast> {
        Some(Multicast {
            groups: self.multicast_groups?,
            ports: self.multicast_ports,
            ttl: self.multicast_ttl,
        })
    }

    /// The certificate and the key for TLS, where both are there.
    pub(super) fn tls(&self) -> Option<TlsFiles> {
        let (certificate, private_key) = (self.tls_certificate.clone()?, self.tls_private_key.clone()?);
        Some(TlsFiles::new(certificate, private_key))
    }

    fn look(&self, label: String) -> Look {
        Look {
            label,
            ..self.stream.look.clone()
        }
    }
}

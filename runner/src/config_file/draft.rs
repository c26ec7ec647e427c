//! What has been read so far of the server, and of the streams of one entry.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::PathBuf;

use super::numbered::{NumberedPort, NumberedText};
use crate::{
    config::{
        Authentication, ClockSource, Config, Groups, HttpConfig, Mount, Multicast, PortRange, StreamConfig,
        TlsFiles, Transport, look::Look,
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
    pub(super) http: Section<HttpConfig>,
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
    /// The number of the first of them.
    pub(super) first_number: u32,
    /// The number in the first one's stamp; `None` for the usual one.
    pub(super) stamp_id: Option<u32>,
    /// Whether they all show the same picture.
    pub(super) shared_picture: bool,
    /// The part of each stream's configuration that does not depend on its number.
    pub(super) stream: StreamConfig,
}

/// The values of keys that stand in an object of their own, which may be switched off.
#[derive(Clone)]
pub(super) struct Section<T> {
    pub(super) is_on: bool,
    pub(super) values: T,
}

impl<T> Section<T> {
    /// The values, where they count.
    pub(super) fn get(&self) -> Option<&T> {
        self.is_on.then_some(&self.values)
    }
}

impl Default for Draft {
    fn default() -> Self {
        let stream = StreamConfig::default();
        let Config {
            authentication,
            rtp_ports,
            clock,
            http,
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
            http: Section {
                is_on: http.is_some(),
                values: http.unwrap_or_default(),
            },
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
            first_number: 1,
            stamp_id: None,
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
                look: Look {
                    stamp_id: self.stamp_id_of(self.first_number),
                    ..self.look(self.label.of_all(&self.numbers()))
                },
                ..self.stream.clone()
            }]);
        }
        self.numbers().map(|number| self.stream(number)).collect()
    }

    /// Where all of them can be played, without TLS and then with it; `None` where there are not enough ports.
    pub(super) fn mounts(&self) -> Option<Vec<Mount>> {
        self.mounts_of(self.numbers())
    }

    /// The numbers of the streams.
    pub(super) fn numbers(&self) -> RangeInclusive<u32> {
        self.first_number..=self.last_number()
    }

    /// The number of the last stream.
    pub(super) fn last_number(&self) -> u32 {
        self.first_number.saturating_add(self.count.saturating_sub(1))
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
        Some(StreamConfig {
            mounts: self.mounts_of(number..=number)?,
            transports: self.transports(),
            look: Look {
                stamp_id: self.stamp_id_of(number),
                ..self.look(self.label.of(number))
            },
            phase: phase(number, self.stream.frames_per_second.period()),
            ..self.stream.clone()
        })
    }

    /// The same for the stream of that number alone.
    pub(super) fn of(&self, number: u32) -> Self {
        let port = |port: NumberedPort| port.of(number).map_or(port, NumberedPort::fixed);
        Self {
            port: port(self.port),
            tls_port: self.tls_port.map(port),
            path: NumberedText(self.path.of(number)),
            label: NumberedText(self.label.of(number)),
            count: 1,
            first_number: number,
            stamp_id: Some(self.stamp_id_of(number)),
            ..self.clone()
        }
    }

    /// The number in the stamp of the stream of that number.
    pub(super) fn stamp_id_of(&self, number: u32) -> u32 {
        let first = self.stamp_id.unwrap_or(self.first_number - 1);
        first.saturating_add(number - self.first_number)
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

/// By how much the frames of the camera of that number come after the grid of a `period`. However many cameras there are,
/// and whichever come or go, their phases are spread over the period: each falls into the largest gap that those before it
/// have left (multiples of the golden ratio).
fn phase(number: u32, period: u64) -> u64 {
    /// The golden ratio's fraction, of 2^64.
    const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
    let share = u64::from(number - 1).wrapping_mul(GOLDEN);
    u64::try_from((u128::from(share) * u128::from(period)) >> 64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::phase;

    #[test]
    fn any_neighbours_are_spread_over_a_period() {
        const PERIOD: u64 = 40_000_000;
        for first in [1_u32, 8, 500] {
            for count in [2_u32, 10, 93] {
                let mut phases: Vec<_> = (first..first + count)
                    .map(|number| phase(number, PERIOD))
                    .collect();
                phases.sort_unstable();
                let around = phases[0] + PERIOD - phases[phases.len() - 1];
                let gaps = phases.windows(2).map(|pair| pair[1] - pair[0]).chain([around]);
                let even = PERIOD / u64::from(count);
                assert!(
                    gaps.clone().all(|gap| (even / 3..=even * 2).contains(&gap)),
                    "{first}, {count}: {phases:?}"
                );
            }
        }
    }
}

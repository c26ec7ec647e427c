//! What has been read so far: of the server, and of the streams of one entry.

use std::net::IpAddr;

use super::look::Look;
use super::numbered::{NumberedPort, NumberedText};
use super::{Config, Mount, PortRange, StreamConfig};
use crate::log;

const NANOSECONDS: u64 = 1_000_000_000;

/// What has been read so far, on top of the defaults.
#[derive(Clone)]
pub(super) struct Draft {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) rtp_ports: Option<PortRange>,
    pub(super) log_level: log::Filter,
    pub(super) log_format: log::Format,
    pub(super) reload: bool,
    pub(super) address: IpAddr,
    pub(super) port: NumberedPort,
    pub(super) path: NumberedText,
    pub(super) label: NumberedText,
    /// How many streams, or paths of one, the entry makes.
    pub(super) count: u32,
    /// Whether they all show the same picture.
    pub(super) shared_picture: bool,
    /// What needs no number.
    pub(super) stream: StreamConfig,
}

impl Default for Draft {
    fn default() -> Self {
        let stream = StreamConfig::default();
        let Config {
            rtp_ports,
            log_level,
            log_format,
            reload,
            ..
        } = Config::default();
        let Mount { address, port, path } = stream.mounts[0].clone();
        Self {
            username: String::new(),
            password: String::new(),
            rtp_ports,
            log_level,
            log_format,
            reload,
            address,
            port: NumberedPort::fixed(port),
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
        let mounts: Vec<Mount> = (1..=self.count)
            .map(|number| self.mount(number))
            .collect::<Option<_>>()?;
        if self.shared_picture {
            return Some(vec![StreamConfig {
                mounts,
                look: self.look(self.label.of_all(self.count)),
                ..self.stream.clone()
            }]);
        }
        let streams = mounts.into_iter().zip(1..);
        Some(
            streams
                .map(|(mount, number)| self.stream(mount, number))
                .collect(),
        )
    }

    fn mount(&self, number: u32) -> Option<Mount> {
        Some(Mount {
            address: self.address,
            port: self.port.of(number)?,
            path: self.path.of(number),
        })
    }

    /// Each has its own number in its stamp, and its own moment in the frame period: they would all wake at once.
    fn stream(&self, mount: Mount, number: u32) -> StreamConfig {
        let period = NANOSECONDS / u64::from(self.stream.frames_per_second.max(1));
        let before = number - 1;
        StreamConfig {
            mounts: vec![mount],
            look: self.look(self.label.of(number)),
            phase: period * u64::from(before) / u64::from(self.count.max(1)),
            stamp_id: self.stream.stamp_id.saturating_add(before),
            ..self.stream.clone()
        }
    }

    fn look(&self, label: String) -> Look {
        Look {
            label,
            ..self.stream.look.clone()
        }
    }
}

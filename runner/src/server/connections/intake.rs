//! What of a client's bytes the RTSP server gets to read: its requests, and its RTCP as far as it is of any use; and what
//! of the server's the client gets.
//!
//! gst-rtsp-server takes whatever a client sends within its connection. RTP, which nobody here waits for, it never frees
//! (up to 1.28 at least); RTCP it queues without end, for a thread that makes a key frame or a participant of each packet,
//! also when the client has gone. And where the end of a request's line comes without what follows it, it loses that end. So
//! what comes is looked at before gst-rtsp-server reads it, and what it should not get is thrown away as it comes. In the
//! other direction, what a viewer should not get yet is thrown away too.
//!
//! | module | job |
//! | --- | --- |
//! | `framing` | where a message begins and ends |
//! | `tunnelled` | the same within a tunnel through HTTP |
//! | `channels` | which channels of a connection carry RTCP |
//! | `outlet` | what goes out: nothing before a key picture |
//! | `streams` | the streams of a client's connection, and TLS |
//! | `handover` | the connection that gst-rtsp-server is being handed |
//! | `input`, `output` | what is read from a client, and written to it |

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::count::Count;
use crate::{budget::Budget, log::Repeats, stream::receivers};

pub(in crate::server) mod channels;
mod framing;
pub(in crate::server) mod handover;
mod input;
mod outlet;
mod output;
mod streams;
mod tunnelled;

use channels::{CurrentChannels, TunnelChannels};
use framing::{Framing, Opening, PacketFilter};
pub(in crate::server) use streams::take_part;
use tunnelled::Tunnelled;

/// The longest body of a request, in bytes. The ones that viewers send are empty or a few lines.
pub(in crate::server) const MAX_BODY: u32 = 64 * 1024;
/// How often the log tells of one address that it sends what is thrown away.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// How many addresses are remembered for that.
const MOST_LOGGED: usize = 1000;
/// How often one connection asks whether the log may tell of it.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What the intakes of a server's connections share.
#[derive(Debug)]
pub(in crate::server) struct Intakes {
    tunnels: TunnelChannels,
    messages: Repeats,
    connections: Arc<Count>,
}

impl Default for Intakes {
    fn default() -> Self {
        Self {
            tunnels: TunnelChannels::default(),
            messages: Repeats::new(LOG_INTERVAL, MOST_LOGGED),
            connections: Arc::default(),
        }
    }
}

impl Intakes {
    /// Which channels carry RTCP, by the tunnels that connections belong to.
    pub(in crate::server) fn tunnels(&self) -> &TunnelChannels {
        &self.tunnels
    }

    /// Counts the connections.
    pub(in crate::server) fn connections(&self) -> &Arc<Count> {
        &self.connections
    }
}

/// The bytes of one connection.
#[derive(Debug)]
struct Intake {
    coding: Coding,
    framing: Framing,
    filter: RtcpFilter,
}

/// What a connection carries.
#[derive(Debug)]
enum Coding {
    /// RTSP, or HTTP that may become a tunnel.
    Plain,
    /// The way to the server of a tunnel through HTTP: RTSP in base64.
    Tunnelled(Tunnelled),
    /// The way from the server of a tunnel through HTTP: what a client sends by it means nothing.
    Deaf,
}

/// Which data packets are let through.
#[derive(Debug)]
struct RtcpFilter {
    peer: SocketAddr,
    all: Arc<Intakes>,
    channels: CurrentChannels,
    rtcp: Budget,
    now: Instant,
    /// Until then it is not even asked whether the log may tell.
    silent_until: Instant,
}

impl Intake {
    /// The intake of a connection from `peer`, which has these `channels`.
    fn new(peer: SocketAddr, all: &Arc<Intakes>, channels: &CurrentChannels) -> Self {
        Self {
            coding: Coding::Plain,
            framing: Framing::default(),
            filter: RtcpFilter {
                peer,
                all: Arc::clone(all),
                channels: channels.clone(),
                rtcp: receivers::pace(),
                now: Instant::now(),
                silent_until: Instant::now(),
            },
        }
    }

    /// How many bytes may be taken next, where `asked` would be read: no more than belong to the message that they begin
    /// or go on with, or more where they are thrown away.
    fn wants(&self, asked: usize) -> usize {
        match self.coding {
            Coding::Plain => self.framing.wants(asked),
            Coding::Tunnelled(_) => asked,
            Coding::Deaf => DEAF_AT_ONCE,
        }
    }

    /// Takes what has come, and adds to `passed` what may be read of it.
    fn take(&mut self, bytes: &[u8], now: Instant, passed: &mut Vec<u8>) {
        self.filter.now = now;
        match &mut self.coding {
            Coding::Deaf => {}
            Coding::Tunnelled(tunnelled) => {
                tunnelled.take(bytes, &mut self.framing, &mut self.filter, passed);
            }
            Coding::Plain => self.take_plain(bytes, passed),
        }
    }

    fn take_plain(&mut self, bytes: &[u8], passed: &mut Vec<u8>) {
        for (index, byte) in bytes.iter().enumerate() {
            self.framing.take(*byte, &mut self.filter, passed);
            let Some((opening, cookie)) = self.framing.opened() else {
                continue;
            };
            // Both ways of a tunnel have the channels that are set up through it.
            self.filter.channels.join(self.filter.all.tunnels.of(&cookie));
            self.coding = match opening {
                Opening::WayFrom => Coding::Deaf,
                Opening::WayTo => Coding::Tunnelled(Tunnelled::default()),
            };
            let now = self.filter.now;
            return self.take(&bytes[index + 1..], now, passed);
        }
    }
}

/// How much of what means nothing is read at once, in bytes.
const DEAF_AT_ONCE: usize = 16 * 1024;

impl PacketFilter for RtcpFilter {
    fn lets_pass(&mut self, channel: u8, length: usize, begin: [u8; 2]) -> bool {
        let is_awaited = is_rtcp(length, begin) && self.channels.current().carries_rtcp(channel);
        if is_awaited && self.rtcp.take(self.now) {
            return true;
        }
        self.log(if is_awaited {
            "a viewer sends RTCP faster than any use of it: the rest is thrown away"
        } else {
            "a viewer sends what is no RTCP of a stream that it has set up: it is thrown away"
        });
        false
    }
}

impl RtcpFilter {
    fn log(&mut self, what: &str) {
        if self.now < self.silent_until {
            return;
        }
        self.silent_until = self.now + LOOK_INTERVAL;
        let place = self.peer.ip().to_string();
        if let Some(held_back) = self.all.messages.may_tell(&place, self.now) {
            tracing::warn!(target: "connections", peer = %self.peer, held_back, "{what}");
        }
    }
}

/// No RTCP packet of a receiver is larger, in bytes: it has to go through any network in one piece.
const LARGEST_RTCP: usize = 1500;

/// Whether a packet of that length that begins so is RTCP (RFC 5761, section 4).
fn is_rtcp(length: usize, begin: [u8; 2]) -> bool {
    (8..=LARGEST_RTCP).contains(&length) && begin[0] >> 6 == 2 && (192..=223).contains(&begin[1])
}

#[cfg(test)]
mod smuggling;
#[cfg(test)]
mod tests;

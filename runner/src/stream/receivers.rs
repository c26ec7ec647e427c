//! What the receivers of a stream report by RTCP (RFC 3550), and how much of it is heard.
//!
//! GStreamer makes a participant of each SSRC that it hears of, and keeps it for half a minute or more, together with
//! the viewer whom it takes for its owner by the address; and it makes a key frame of each request for one. Anybody can
//! send to a UDP port. So only those are heard who have set the stream up, at a pace that serves them, with the few
//! SSRCs that a receiver has; and GStreamer does not get to know their addresses: their signs of life are noted here
//! instead.

use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use gst::glib;
use gst_rtsp_server::{RTSPSession, prelude::*};
use jiff::Timestamp;
use parking_lot::Mutex;

use super::media::Medium;
use crate::{budget::Budget, log::Repeats};

mod rtcp;

use rtcp::Block;

/// A receiver may send this many packets in a row, ...
pub(crate) const IN_A_ROW: u32 = 100;
/// ... and after those one in each interval: RFC 3550 has a receiver report every few seconds, and early feedback (RFC
/// 4585) asks for a key frame now and then.
const INTERVAL: Duration = Duration::from_millis(20);
/// How many SSRCs a receiver has at most at the same time; a receiver that begins anew gets another one.
const SSRCS: usize = 4;
/// An SSRC that has not been heard of for this long is forgotten: GStreamer has forgotten it by then, too.
const SSRC_LIFE: Duration = Duration::from_mins(1);
/// How often the log says at most that an address is not heard.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// How many addresses the log names at most in that time.
const MOST_LOGGED: usize = 100;

/// The receivers who have set up a stream, and may report on it.
#[derive(Debug)]
pub(crate) struct Receivers {
    by_address: Mutex<HashMap<SocketAddr, Receiver>>,
    /// The sources that may be reported on; locked after the receivers.
    sources: Mutex<Vec<Source>>,
    /// How many packets all receivers so far have reported lost.
    lost: AtomicU64,
    /// How often the log says of which address that it is not heard.
    unheard: Repeats,
}

/// What a pipeline sends of one medium.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source {
    /// The medium.
    pub(crate) medium: Medium,
    /// The SSRC of its packets.
    pub(crate) ssrc: u32,
    /// How many ticks its clock makes in a second, where that is known.
    pub(crate) clock_rate: Option<u32>,
}

/// What a receiver reported last of one medium (RFC 3550, section 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Report {
    /// The medium that it is about.
    pub(crate) medium: Medium,
    /// The SSRC of the source that it is about.
    pub(crate) ssrc: u32,
    /// The share of packets that were lost since the report before: 0 for none, 1 for all.
    pub(crate) fraction_lost: f64,
    /// How many packets were lost since the receiver began; less than none where some came twice.
    pub(crate) packets_lost: i32,
    /// The highest sequence number that came, and in the upper two bytes how often the numbers had begun anew.
    pub(crate) highest_sequence: u32,
    /// The mean deviation of the packets' travelling times, in ticks of the medium's clock.
    pub(crate) jitter: u32,
    /// The jitter in seconds, where the clock is known.
    pub(crate) jitter_seconds: Option<f64>,
    /// When the report came.
    pub(crate) at: Timestamp,
}

impl Report {
    fn new(block: Block, source: Source, at: Timestamp) -> Self {
        let rate = source.clock_rate.filter(|rate| *rate > 0);
        Self {
            medium: source.medium,
            ssrc: source.ssrc,
            fraction_lost: f64::from(block.fraction_lost) / 256.0,
            packets_lost: block.packets_lost,
            highest_sequence: block.highest_sequence,
            jitter: block.jitter,
            jitter_seconds: rate.map(|rate| f64::from(block.jitter) / f64::from(rate)),
            at,
        }
    }
}

/// Somebody who has set the stream up, and whose reports are awaited from one address.
#[derive(Debug)]
struct Receiver {
    /// The sessions that share the address: several of one host may watch by multicast.
    sessions: Vec<glib::WeakRef<RTSPSession>>,
    /// Whether packets from other ports of its host may be its own as well.
    may_change_ports: bool,
    /// Whether each of its reports is a sign of life that keeps its sessions.
    is_sign_of_life: bool,
    budget: Budget,
    /// The SSRCs that it has.
    ssrcs: Vec<Ssrc>,
    /// Its last report on each source.
    reports: Vec<Report>,
}

/// An SSRC by which a receiver reports.
#[derive(Debug)]
struct Ssrc {
    number: u32,
    /// When it was last heard of.
    heard: Instant,
    /// The most packets that it has reported lost of each source: later reports take back what comes twice.
    most_lost: Vec<(u32, u64)>,
}

impl Ssrc {
    /// How many more packets of `source` are lost than it has reported so far.
    fn newly_lost(&mut self, source: u32, lost: i32) -> u64 {
        let lost = u64::try_from(lost).unwrap_or_default();
        let known = self.most_lost.iter_mut().find(|(of, _)| *of == source);
        let Some((_, most)) = known else {
            self.most_lost.push((source, lost));
            return lost;
        };
        let more = lost.saturating_sub(*most);
        *most += more;
        more
    }
}

/// The way by which reports are awaited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// They come within the RTSP connection from this address.
    Connection(SocketAddr),
    /// They come over UDP from these ports of that host, or from others where something on the way changes the ports.
    Udp(IpAddr, [u16; 2]),
    /// They come over UDP from any port of that host.
    Multicast(IpAddr),
}

/// Why a packet is not heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unheard {
    Unknown,
    TooFast,
    NoRtcp,
    TooManySsrcs,
}

/// The pace at which a receiver is heard, by whichever way its packets come.
pub(crate) fn pace() -> Budget {
    Budget::new(IN_A_ROW, INTERVAL)
}

impl Default for Receivers {
    fn default() -> Self {
        Self {
            by_address: Mutex::default(),
            sources: Mutex::default(),
            lost: AtomicU64::new(0),
            unheard: Repeats::new(LOG_INTERVAL, MOST_LOGGED),
        }
    }
}

impl Receivers {
    /// Hears whoever has `session` by this `way` from now on, until the session is over.
    pub(crate) fn expect(&self, session: &RTSPSession, way: Way) {
        let addresses = match way {
            Way::Connection(address) => vec![address],
            Way::Udp(host, ports) => ports.map(|port| (host, port).into()).to_vec(),
            Way::Multicast(host) => vec![(host, 0).into()],
        };
        let mut receivers = self.by_address.lock();
        receivers.retain(|_, receiver| receiver.is_there());
        for address in addresses {
            let receiver = receivers.entry(address).or_insert_with(Receiver::new);
            receiver.add(session);
            receiver.may_change_ports = !matches!(way, Way::Connection(_));
            receiver.is_sign_of_life = matches!(way, Way::Udp(..));
        }
    }

    /// Keeps reports on these sources alone from now on; reports on others are forgotten.
    pub(crate) fn send_by(&self, sources: Vec<Source>) {
        let mut receivers = self.by_address.lock();
        for receiver in receivers.values_mut() {
            let is_sent = |report: &Report| sources.iter().any(|source| source.ssrc == report.ssrc);
            receiver.reports.retain(is_sent);
            for ssrc in &mut receiver.ssrcs {
                ssrc.most_lost
                    .retain(|(of, _)| sources.iter().any(|source| source.ssrc == *of));
            }
        }
        *self.sources.lock() = sources;
    }

    /// How many packets all receivers so far have reported lost. It never becomes less.
    #[must_use]
    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }

    /// What whoever has each session reported last, of each medium once, by the session's id. Those who cannot be told apart, as
    /// several of one host who watch by multicast, have what came last from any of them.
    #[must_use]
    pub(crate) fn reports_by_session(&self) -> HashMap<String, Vec<Report>> {
        // A session may end with the last reference to it: that has to go after the lock, which the session's end takes
        // as well.
        let mut sessions = Vec::new();
        let receivers = self.by_address.lock();
        let mut all = HashMap::<String, Vec<Report>>::new();
        for receiver in receivers.values().filter(|receiver| !receiver.reports.is_empty()) {
            let first = sessions.len();
            sessions.extend(receiver.sessions());
            for id in sessions[first..].iter().filter_map(RTSPSession::sessionid) {
                let latest = all.entry(id.to_string()).or_default();
                receiver.reports.iter().for_each(|report| keep(latest, *report));
            }
        }
        all
    }

    /// Whether the RTCP `packet` that has come from the address `from` is heard.
    pub(crate) fn hear(&self, packet: &[u8], from: Option<SocketAddr>, now: Instant) -> bool {
        let from = from.map(|from| SocketAddr::new(from.ip().to_canonical(), from.port()));
        let heard = self.judge(packet, from, now);
        if let Err(why) = heard {
            self.tell(why, from, now);
        }
        heard.is_ok()
    }

    fn judge(&self, packet: &[u8], from: Option<SocketAddr>, now: Instant) -> Result<(), Unheard> {
        let from = from.ok_or(Unheard::Unknown)?;
        let mut receivers = self.by_address.lock();
        let known = receivers.get(&from).filter(|receiver| receiver.is_there());
        let address = match known {
            Some(_) => from,
            None => of_any_port(&receivers, from.ip()).ok_or(Unheard::Unknown)?,
        };
        let is_its_own = address == from;
        let hosts = receivers.iter();
        let of_host = hosts
            .filter(|(address, receiver)| address.ip() == from.ip() && receiver.may_change_ports)
            .count();
        let receiver = receivers.get_mut(&address).ok_or(Unheard::Unknown)?;
        if !receiver.budget.take(now) {
            return Err(Unheard::TooFast);
        }
        let most = if is_its_own { SSRCS } else { SSRCS * of_host.max(1) };
        let mut is_known = true;
        let is_rtcp = rtcp::for_each_sender(packet, |ssrc| is_known &= receiver.knows(ssrc, most, now));
        if !is_rtcp {
            return Err(Unheard::NoRtcp);
        }
        if !is_known {
            return Err(Unheard::TooManySsrcs);
        }
        let (sources, at) = (self.sources.lock(), Timestamp::now());
        rtcp::for_each_block(packet, |block| {
            if let Some(source) = sources.iter().find(|source| source.ssrc == block.source) {
                keep(&mut receiver.reports, Report::new(block, *source, at));
                let lost = receiver.newly_lost(block);
                self.lost.fetch_add(lost, Ordering::Relaxed);
            }
        });
        drop(sources);
        if is_its_own && receiver.is_sign_of_life {
            receiver.sessions().for_each(|session| session.touch());
        }
        Ok(())
    }

    fn tell(&self, why: Unheard, from: Option<SocketAddr>, now: Instant) {
        let what = match why {
            // Anybody may send to a port, and the last packets of a receiver come after it has gone.
            Unheard::Unknown => {
                return tracing::trace!(target: "viewers", ?from, "RTCP from somebody who does not watch");
            }
            Unheard::TooFast => "RTCP comes faster than any use of it: the rest is thrown away",
            Unheard::NoRtcp => "what comes is no RTCP: it is thrown away",
            Unheard::TooManySsrcs => "RTCP comes with more SSRCs than a viewer has: the rest is thrown away",
        };
        let place = from.map(|from| from.ip().to_string()).unwrap_or_default();
        if let Some(held_back) = self.unheard.may_tell(&place, now) {
            let peer = from.map(|from| from.to_string());
            tracing::warn!(target: "viewers", peer, held_back, "{what}");
        }
    }
}

/// Keeps `report` as the last one on its source, unless there is a later one.
fn keep(reports: &mut Vec<Report>, report: Report) {
    match reports.iter_mut().find(|known| known.ssrc == report.ssrc) {
        Some(known) if known.at > report.at => {}
        Some(known) => *known = report,
        None => reports.push(report),
    }
}

/// The address under which those receivers are known who may report from any port of `host`.
fn of_any_port(receivers: &HashMap<SocketAddr, Receiver>, host: IpAddr) -> Option<SocketAddr> {
    let may_be = |(address, receiver): &(&SocketAddr, &Receiver)| {
        address.ip() == host && receiver.may_change_ports && receiver.is_there()
    };
    // The answer is always the same one, so that all of them share its pace.
    receivers.iter().filter(may_be).map(|(address, _)| *address).min()
}

impl Receiver {
    fn new() -> Self {
        Self {
            sessions: Vec::new(),
            may_change_ports: false,
            is_sign_of_life: false,
            budget: pace(),
            ssrcs: Vec::new(),
            reports: Vec::new(),
        }
    }

    fn add(&mut self, session: &RTSPSession) {
        self.sessions
            .retain(|known| known.upgrade().is_some_and(|known| known != *session));
        self.sessions.push(session.downgrade());
    }

    fn sessions(&self) -> impl Iterator<Item = RTSPSession> {
        self.sessions.iter().filter_map(glib::WeakRef::upgrade)
    }

    fn is_there(&self) -> bool {
        self.sessions().next().is_some()
    }

    /// Whether `ssrc` is one of the receiver's, which has `most` at most.
    fn knows(&mut self, ssrc: u32, most: usize, now: Instant) -> bool {
        if let Some(known) = self.ssrcs.iter_mut().find(|known| known.number == ssrc) {
            known.heard = now;
            return true;
        }
        self.ssrcs
            .retain(|known| now.saturating_duration_since(known.heard) < SSRC_LIFE);
        let has_room = self.ssrcs.len() < most;
        if has_room {
            self.ssrcs.push(Ssrc {
                number: ssrc,
                heard: now,
                most_lost: Vec::new(),
            });
        }
        has_room
    }

    /// How many more packets `block` reports lost than its reporter has before.
    fn newly_lost(&mut self, block: Block) -> u64 {
        let reporter = self.ssrcs.iter_mut().find(|known| known.number == block.reporter);
        reporter.map_or(0, |reporter| {
            reporter.newly_lost(block.source, block.packets_lost)
        })
    }
}

#[cfg(test)]
mod tests;

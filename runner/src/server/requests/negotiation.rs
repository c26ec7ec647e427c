//! Which of the transports that a SETUP offers is taken: UDP, TCP, multicast or HTTP.

use std::{
    collections::BTreeSet,
    iter,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::{Duration, Instant},
};

use gst_rtsp::{RTSPHeaderField, RTSPLowerTrans, RTSPStatusCode};
use gst_rtsp_server::{RTSPAddressFlags, RTSPAddressPool, RTSPClient, RTSPContext, prelude::*};

use super::{
    mending::offers::{self, Offer},
    mounts::{Found, Mounted, Mounts},
};
use crate::{
    config::{Config, Multicast, PortRange, StreamConfig, Transport},
    events::Refusal,
    ffi::rtsp,
    log::repeats::Repeats,
    stream::Stream,
};

/// How often the log tells the same of a stream: a client that waits for a port asks again and again.
const LOG_INTERVAL: Duration = Duration::from_mins(1);
/// How many different messages are remembered for that: more than there are of one stream, for a good many streams.
const MOST_MESSAGES: usize = 100;

/// The ports and groups of a server, and what the log has told of them.
#[derive(Debug)]
pub(in crate::server) struct Negotiation {
    pool: Option<RTSPAddressPool>,
    rtp_ports: Option<PortRange>,
    multicast: Option<Multicast>,
    messages: Repeats,
}

impl Negotiation {
    pub(in crate::server) fn new(config: &Config) -> Self {
        Self {
            pool: pool(config.rtp_ports, config.multicast.as_ref()),
            rtp_ports: config.rtp_ports,
            multicast: config.multicast,
            messages: Repeats::new(LOG_INTERVAL, MOST_MESSAGES),
        }
    }

    /// Lets `stream` be played by the ways that `config` allows it.
    pub(in crate::server) fn allow(&self, stream: &Stream, config: &StreamConfig) {
        let factory = stream.factory();
        stream.set_protocols(protocols(&config.transports));
        factory.set_address_pool(self.pool.as_ref());
        if let Some(multicast) = &self.multicast {
            // Without a limit a viewer may choose any TTL.
            RTSPMediaFactoryExt::set_max_mcast_ttl(factory, multicast.ttl.into());
            factory.set_multicast_iface(interface(config).as_deref());
        }
    }

    /// Leaves in a SETUP one of the ways that it offers, for gst-rtsp-server to take: the first one that the client at `peer`
    /// can have.
    ///
    /// # Errors
    /// The status of the answer, where there is none.
    pub(in crate::server) fn choose(
        &self,
        context: &RTSPContext,
        mounts: &Mounts,
        peer: Option<SocketAddr>,
    ) -> Result<(), RTSPStatusCode> {
        let (Some(request), Some(Found { mounted, medium })) = (context.request(), mounts.found(context))
        else {
            return Ok(());
        };
        let offers = offers(context);
        if offers.is_empty() {
            return Ok(());
        }
        let is_tunnelled = context.client().is_some_and(rtsp::is_tunnelled);
        let is_allowed = |offer: &&Offer| {
            let way = offer.way.and_then(|way| by_tunnel(way, is_tunnelled));
            offer.is_whole() && way.is_some_and(|way| mounted.stream.transports().contains(&way))
        };
        let allowed: Vec<&Offer> = offers.iter().filter(is_allowed).collect();
        let has_ports = |offer: &&&Offer| {
            let lower = offer.way.map_or(RTSPLowerTrans::empty(), lower);
            let is_ipv6 = peer.is_some_and(|peer| peer.is_ipv6());
            let has_ports = mounted.stream.has_ports(medium.as_deref(), lower, is_ipv6);
            has_ports.unwrap_or_else(|| self.has_free_ports(lower, is_ipv6))
        };
        let chosen = match allowed.as_slice() {
            [] => return Err(RTSPStatusCode::UnsupportedTransport),
            // If it cannot be had, gst-rtsp-server finds out why.
            [only] => only,
            [first, ..] => allowed.iter().find(has_ports).unwrap_or(first),
        };
        if let Some(lacking) = allowed[0].way.filter(|_| *chosen != allowed[0]) {
            self.log_another_way(lacking, &mounted.path);
        }
        rtsp::replace_header(request, RTSPHeaderField::Transport, &chosen.to_string());
        Ok(())
    }

    /// Whether a stream that begins to run now gets ports for `way`.
    fn has_free_ports(&self, way: RTSPLowerTrans, is_ipv6: bool) -> bool {
        let is_multicast = way == RTSPLowerTrans::UDP_MCAST;
        let pool = self
            .pool
            .as_ref()
            .filter(|pool| is_multicast || pool.has_unicast_addresses());
        let needs_ports = way.intersects(RTSPLowerTrans::UDP | RTSPLowerTrans::UDP_MCAST);
        // Where there is no range, any port of the machine serves.
        let Some(pool) = pool.filter(|_| needs_ports) else {
            return true;
        };
        // gst-rtsp-server always takes a pair for IPv4 first: where it serves IPv6, it has sockets of both.
        let needed = if is_ipv6 { 2 } else { 1 };
        free_pairs(pool, is_multicast, is_ipv6).take(needed).count() == needed
    }

    /// Logs that a viewer did not get the way that it would have preferred.
    fn log_another_way(&self, lacking: Transport, path: &str) {
        let what = format!("another way than {lacking} {path}");
        if let Some(held_back) = self.messages.may_tell(&what, Instant::now()) {
            tracing::warn!(target: "requests",
                path,
                held_back,
                "gave a viewer another way than {}",
                self.shortage(lacking)
            );
        }
    }

    /// Why a SETUP of what is `mounted` has been refused over its transport.
    pub(in crate::server) fn refusal(
        &self,
        client: &RTSPClient,
        context: &RTSPContext,
        mounted: &Mounted,
    ) -> Refusal {
        let allowed = mounted.stream.transports();
        let offers = offers(context);
        if !offers.is_empty() && !offers.iter().any(Offer::is_whole) {
            return Refusal::NoDestination;
        }
        let asked = if rtsp::is_tunnelled(client) && !allowed.contains(&Transport::Http) {
            vec![Transport::Http]
        } else {
            offers.iter().filter_map(|offer| offer.way).collect()
        };
        match asked.iter().find(|way| allowed.contains(way)) {
            Some(way) => Refusal::Unavailable {
                transport: *way,
                cause: self.shortage(*way),
            },
            None => Refusal::Disallowed {
                asked,
                allowed: allowed.iter().copied().collect(),
            },
        }
    }

    /// Whether the log may tell of that refusal, and if so how many like it were left out. Streams and reasons are counted
    /// apart: a stream that is short of ports does not silence the others.
    pub(in crate::server) fn may_tell(&self, why: &Refusal, mounted: &Mounted) -> Option<u64> {
        let lacking = match why {
            Refusal::Unavailable { transport, .. } => Some(transport),
            _ => None,
        };
        let what = format!("{lacking:?} {}", mounted.path);
        self.messages.may_tell(&what, Instant::now())
    }

    /// Why what is allowed could not be had.
    fn shortage(&self, way: Transport) -> String {
        match (way, self.rtp_ports, &self.multicast) {
            (Transport::Udp, Some(ports), _) => format!(
                "over UDP: of rtpPortRange {ports} no port and the next one are free. Each stream that \
                 is watched over UDP takes two, and two more for its sound: widen the range"
            ),
            (Transport::Multicast, _, Some(Multicast { groups, ports, .. })) => format!(
                "by multicast: of multicastAddressRange {groups} and multicastPortRange {ports} no port \
                 and the next one are free (or the viewer came by IPv6). Each stream that is watched so takes two, and two \
                 more for its sound: widen the ranges"
            ),
            _ => format!("over {way}: it could not be set up"),
        }
    }
}

/// The addresses and ports to send from, for both IP families, and those to send to by multicast.
fn pool(rtp_ports: Option<PortRange>, multicast: Option<&Multicast>) -> Option<RTSPAddressPool> {
    if rtp_ports.is_none() && multicast.is_none() {
        return None;
    }
    let pool = RTSPAddressPool::new();
    let add = |first: &str, last: &str, ports: PortRange, ttl| {
        if let Err(error) = pool.add_range(first, last, ports.first, ports.last, ttl) {
            tracing::error!(target: "requests", "cannot use the UDP ports {ports} of {first} to {last}: {error}");
        }
    };
    if let Some(ports) = rtp_ports {
        add("0.0.0.0", "0.0.0.0", ports, 0);
        add("::", "::", ports, 0);
    }
    if let Some(Multicast { groups, ports, ttl }) = multicast {
        add(&groups.first.to_string(), &groups.last.to_string(), *ports, *ttl);
    }
    Some(pool)
}

/// The first ports of those pairs of a pool that nobody has, neither of its own nor of other programs.
fn free_pairs(pool: &RTSPAddressPool, is_multicast: bool, is_ipv6: bool) -> impl Iterator<Item = u16> {
    let kind = if is_multicast {
        RTSPAddressFlags::MULTICAST
    } else {
        RTSPAddressFlags::UNICAST
    };
    let (family, any): (_, IpAddr) = if is_ipv6 {
        (RTSPAddressFlags::IPV6, Ipv6Addr::UNSPECIFIED.into())
    } else {
        (RTSPAddressFlags::IPV4, Ipv4Addr::UNSPECIFIED.into())
    };
    let flags = RTSPAddressFlags::EVEN_PORT | kind | family;
    let is_free = move |first: &u16| {
        let mut pair = [Some(*first), first.checked_add(1)].into_iter();
        pair.all(|port| port.is_some_and(|port| UdpSocket::bind((any, port)).is_ok()))
    };
    // The pool would give again what is given back: so all that it gives is kept to the end.
    let mut taken = Vec::new();
    let firsts = iter::from_fn(move || {
        let address = pool.acquire_address(flags, 2).ok()?;
        let first = rtsp::first_port(&address);
        taken.push(address);
        Some(first)
    });
    firsts.filter(is_free)
}

/// The lower transports that gst-rtsp-server has to support for these.
fn protocols(allowed: &BTreeSet<Transport>) -> RTSPLowerTrans {
    allowed.iter().map(|way| lower(*way)).collect()
}

/// What `way` is within a tunnel through HTTP, or outside of one; `None` where it cannot be had.
fn by_tunnel(way: Transport, is_tunnelled: bool) -> Option<Transport> {
    match way {
        Transport::Tcp if is_tunnelled => Some(Transport::Http),
        _ if is_tunnelled => None,
        _ => Some(way),
    }
}

fn lower(way: Transport) -> RTSPLowerTrans {
    match way {
        Transport::Udp => RTSPLowerTrans::UDP,
        Transport::Multicast => RTSPLowerTrans::UDP_MCAST,
        Transport::Tcp | Transport::Http => RTSPLowerTrans::TCP,
    }
}

/// What a SETUP offers, in its order.
fn offers(context: &RTSPContext) -> Vec<Offer> {
    let headers = context
        .request()
        .map(|request| rtsp::headers(request, RTSPHeaderField::Transport));
    let headers = headers.unwrap_or_default();
    headers.iter().flat_map(|header| offers::read(header)).collect()
}

/// The interface by which a stream that listens at one address sends: otherwise routes decide.
fn interface(config: &StreamConfig) -> Option<String> {
    let address = config.mounts.first()?.address;
    let has_it = |interface: &if_addrs::Interface| {
        let ip = interface.ip();
        // Any address of 127.0.0.0/8 is loopback's, though it lists only one.
        ip == address
            || (interface.is_loopback() && address.is_loopback() && ip.is_ipv4() == address.is_ipv4())
    };
    let interfaces = if_addrs::get_if_addrs()
        .ok()
        .filter(|_| !address.is_unspecified())?;
    interfaces
        .into_iter()
        .find(has_it)
        .map(|interface| interface.name)
}

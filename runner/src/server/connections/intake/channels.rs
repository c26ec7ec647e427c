//! Which channels of a connection carry RTCP, and which RTP packets may already go out by the others.

use std::{
    collections::HashMap,
    ffi::{CStr, CString},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use crate::stream::{
    beginnings::{Begin, Beginnings},
    sent::{Sent, Tally},
};
use parking_lot::Mutex;

/// The channels of one connection, or of a tunnel's two.
#[derive(Debug, Default)]
pub(in crate::server) struct Channels {
    state: Mutex<State>,
    /// Something that is played by one of them has not begun yet.
    awaits: AtomicBool,
    /// Which tallies there are: of no two channels the same, and another one whenever they change.
    version: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    pairs: Vec<Pair>,
    beginnings: Beginnings,
}

/// The channels by which one medium is played.
#[derive(Debug, Clone)]
struct Pair {
    /// The number of the transport that has the channels.
    transport: usize,
    rtp: u8,
    rtcp: u8,
    /// Counts what goes out by the former.
    tally: Arc<Tally>,
}

/// The tallies of a connection's channels, for who counts each packet.
#[derive(Debug, Default)]
pub(super) struct Counted {
    version: u64,
    by_channel: Vec<(u8, Arc<Tally>)>,
}

impl Counted {
    /// Counts a packet of that length that goes out by `channel` of `channels`. A lock is taken only when these have changed.
    pub(super) fn add(&mut self, channels: &Channels, channel: u8, length: usize) {
        let version = channels.version.load(Ordering::Acquire);
        if version != self.version {
            self.version = version;
            self.by_channel = channels.tallies();
        }
        let mut tallies = self.by_channel.iter();
        if let Some((_, tally)) = tallies.find(|(of, _)| *of == channel) {
            tally.add(Sent {
                packets: 1,
                bytes: length as u64,
            });
        }
    }
}

impl Channels {
    /// RTP goes by one channel and RTCP by another from now on, for the transport of that number.
    pub(in crate::server) fn set_up(&self, transport: usize, [rtp, control]: [u8; 2]) {
        let mut state = self.state.lock();
        state.pairs.retain(|pair| {
            pair.transport != transport
                && ![rtp, control].contains(&pair.rtcp)
                && ![rtp, control].contains(&pair.rtp)
        });
        if rtp != control {
            state.pairs.push(Pair {
                transport,
                rtp,
                rtcp: control,
                tally: Arc::default(),
            });
        }
        self.renew_version();
    }

    /// What goes out by `transport` is counted by `tally` from now on.
    pub(in crate::server) fn count(&self, transport: usize, tally: &Arc<Tally>) {
        let mut state = self.state.lock();
        for pair in state.pairs.iter_mut().filter(|pair| pair.transport == transport) {
            pair.tally = Arc::clone(tally);
        }
        self.renew_version();
    }

    /// To be called under the lock, with each change of what is counted.
    fn renew_version(&self) {
        static VERSIONS: AtomicU64 = AtomicU64::new(1);
        let version = VERSIONS.fetch_add(1, Ordering::Relaxed);
        self.version.store(version, Ordering::Release);
    }

    fn tallies(&self) -> Vec<(u8, Arc<Tally>)> {
        let state = self.state.lock();
        let pairs = state.pairs.iter();
        pairs.map(|pair| (pair.rtp, Arc::clone(&pair.tally))).collect()
    }

    /// Whether anything is played by `transport`.
    pub(in crate::server) fn carry(&self, transport: usize) -> bool {
        self.state
            .lock()
            .pairs
            .iter()
            .any(|pair| pair.transport == transport)
    }

    /// Nothing goes out by `transport` before it begins as `begin` says.
    pub(in crate::server) fn hold_back(&self, transport: usize, begin: Begin) {
        self.state.lock().beginnings.hold(transport, begin);
        self.awaits.store(true, Ordering::Release);
    }

    /// Whether anything is to be held back.
    pub(in crate::server) fn awaits(&self) -> bool {
        self.awaits.load(Ordering::Acquire)
    }

    /// Whether a packet that begins so may go out by `channel`.
    pub(super) fn lets_out(&self, channel: u8, begin: &[u8]) -> bool {
        if !self.awaits() {
            return true;
        }
        let mut state = self.state.lock();
        let State { pairs, beginnings } = &mut *state;
        let Some(pair) = pairs.iter().find(|pair| pair.rtp == channel) else {
            return true;
        };
        let lets_out = beginnings.lets_pass(pair.transport, begin);
        self.awaits.store(beginnings.is_awaited(), Ordering::Release);
        lets_out
    }

    /// Whether RTCP is awaited by `channel`.
    pub(super) fn carries_rtcp(&self, channel: u8) -> bool {
        self.state.lock().pairs.iter().any(|pair| pair.rtcp == channel)
    }
}

/// The channels of tunnels, by their cookies.
#[derive(Debug, Default)]
pub(in crate::server) struct TunnelChannels(Mutex<HashMap<CString, Weak<Channels>>>);

impl TunnelChannels {
    /// The channels of the tunnel of that cookie: the same ones as long as a connection of the tunnel has them.
    pub(in crate::server) fn of(&self, cookie: &CStr) -> Arc<Channels> {
        let mut tunnels = self.0.lock();
        if let Some(channels) = tunnels.get(cookie).and_then(Weak::upgrade) {
            return channels;
        }
        tunnels.retain(|_, channels| channels.strong_count() > 0);
        let channels = Arc::<Channels>::default();
        tunnels.insert(cookie.to_owned(), Arc::downgrade(&channels));
        channels
    }
}

/// The channels that a connection has now: where it turns out to be a tunnel's, it gets the tunnel's.
#[derive(Debug, Clone, Default)]
pub(in crate::server) struct CurrentChannels(Arc<Mutex<Arc<Channels>>>);

impl CurrentChannels {
    /// The channels that the connection has now.
    pub(in crate::server) fn current(&self) -> Arc<Channels> {
        Arc::clone(&self.0.lock())
    }

    /// The connection has these channels from now on.
    pub(super) fn join(&self, channels: Arc<Channels>) {
        *self.0.lock() = channels;
    }
}

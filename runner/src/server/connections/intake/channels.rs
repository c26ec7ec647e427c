//! Which channels of a connection carry RTCP, and which RTP packets may already go out by the others.

use std::{
    collections::HashMap,
    ffi::{CStr, CString},
    sync::{
        Arc, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::stream::beginnings::{Begin, Beginnings};
use parking_lot::Mutex;

/// The channels of one connection, or of a tunnel's two.
#[derive(Debug, Default)]
pub(in crate::server) struct Channels {
    state: Mutex<State>,
    /// Something that is played by one of them has not begun yet.
    awaits: AtomicBool,
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
            });
        }
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

//! Which channels of a connection carry RTCP.

use std::{
    collections::HashMap,
    ffi::{CStr, CString},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// The channels of one connection, or of a tunnel's two.
#[derive(Debug, Default)]
pub(in super::super) struct Channels(Mutex<Vec<Pair>>);

/// The channels by which one medium is played.
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// Whose they are, by the address of what gst-rtsp-server keeps of it.
    transport: usize,
    rtp: u8,
    rtcp: u8,
}

impl Channels {
    /// RTP goes by one channel and RTCP by another from now on, for `transport`.
    pub(in super::super) fn set_up(&self, transport: usize, rtp: u8, rtcp: u8) {
        let mut pairs = self.lock();
        pairs.retain(|pair| {
            pair.transport != transport && ![rtp, rtcp].contains(&pair.rtcp) && pair.rtp != rtcp
        });
        if rtp != rtcp {
            pairs.push(Pair { transport, rtp, rtcp });
        }
    }

    /// Whether RTCP is awaited by `channel`.
    pub(super) fn carries_rtcp(&self, channel: u8) -> bool {
        self.lock().iter().any(|pair| pair.rtcp == channel)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pair>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The channels of tunnels, by their cookies.
#[derive(Debug, Default)]
pub(in super::super) struct Book(Mutex<HashMap<CString, Weak<Channels>>>);

impl Book {
    /// Those of the tunnel of that cookie, as long as a connection of it has them.
    pub(in super::super) fn of(&self, cookie: &CStr) -> Arc<Channels> {
        let mut book = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(channels) = book.get(cookie).and_then(Weak::upgrade) {
            return channels;
        }
        book.retain(|_, channels| channels.strong_count() > 0);
        let channels = Arc::<Channels>::default();
        book.insert(cookie.to_owned(), Arc::downgrade(&channels));
        channels
    }
}

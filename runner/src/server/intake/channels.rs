//! Which channels of a connection carry RTCP, and which RTP may go out by the others yet.

use std::{
    collections::HashMap,
    ffi::{CStr, CString},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::stream::keys::KeyPictures;

/// The channels of one connection, or of a tunnel's two.
#[derive(Debug, Default)]
pub(in super::super) struct Channels {
    pairs: Mutex<Vec<Pair>>,
    /// Some viewer's key picture has not come yet.
    awaits: AtomicBool,
}

/// The channels by which one medium is played.
#[derive(Debug, Clone)]
struct Pair {
    /// Whose they are, by the address of what gst-rtsp-server keeps of it.
    transport: usize,
    rtp: u8,
    rtcp: u8,
    begin: Begin,
}

/// Where what goes out begins.
#[derive(Debug, Clone)]
enum Begin {
    /// It has.
    Past,
    /// With a key picture.
    KeyPicture(Arc<KeyPictures>),
    /// With the picture of this transport.
    Picture(usize),
}

impl Channels {
    /// RTP goes by one channel and RTCP by another from now on, for `transport`.
    pub(in super::super) fn set_up(&self, transport: usize, [rtp, control]: [u8; 2]) {
        let mut pairs = self.lock();
        pairs.retain(|pair| {
            pair.transport != transport
                && ![rtp, control].contains(&pair.rtcp)
                && ![rtp, control].contains(&pair.rtp)
        });
        if rtp != control {
            pairs.push(Pair {
                transport,
                rtp,
                rtcp: control,
                begin: Begin::Past,
            });
        }
    }

    /// Nothing of these transports' media goes out before the next of `keys`, the picture's key pictures; sound alone does.
    pub(in super::super) fn await_key_picture(
        &self,
        picture: Option<usize>,
        sounds: &[usize],
        keys: &Arc<KeyPictures>,
    ) {
        let Some(picture) = picture else { return };
        let mut pairs = self.lock();
        // It may come by another way.
        if !pairs.iter().any(|pair| pair.transport == picture) {
            return;
        }
        for pair in &mut *pairs {
            if pair.transport == picture {
                pair.begin = Begin::KeyPicture(Arc::clone(keys));
            } else if sounds.contains(&pair.transport) {
                pair.begin = Begin::Picture(picture);
            }
        }
        self.awaits.store(true, Ordering::Release);
    }

    /// Whether anything is to be held back.
    pub(in super::super) fn awaits(&self) -> bool {
        self.awaits.load(Ordering::Acquire)
    }

    /// Whether a packet that begins so may go out by `channel`.
    pub(super) fn lets_out(&self, channel: u8, begin: &[u8]) -> bool {
        if !self.awaits() {
            return true;
        }
        let mut pairs = self.lock();
        let Some(pair) = pairs.iter().find(|pair| pair.rtp == channel) else {
            return true;
        };
        match &pair.begin {
            Begin::Past => return true,
            Begin::Picture(_) => return false,
            Begin::KeyPicture(keys) if !keys.begin_with(begin) => return false,
            Begin::KeyPicture(_) => {}
        }
        let picture = pair.transport;
        for pair in &mut *pairs {
            if pair.transport == picture || matches!(pair.begin, Begin::Picture(of) if of == picture) {
                pair.begin = Begin::Past;
            }
        }
        let is_past = |pair: &Pair| matches!(pair.begin, Begin::Past);
        self.awaits.store(!pairs.iter().all(is_past), Ordering::Release);
        true
    }

    /// Whether RTCP is awaited by `channel`.
    pub(super) fn carries_rtcp(&self, channel: u8) -> bool {
        self.lock().iter().any(|pair| pair.rtcp == channel)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Pair>> {
        self.pairs.lock().unwrap_or_else(PoisonError::into_inner)
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

/// The channels of a connection, which become others where it becomes a tunnel's.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Line(Arc<Mutex<Arc<Channels>>>);

impl Line {
    /// Those that it has now.
    pub(in super::super) fn channels(&self) -> Arc<Channels> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// It has these from now on.
    pub(super) fn join(&self, channels: Arc<Channels>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = channels;
    }
}

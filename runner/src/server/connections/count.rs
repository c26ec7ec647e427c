//! How many connections there are, and how many there have been.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Counts connections.
#[derive(Debug, Default)]
pub(in crate::server) struct Count {
    accepted: AtomicU64,
    open: AtomicU64,
}

/// A connection that counts as open until this is dropped.
#[derive(Debug)]
pub(in crate::server) struct Open(Arc<Count>);

impl Count {
    /// Counts a connection that has been accepted.
    pub(super) fn accept(self: &Arc<Self>) -> Arc<Open> {
        self.accepted.fetch_add(1, Ordering::Relaxed);
        self.open.fetch_add(1, Ordering::Relaxed);
        Arc::new(Open(Arc::clone(self)))
    }

    /// How many have been accepted.
    pub(in crate::server) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// How many are open.
    pub(in crate::server) fn open(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

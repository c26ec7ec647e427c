//! Where the streams are that an event is about.

use std::{collections::HashSet, sync::Arc};

use crate::{config::Mount, stream_id::StreamId};

/// Mounts, and the ids of the streams that are to be found there. Whoever may see a mount may know of its stream: an event has
/// its places with it, for a stream may be gone, or elsewhere, by the time that somebody comes to the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places(Arc<[(Mount, StreamId)]>);

impl FromIterator<(Mount, StreamId)> for Places {
    /// Keeps them in order, each once.
    fn from_iter<I: IntoIterator<Item = (Mount, StreamId)>>(places: I) -> Self {
        let mut places: Vec<_> = places.into_iter().collect();
        places.sort_unstable();
        places.dedup();
        Self(places.into())
    }
}

impl Places {
    /// The id of the stream at `mount`.
    pub(crate) fn id_at(&self, mount: &Mount) -> Option<&StreamId> {
        let index = self.0.binary_search_by(|(at, _)| at.cmp(mount)).ok()?;
        self.0.get(index).map(|(_, id)| id)
    }

    /// The ids, each once, in order.
    pub(crate) fn ids(&self) -> Vec<StreamId> {
        let mut ids: Vec<_> = self.0.iter().map(|(_, id)| id.clone()).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// How many bytes they have.
    pub(super) fn size(&self) -> usize {
        let size = |(mount, id): &(Mount, StreamId)| mount.path.len() + id.as_str().len();
        size_of_val(&*self.0) + self.0.iter().map(size).sum::<usize>()
    }

    /// The ids of the streams that somebody knows who may see the mounts of which `sees` says so.
    pub(super) fn seen(&self, sees: impl Fn(&Mount) -> bool) -> HashSet<&StreamId> {
        let places = self.0.iter().filter(|(mount, _)| sees(mount));
        places.map(|(_, id)| id).collect()
    }
}

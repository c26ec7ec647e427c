//! What another configuration makes of the streams, by their ids.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Roster, Served, Stream, StreamId};
use crate::events::{Differences, Places};

impl Roster {
    /// What differs here from the roster `before`, where the cameras in `changed` go on in another way; and where the streams are
    /// of which that is so.
    pub(in crate::server) fn differences<'a>(
        &self,
        before: &Self,
        changed: impl Iterator<Item = &'a Arc<Stream>>,
    ) -> (Differences, Places) {
        let changed: HashSet<_> = changed.map(Arc::as_ptr).collect();
        let (former, present) = (before.by_id(), self.by_id());
        let (mut differences, mut places) = (Differences::default(), Vec::new());
        for now in &self.streams {
            let then = former.get(&now.id);
            let list = match then {
                None => &mut differences.added,
                Some(then) if !Arc::ptr_eq(&then.stream, &now.stream) => &mut differences.replaced,
                Some(_) if changed.contains(&Arc::as_ptr(&now.stream)) => &mut differences.changed,
                Some(_) => continue,
            };
            list.push(now.id.clone());
            places.extend(
                then.into_iter()
                    .flat_map(|then| then.places())
                    .chain(now.places()),
            );
        }
        for then in before
            .streams
            .iter()
            .filter(|then| !present.contains_key(&then.id))
        {
            differences.removed.push(then.id.clone());
            places.extend(then.places());
        }
        (differences, places.into_iter().collect())
    }

    fn by_id(&self) -> HashMap<&StreamId, &Served> {
        self.streams.iter().map(|served| (&served.id, served)).collect()
    }
}

//! What a process makes once and many faces use: a hundred cameras of one style draw their digits once.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, LazyLock, Weak};

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

type Slots<K, V> = HashMap<K, Weak<OnceCell<Arc<V>>>>;

/// Values by key, each made once and kept for as long as somebody holds it.
pub(crate) struct Shared<K, V> {
    slots: LazyLock<Mutex<Slots<K, V>>>,
}

/// A shared value. The slot is held beside the value so that the next one who asks finds it.
pub(crate) struct Held<V> {
    value: Arc<V>,
    /// Held, not read.
    slot: Arc<OnceCell<Arc<V>>>,
}

impl<V> Clone for Held<V> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
            slot: Arc::clone(&self.slot),
        }
    }
}

impl<V> std::ops::Deref for Held<V> {
    type Target = V;

    fn deref(&self) -> &V {
        &self.value
    }
}

impl<V> Held<V> {
    /// Whether both are the one value.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.value, &other.value)
    }
}

impl<K: Eq + Hash, V> Shared<K, V> {
    pub(crate) const fn new() -> Self {
        Self {
            slots: LazyLock::new(Mutex::default),
        }
    }

    /// The value of `key`, made by `make` if nobody holds it. Those who ask for it meanwhile wait for it;
    /// those who ask for others do not.
    pub(crate) fn get_or_try_make<Q, E>(
        &self,
        key: &Q,
        make: impl FnOnce() -> Result<V, E>,
    ) -> Result<Held<V>, E>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let slot = self.slot(key);
        let value = Arc::clone(slot.get_or_try_init(|| make().map(Arc::new))?);
        Ok(Held { value, slot })
    }

    fn slot<Q>(&self, key: &Q) -> Arc<OnceCell<Arc<V>>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        let mut slots = self.slots.lock();
        if let Some(slot) = slots.get(key).and_then(Weak::upgrade) {
            return slot;
        }
        slots.retain(|_, slot| slot.strong_count() > 0);
        let slot = Arc::new(OnceCell::new());
        slots.insert(key.to_owned(), Arc::downgrade(&slot));
        slot
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    #[test]
    fn a_value_is_made_once_while_held_and_forgotten_after() {
        static SHARED: Shared<String, u32> = Shared::new();
        let make = |value| move || Ok::<_, Infallible>(value);
        let first = SHARED.get_or_try_make("key", make(1)).unwrap();
        let second = SHARED.get_or_try_make("key", make(2)).unwrap();
        assert!(first.is(&second), "{} and {}", *first, *second);
        drop((first, second));
        assert_eq!(*SHARED.get_or_try_make("key", make(3)).unwrap(), 3);
    }

    #[test]
    fn a_failure_is_not_remembered() {
        static SHARED: Shared<String, u32> = Shared::new();
        assert_eq!(
            SHARED.get_or_try_make("key", || Err::<u32, _>("no font")).err(),
            Some("no font")
        );
        assert_eq!(*SHARED.get_or_try_make("key", || Ok::<_, &str>(1)).unwrap(), 1);
    }
}

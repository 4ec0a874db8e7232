//! Profiles in use, shared by all sessions of the process.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError, Weak},
};

use super::{PdbId, Profile, cache::Stamp};
use crate::error::Result;

/// A module's symbols from one file in one state: the same module may have been
/// given other symbols elsewhere.
type Key = (PdbId, Stamp);

/// A profile, once it is there; locked while it is being made.
type Slot = Arc<Mutex<Weak<Profile>>>;

static SLOTS: LazyLock<Mutex<HashMap<Key, Slot>>> = LazyLock::new(Mutex::default);

/// The profile in use under this key, or else what `make` answers. Threads that
/// ask at the same time wait for the one that makes it.
///
/// # Errors
/// Those of `make`.
pub(super) fn share(
    key: Key,
    make: impl FnOnce() -> Result<Option<Profile>>,
) -> Result<Option<Arc<Profile>>> {
    let slot = slot(key);
    let mut place = lock(&slot);
    if let Some(profile) = place.upgrade() {
        return Ok(Some(profile));
    }
    let made = make()?.map(Arc::new);
    if let Some(profile) = &made {
        *place = Arc::downgrade(profile);
    }
    Ok(made)
}

/// The slot of a key; slots that nobody uses are given up on the way.
fn slot(key: Key) -> Slot {
    let mut slots = lock(&SLOTS);
    slots.retain(|_, slot| {
        let idle = Arc::strong_count(slot) == 1;
        !idle || lock(slot).strong_count() > 0
    });
    Arc::clone(slots.entry(key).or_default())
}

/// Locks, also after a panic in another thread: a slot is replaced as a whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

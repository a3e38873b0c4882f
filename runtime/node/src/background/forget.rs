//! Removing what a Pod leaves when its object goes.

use std::fs;

use wasmpod::lifecycle::Identity;
use wasmpod::logs::LogPath;
use wasmpod::pod::Folders;
use wasmpod_objects::Key;
use wasmpod_objects::resource::PODS;
use wasmpod_objects::store::{Preconditions, Store, StoreError};

use super::launch;
use super::lock::ProcessLock;
use super::pods::{BackgroundError, BackgroundPods};

impl BackgroundPods {
    /// Forgets a Pod that has ended, unless it has a process again; answers whether it is gone.
    ///
    /// # Errors
    /// [`BackgroundError`]
    pub(crate) fn forget_ended(&self, identity: &Identity) -> Result<bool, BackgroundError> {
        let lock = ProcessLock::try_take(&self.folders, &identity.uid);
        let lock = lock.map_err(|source| BackgroundError::lock(identity, source))?;
        // With the lock held nobody starts it.
        let Some(_lock) = lock else { return Ok(false) };
        forget(&self.folders, &self.store, identity)?;
        Ok(true)
    }
}

/// Removes the object of a Pod, what was written down to start it, its logs and, last, its lock. The
/// caller holds that: nobody starts the Pod meanwhile.
///
/// # Errors
/// [`StoreError`]; files that cannot be removed are left to the sweep of logs.
pub(super) fn forget(
    folders: &Folders,
    store: &Store,
    identity: &Identity,
) -> Result<(), StoreError> {
    let Identity { name, namespace, uid } = identity;
    let only_this = Preconditions { uid: Some(uid.clone()), ..Preconditions::default() };
    let is_gone = |result: Result<_, StoreError>| match result {
        Err(error) if !error.is_not_found() && !error.is_conflict() => Err(error),
        Ok(_) | Err(_) => Ok(()),
    };
    is_gone(store.remove(&Key::new(PODS, namespace, name), &only_this))?;
    is_gone(store.remove(&launch::key(namespace, uid), &Preconditions::default()))?;
    let logs = LogPath::of_pod(&folders.logs(), namespace, name, uid);
    // What is not there need not be removed, and what cannot be is found by the next sweep.
    let _ = fs::remove_dir_all(logs.folder());
    let _ = fs::remove_file(folders.processes().join(format!("{uid}.log")));
    let _ = fs::remove_file(folders.process_lock(uid));
    Ok(())
}

//! What a command leaves that is killed while it makes or forgets a Pod: a lock without a Pod.
//!
//! The lock is there from before the Pod's object is made until after all else of the Pod is gone, so it
//! is what tells of the rest.

use std::collections::HashSet;
use std::fs;
use std::io;

use wasmpod::pod::Folders;
use wasmpod_objects::selector::Selection;
use wasmpod_objects::store::{Namespaces, Preconditions, Store, StoreError};
use wasmpod_objects::{Key, Resource};

use super::launch::LAUNCHES;
use super::lock::ProcessLock;
use super::services;

/// The uids of Pods that have a lock and none of `known`, which is all that have an object.
///
/// # Errors
/// The folder of locks cannot be read.
pub(super) fn candidates(folders: &Folders, known: &HashSet<&str>) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folders.processes()) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let uid = name.to_str().and_then(|name| name.strip_suffix(".lock"));
        if let Some(uid) = uid.filter(|uid| !known.contains(uid) && *uid != services::NAME) {
            found.push(uid.to_owned());
        }
    }
    Ok(found)
}

/// Removes what is left of the Pod `uid`, for which there was no object; one that is being made keeps its
/// lock held.
///
/// # Errors
/// [`StoreError`]; files that cannot be removed are tried again by the next command.
pub(super) fn remove(folders: &Folders, store: &Store, uid: &str) -> Result<(), StoreError> {
    // Somebody has it, or it cannot be had: there is nothing to be done about it now.
    let Ok(Some(_lock)) = ProcessLock::try_take(folders, uid) else { return Ok(()) };
    // Looked at again with the lock held: it may have been made meanwhile.
    if find(store, wasmpod_objects::resource::PODS, |metadata| metadata.uid == uid)?.is_some() {
        return Ok(());
    }
    if let Some(launch) = find(store, LAUNCHES, |metadata| metadata.name == uid)? {
        store.remove(&launch, &Preconditions::default())?;
    }
    drop(fs::remove_file(folders.processes().join(format!("{uid}.log"))));
    drop(fs::remove_file(folders.process_lock(uid)));
    Ok(())
}

#[derive(serde::Deserialize)]
struct Named {
    metadata: Names,
}

#[derive(serde::Deserialize)]
struct Names {
    name: String,
    namespace: String,
    uid: String,
}

fn find(
    store: &Store,
    resource: Resource,
    is_it: impl Fn(&Names) -> bool,
) -> Result<Option<Key>, StoreError> {
    let all = store.list_as::<Named>(resource, Namespaces::All, &Selection::default())?.items;
    let found = all.into_iter().find(|object| is_it(&object.metadata));
    Ok(found.map(|object| Key::new(resource, &object.metadata.namespace, &object.metadata.name)))
}

//! The objects of a machine, in one SQLite file.
//!
//! ```text
//! counter   one row: the newest revision, how far the log was compacted
//! revision  the log: each state that an object had, in the order of their revisions
//! object    the newest revision of each object that exists
//! ```
//! A write is one transaction: it draws the next revision, appends the new state to the log and
//! points the object at it. A list reads the current states, a watch reads the log from where it
//! stood. States that nobody needs leave the log after an hour, or 10,000 revisions.
//!
//! Many processes write at once: a transaction takes the write lock before it reads, and the
//! others wait for it. The file is in WAL mode with `synchronous=NORMAL`: what was acknowledged is
//! in the log of the file system then, so the death of a process, at whatever moment, loses
//! nothing. A power cut may lose the last writes, but not the order of what is left.

mod allocate;
mod changes;
mod corrupt;
mod create;
mod delete;
mod error;
mod event;
mod folder;
mod handle;
mod housekeeping;
mod notify;
mod open;
mod patch;
mod read;
mod schema;
#[cfg(test)]
mod tests;
mod transaction;
mod update;
mod watcher;

pub use allocate::Allocator;
pub use changes::{Change, ChangeKind, Changes};
pub use create::Create;
pub use delete::{Delete, Deleted, Preconditions};
pub use error::StoreError;
pub use event::{Involved, NewEvent};
pub use handle::{Origin, Persist, Store};
pub use housekeeping::{EVENT_LIFETIME, KEPT_FOR, KEPT_REVISIONS};
pub use patch::PatchRequest;
pub use read::{List, Namespaces};
pub use update::{Part, Update};
pub use watcher::Watcher;

/// A revision of the store: a number that only grows, shared by all objects.
///
/// It is their `metadata.resourceVersion`. A new store begins at the time of its making, in
/// milliseconds: a client that has seen an older one does not take its revisions for newer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub i64);

impl std::fmt::Display for Revision {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::str::FromStr for Revision {
    type Err = crate::status::ApiError;

    /// # Errors
    /// It is no `resourceVersion` of this store.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
        number.flatten().map(Self).ok_or_else(|| {
            let quoted = wasmpod_manifest::field::quote(text);
            crate::status::ApiError::bad_request(format!(
                "resourceVersion: Invalid value: {quoted}: strconv.ParseUint: parsing {quoted}: \
                 invalid syntax"
            ))
        })
    }
}

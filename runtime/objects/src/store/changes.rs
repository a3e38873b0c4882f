//! Watching: what has changed since a revision.

use rusqlite::{OptionalExtension as _, Row, params};
use serde_json::Value;

use super::transaction::{Action, Transaction, json};
use super::{Namespaces, Revision, Store, StoreError};
use crate::selector::Selection;
use crate::status::ApiError;
use crate::{Resource, metadata};

/// So many revisions are looked at in one go: a reader holds the log in place while it reads.
const BATCH: i64 = 1_000;

/// What a watch tells of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new, or the selection means it from now on.
    Added,
    /// It is another than it was.
    Modified,
    /// It is gone, or the selection no longer means it.
    Deleted,
}

impl ChangeKind {
    /// `type` of a watch event.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Modified => "MODIFIED",
            Self::Deleted => "DELETED",
        }
    }
}

/// One change.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What it is.
    pub kind: ChangeKind,
    /// The new state of the object; its last one if it is deleted.
    pub object: Value,
}

/// A part of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// In the order in which they happened.
    pub changes: Vec<Change>,
    /// Where to go on reading. It may be ahead of the last change, and behind the newest revision.
    pub revision: Revision,
}

impl Store {
    /// What has happened after a revision to the objects that are meant.
    ///
    /// # Errors
    /// `Expired` if the log does not reach back that far, or not yet up to there (it is another
    /// log then): list, and begin anew. Other [`StoreError`]s.
    pub fn changes_since(
        &self,
        since: Revision,
        resource: Resource,
        namespaces: Namespaces<'_>,
        selection: &Selection,
    ) -> Result<Changes, StoreError> {
        self.read(|transaction| transaction.changes(since, resource, namespaces, selection))
    }
}

struct Entry {
    revision: Revision,
    action: Action,
    previous: Option<i64>,
    object: Value,
}

impl Transaction<'_> {
    fn changes(
        &self,
        since: Revision,
        resource: Resource,
        namespaces: Namespaces<'_>,
        selection: &Selection,
    ) -> Result<Changes, StoreError> {
        let (newest, compacted) = self.counter()?;
        if since < compacted {
            let message = format!("too old resource version: {since} ({compacted})");
            return Err(ApiError::expired(message).into());
        }
        if since > newest {
            let message = format!("Too large resource version: {since}, current: {newest}");
            return Err(ApiError::expired(message).into());
        }
        let until = Revision(newest.0.min(since.0.saturating_add(BATCH)));
        let namespace = match namespaces {
            Namespaces::All => None,
            Namespaces::One(namespace) => Some(namespace),
        };
        let sql = "SELECT revision, action, previous, value FROM revision \
                   WHERE revision > ?1 AND revision <= ?2 AND resource = ?3 \
                   AND (?4 IS NULL OR namespace = ?4) ORDER BY revision";
        let mut statement = self.connection().prepare_cached(sql)?;
        let mut rows =
            statement.query(params![since.0, until.0, resource.qualified(), namespace])?;
        let mut changes = Vec::new();
        while let Some(row) = rows.next()? {
            changes.extend(self.change(entry(row)?, selection)?);
        }
        Ok(Changes { changes, revision: until })
    }

    fn change(&self, entry: Entry, selection: &Selection) -> Result<Option<Change>, StoreError> {
        if selection.is_empty() {
            let kind = match (entry.action, entry.previous) {
                (Action::Removed, _) => ChangeKind::Deleted,
                (Action::Put, None) => ChangeKind::Added,
                (Action::Put, Some(_)) => ChangeKind::Modified,
            };
            return Ok(Some(Change { kind, object: entry.object }));
        }
        let is_meant = entry.action == Action::Put && selection.matches(&entry.object);
        let before = match entry.previous {
            Some(previous) => self.state(previous)?.filter(|before| selection.matches(before)),
            None => None,
        };
        Ok(match (before, is_meant) {
            (None, false) => None,
            (None, true) => Some(Change { kind: ChangeKind::Added, object: entry.object }),
            (Some(_), true) => Some(Change { kind: ChangeKind::Modified, object: entry.object }),
            (Some(mut object), false) => {
                // The last state that was meant, as the watch cache of the API server tells it.
                let revision = entry.revision.to_string();
                metadata::set(&mut object, "resourceVersion", Some(revision.into()));
                Some(Change { kind: ChangeKind::Deleted, object })
            }
        })
    }

    fn state(&self, revision: i64) -> Result<Option<Value>, StoreError> {
        let sql = "SELECT value FROM revision WHERE revision = ?1";
        let mut statement = self.connection().prepare_cached(sql)?;
        Ok(statement.query_row([revision], |row| json(row, 0)).optional()?)
    }
}

fn entry(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        revision: Revision(row.get(0)?),
        action: Action::of_number(row.get(1)?),
        previous: row.get(2)?,
        object: json(row, 3)?,
    })
}

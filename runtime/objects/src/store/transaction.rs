//! What all requests to the store are made of: rows of its tables, read and written.

use std::any::Any;
use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use rusqlite::types::Type;
use rusqlite::{OptionalExtension as _, Row, params};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Allocator, Revision, StoreError};
use crate::selector::Paths;
use crate::status::ApiError;
use crate::{Key, depth, metadata};

/// What became of an object with a revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Put,
    Removed,
}

impl Action {
    fn number(self) -> i64 {
        match self {
            Self::Put => 1,
            Self::Removed => 2,
        }
    }

    pub(super) fn of_number(number: i64) -> Self {
        if number == 2 { Self::Removed } else { Self::Put }
    }
}

/// A transaction on the file, and the time at which it happens.
pub(super) struct Transaction<'connection> {
    inner: rusqlite::Transaction<'connection>,
    pub(super) now: Timestamp,
    changed: Cell<bool>,
    pub(super) allocator: Option<&'connection dyn Allocator>,
    /// Dropped when what is written can be seen, or never will be.
    pub(super) until_seen: RefCell<Vec<Box<dyn Any>>>,
}

/// An object as it is now.
pub(super) struct Current {
    pub(super) revision: Revision,
    /// When it was written, in milliseconds since 1970.
    pub(super) at: i64,
    pub(super) object: Value,
}

impl<'connection> Transaction<'connection> {
    pub(super) fn new(
        inner: rusqlite::Transaction<'connection>,
        now: Timestamp,
        allocator: Option<&'connection dyn Allocator>,
    ) -> Self {
        let (changed, until_seen) = (Cell::new(false), RefCell::default());
        Self { inner, now, changed, allocator, until_seen }
    }

    pub(super) fn connection(&self) -> &rusqlite::Connection {
        &self.inner
    }

    pub(super) fn has_changed(&self) -> bool {
        self.changed.get()
    }

    pub(super) fn mark_changed(&self) {
        self.changed.set(true);
    }

    pub(super) fn commit(self) -> Result<(), StoreError> {
        Ok(self.inner.commit()?)
    }

    pub(super) fn verify(&self) -> Result<(), StoreError> {
        let found: String =
            self.inner.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
        if found == "ok" {
            return Ok(());
        }
        Err(rusqlite::Error::FromSqlConversionFailure(0, Type::Text, found.into()).into())
    }

    /// The newest revision, and up to which the log was compacted.
    pub(super) fn counter(&self) -> Result<(Revision, Revision), StoreError> {
        let sql = "SELECT revision, compacted FROM counter";
        let mut statement = self.inner.prepare_cached(sql)?;
        Ok(statement.query_row([], |row| Ok((Revision(row.get(0)?), Revision(row.get(1)?))))?)
    }

    /// The object as it is now.
    pub(super) fn current(&self, key: &Key) -> Result<Option<Current>, StoreError> {
        let sql = "SELECT revision.revision, revision.at, revision.value \
                   FROM object JOIN revision ON revision.revision = object.revision \
                   WHERE object.resource = ?1 AND object.namespace = ?2 AND object.name = ?3";
        let mut statement = self.inner.prepare_cached(sql)?;
        let found = statement
            .query_row(params![key.resource.qualified(), key.namespace, key.name], |row| {
                let (revision, at) = (Revision(row.get(0)?), row.get(1)?);
                Ok(Current { revision, at, object: json(row, 2)? })
            })
            .optional()?;
        Ok(found)
    }

    /// Makes `object` the newest state of what has this key, and returns it with its revision.
    pub(super) fn put(
        &self,
        key: &Key,
        mut object: Value,
        previous: Option<Revision>,
    ) -> Result<Value, StoreError> {
        let revision = self.append(key, &mut object, Action::Put, previous)?;
        let sql = "INSERT INTO object (resource, namespace, name, revision, correlation) \
                   VALUES (?1, ?2, ?3, ?4, ?5) \
                   ON CONFLICT DO UPDATE SET revision = ?4, correlation = ?5";
        let correlation = super::event::correlation(key, &object);
        self.inner.prepare_cached(sql)?.execute(params![
            key.resource.qualified(),
            key.namespace,
            key.name,
            revision.0,
            correlation,
        ])?;
        Ok(object)
    }

    /// Takes an object away, and returns its last state with the revision of its end.
    pub(super) fn remove(&self, key: &Key, current: Current) -> Result<Value, StoreError> {
        let mut object = current.object;
        self.append(key, &mut object, Action::Removed, Some(current.revision))?;
        let sql = "DELETE FROM object WHERE resource = ?1 AND namespace = ?2 AND name = ?3";
        self.inner.prepare_cached(sql)?.execute(params![
            key.resource.qualified(),
            key.namespace,
            key.name
        ])?;
        Ok(object)
    }

    fn append(
        &self,
        key: &Key,
        object: &mut Value,
        action: Action,
        previous: Option<Revision>,
    ) -> Result<Revision, StoreError> {
        if depth::exceeds(object, depth::MOST) {
            return Err(ApiError::bad_request(depth::TOO_DEEP).into());
        }
        let sql = "UPDATE counter SET revision = revision + 1 RETURNING revision";
        let revision: i64 = self.inner.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        metadata::set(object, "resourceVersion", Some(revision.to_string().into()));
        let sql = "INSERT INTO revision \
                   (revision, resource, namespace, name, action, previous, at, value) \
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        self.inner.prepare_cached(sql)?.execute(params![
            revision,
            key.resource.qualified(),
            key.namespace,
            key.name,
            action.number(),
            previous.map(|previous| previous.0),
            self.now.as_millisecond(),
            object.to_string(),
        ])?;
        self.changed.set(true);
        Ok(Revision(revision))
    }
}

/// A state of an object out of its column.
pub(super) fn json(row: &Row<'_>, column: usize) -> rusqlite::Result<Value> {
    let text = row.get_ref(column)?.as_str()?;
    serde_json::from_str(text).map_err(|error| broken(column, error))
}

/// The same with nothing but these fields.
pub(super) fn picked(row: &Row<'_>, column: usize, paths: &Paths) -> rusqlite::Result<Value> {
    let text = row.get_ref(column)?.as_str()?;
    paths.pick(text).map_err(|error| broken(column, error))
}

/// The same as a type of the caller's, which may be another than the object's.
pub(super) fn decoded<Object: DeserializeOwned>(
    row: &Row<'_>,
    column: usize,
) -> Result<Object, StoreError> {
    let text = row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?;
    serde_json::from_str(text).map_err(|error| match error.is_data() {
        true => StoreError::OtherType(error),
        false => broken(column, error).into(),
    })
}

/// What is no JSON was not written by us.
fn broken(column: usize, error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
}

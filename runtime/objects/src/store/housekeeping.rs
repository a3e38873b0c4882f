//! What leaves the store by itself: states that nobody watches any more, and old Events.
//!
//! It is part of a write, now and then: there is no process whose task it would be.

use std::time::Duration;

use rusqlite::params;

use super::transaction::{Current, Transaction};
use super::{Persist, Revision, Store, StoreError};
use crate::resource::EVENTS;
use crate::{Key, Resource};

/// How many revisions of the log are kept; a watch from before them has to begin anew.
pub const KEPT_REVISIONS: i64 = 10_000;
/// For how long a revision is kept in any case where there are fewer.
pub const KEPT_FOR: Duration = Duration::from_secs(3600);
/// For how long an Event is kept after it was last seen: `--event-ttl` of the API server.
pub const EVENT_LIFETIME: Duration = Duration::from_secs(3600);

/// Between two rounds.
const PERIOD: Duration = Duration::from_secs(60);
/// How many revisions more than are kept there may be between two rounds.
const SLACK: i64 = 1_000;
/// So many Events go in one round: those that write are not to wait for long.
const MOST_EVENTS: i64 = 1_000;

impl Store {
    /// Takes away what is too old, in case nobody writes for long.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn keep_house(&self) -> Result<(), StoreError> {
        self.write(Persist::Yes, |transaction| {
            transaction.mark_changed();
            if_due(transaction)
        })
    }
}

impl Transaction<'_> {
    /// The object as it is now; an Event that is too old goes on the way.
    pub(super) fn not_expired(&self, key: &Key) -> Result<Option<Current>, StoreError> {
        let Some(current) = self.current(key)? else { return Ok(None) };
        if current.at >= self.oldest(key.resource) {
            return Ok(Some(current));
        }
        self.remove(key, current)?;
        Ok(None)
    }

    /// Objects that were last written before are too old, in milliseconds since 1970.
    pub(super) fn oldest(&self, resource: Resource) -> i64 {
        if resource != EVENTS {
            return i64::MIN;
        }
        self.now.as_millisecond().saturating_sub(millis(EVENT_LIFETIME))
    }
}

/// Keeps house if it was not done lately.
pub(super) fn if_due(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let sql = "SELECT revision, compacted, housekept_at FROM counter";
    let mut statement = transaction.connection().prepare_cached(sql)?;
    let (revision, compacted, done): (i64, i64, i64) =
        statement.query_row([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let since = transaction.now.as_millisecond().saturating_sub(done);
    // A clock that was set back must not put it off until it is there again.
    let is_time = since.abs() >= millis(PERIOD);
    if is_time || revision - compacted > KEPT_REVISIONS + SLACK {
        expire_events(transaction)?;
        compact(transaction, Revision(compacted))?;
    }
    Ok(())
}

fn expire_events(transaction: &Transaction<'_>) -> Result<(), StoreError> {
    let before = transaction.oldest(EVENTS);
    let sql = "SELECT object.namespace, object.name FROM object JOIN revision \
               ON revision.revision = object.revision \
               WHERE object.resource = ?1 AND revision.at < ?2 LIMIT ?3";
    let mut statement = transaction.connection().prepare_cached(sql)?;
    let old = statement.query_map(params![EVENTS.qualified(), before, MOST_EVENTS], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    })?;
    let old: Vec<(String, String)> = old.collect::<Result<_, _>>()?;
    for (namespace, name) in old {
        let key = Key::new(EVENTS, &namespace, &name);
        if let Some(current) = transaction.current(&key)? {
            transaction.remove(&key, current)?;
        }
    }
    Ok(())
}

/// Shortens the log. A state stays as long as a watch that may still begin can come across the
/// change that ended it: whether that change adds, modifies or deletes depends on both.
fn compact(transaction: &Transaction<'_>, compacted: Revision) -> Result<(), StoreError> {
    let connection = transaction.connection();
    let (revision, _) = transaction.counter()?;
    let before = transaction.now.as_millisecond().saturating_sub(millis(KEPT_FOR));
    let first_young = connection.query_row(
        "SELECT coalesce(min(revision), ?1 + 1) FROM revision WHERE revision > ?2 AND at >= ?3",
        [revision.0, compacted.0, before],
        |row| row.get::<_, i64>(0),
    )?;
    let floor = (first_young - 1).max(revision.0 - KEPT_REVISIONS).max(compacted.0);
    connection.execute(
        "DELETE FROM revision WHERE revision IN (SELECT previous FROM revision \
         WHERE revision > ?1 AND revision <= ?2 AND previous IS NOT NULL)",
        [compacted.0, floor],
    )?;
    connection.execute(
        "DELETE FROM revision WHERE revision > ?1 AND revision <= ?2 AND action = 2",
        [compacted.0, floor],
    )?;
    connection.execute(
        "UPDATE counter SET compacted = ?1, housekept_at = ?2",
        [floor, transaction.now.as_millisecond()],
    )?;
    Ok(())
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

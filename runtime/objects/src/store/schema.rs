//! The tables, and how an older file becomes one of this version.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::StoreError;

/// One step for each version that there was: what `user_version` n + 1 has and n has not.
const STEPS: [&str; 1] = [VERSION_1];

// The revision's text comes last: a walk over the log does not touch the pages it flows into.
const VERSION_1: &str = "
CREATE TABLE counter (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    revision INTEGER NOT NULL,
    compacted INTEGER NOT NULL,
    housekept_at INTEGER NOT NULL
) STRICT;
CREATE TABLE revision (
    revision INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    action INTEGER NOT NULL,
    previous INTEGER,
    at INTEGER NOT NULL,
    value TEXT NOT NULL
) STRICT;
CREATE TABLE object (
    resource TEXT NOT NULL,
    namespace TEXT NOT NULL,
    name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    correlation TEXT,
    PRIMARY KEY (resource, namespace, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX object_correlation ON object (correlation) WHERE correlation IS NOT NULL;
";

/// The version that this program writes.
pub(super) const VERSION: i64 = STEPS.len() as i64;

pub(super) fn version_of(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

/// Brings the file to this version, in one transaction.
pub(super) fn migrate(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version = version_of(&transaction)?;
    let done = usize::try_from(version).unwrap_or_default();
    for (index, step) in STEPS.iter().enumerate().skip(done) {
        transaction.execute_batch(step)?;
        if index == 0 {
            begin(&transaction, now)?;
        }
    }
    if version < VERSION {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    transaction.commit()?;
    Ok(())
}

fn begin(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<()> {
    let first = now.as_millisecond().max(1);
    transaction.execute(
        "INSERT INTO counter (only, revision, compacted, housekept_at) VALUES (1, ?1, ?1, ?1)",
        [first],
    )?;
    Ok(())
}

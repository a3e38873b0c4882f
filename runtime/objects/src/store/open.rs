//! Opening the file, making it if there is none.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{Failure, failure};
use super::{StoreError, schema};

/// How long a process waits for its turn. Writes take milliseconds: whoever waits for longer waits
/// for a process that is stopped in the middle of one.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// The same for who only looks: the last one that leaves the file writes all of it, which takes a moment.
const GLANCE: Duration = Duration::from_millis(300);

/// Between two tries of what SQLite itself does not wait for.
const PAUSE: Duration = Duration::from_millis(5);

/// Opens the file of this name, which is not yet looked at.
pub(super) fn connect(path: &Path) -> Result<Connection, StoreError> {
    make(path)?;
    let connection = connection(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.busy_timeout(PATIENCE)?;
    Ok(connection)
}

/// Opens a file that is there for reading; nothing where it has another version.
pub(super) fn connect_to_look(path: &Path) -> Result<Option<Connection>, StoreError> {
    let connection = connection(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection.busy_timeout(GLANCE)?;
    let is_current = schema::version_of(&connection)? == schema::VERSION;
    Ok(is_current.then_some(connection))
}

fn connection(path: &Path, purpose: OpenFlags) -> Result<Connection, StoreError> {
    let connection = Connection::open_with_flags(path, purpose | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // A file that somebody has tampered with must not make SQLite run what it says.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

/// Brings the file into the form that all processes expect.
///
/// `turn` is a file that all of them lock here: SQLite does not wait where two switch to WAL.
pub(super) fn prepare(
    connection: &mut Connection,
    path: &Path,
    turn: &File,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut version = patiently(|| schema::version_of(connection))?;
    if version < schema::VERSION {
        take_turn(turn, path)?;
        let made = make_current(connection, now);
        let unlocked = turn.unlock();
        made?;
        unlocked.map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        version = patiently(|| schema::version_of(connection))?;
    }
    if version > schema::VERSION {
        let path = path.to_owned();
        return Err(StoreError::Newer { path, found: version, known: schema::VERSION });
    }
    // Of this connection, not of the file.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(())
}

fn take_turn(turn: &File, path: &Path) -> Result<(), StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        match turn.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) if waited < PATIENCE => {
                thread::sleep(PAUSE);
                waited += PAUSE;
            }
            Err(TryLockError::WouldBlock) => {
                let path = path.to_owned();
                return Err(StoreError::Busy { path, seconds: PATIENCE.as_secs() });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::Open { path: path.to_owned(), source });
            }
        }
    }
}

fn make_current(connection: &mut Connection, now: Timestamp) -> Result<(), StoreError> {
    patiently(|| {
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0))
    })?;
    schema::migrate(connection, now)
}

fn patiently<T>(mut attempt: impl FnMut() -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let mut waited = Duration::ZERO;
    loop {
        match attempt() {
            Err(error) if failure(&error) == Failure::Busy && waited < PATIENCE => {
                thread::sleep(PAUSE);
                waited += PAUSE;
            }
            result => return result,
        }
    }
}

/// An empty file is an empty database. SQLite would let others read it.
fn make(path: &Path) -> Result<(), StoreError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            io::ErrorKind::AlreadyExists => Ok(()),
            io::ErrorKind::ReadOnlyFilesystem => {
                Err(StoreError::ReadOnly { path: path.to_owned() })
            }
            io::ErrorKind::StorageFull => Err(StoreError::Full { path: path.to_owned() }),
            _ => Err(StoreError::Open { path: path.to_owned(), source: error }),
        },
    }
}

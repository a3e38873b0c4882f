//! The store as its users hold it, and how each of their requests is carried out.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rusqlite::{Connection, TransactionBehavior};

use super::error::{Failure, failure};
use super::transaction::Transaction;
use super::{Allocator, StoreError, corrupt, folder, housekeeping, notify, open};

/// The file within the folder of the store.
const FILE: &str = "objects.db";
/// The file that is touched after each change.
const NOTIFY_FILE: &str = "objects.notify";

/// Who writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A client of the API: defaults are filled in, and the rules for the kind are enforced.
    #[default]
    Client,
    /// This machine itself, which knows what it does.
    Node,
}

/// Whether a write is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Persist {
    /// It is.
    #[default]
    Yes,
    /// `dryRun=All`: everything is checked, and nothing is kept.
    DryRun,
}

/// The objects of a machine. Every process opens its own; clones share one connection, so a
/// thread that works for long opens another.
///
/// All methods block for as long as the file system, or another process that writes, makes them.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
    pub(super) allocator: Option<Arc<dyn Allocator>>,
}

struct Shared {
    connection: Mutex<Connection>,
    path: PathBuf,
    notify_path: PathBuf,
    notify: File,
    clock: Clock,
    purpose: Purpose,
}

/// What a store was opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Everything.
    Use,
    /// Reading: nothing is written, not even a copy of a damaged file.
    Look,
}

type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

impl Store {
    /// Opens the store in this folder, making both if need be.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open(folder: &Path) -> Result<Self, StoreError> {
        Self::open_with_clock(folder, Timestamp::now)
    }

    /// The same with a clock of one's own.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn open_with_clock(
        folder: &Path,
        clock: impl Fn() -> Timestamp + Send + Sync + 'static,
    ) -> Result<Self, StoreError> {
        folder::make_private(folder)?;
        let (path, notify_path) = (folder.join(FILE), folder.join(NOTIFY_FILE));
        let notify = notify::open(&notify_path)?;
        let opened = open::connect(&path).and_then(|mut connection| {
            open::prepare(&mut connection, &path, &notify, clock())?;
            Ok(connection)
        });
        let opened = opened.map_err(|error| explained(error, &path, clock(), Purpose::Use));
        let connection = opened?;
        let shared = Shared {
            connection: Mutex::new(connection),
            path,
            notify_path,
            notify,
            clock: Box::new(clock),
            purpose: Purpose::Use,
        };
        Ok(Self { shared: Arc::new(shared), allocator: None })
    }

    /// Opens the store in this folder for reading, if there is one of this program's version. Nothing is made
    /// or brought into another form, and whoever writes is waited for no longer than one notices; a write fails.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn look(folder: &Path) -> Result<Option<Self>, StoreError> {
        let (path, notify_path) = (folder.join(FILE), folder.join(NOTIFY_FILE));
        let Ok(notify) = File::open(&notify_path) else { return Ok(None) };
        if !path.exists() {
            return Ok(None);
        }
        let now = Timestamp::now();
        let opened = open::connect_to_look(&path);
        let opened = opened.map_err(|error| explained(error, &path, now, Purpose::Look))?;
        let Some(connection) = opened else { return Ok(None) };
        let shared = Shared {
            connection: Mutex::new(connection),
            path,
            notify_path,
            notify,
            clock: Box::new(Timestamp::now),
            purpose: Purpose::Look,
        };
        Ok(Some(Self { shared: Arc::new(shared), allocator: None }))
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.shared.path
    }

    pub(super) fn notify_path(&self) -> &Path {
        &self.shared.notify_path
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.shared.clock)()
    }

    /// Whether the file is whole: every page of it is read.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if it is not.
    pub fn verify(&self) -> Result<(), StoreError> {
        self.read(|transaction| transaction.verify())
    }

    /// Reads one state of the store.
    pub(super) fn read<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let now = self.now();
        let mut connection = self.connection();
        let result = connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(StoreError::from)
            .and_then(|transaction| work(&Transaction::new(transaction, now, None)));
        result.map_err(|error| self.explained(error, now))
    }

    /// Carries out one write. It holds the lock from before its first read, so that nothing it has
    /// read can change before it is done.
    pub(super) fn write<T>(
        &self,
        persist: Persist,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut connection = self.connection();
        let result = self.write_on(&mut connection, persist, work);
        drop(connection);
        result.map_err(|error| self.explained(error, self.now()))
    }

    fn write_on<T>(
        &self,
        connection: &mut Connection,
        persist: Persist,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        // After the wait for the lock, so that times grow with the revisions.
        let transaction = Transaction::new(transaction, self.now(), self.allocator.as_deref());
        let result = work(&transaction)?;
        if persist == Persist::Yes && transaction.has_changed() {
            housekeeping::if_due(&transaction)?;
            transaction.commit()?;
            notify::touch(&self.shared.notify);
        }
        Ok(result)
    }

    fn explained(&self, error: StoreError, now: Timestamp) -> StoreError {
        explained(error, &self.shared.path, now, self.shared.purpose)
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        // A panic has rolled its transaction back.
        self.shared.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Failures made to order.
#[cfg(test)]
impl Store {
    /// Lets the file have so many pages, as a full disk would.
    pub(super) fn limit_pages(&self, most: Option<u32>) {
        let most = most.unwrap_or(u32::MAX - 1);
        let connection = self.connection();
        connection.pragma_update_and_check(None, "max_page_count", most, |_| Ok(())).unwrap();
    }

    /// Can no longer write, as on a file system that is read-only.
    pub(super) fn make_read_only(&self) {
        self.connection().pragma_update(None, "query_only", true).unwrap();
    }

    /// Waits for nobody.
    pub(super) fn be_impatient(&self) {
        self.connection().busy_timeout(std::time::Duration::ZERO).unwrap();
    }
}

/// What SQLite reports, as what it means for whoever reads it.
fn explained(error: StoreError, path: &Path, now: Timestamp, purpose: Purpose) -> StoreError {
    let StoreError::Sqlite(error) = error else {
        return error;
    };
    let path = path.to_owned();
    match failure(&error) {
        Failure::Busy => StoreError::Busy { path, seconds: open::PATIENCE.as_secs() },
        Failure::ReadOnly => StoreError::ReadOnly { path },
        Failure::Full => StoreError::Full { path },
        Failure::Corrupt => {
            let copy = match purpose {
                Purpose::Use => corrupt::keep_copy(&path, now).ok(),
                Purpose::Look => None,
            };
            StoreError::Corrupt { path, copy, reason: error.to_string() }
        }
        Failure::Other => StoreError::Sqlite(error),
    }
}

//! Waiting for a folder of records to change.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::time::timeout;

use super::told::Told;

/// The kernel tells that a file is closed a moment before its lock is gone: after each change it is
/// looked once more.
const UNLOCKED: Duration = Duration::from_millis(50);

/// Should the kernel tell nothing, as on a file system that cannot, or with too many who watch.
const IN_ANY_CASE: Duration = Duration::from_secs(5);
const UNTOLD: Duration = Duration::from_millis(500);

/// The changes of a folder: records that come, are replaced or withdrawn, and processes that die,
/// which closes their files.
#[derive(Debug)]
pub struct Changes {
    /// None where the kernel does not tell.
    told: Option<Told>,
    /// Something was told, and the look that follows a little later is still to come.
    unsettled: bool,
}

impl Changes {
    /// The changes of `folder` from now on.
    pub fn of(folder: &Path) -> Self {
        let told = watch(folder).inspect_err(|error| {
            tracing::debug!("the kernel does not tell of changes in {}: {error}", folder.display());
        });
        Self { told: told.ok(), unsettled: false }
    }

    /// Waits for the next change; now and then it comes though there was none.
    ///
    /// # Cancel safety
    /// Safe: a change that was not told stays.
    pub async fn next(&mut self) {
        let Some(told) = &self.told else {
            return tokio::time::sleep(UNTOLD).await;
        };
        let patience = if self.unsettled { UNLOCKED } else { IN_ANY_CASE };
        self.unsettled = timeout(patience, told.drained()).await.is_ok();
    }
}

fn watch(folder: &Path) -> io::Result<Told> {
    let inotify = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC)?;
    let changes = WatchFlags::CLOSE_WRITE | WatchFlags::MOVED_TO | WatchFlags::DELETE;
    inotify::add_watch(&inotify, folder, changes | WatchFlags::ONLYDIR)?;
    Told::new(inotify)
}

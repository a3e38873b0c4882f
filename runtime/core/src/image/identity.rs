//! How a file is recognised without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

/// What changes when a file's content does: a warm start hashes nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileIdentity {
    device: u64,
    inode: u64,
    pub(crate) size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileIdentity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// The name of the memo that stands for this file.
    pub(crate) fn name(self) -> String {
        let Self { device, inode, size, modified, changed } = self;
        format!(
            "{device:x}-{inode:x}-{size:x}-{:x}.{:x}-{:x}.{:x}",
            modified.0, modified.1, changed.0, changed.1
        )
    }

    /// Whether the file has been left alone long enough for its times to tell two contents apart.
    ///
    /// The kernel stamps files by its tick (up to 10 ms): two writes within one tick have the same
    /// times, so a file that was changed just now must not be remembered yet.
    pub(crate) fn settled(self, now: SystemTime) -> bool {
        const TICKS: Duration = Duration::from_millis(30);
        let (Ok(seconds), Ok(nanoseconds)) =
            (u64::try_from(self.changed.0), u32::try_from(self.changed.1))
        else {
            return false;
        };
        let changed = SystemTime::UNIX_EPOCH + Duration::new(seconds, nanoseconds);
        now.duration_since(changed).is_ok_and(|age| age > TICKS)
    }
}

//! Whether a Pod has a process: a lock that dies with it.
//!
//! The lock is taken before anything is written down of the Pod, and handed to its process as an open
//! file: there is no moment at which a Pod that is being started has none.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, AsRawFd as _, FromRawFd as _, RawFd};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use wasmpod::pod::Folders;
use wasmpod::records::make_folder;

/// Held as long as a Pod has a process, or somebody is about to start one.
#[derive(Debug)]
pub struct ProcessLock {
    file: File,
}

impl ProcessLock {
    /// The lock of the Pod `uid`, unless somebody has it.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn try_take(folders: &Folders, uid: &str) -> io::Result<Option<Self>> {
        let path = folders.process_lock(uid);
        make_folder(&folders.processes())?;
        loop {
            let mut options = File::options();
            options.create(true).truncate(false).read(true).write(true).mode(0o600);
            let file = options.open(&path)?;
            match flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) if is_still(&file, &path) => return Ok(Some(Self { file })),
                // Removed meanwhile: its Pod was forgotten.
                Ok(()) => {}
                Err(Errno::WOULDBLOCK) => return Ok(None),
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Whether somebody has the lock of the Pod `uid`.
    pub fn is_held(folders: &Folders, uid: &str) -> bool {
        let Ok(file) = File::open(folders.process_lock(uid)) else { return false };
        // Shared, so that two who look do not take each other for a process.
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(Errno::WOULDBLOCK)
    }

    /// Goes on in the next program that this process is replaced by, or starts: its number there.
    ///
    /// # Errors
    /// None that is known.
    pub(super) fn inherit(&self) -> io::Result<RawFd> {
        let flags = fcntl_getfd(self.file.as_fd())?;
        fcntl_setfd(self.file.as_fd(), flags - FdFlags::CLOEXEC)?;
        Ok(self.file.as_raw_fd())
    }

    /// The lock that the process which started this one has handed over.
    ///
    /// # Errors
    /// There is no such file.
    pub(super) fn inherited(number: RawFd) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "a number is how an open file comes from another process")]
        // SAFETY: whoever started this process left this number open for it and says so only here;
        // it is taken once, at the start, before anything else opens files.
        let file = unsafe { File::from_raw_fd(number) };
        // Nothing that this process starts is to keep it.
        fcntl_setfd(file.as_fd(), FdFlags::CLOEXEC)?;
        Ok(Self { file })
    }
}

fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(own), Ok(there)) => identity(own) == identity(there),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_while_it_is_there() {
        let root = tempfile::tempdir().unwrap();
        let folders = Folders::find(Some(root.path())).unwrap();
        assert!(!ProcessLock::is_held(&folders, "u"), "no file, no lock");
        let lock = ProcessLock::try_take(&folders, "u").unwrap().unwrap();
        assert!(ProcessLock::is_held(&folders, "u"));
        assert!(ProcessLock::try_take(&folders, "u").unwrap().is_none());
        drop(lock);
        assert!(!ProcessLock::is_held(&folders, "u"));
        assert!(ProcessLock::try_take(&folders, "u").unwrap().is_some());
    }
}

//! Whether a Pod has a process: a lock that dies with it.
//!
//! The lock is taken before anything is written down of the Pod, and handed to its process as an open
//! file: there is no moment at which a Pod that is being started has none.

use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, FromRawFd as _, RawFd};

use rustix::fs::{FlockOperation, flock};
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};
use wasmpod::pod::Folders;
use wasmpod::records::{Alone, is_still_at, try_alone};

/// Held as long as a Pod has a process, or somebody is about to start one.
#[derive(Debug)]
pub struct ProcessLock(Alone);

impl ProcessLock {
    /// The lock of the Pod `uid`, unless somebody has it.
    ///
    /// # Errors
    /// The folder cannot be made or written.
    pub fn try_take(folders: &Folders, uid: &str) -> io::Result<Option<Self>> {
        let path = folders.process_lock(uid);
        let name = path.file_name().unwrap_or_default();
        while let Some(lock) = try_alone(&folders.processes(), name)? {
            // Else it was removed meanwhile: its Pod was forgotten.
            if is_still_at(lock.file(), &path)? {
                return Ok(Some(Self(lock)));
            }
        }
        Ok(None)
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
        let file = self.0.file();
        fcntl_setfd(file, fcntl_getfd(file)? - FdFlags::CLOEXEC)?;
        Ok(file.as_raw_fd())
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
        fcntl_setfd(&file, FdFlags::CLOEXEC)?;
        Ok(Self(Alone::taken_over(file)))
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

//! That there is a process of Services as long as there are some, and that it is told.

use std::fs;
use std::io;
use std::os::fd::AsRawFd as _;
use std::thread::sleep;
use std::time::Duration;

use rustix::io::{FdFlags, fcntl_getfd, fcntl_setfd};
use wasmpod::pod::Folders;
use wasmpod_objects::resource::SERVICES;

use super::process::Handed;
use super::{NAME, socket};
use crate::background::lock::ProcessLock;
use crate::background::pods::{BackgroundError, BackgroundPods};
use crate::background::start::{Starter, alone, words};
use crate::handover::Handover;

/// How often it is tried to tell a process that does not listen: it is about to end, or somebody is about
/// to start it.
const TRIES: usize = 50;
const BETWEEN_TRIES: Duration = Duration::from_millis(20);

impl BackgroundPods {
    /// Starts the process of Services if there are some and it is gone; takes away what it has left where
    /// there are none.
    ///
    /// # Errors
    /// [`BackgroundError`]
    pub(in crate::background) fn mend_services(&self) -> Result<(), BackgroundError> {
        let folders = &self.folders;
        let is_wanted = self.store.has_any(SERVICES)?;
        let is_held = ProcessLock::is_held(folders, NAME);
        if is_held || (!is_wanted && !folders.process_lock(NAME).exists()) {
            return Ok(());
        }
        let lock = ProcessLock::try_take(folders, NAME).map_err(BackgroundError::Services)?;
        // Somebody else is at it.
        let Some(lock) = lock else { return Ok(()) };
        // With the lock held nobody else decides.
        if self.store.has_any(SERVICES)? {
            return start(&self.starter, folders, &lock).map_err(BackgroundError::Services);
        }
        clear_up(folders);
        Ok(())
    }

    /// Has the process of Services follow what was changed, and waits until it has: what is new can be
    /// reached then, and what is gone cannot. One that cannot be told finds it within a minute.
    ///
    /// # Errors
    /// There is none, and none can be started.
    pub fn tell_services(&self) -> Result<(), BackgroundError> {
        for _ in 0..TRIES {
            self.mend_services()?;
            if !ProcessLock::is_held(&self.folders, NAME) {
                return Ok(());
            }
            match socket::tell(&self.folders) {
                Ok(()) => return Ok(()),
                // It is stopped, or the machine is.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(_) => sleep(BETWEEN_TRIES),
            }
        }
        tracing::warn!("the process of Services has not answered: it looks once a minute");
        Ok(())
    }
}

/// Starts the process, which takes over the lock.
fn start(starter: &Starter, folders: &Folders, lock: &ProcessLock) -> io::Result<()> {
    // Let go of last: until then what is handed over is open for every program that is started.
    let _alone = alone();
    let listener = socket::bind(folders)?;
    fcntl_setfd(&listener, fcntl_getfd(&listener)? - FdFlags::CLOEXEC)?;
    let handed = Handed { lock: lock.inherit()?, socket: listener.as_raw_fd() };
    let handover = Handover::new(&handed)?;
    starter.spawn(starter.services, &handover, words(folders, NAME)?)
}

/// Removes what the process has beside its records; the lock, which the caller holds, comes last.
pub(super) fn clear_up(folders: &Folders) {
    // What stays is found by the next command.
    drop(fs::remove_file(socket::path(folders)));
    drop(fs::remove_file(folders.processes().join(format!("{NAME}.log"))));
    drop(fs::remove_file(folders.process_lock(NAME)));
}

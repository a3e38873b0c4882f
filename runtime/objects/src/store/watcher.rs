//! Waiting for a change, whichever process makes it.

use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;
use rustix::io::{Errno, read};

use super::{Revision, Store, StoreError};

/// A process that was killed between its change and the touch of the notify file has told nobody.
/// So whoever waits looks by itself, too: a look takes microseconds.
const LOOK_ANYWAY: Duration = Duration::from_millis(500);
/// The same where the kernel has no more inotify instances for this user.
const LOOK_WITHOUT_NOTIFICATION: Duration = Duration::from_millis(50);

/// Wakes when the store changes. One for each process is enough: it tells of every change.
pub struct Watcher {
    store: Store,
    notifications: Option<OwnedFd>,
}

impl Store {
    /// Begins to listen for changes.
    pub fn watcher(&self) -> Watcher {
        Watcher { store: self.clone(), notifications: listen(self).ok() }
    }
}

fn listen(store: &Store) -> Result<OwnedFd, Errno> {
    let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
    let notifications = inotify::init(flags)?;
    inotify::add_watch(&notifications, store.notify_path(), inotify::WatchFlags::MODIFY)?;
    Ok(notifications)
}

impl Watcher {
    /// Waits until the newest revision is another than `seen`, and returns it; after `timeout`
    /// in any case. From async code, call it in `spawn_blocking`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub fn wait(&mut self, seen: Revision, timeout: Duration) -> Result<Revision, StoreError> {
        let end = now().checked_add(timeout);
        loop {
            // Before the look: what happens after it leaves a notification.
            self.drain();
            let newest = self.store.revision()?;
            let left = end.map_or(LOOK_ANYWAY, |end| end.saturating_duration_since(now()));
            if newest != seen || left.is_zero() {
                return Ok(newest);
            }
            self.sleep(left);
        }
    }

    /// Readable when something may have changed, for an event loop of one's own: then
    /// [`Watcher::wait`] with no timeout tells. [`None`] if there are only looks at intervals.
    pub fn notifications(&self) -> Option<BorrowedFd<'_>> {
        self.notifications.as_ref().map(OwnedFd::as_fd)
    }

    fn sleep(&self, most: Duration) {
        let Some(notifications) = &self.notifications else {
            std::thread::sleep(most.min(LOOK_WITHOUT_NOTIFICATION));
            return;
        };
        let timeout = Timespec::try_from(most.min(LOOK_ANYWAY)).ok();
        let mut polled = [PollFd::new(notifications, PollFlags::IN)];
        // A signal is one more look.
        let _ = poll(&mut polled, timeout.as_ref());
    }

    fn drain(&self) {
        let Some(notifications) = &self.notifications else { return };
        let mut buffer = [0_u8; 4096];
        while read(notifications, &mut buffer).is_ok_and(|length| length > 0) {}
    }
}

#[expect(clippy::disallowed_methods, reason = "waits for other processes: on the machine's time")]
fn now() -> Instant {
    Instant::now()
}

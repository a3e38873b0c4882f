//! A descriptor by which the kernel tells of something.

use std::io;
use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use tokio::io::unix::AsyncFd;

/// A descriptor that becomes readable when there is something to tell.
#[derive(Debug)]
pub(super) struct Told(AsyncFd<OwnedFd>);

impl Told {
    pub(super) fn new(descriptor: OwnedFd) -> io::Result<Self> {
        #[expect(unsafe_code, reason = "tokio leaves the descriptor's validity to its caller")]
        // SAFETY: an `OwnedFd` is one open descriptor for all its life, and nobody else owns this one.
        let told = unsafe { AsyncFd::register(descriptor) };
        Ok(Self(told?))
    }

    /// Waits until something is told, and takes all of it.
    pub(super) async fn drained(&self) {
        let mut buffer = [0; 4096];
        loop {
            let Ok(mut ready) = self.0.readable().await else {
                // The runtime is about to end.
                return std::future::pending().await;
            };
            // More than fits is told once more: it is all the same.
            let read = ready.try_io(|told| Ok(rustix::io::read(told.get_ref(), &mut buffer)?));
            if let Ok(Ok(_)) = read {
                return;
            }
        }
    }
}

/// A process of this machine, whose end can be waited for.
#[derive(Debug)]
pub struct Process(Told);

impl Process {
    /// The process that has this number now.
    ///
    /// # Errors
    /// There is none, or the kernel cannot tell of it.
    pub fn find(id: u32) -> io::Result<Self> {
        let id = i32::try_from(id).ok().and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))?;
        let descriptor = pidfd_open(id, PidfdFlags::NONBLOCK).map_err(|error| match error {
            Errno::SRCH => io::ErrorKind::NotFound.into(),
            other => io::Error::from(other),
        })?;
        Told::new(descriptor).map(Self)
    }

    /// Waits until it has ended, and its locks are gone.
    pub async fn ended(&self) {
        // There is nothing to read, ever: that it could be read is all.
        if self.0.0.readable().await.is_err() {
            // The runtime is about to end.
            std::future::pending().await
        }
    }
}

//! Where work goes that waits for the real world: files, a compiler.

use std::future::{Ready, ready};

use futures::future::Either;
use tokio::task::{JoinError, JoinHandle, spawn_blocking};

/// Where blocking work is done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Blocking {
    /// On a thread of tokio's, while others go on.
    #[default]
    Aside,
    /// At once, with everybody waiting: for virtual time. A thread aside holds the paused clock as
    /// well, but when its work is done, among all that happens at that moment, is chance.
    InPlace,
}

/// Work under way; the error is a panic. Dropping it does not end the work.
pub(crate) type Work<Output> = Either<JoinHandle<Output>, Ready<Result<Output, JoinError>>>;

impl Blocking {
    /// Begins `work`, and has done it when this returns if it is done in place.
    pub(crate) fn spawn<Output: Send + 'static>(
        self,
        work: impl FnOnce() -> Output + Send + 'static,
    ) -> Work<Output> {
        match self {
            Self::Aside => Either::Left(spawn_blocking(work)),
            Self::InPlace => Either::Right(ready(Ok(work()))),
        }
    }
}

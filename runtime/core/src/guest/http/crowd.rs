//! Tasks that come and go, and the one who owns them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use crate::executor::{Account, Task, TaskError};

/// Tasks on a container's account. Dropping it aborts them all.
pub(crate) struct Crowd {
    account: Account,
    tasks: Mutex<FuturesUnordered<Task<()>>>,
}

impl Crowd {
    pub(crate) fn new(account: Account) -> Self {
        Self { account, tasks: Mutex::default() }
    }

    /// Starts a task, and forgets those that have ended since.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let task = self.account.spawn(future);
        let mut tasks = self.lock();
        // Nobody waits here; a task started below is polled by the next call or by `ended`.
        let _ = poll_ended(&mut tasks, &mut Context::from_waker(Waker::noop()));
        tasks.push(task);
    }

    /// Waits until the last task has ended, those included that others start meanwhile.
    pub(crate) async fn ended(&self) {
        std::future::poll_fn(|context| poll_ended(&mut self.lock(), context)).await;
    }

    fn lock(&self) -> MutexGuard<'_, FuturesUnordered<Task<()>>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn poll_ended(tasks: &mut FuturesUnordered<Task<()>>, context: &mut Context<'_>) -> Poll<()> {
    loop {
        match tasks.poll_next_unpin(context) {
            Poll::Ready(Some(Ok(()) | Err(TaskError::Aborted))) => {}
            Poll::Ready(Some(Err(TaskError::Panicked(message)))) => {
                tracing::error!(message, "a task of an HTTP handler panicked");
            }
            Poll::Ready(None) => return Poll::Ready(()),
            Poll::Pending => return Poll::Pending,
        }
    }
}

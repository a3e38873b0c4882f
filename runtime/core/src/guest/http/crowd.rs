//! Tasks that come and go, and the one who owns them.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use futures::StreamExt as _;
use futures::stream::FuturesUnordered;

use crate::executor::{Account, Task, TaskError};

/// Tasks on a container's account. Dropping it aborts them all.
pub(crate) struct Crowd {
    account: Account,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tasks: FuturesUnordered<Task<()>>,
    /// Whoever waits for the end.
    waiter: Option<Waker>,
}

impl Crowd {
    pub(crate) fn new(account: Account) -> Self {
        Self { account, state: Mutex::default() }
    }

    /// Starts a task, and forgets those that have ended since.
    pub(crate) fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        let task = self.account.spawn(future);
        let mut state = self.lock();
        let State { tasks, waiter } = &mut *state;
        tasks.push(task);
        // The tasks wake whoever has polled them last: that must stay the one who waits, and a push
        // alone would not tell it of the new one.
        let waiter = waiter.as_ref().unwrap_or(Waker::noop());
        if poll_ended(tasks, &mut Context::from_waker(waiter)).is_ready() {
            waiter.wake_by_ref();
        }
    }

    /// Waits until the last task has ended, those included that others start meanwhile.
    pub(crate) async fn ended(&self) {
        std::future::poll_fn(|context| {
            let mut state = self.lock();
            state.waiter = Some(context.waker().clone());
            poll_ended(&mut state.tasks, context)
        })
        .await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::Wake;
    use std::time::Duration;

    use tokio::sync::oneshot;

    use super::*;
    use crate::executor::{PodExecutor, Weight};

    /// Only a hang takes so long.
    const HANG: Duration = Duration::from_secs(60);

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Release);
        }
    }

    #[tokio::test]
    async fn who_waits_for_the_end_hears_of_tasks_that_are_started_meanwhile() {
        let executor = PodExecutor::threads(2);
        let crowd = Crowd::new(executor.account("test", Weight::MIN, None));
        let start = || {
            let (end, ended) = oneshot::channel::<()>();
            crowd.spawn(async move { drop(ended.await) });
            end
        };
        let first = start();
        let mut all = pin!(crowd.ended());
        let woken = Arc::new(Woken::default());
        let waker = Waker::from(Arc::clone(&woken));
        let mut context = Context::from_waker(&waker);
        assert!(all.as_mut().poll(&mut context).is_pending());
        let second = start();
        drop((first, second));
        // Polled only when it was woken, as by an executor.
        let ended = async {
            loop {
                if woken.0.swap(false, Ordering::Acquire)
                    && all.as_mut().poll(&mut context).is_ready()
                {
                    return;
                }
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(HANG, ended).await.expect("all have ended");
    }
}

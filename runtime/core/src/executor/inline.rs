//! No threads: tasks are polled by the caller's runtime, first come, first served.
//!
//! This is what virtual time needs. A paused clock jumps ahead when only timers are left, and it
//! does not see threads of our own; polled by the runtime that is paused, a guest that computes
//! holds the clock. The order depends on nothing but the order of wakes, so that a run repeats.
//!
//! Polling takes no time on such a clock. What a task has computed is told by whoever counts it
//! ([`Account::charge`](super::Account::charge)), and the task waits for that long before it goes on
//! (see [`bill`](super::bill)).

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use tokio::task::coop::has_budget_remaining;
use tokio::time::sleep_until;

use super::account::AccountState;
use super::task::{LiveTasks, Polled, Task, TaskCore, lock};

#[derive(Debug, Default)]
pub(super) struct Inline {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    ready: VecDeque<Arc<TaskCore>>,
    doomed: VecDeque<Arc<TaskCore>>,
    live: LiveTasks,
    /// Who polls: the future of [`Inline::run_until`].
    driver: Option<Waker>,
    stopped: bool,
}

impl Inline {
    pub(super) fn spawn<F>(&self, account: &Arc<AccountState>, future: F) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let id = lock(&self.state).live.next_id();
        let future = paid(Arc::clone(account), future);
        let (core, task) = TaskCore::new(id, Arc::clone(account), future);
        let stopped = {
            let mut state = lock(&self.state);
            if !state.stopped {
                state.live.insert(Arc::clone(&core));
            }
            state.stopped
        };
        if stopped {
            core.discard()
        } else {
            self.ready(core)
        }
        task
    }

    /// Polls `future` and the tasks until `future` is ready.
    pub(super) async fn run_until<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        poll_fn(|context| {
            if let Poll::Ready(output) = future.as_mut().poll(context) {
                return Poll::Ready(output);
            }
            self.poll_round(context);
            Poll::Pending
        })
        .await
    }

    /// Drops all tasks.
    pub(super) fn stop(&self) {
        let live = {
            let mut state = lock(&self.state);
            state.stopped = true;
            state.live.all()
        };
        for task in live {
            task.abort();
        }
        self.discard_doomed();
    }

    /// Polls those that are ready now; who becomes ready meanwhile waits for the next round, so
    /// that the runtime's timers and other tasks come in between.
    fn poll_round(&self, context: &mut Context<'_>) {
        self.discard_doomed();
        let round = {
            let mut state = lock(&self.state);
            // While we are here, nobody needs to wake us.
            state.driver = None;
            state.ready.len()
        };
        for _ in 0..round {
            // With the budget gone every tokio resource says pending: polling would only spin.
            if !has_budget_remaining() {
                break;
            }
            let Some(task) = lock(&self.state).ready.pop_front() else {
                break;
            };
            match task.poll_once() {
                Polled::Again => lock(&self.state).ready.push_back(task),
                Polled::Done => drop(lock(&self.state).live.remove(task.id)),
                Polled::Pending | Polled::Stale => {}
            }
        }
        let mut state = lock(&self.state);
        state.driver = Some(context.waker().clone());
        if !state.ready.is_empty() || !state.doomed.is_empty() {
            context.waker().wake_by_ref();
        }
    }

    fn discard_doomed(&self) {
        loop {
            let Some(task) = lock(&self.state).doomed.pop_front() else {
                return;
            };
            task.discard();
            let removed = lock(&self.state).live.remove(task.id);
            drop(removed);
        }
    }

    fn wake_driver(&self, queue: impl FnOnce(&mut State)) {
        let driver = {
            let mut state = lock(&self.state);
            queue(&mut state);
            state.driver.take()
        };
        if let Some(driver) = driver {
            driver.wake();
        }
    }

    /// Queues a task.
    pub(super) fn ready(&self, task: Arc<TaskCore>) {
        self.wake_driver(|state| state.ready.push_back(task));
    }

    /// Has the future of an aborted task dropped in the next round.
    pub(super) fn doom(&self, task: Arc<TaskCore>) {
        self.wake_driver(|state| state.doomed.push_back(task));
    }
}

/// Lives `future`, and waits after each poll for as long as its account has computed in it.
async fn paid<F: Future>(account: Arc<AccountState>, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        let ended = poll_fn(|context| match future.as_mut().poll(context) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending if account.owes() => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        })
        .await;
        if let Some(until) = account.pay() {
            sleep_until(until).await;
        }
        if let Some(output) = ended {
            return output;
        }
    }
}

//! One future on an executor: how it is woken, polled, aborted and joined.
//!
//! ```text
//! Idle ──wake──▶ Queued ──worker──▶ Polled ──pending──▶ Idle
//!                  ▲                  │ └─ready, panic, abort──▶ Done
//!                  └──pending, woken──┘
//! Idle, Queued ──abort──▶ Doomed ──worker drops the future──▶ Done
//! ```
//!
//! The future is polled and dropped by workers only, so an abort never has to wait for a poll
//! and never drops a guest's Store (15 to 19 ms) on the thread of the one who aborts.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use futures::FutureExt;
use tokio::sync::oneshot;

use super::account::AccountState;

/// A running task: a future for its outcome. Dropping it aborts the task.
///
/// # Cancel safety
/// Awaiting `&mut task` may be given up and taken up again.
#[derive(Debug)]
#[must_use = "a task is aborted when its handle is dropped"]
pub struct Task<T> {
    outcome: oneshot::Receiver<T>,
    core: Arc<TaskCore>,
}

/// Why a task has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaskError {
    /// It was aborted, or its executor was shut down; its future has been dropped.
    #[error("the task was aborted")]
    Aborted,
    /// Its future panicked and has been dropped.
    #[error("the task panicked: {0}")]
    Panicked(String),
}

impl<T> Task<T> {
    /// Ends the task: its future is dropped by a worker, after the poll that it may be in.
    /// Await the task to know when; a result that came first still counts.
    pub fn abort(&self) {
        self.core.abort();
    }

    /// A handle that can end the task while somebody else awaits it.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { core: Arc::clone(&self.core) }
    }
}

/// Ends a task from elsewhere; dropping it does nothing.
#[derive(Debug, Clone)]
pub struct AbortHandle {
    core: Arc<TaskCore>,
}

impl AbortHandle {
    /// As [`Task::abort`].
    pub fn abort(&self) {
        self.core.abort();
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, TaskError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.outcome).poll(context).map(|outcome| {
            outcome.map_err(|_| match lock(&self.core.panic).take() {
                Some(message) => TaskError::Panicked(message),
                None => TaskError::Aborted,
            })
        })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.core.abort();
    }
}

pub(super) type TaskId = u64;

pub(super) struct TaskCore {
    pub(super) id: TaskId,
    pub(super) account: Arc<AccountState>,
    state: AtomicU8,
    aborted: AtomicBool,
    body: Mutex<Option<Body>>,
    panic: Mutex<Option<String>>,
}

type Body = Pin<Box<dyn Future<Output = ()> + Send>>;

const IDLE: u8 = 0;
const QUEUED: u8 = 1;
const POLLED: u8 = 2;
/// Polled, and woken meanwhile.
const WOKEN: u8 = 3;
const DOOMED: u8 = 4;
const DONE: u8 = 5;

/// How a poll ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Polled {
    /// It waits for a wake.
    Pending,
    /// It is queued again: the poller hands it back to the queue.
    Again,
    /// Its future is gone, by its end, a panic or an abort.
    Done,
    /// It was not to be polled: aborted since it was queued.
    Stale,
}

impl TaskCore {
    /// A task that is queued, and the handle to it. The caller passes it to its queue.
    pub(super) fn new<F>(
        id: TaskId,
        account: Arc<AccountState>,
        future: F,
    ) -> (Arc<Self>, Task<F::Output>)
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let (sender, outcome) = oneshot::channel();
        // `map` drops the future before it calls the closure: whoever joins finds all that the
        // future held released.
        let body = Box::pin(future.map(move |output| {
            let _ = sender.send(output);
        }));
        let core = Arc::new(Self {
            id,
            account,
            state: AtomicU8::new(QUEUED),
            aborted: AtomicBool::new(false),
            body: Mutex::new(Some(body)),
            panic: Mutex::new(None),
        });
        (Arc::clone(&core), Task { outcome, core })
    }

    /// Polls the future once. For the one who took the task from the queue.
    pub(super) fn poll_once(self: &Arc<Self>) -> Polled {
        if !self.advance(QUEUED, POLLED) {
            return Polled::Stale;
        }
        let waker = Waker::from(Arc::clone(self));
        let done = {
            let mut body = lock(&self.body);
            let polled = catch_unwind(AssertUnwindSafe(|| match body.as_mut() {
                Some(body) => body.as_mut().poll(&mut Context::from_waker(&waker)).is_ready(),
                None => true,
            }));
            polled.unwrap_or_else(|panic| {
                *lock(&self.panic) = Some(message(&*panic));
                true
            })
        };
        if done || self.aborted.load(SeqCst) {
            self.release();
            return Polled::Done;
        }
        if self.advance(POLLED, IDLE) {
            return Polled::Pending;
        }
        self.state.store(QUEUED, SeqCst);
        // An abort that came while the task was WOKEN left it to us; one that comes after the
        // store sees QUEUED and dooms the task itself.
        if self.aborted.load(SeqCst) && self.advance(QUEUED, DOOMED) {
            self.release();
            return Polled::Done;
        }
        Polled::Again
    }

    /// Drops the future of a doomed task.
    pub(super) fn discard(&self) {
        self.release();
    }

    pub(super) fn abort(self: &Arc<Self>) {
        self.aborted.store(true, SeqCst);
        loop {
            match self.state.load(SeqCst) {
                from @ (IDLE | QUEUED) => {
                    if self.advance(from, DOOMED) {
                        return self.account.doom(Arc::clone(self));
                    }
                }
                POLLED => {
                    if self.advance(POLLED, WOKEN) {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    fn wake_up(self: &Arc<Self>) {
        loop {
            match self.state.load(SeqCst) {
                IDLE => {
                    if self.advance(IDLE, QUEUED) {
                        return self.account.ready(Arc::clone(self));
                    }
                }
                POLLED => {
                    if self.advance(POLLED, WOKEN) {
                        return;
                    }
                }
                _ => return,
            }
        }
    }

    fn release(&self) {
        self.state.store(DONE, SeqCst);
        let body = lock(&self.body).take();
        // A future's drop is a stranger's code too: its panic must not end the worker.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(body)));
    }

    fn advance(&self, from: u8, to: u8) -> bool {
        self.state.compare_exchange(from, to, SeqCst, SeqCst).is_ok()
    }
}

impl Wake for TaskCore {
    fn wake(self: Arc<Self>) {
        self.wake_up();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.wake_up();
    }
}

impl fmt::Debug for TaskCore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TaskCore")
            .field("id", &self.id)
            .field("account", &self.account.name)
            .finish_non_exhaustive()
    }
}

/// The tasks that have not ended, so that a shutdown finds those that only a waker holds.
#[derive(Debug, Default)]
pub(super) struct LiveTasks {
    last: TaskId,
    tasks: HashMap<TaskId, Arc<TaskCore>>,
}

impl LiveTasks {
    pub(super) fn next_id(&mut self) -> TaskId {
        self.last += 1;
        self.last
    }

    pub(super) fn insert(&mut self, task: Arc<TaskCore>) {
        self.tasks.insert(task.id, task);
    }

    /// Returned, so that it can be dropped outside of the caller's lock.
    pub(super) fn remove(&mut self, id: TaskId) -> Option<Arc<TaskCore>> {
        self.tasks.remove(&id)
    }

    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// All of them, in the order of their start.
    pub(super) fn all(&self) -> Vec<Arc<TaskCore>> {
        let mut tasks: Vec<_> = self.tasks.values().cloned().collect();
        tasks.sort_unstable_by_key(|task| task.id);
        tasks
    }
}

/// Locks; a panic under one of our locks leaves small consistent values.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn message(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "with a value that is not text".to_owned())
}

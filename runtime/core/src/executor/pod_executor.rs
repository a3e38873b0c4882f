//! The handle to a Pod's executor.

use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};
use std::thread::available_parallelism;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};
use wasmtime::Engine;

use super::account::{Account, Place};
use super::bill::Bill;
use super::crew::Allowed;
use super::inline::Inline;
use super::neighbours::Neighbours;
use super::pool::Pool;
use super::share::{MilliCpu, Weight};
use super::throttling::Throttling;

/// Polls the tasks of one Pod's containers. Dropping it aborts every task and lets the threads
/// end, without waiting for them: idle ones a tick later, if the tokio runtime that it is dropped in goes
/// on, else when that is dropped; [`PodExecutor::shutdown`] waits.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use wasmpod::executor::{MilliCpu, PodExecutor, Weight};
///
/// let executor = PodExecutor::threads(2);
/// let web = executor.account("web", Weight::of_request(MilliCpu::new(250)), MilliCpu::new(500));
/// let task = web.spawn(async { 6 * 7 });
/// assert_eq!(task.await, Ok(42));
/// # }
/// ```
#[derive(Debug)]
pub struct PodExecutor {
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    Threads(Arc<Pool>),
    Inline(Arc<Inline>),
}

/// Tasks were still being polled when the time given to a shutdown was over: their guests are in
/// host calls that do not return.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{tasks} tasks are still held by guests after {waited:?}")]
pub struct StillRunning {
    /// Tasks whose futures are not dropped.
    pub tasks: usize,
    /// How long the shutdown waited.
    pub waited: Duration,
}

/// The cores that this process may use. Counted once: it reads a dozen files of cgroups.
pub(crate) fn cores() -> usize {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| available_parallelism().map_or(1, NonZeroUsize::get));
    *CORES
}

/// Figures of an executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stats {
    /// Worker threads, spare ones included.
    pub workers: usize,
    /// Whether there is a thread that ticks: it comes and goes.
    pub ticker: bool,
    /// How often a poll took so long that others got a spare worker.
    pub rescues: u64,
}

impl PodExecutor {
    /// An executor with threads of its own, for a tokio runtime with timers that is driven as long as
    /// its tasks run: at most `workers`, which is the number of containers, and at most one for each core.
    /// None is started before the first task, and none that is not needed.
    pub fn threads(workers: usize) -> Arc<Self> {
        Arc::new(Self { kind: Kind::Threads(Pool::new(Allowed { workers, cores })) })
    }

    /// An executor without threads, for virtual time: tasks are polled, in the order in which
    /// they become ready, by whoever awaits [`PodExecutor::run_until`]. What is charged to an account
    /// ([`Account::charge`]) passes on tokio's clock before the task that used it goes on: the
    /// account has a core of its own, up to its limit.
    pub fn inline() -> Arc<Self> {
        Arc::new(Self { kind: Kind::Inline(Arc::default()) })
    }

    /// Opens an account. `limit` is for the sum of its tasks, `None` is no limit.
    pub fn account(
        &self,
        name: impl Into<String>,
        weight: Weight,
        limit: Option<MilliCpu>,
    ) -> Account {
        match &self.kind {
            Kind::Threads(pool) => pool.open(name.into(), weight, limit),
            Kind::Inline(inline) => {
                let bill = Mutex::new(Bill::new(limit));
                Account::new(name.into(), Place::Inline { inline: Arc::clone(inline), bill })
            }
        }
    }

    /// Limits all accounts together, beside what limits each of them. Without threads it has no
    /// effect: there every account has a core of its own.
    pub fn set_limit(&self, limit: Option<MilliCpu>) {
        match &self.kind {
            Kind::Threads(pool) => pool.set_limit_together(limit),
            Kind::Inline(_) => {}
        }
    }

    /// What the limit of all accounts together has done so far.
    pub fn throttling(&self) -> Throttling {
        match &self.kind {
            Kind::Threads(pool) => pool.throttling_together(),
            Kind::Inline(_) => Throttling::default(),
        }
    }

    /// Has the accounts together share the machine by `weight` with all executors that meet in the
    /// file `place`, those of other processes too, while they are busy. `id` is this one's name
    /// among them. Nothing is done before it has been busy for a moment, and nothing without threads.
    pub fn share_machine(&self, place: PathBuf, id: u64, weight: NonZeroU32) {
        if let Kind::Threads(pool) = &self.kind {
            // Counted when it matters, by a thread that has the time.
            pool.set_neighbours(Neighbours::new(place, id, weight.get(), cores));
        }
    }

    /// Ticks the epoch of `engine` once a millisecond from here on, while a task runs. Guests of
    /// it give way when their Store's deadline is one tick and its callback returns
    /// [`yield_point`](super::yield_point()). Without threads there are no ticks.
    pub fn register(&self, engine: &Engine) {
        match &self.kind {
            Kind::Threads(pool) => pool.register(engine),
            Kind::Inline(_) => {}
        }
    }

    /// Awaits `future` while the tasks run. With threads they run anyway; without, this is what
    /// polls them, so one such call at a time goes round a Pod's whole life.
    ///
    /// # Cancel safety
    /// Safe: tasks stay queued for the next call.
    pub async fn run_until<F: Future>(&self, future: F) -> F::Output {
        match &self.kind {
            Kind::Threads(_) => future.await,
            Kind::Inline(inline) => inline.run_until(future).await,
        }
    }

    /// Aborts every task and waits until their futures are dropped. The threads, which have nothing
    /// left to do then, end by themselves: to wait for them too would cost a short Pod more than
    /// its guest did.
    ///
    /// # Errors
    /// [`StillRunning`] when a guest in a host call holds its future for longer than `within`; it
    /// is dropped when the call returns.
    ///
    /// # Cancel safety
    /// Safe: the tasks end in any case; call it again to wait.
    pub async fn shutdown(&self, within: Duration) -> Result<(), StillRunning> {
        let pool = match &self.kind {
            Kind::Threads(pool) => pool,
            Kind::Inline(inline) => {
                inline.stop();
                return Ok(());
            }
        };
        pool.stop();
        let deadline = Instant::now() + within;
        loop {
            let emptied = pool.emptied.notified();
            let tasks = pool.tasks();
            if tasks == 0 {
                return Ok(());
            }
            if timeout_at(deadline, emptied).await.is_err() {
                return Err(StillRunning { tasks, waited: within });
            }
        }
    }

    /// Figures so far.
    pub fn stats(&self) -> Stats {
        match &self.kind {
            Kind::Threads(pool) => Stats {
                workers: pool.workers(),
                ticker: pool.has_ticker(),
                rescues: pool.rescues(),
            },
            Kind::Inline(_) => Stats { workers: 0, ticker: false, rescues: 0 },
        }
    }
}

impl Drop for PodExecutor {
    fn drop(&mut self) {
        match &self.kind {
            Kind::Threads(pool) => pool.stop(),
            Kind::Inline(inline) => inline.stop(),
        }
    }
}

//! The state that the workers, the ticker and the wakers share, and every step on it.
//!
//! One lock guards queue and crew together, held for a glance; a worker takes it once a poll: it
//! reports the poll that ended and gets what comes next. Nothing that is not ours is called or
//! dropped under it.
//!
//! **Lazy wake.** A wake from a worker's thread that is not parked only queues, when the task is
//! the only one in the queue: that worker asks for it next, and no kernel wake-up is paid. If it
//! computes on instead, the ticker calls another after a whole tick. A wake from a parked
//! worker's own driver goes to that worker, and a wake from elsewhere to the warmest one.

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};
use std::thread::{self, JoinHandle, Thread};

use tokio::sync::Notify;
use wasmtime::{Engine, EngineWeak};

use super::account::{Account, AccountState, Place};
use super::clock::{self, Nanos};
use super::crew::{Crew, Summons, WorkerId};
use super::ledger::Share;
use super::queue::{AccountKey, Queue};
use super::share::{MilliCpu, Weight};
use super::task::{LiveTasks, Polled, Task, TaskCore, lock};
use super::{ticker, worker};

thread_local! {
    /// The pool and the seat of the worker that this thread is.
    static SEAT: Cell<Option<(*const Pool, WorkerId)>> = const { Cell::new(None) };
}

pub(super) struct Pool {
    /// Itself, for the threads that it starts.
    this: Weak<Self>,
    state: Mutex<State>,
    ticks: AtomicU32,
    engines: Mutex<Vec<EngineWeak>>,
    /// A thread has ended.
    pub(super) left: Notify,
}

struct State {
    queue: Queue<Arc<TaskCore>>,
    doomed: VecDeque<Arc<TaskCore>>,
    live: LiveTasks,
    accounts: Vec<(AccountKey, Weak<AccountState>)>,
    crew: Crew,
    /// By worker: rung when it is summoned.
    bells: Vec<Arc<Notify>>,
    threads: Vec<JoinHandle<()>>,
    ticker: Ticker,
    rescues: u64,
    stopping: bool,
}

enum Ticker {
    NotStarted,
    Ticking,
    Resting(Thread),
}

/// What a worker has to do next.
pub(super) enum Next {
    Poll(Arc<TaskCore>),
    /// Drop the future of an aborted task.
    Discard(Arc<TaskCore>),
    /// Nothing to do until the bell rings, or until then.
    Park(Option<Nanos>),
    Leave,
}

/// A poll that is over.
pub(super) struct Report {
    pub(super) task: Arc<TaskCore>,
    pub(super) took: Nanos,
    pub(super) polled: Polled,
}

/// What the ticker has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TickerNext {
    Tick,
    Rest,
    Leave,
}

impl Pool {
    /// A pool of which `allowed` workers may poll at a time. Starts nothing.
    pub(super) fn new(allowed: usize) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            state: Mutex::new(State {
                queue: Queue::new(),
                doomed: VecDeque::new(),
                live: LiveTasks::default(),
                accounts: Vec::new(),
                crew: Crew::new(allowed),
                bells: Vec::new(),
                threads: Vec::new(),
                ticker: Ticker::NotStarted,
                rescues: 0,
                stopping: false,
            }),
            ticks: AtomicU32::new(0),
            engines: Mutex::new(Vec::new()),
            left: Notify::new(),
        })
    }

    pub(super) fn open(
        self: &Arc<Self>,
        name: String,
        weight: Weight,
        limit: Option<MilliCpu>,
    ) -> Account {
        let mut state = lock(&self.state);
        let State {
            accounts, queue, ..
        } = &mut *state;
        // Accounts close here and not when they are dropped: that may happen under our lock.
        accounts.retain(|(key, account)| {
            let open = account.strong_count() > 0;
            if !open {
                queue.close(*key);
            }
            open
        });
        let key = queue.open(weight, limit, clock::monotonic());
        let account = Account::new(
            name,
            Place::Pool {
                pool: Arc::clone(self),
                key,
            },
        );
        accounts.push((key, Arc::downgrade(&account.state)));
        account
    }

    pub(super) fn set_weight(&self, key: AccountKey, weight: Weight) {
        lock(&self.state).queue.set_weight(key, weight);
    }

    pub(super) fn set_limit(&self, key: AccountKey, limit: Option<MilliCpu>) {
        let summons = {
            let mut state = lock(&self.state);
            state.queue.set_limit(key, limit, clock::monotonic());
            // A wider limit may free tasks that no parked worker's timer would wake for.
            if state.queue.len() > 0 {
                state.crew.summon(None)
            } else {
                None
            }
        };
        self.answer(summons);
    }

    pub(super) fn charge(&self, key: AccountKey, cpu: Nanos) {
        let mut state = lock(&self.state);
        state.queue.charge(key, cpu);
        state.queue.settle(key, cpu, cpu, clock::monotonic());
    }

    pub(super) fn register(&self, engine: &Engine) {
        let mut engines = lock(&self.engines);
        engines.retain(|known| {
            known
                .upgrade()
                .is_some_and(|known| !Engine::same(&known, engine))
        });
        engines.push(engine.weak());
    }

    pub(super) fn spawn<F>(
        self: &Arc<Self>,
        account: &Arc<AccountState>,
        future: F,
    ) -> Task<F::Output>
    where
        F: Future<Output: Send + 'static> + Send + 'static,
    {
        let id = lock(&self.state).live.next_id();
        let (core, task) = TaskCore::new(id, Arc::clone(account), future);
        let stopping = {
            let mut state = lock(&self.state);
            if !state.stopping {
                state.live.insert(Arc::clone(&core));
            }
            state.stopping
        };
        if stopping {
            core.discard();
        } else {
            account.ready(core);
            // After the worker, so that the two start side by side.
            self.start_ticker();
        }
        task
    }

    /// Queues a task, and sees to it that a worker comes for it.
    pub(super) fn ready(&self, key: AccountKey, task: Arc<TaskCore>) {
        let here = self.seat();
        let tick = self.ticks.load(Relaxed);
        let summons = {
            let mut state = lock(&self.state);
            state.queue.push(key, task, tick);
            let comes_next =
                here.is_some_and(|id| !state.crew.is_parked(id)) && state.queue.len() == 1;
            if comes_next {
                None
            } else {
                state.crew.summon(here)
            }
        };
        self.answer(summons);
    }

    /// Has the future of an aborted task dropped by a worker.
    pub(super) fn doom(&self, task: Arc<TaskCore>) {
        let summons = {
            let mut state = lock(&self.state);
            state.doomed.push_back(task);
            // An empty crew: the last one is leaving and drops them itself.
            if state.crew.present() == 0 {
                None
            } else {
                state.crew.summon(None)
            }
        };
        self.answer(summons);
    }

    /// Called by worker `id` in its loop: what comes next.
    pub(super) fn next(&self, id: WorkerId, now: Nanos) -> Next {
        let mut state = lock(&self.state);
        state.crew.between(id);
        if let Some(task) = state.doomed.pop_front() {
            return Next::Discard(task);
        }
        if state.stopping {
            return Next::Leave;
        }
        if state.crew.may_poll()
            && let Some(task) = state.queue.pop(now)
        {
            state.crew.begin_poll(id, now);
            state.wake_ticker();
            return Next::Poll(task);
        }
        state.crew.park(id);
        Next::Park(state.queue.next_release())
    }

    /// Takes a worker's report of a poll, and what its ledger settled.
    pub(super) fn report(
        &self,
        id: WorkerId,
        report: Report,
        settled: &[Share<Arc<AccountState>>],
        now: Nanos,
    ) {
        let tick = self.ticks.load(Relaxed);
        let ended = {
            let mut state = lock(&self.state);
            state.crew.between(id);
            if let Some(key) = report.task.account.key() {
                state.queue.polled(key, report.took);
                state.settle(settled, now);
                if report.polled == Polled::Again {
                    state.queue.push(key, Arc::clone(&report.task), tick);
                }
            }
            match report.polled {
                Polled::Done => state.live.remove(report.task.id),
                Polled::Pending | Polled::Again | Polled::Stale => None,
            }
        };
        drop((ended, report));
    }

    /// The future of a doomed task has been dropped, which took `took`.
    pub(super) fn discarded(
        &self,
        task: &TaskCore,
        took: Nanos,
        settled: &[Share<Arc<AccountState>>],
        now: Nanos,
    ) {
        let ended = {
            let mut state = lock(&self.state);
            if let Some(key) = task.account.key() {
                state.queue.charge(key, took);
            }
            state.settle(settled, now);
            state.live.remove(task.id)
        };
        drop(ended);
    }

    pub(super) fn tick_count(&self) -> u32 {
        self.ticks.load(Relaxed)
    }

    /// One tick of the clock that makes guests give way: epochs, waiters, stuck workers.
    pub(super) fn tick(&self) {
        for engine in lock(&self.engines).iter().filter_map(EngineWeak::upgrade) {
            engine.increment_epoch();
        }
        // The count before this tick: whoever was queued by then has waited for a whole one. In
        // a ping-pong the queue is never empty, but nobody stays in it.
        let before = self.ticks.fetch_add(1, Relaxed).wrapping_sub(1);
        let now = clock::monotonic();
        let summons = {
            let mut state = lock(&self.state);
            if !state.doomed.is_empty() || state.queue.has_eligible(now) {
                let relieved = state.crew.relieve(now);
                state.rescues += u64::try_from(relieved).unwrap_or(u64::MAX);
            }
            if !state.doomed.is_empty() || state.queue.waited_through(before, now) {
                state.crew.summon(None)
            } else {
                None
            }
        };
        self.answer(summons);
    }

    /// Whether the ticker goes on; when it may rest it is marked so, and the next poll wakes it.
    pub(super) fn ticker_next(&self, rest: bool) -> TickerNext {
        let mut state = lock(&self.state);
        if state.stopping && state.crew.present() == 0 {
            return TickerNext::Leave;
        }
        let busy = state.crew.is_busy()
            || !state.doomed.is_empty()
            || state.queue.has_eligible(clock::monotonic());
        if busy {
            return TickerNext::Tick;
        }
        if rest {
            state.ticker = Ticker::Resting(thread::current());
        }
        TickerNext::Rest
    }

    pub(super) fn ticker_rests(&self) -> bool {
        let state = lock(&self.state);
        matches!(state.ticker, Ticker::Resting(_)) && !(state.stopping && state.crew.present() == 0)
    }

    /// Makes this thread the worker `id`.
    pub(super) fn sit_down(&self, id: WorkerId) {
        SEAT.set(Some((std::ptr::from_ref(self), id)));
    }

    /// The worker `id` has ended, or could not start.
    pub(super) fn leave(&self, id: WorkerId) {
        SEAT.set(None);
        let stranded = {
            let mut state = lock(&self.state);
            state.crew.leave(id);
            state.wake_ticker();
            if state.crew.present() == 0 {
                state.live.all()
            } else {
                Vec::new()
            }
        };
        // Without a worker nobody would ever poll or drop them.
        for task in stranded {
            task.abort();
        }
        loop {
            let task = {
                let mut state = lock(&self.state);
                if state.crew.present() > 0 {
                    None
                } else {
                    state.doomed.pop_front()
                }
            };
            let Some(task) = task else { break };
            task.discard();
            self.discarded(&task, 0, &[], 0);
        }
        let queued = {
            let mut state = lock(&self.state);
            // Void entries of aborted tasks; each holds this pool through its account.
            if state.stopping && state.crew.present() == 0 {
                state.queue.clear()
            } else {
                Vec::new()
            }
        };
        drop(queued);
        self.left.notify_waiters();
    }

    /// Asks all tasks and threads to end; does not wait.
    pub(super) fn stop(&self) {
        let live = {
            let mut state = lock(&self.state);
            state.stopping = true;
            state.live.all()
        };
        for task in live {
            task.abort();
        }
        let bells = {
            let mut state = lock(&self.state);
            state.wake_ticker();
            state.bells.clone()
        };
        for bell in bells {
            bell.notify_one();
        }
    }

    /// Threads of workers that have not ended.
    pub(super) fn workers(&self) -> usize {
        lock(&self.state).crew.present()
    }

    pub(super) fn rescues(&self) -> u64 {
        lock(&self.state).rescues
    }

    /// The threads started so far, to be joined by the caller.
    pub(super) fn take_threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut lock(&self.state).threads)
    }

    /// The seat of this thread, if it is a worker of this pool.
    fn seat(&self) -> Option<WorkerId> {
        SEAT.get()
            .filter(|(pool, _)| std::ptr::eq(*pool, self))
            .map(|(_, id)| id)
    }

    fn answer(&self, summons: Option<Summons>) {
        match summons {
            None => {}
            Some(Summons::Wake(id)) => {
                let bell = lock(&self.state).bells.get(id).cloned();
                if let Some(bell) = bell {
                    bell.notify_one();
                }
            }
            Some(Summons::Hire(id)) => self.hire(id),
        }
    }

    fn hire(&self, id: WorkerId) {
        let Some(this) = self.this.upgrade() else {
            return;
        };
        let bell = Arc::new(Notify::new());
        {
            let mut state = lock(&self.state);
            if state.bells.len() <= id {
                state.bells.resize_with(id + 1, || Arc::new(Notify::new()));
            }
            state.bells[id] = Arc::clone(&bell);
        }
        match worker::start(this, id, bell) {
            Ok(thread) => lock(&self.state).threads.push(thread),
            Err(error) => {
                tracing::error!(%error, "cannot start a thread for the Pod's containers");
                self.leave(id);
            }
        }
    }

    fn start_ticker(&self) {
        {
            let mut state = lock(&self.state);
            if !matches!(state.ticker, Ticker::NotStarted) {
                return;
            }
            state.ticker = Ticker::Ticking;
        }
        let Some(this) = self.this.upgrade() else {
            return;
        };
        match ticker::start(this) {
            Ok(thread) => lock(&self.state).threads.push(thread),
            Err(error) => {
                tracing::error!(%error, "cannot start the ticker: containers share the CPU unevenly");
                lock(&self.state).ticker = Ticker::NotStarted;
            }
        }
    }
}

impl State {
    fn settle(&mut self, settled: &[Share<Arc<AccountState>>], now: Nanos) {
        for share in settled {
            if let Some(key) = share.account.key() {
                self.queue.settle(key, share.took, share.cpu, now);
            }
        }
    }

    fn wake_ticker(&mut self) {
        if let Ticker::Resting(thread) = &self.ticker {
            thread.unpark();
            self.ticker = Ticker::Ticking;
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").finish_non_exhaustive()
    }
}

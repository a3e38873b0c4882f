//! The state that the workers, the ticker and the wakers share, and every step on it.
//!
//! One lock guards queue and crew together, held for a glance; a worker takes it once a poll: it
//! reports the poll that ended and gets what comes next. Nothing that is not ours is called or
//! dropped under it.
//!
//! **Lazy wake.** A wake from inside a poll only queues, when it makes the only task in the queue:
//! that worker looks for work next, and no kernel wake-up is paid. If it computes on instead, the
//! ticker calls another after a whole tick. A wake from a parked worker's own driver goes to that
//! worker, and a wake from elsewhere to the warmest one.

use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex, Weak};
use std::thread::Thread;

use tokio::sync::Notify;
use wasmtime::{Engine, EngineWeak};

use super::account::{Account, AccountState, Place};
use super::aside::Aside;
use super::clock::{self, Nanos};
use super::crew::{Allowed, Crew, Summons, WorkerId};
use super::ledger::Share;
use super::neighbours::{Neighbours, Verdict};
use super::overhead::Overhead;
use super::queue::{AccountKey, Queue};
use super::share::{MilliCpu, Weight};
use super::task::{LiveTasks, Polled, Task, TaskCore, TaskId, lock};
use super::throttling::Throttling;

/// Ticks between two counts of the threads aside, each of which takes a microsecond or two.
const COUNT_ASIDE: u32 = 8;

pub(super) struct Pool {
    /// Itself, for the threads that it starts.
    pub(super) this: Weak<Self>,
    pub(super) state: Mutex<State>,
    ticks: AtomicU32,
    engines: Mutex<Vec<EngineWeak>>,
    /// Threads that do what guests wait for.
    pub(super) aside: Arc<Aside>,
    /// The other Pods of the machine. Locked before the state.
    neighbours: Mutex<Option<Neighbours>>,
    /// The last task's future is dropped.
    pub(super) emptied: Notify,
}

pub(super) struct State {
    pub(super) queue: Queue<Arc<TaskCore>>,
    pub(super) doomed: VecDeque<Arc<TaskCore>>,
    pub(super) live: LiveTasks,
    accounts: Vec<(AccountKey, Weak<AccountState>)>,
    pub(super) crew: Crew,
    overhead: Overhead,
    /// By worker: rung when it is summoned.
    pub(super) bells: Vec<Arc<Notify>>,
    pub(super) ticker: Ticker,
    pub(super) rescues: u64,
    pub(super) stopping: bool,
}

/// The thread that ticks, see [`ticker`](super::ticker).
pub(super) enum Ticker {
    /// There is none; the next poll starts one.
    Absent,
    /// There is none, and in a moment somebody looks whether one is needed.
    Due,
    /// The system gave no thread; the next task tries again.
    Missing,
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

/// A task whose future is dropped. What is left of it goes when this does.
struct Ended {
    _task: Option<Arc<TaskCore>>,
    was_last: bool,
}

/// A poll that is over.
pub(super) struct Report {
    pub(super) task: Arc<TaskCore>,
    pub(super) took: Nanos,
    pub(super) polled: Polled,
}

impl Pool {
    /// A pool of which so many workers may poll at a time. Starts nothing.
    pub(super) fn new(allowed: Allowed) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            this: this.clone(),
            state: Mutex::new(State {
                queue: Queue::new(),
                doomed: VecDeque::new(),
                live: LiveTasks::default(),
                accounts: Vec::new(),
                crew: Crew::new(allowed),
                overhead: Overhead::default(),
                bells: Vec::new(),
                ticker: Ticker::Absent,
                rescues: 0,
                stopping: false,
            }),
            ticks: AtomicU32::new(0),
            engines: Mutex::new(Vec::new()),
            aside: Arc::default(),
            neighbours: Mutex::new(None),
            emptied: Notify::new(),
        })
    }

    pub(super) fn open(
        self: &Arc<Self>,
        name: String,
        weight: Weight,
        limit: Option<MilliCpu>,
    ) -> Account {
        let mut state = lock(&self.state);
        let State { accounts, queue, .. } = &mut *state;
        // Accounts close here and not when they are dropped: that may happen under our lock.
        accounts.retain(|(key, account)| {
            let open = account.strong_count() > 0;
            if !open {
                queue.close(*key);
            }
            open
        });
        let key = queue.open(weight, limit, clock::monotonic());
        let account = Account::new(name, Place::Pool { pool: Arc::clone(self), key });
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
            state.summon(None)
        };
        self.answer(summons);
    }

    /// Limits all accounts together.
    pub(super) fn set_limit_together(&self, limit: Option<MilliCpu>) {
        let summons = {
            let mut state = lock(&self.state);
            state.queue.set_limit_together(limit, clock::monotonic());
            state.summon(None)
        };
        self.answer(summons);
    }

    pub(super) fn throttling(&self, key: AccountKey) -> Throttling {
        lock(&self.state).queue.throttling(key, clock::monotonic())
    }

    pub(super) fn throttling_together(&self) -> Throttling {
        lock(&self.state).queue.throttling_together(clock::monotonic())
    }

    pub(super) fn charge(&self, key: AccountKey, cpu: Nanos) {
        let mut state = lock(&self.state);
        state.queue.charge(key, cpu);
        state.queue.settle(key, cpu, cpu, clock::monotonic());
    }

    pub(super) fn register(&self, engine: &Engine) {
        let mut engines = lock(&self.engines);
        engines.retain(|known| known.upgrade().is_some_and(|known| !Engine::same(&known, engine)));
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
            // Before the worker, which would start one at once.
            self.expect_ticker();
            account.ready(core);
        }
        task
    }

    /// Queues a task, and sees to it that a worker comes for it.
    pub(super) fn ready(&self, key: AccountKey, task: Arc<TaskCore>) {
        let here = self.seat();
        let tick = self.ticks.load(Relaxed);
        let summons = {
            let mut state = lock(&self.state);
            state.queue.push(key, task, tick, clock::monotonic);
            state.summon(here)
        };
        self.answer(summons);
    }

    /// Has the future of an aborted task dropped by a worker.
    pub(super) fn doom(&self, task: Arc<TaskCore>) {
        let summons = {
            let mut state = lock(&self.state);
            state.doomed.push_back(task);
            // An empty crew: the last one is leaving and drops them itself.
            if state.crew.present() == 0 { None } else { state.summon(None) }
        };
        self.answer(summons);
    }

    /// Called by worker `id` in its loop: what comes next.
    pub(super) fn next(&self, id: WorkerId, now: Nanos) -> Next {
        let mut state = lock(&self.state);
        state.crew.between(id);
        if let Some(task) = state.doomed.pop_front() {
            // A Store takes milliseconds to drop: this worker does not look for work now.
            state.crew.begin_poll(id, now);
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
            let absent = matches!(state.ticker, Ticker::Absent);
            drop(state);
            if absent {
                self.start_ticker();
            }
            return Next::Poll(task);
        }
        state.crew.park(id);
        Next::Park(state.queue.next_release(now))
    }

    /// Takes a worker's report of a poll, and what its ledger settled.
    pub(super) fn report(
        &self,
        id: WorkerId,
        report: Report,
        settled: &mut [Share<Arc<AccountState>>],
        now: Nanos,
    ) {
        let tick = self.ticks.load(Relaxed);
        let ended = {
            let mut state = lock(&self.state);
            state.crew.between(id);
            if let Some(key) = report.task.account.key() {
                state.queue.polled(key, report.took, now);
                state.settle(settled, now);
                if report.polled == Polled::Again {
                    state.queue.push(key, Arc::clone(&report.task), tick, || now);
                }
            }
            match report.polled {
                Polled::Done => Some(state.end(report.task.id)),
                Polled::Pending | Polled::Again | Polled::Stale => None,
            }
        };
        drop(report);
        self.ended(ended);
    }

    /// The future of a doomed task has been dropped, which took `took`.
    pub(super) fn discarded(
        &self,
        task: &TaskCore,
        took: Nanos,
        settled: &mut [Share<Arc<AccountState>>],
        now: Nanos,
    ) {
        let ended = {
            let mut state = lock(&self.state);
            if let Some(key) = task.account.key() {
                state.queue.charge(key, took);
            }
            state.settle(settled, now);
            state.end(task.id)
        };
        self.ended(Some(ended));
    }

    /// What an end asks for that is not done under the lock.
    fn ended(&self, ended: Option<Ended>) {
        if ended.is_some_and(|ended| ended.was_last) {
            self.emptied.notify_waiters();
        }
    }

    /// Tasks whose futures are not dropped.
    pub(super) fn tasks(&self) -> usize {
        lock(&self.state).live.len()
    }

    pub(super) fn tick_count(&self) -> u32 {
        self.ticks.load(Relaxed)
    }

    /// Has all accounts together share the machine with `neighbours`.
    pub(super) fn set_neighbours(&self, neighbours: Neighbours) {
        *lock(&self.neighbours) = Some(neighbours);
        self.obey(Verdict::Free, clock::monotonic());
    }

    /// Looks at the other Pods of the machine, if it is time.
    pub(super) fn meet_neighbours(&self) {
        let now = clock::monotonic();
        let mut neighbours = lock(&self.neighbours);
        if let Some(neighbours) = neighbours.as_mut().filter(|neighbours| neighbours.is_due(now)) {
            let own = lock(&self.state).queue.totals(now);
            let verdict = neighbours.round(own, now);
            self.obey(verdict, now);
        }
    }

    /// How long until the next look, if others wait for what this Pod says.
    pub(super) fn next_meeting(&self) -> Option<Nanos> {
        lock(&self.neighbours).as_ref()?.next_round(clock::monotonic())
    }

    /// Tells the other Pods that this one is idle.
    pub(super) fn leave_neighbours(&self) {
        if let Some(neighbours) = lock(&self.neighbours).as_mut() {
            neighbours.leave();
        }
    }

    fn obey(&self, verdict: Verdict, now: Nanos) {
        let (share, width) = match verdict {
            Verdict::Quiet | Verdict::Free => (None, usize::MAX),
            Verdict::Held(share) => {
                let cores = share.get().div_ceil(1000);
                (Some(share), usize::try_from(cores).unwrap_or(usize::MAX))
            }
        };
        let summons = {
            let mut state = lock(&self.state);
            state.queue.set_share(share, now);
            state.crew.narrow(width);
            state.summon(None)
        };
        self.answer(summons);
    }

    /// The blocking thread that calls this ends.
    pub(super) fn ended_aside(&self) {
        let cpu = self.aside.end();
        lock(&self.state).overhead.aside(cpu);
    }

    /// One tick of the clock that makes guests give way: epochs, waiters, stuck workers. `own` is the
    /// CPU time of the ticker since the last one.
    pub(super) fn tick(&self, own: Nanos) {
        for engine in lock(&self.engines).iter().filter_map(EngineWeak::upgrade) {
            engine.increment_epoch();
        }
        // The count before this tick: whoever was queued by then has waited for a whole one. In
        // a ping-pong the queue is never empty, but nobody stays in it.
        let before = self.ticks.fetch_add(1, Relaxed).wrapping_sub(1);
        let now = clock::monotonic();
        let aside = if before.is_multiple_of(COUNT_ASIDE) { self.aside.count() } else { 0 };
        let summons = {
            let mut state = lock(&self.state);
            state.overhead.ticked(own);
            state.overhead.aside(aside);
            if !state.doomed.is_empty() || state.queue.has_eligible(now) {
                let relieved = state.crew.relieve(now);
                state.rescues += u64::try_from(relieved).unwrap_or(u64::MAX);
            }
            if !state.doomed.is_empty() || state.queue.waited_through(before, now) {
                state.reinforce()
            } else {
                None
            }
        };
        self.answer(summons);
    }
}

impl State {
    fn summon(&mut self, here: Option<WorkerId>) -> Option<Summons> {
        self.crew.summon(here, self.queue.len() + self.doomed.len())
    }

    fn reinforce(&mut self) -> Option<Summons> {
        self.crew.reinforce(self.queue.len() + self.doomed.len())
    }

    fn settle(&mut self, settled: &mut [Share<Arc<AccountState>>], now: Nanos) {
        self.overhead.charge(settled);
        for share in settled {
            share.account.used(share.cpu);
            if let Some(key) = share.account.key() {
                self.queue.settle(key, share.took, share.cpu, now);
            }
        }
    }

    fn end(&mut self, id: TaskId) -> Ended {
        Ended { _task: self.live.remove(id), was_last: self.live.is_empty() }
    }

    /// Whether a guest may have to give way, or a poll be given up on.
    pub(super) fn needs_ticks(&self) -> bool {
        self.crew.is_busy()
            || !self.doomed.is_empty()
            || self.queue.has_eligible(clock::monotonic())
    }

    pub(super) fn wake_ticker(&mut self) {
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

//! The threads of a pool: started, told apart, stopped.
//!
//! None is started before it is needed. They end by themselves when the pool is stopped: workers
//! after the futures of all tasks are dropped, the ticker after the workers, since it is what makes
//! guests give way. The ticker also ends when nothing has run for long, and comes back.

use std::cell::Cell;
use std::sync::{Arc, Weak};
use std::thread;

use tokio::runtime::Handle;
use tokio::sync::Notify;

use super::crew::{Summons, WorkerId};
use super::pool::{Pool, Ticker};
use super::task::lock;
use super::{ticker, worker};

thread_local! {
    /// The pool and the seat of the worker that this thread is.
    static SEAT: Cell<Option<(*const Pool, WorkerId)>> = const { Cell::new(None) };
}

/// Looks for the ticker when it is dropped: with its runtime, too, or if that has no timers.
struct LookForTicker(Weak<Pool>);

impl Drop for LookForTicker {
    fn drop(&mut self) {
        if let Some(pool) = self.0.upgrade() {
            pool.look_for_ticker();
        }
    }
}

/// Rings for the threads of a stopped pool when it is dropped: with its runtime, too.
struct Dismissal(Arc<Pool>);

impl Drop for Dismissal {
    fn drop(&mut self) {
        self.0.ring();
    }
}

/// What the ticker has to do next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum TickerNext {
    Tick,
    Rest,
    Leave,
}

impl Pool {
    /// Makes this thread the worker `id`, until [`Pool::stand_up`].
    pub(super) fn sit_down(&self, id: WorkerId) {
        SEAT.set(Some((std::ptr::from_ref(self), id)));
    }

    /// The worker `id`, which is this thread, has ended.
    pub(super) fn stand_up(&self, id: WorkerId) {
        SEAT.set(None);
        self.leave(id);
    }

    /// The worker `id` has ended, or could not start.
    fn leave(&self, id: WorkerId) {
        let stranded = {
            let mut state = lock(&self.state);
            state.crew.leave(id);
            state.wake_ticker();
            if state.crew.present() == 0 { state.live.all() } else { Vec::new() }
        };
        // Without a worker nobody would ever poll or drop them.
        for task in stranded {
            task.abort();
        }
        self.discard_doomed();
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
    }

    /// Drops the futures of aborted tasks where no worker is left to do it.
    fn discard_doomed(&self) {
        loop {
            let task = {
                let mut state = lock(&self.state);
                if state.crew.present() > 0 { None } else { state.doomed.pop_front() }
            };
            let Some(task) = task else { return };
            task.discard();
            self.discarded(&task, 0, &mut [], 0);
        }
    }

    /// Asks all tasks and threads to end; does not wait.
    ///
    /// Threads that have nothing to drop hear of it a tick later: a process that ends with its Pod
    /// is gone by then, and need not wait for them to clear up.
    pub(super) fn stop(&self) {
        let (live, stopped_before) = {
            let mut state = lock(&self.state);
            (state.live.all(), std::mem::replace(&mut state.stopping, true))
        };
        // An abort calls a worker to drop the task's future.
        for task in live {
            task.abort();
        }
        // The last worker may have left between an abort and its task's place among the doomed.
        self.discard_doomed();
        let runtime = Handle::try_current().ok();
        if stopped_before && runtime.is_some() {
            return;
        }
        let dismissal = self.this.upgrade().map(Dismissal);
        // Without one they hear of it here, when the dismissal is dropped.
        if let Some(runtime) = runtime {
            // It ends by itself, within a tick or with its runtime.
            runtime.spawn(async {
                let _dismissal = dismissal;
                tokio::time::sleep(ticker::TICK).await;
            });
        }
    }

    /// Has all threads look up: those of a pool that is stopped end.
    fn ring(&self) {
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

    /// The seat of this thread, if it is a worker of this pool.
    pub(super) fn seat(&self) -> Option<WorkerId> {
        SEAT.get().filter(|(pool, _)| std::ptr::eq(*pool, self)).map(|(_, id)| id)
    }

    /// Does what the crew asked for; not under the lock.
    pub(super) fn answer(&self, summons: Option<Summons>) {
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
        if let Err(error) = worker::start(this, id, bell) {
            tracing::error!(%error, "cannot start a thread for the Pod's containers");
            self.leave(id);
        }
    }

    /// Sees to it that there will be a ticker if one is needed.
    ///
    /// A short program ends within a tick, and a thread costs a good part of what it does: the
    /// runtime in which the first task is started looks a tick later. That runtime must go on, with
    /// timers of real time; without one a ticker comes with the first poll.
    pub(super) fn expect_ticker(&self) {
        // A worker's own runtime is held up by the guest that is to be interrupted.
        let runtime = Handle::try_current().ok().filter(|_| self.seat().is_none());
        let due = {
            let mut state = lock(&self.state);
            match (&state.ticker, runtime) {
                (Ticker::Absent | Ticker::Missing, Some(runtime)) => {
                    state.ticker = Ticker::Due;
                    Some(runtime)
                }
                (Ticker::Missing, None) => {
                    state.ticker = Ticker::Absent;
                    None
                }
                (Ticker::Absent | Ticker::Due | Ticker::Ticking | Ticker::Resting(_), _) => None,
            }
        };
        if let Some(runtime) = due {
            let look = LookForTicker(self.this.clone());
            // It ends by itself, within a tick or with its runtime.
            runtime.spawn(async {
                let _look = look;
                tokio::time::sleep(ticker::TICK).await;
            });
        }
    }

    fn look_for_ticker(&self) {
        let busy = {
            let mut state = lock(&self.state);
            if matches!(state.ticker, Ticker::Due) {
                state.ticker = Ticker::Absent;
            }
            state.needs_ticks()
        };
        if busy {
            self.start_ticker();
        }
    }

    pub(super) fn start_ticker(&self) {
        {
            let mut state = lock(&self.state);
            match state.ticker {
                Ticker::Absent | Ticker::Due => state.ticker = Ticker::Ticking,
                Ticker::Missing | Ticker::Ticking | Ticker::Resting(_) => return,
            }
        }
        let Some(this) = self.this.upgrade() else {
            return;
        };
        if let Err(error) = ticker::start(this) {
            tracing::error!(%error, "cannot start the ticker: containers share the CPU unevenly");
            lock(&self.state).ticker = Ticker::Missing;
        }
    }

    /// Whether the ticker goes on; when it may rest it is marked so, and the next poll wakes it.
    pub(super) fn ticker_next(&self, rest: bool) -> TickerNext {
        let mut state = lock(&self.state);
        if state.stopping && state.crew.present() == 0 {
            state.ticker = Ticker::Absent;
            return TickerNext::Leave;
        }
        if state.needs_ticks() {
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

    /// Whether the ticker, which has rested for long, is to end: nobody has woken it meanwhile.
    pub(super) fn dismiss_ticker(&self) -> bool {
        let mut state = lock(&self.state);
        let rests = matches!(state.ticker, Ticker::Resting(_));
        if rests {
            state.ticker = Ticker::Absent;
        }
        rests
    }

    pub(super) fn has_ticker(&self) -> bool {
        matches!(lock(&self.state).ticker, Ticker::Ticking | Ticker::Resting(_))
    }
}

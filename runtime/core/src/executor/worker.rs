//! A worker: a thread whose tokio runtime does nothing but poll the pool's tasks.
//!
//! The loop is the runtime's main future. When there is nothing to poll it awaits its bell, so
//! the thread sleeps in the runtime's driver and wakes for timers and sockets that its tasks
//! registered. When there is always something to poll it gives the driver a turn each tick:
//! without, a sleep of 2 ms took a second.

use std::io;
use std::sync::Arc;
use std::thread::Builder;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::Notify;
use tokio::task::coop::has_budget_remaining;
use tokio::time::timeout;

use super::account::AccountState;
use super::clock::{self, Nanos};
use super::crew::WorkerId;
use super::ledger::{Ledger, Share};
use super::pool::{Next, Pool, Report};
use super::task::{Polled, TaskCore};

/// Guests run on stacks of their own; this one is for our futures. Address space, not memory.
const STACK: usize = 1 << 20;

/// Threads for what a task hands to `spawn_blocking` (standard input, files).
const BLOCKING_THREADS: usize = 16;

/// How long such a thread waits for more: an idle Pod should not keep it.
const BLOCKING_KEEP_ALIVE: Duration = Duration::from_secs(1);

/// Events of sockets that are taken at a time: room for them is made at once, in each idle Pod.
const EVENTS: usize = 128;

/// Polls after which the driver has a turn, if no tick came first.
const POLLS_A_TURN: u32 = 64;

/// Starts the thread of worker `id`.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn start(pool: Arc<Pool>, id: WorkerId, bell: Arc<Notify>) -> io::Result<()> {
    let thread = Builder::new().name(format!("pod-cpu-{id}")).stack_size(STACK).spawn(move || {
        let seated = Seated { pool, id };
        seated.pool.sit_down(id);
        match runtime(&seated.pool) {
            Ok(runtime) => {
                runtime.block_on(Worker::new(&seated.pool, id, &bell).work());
                // A thread that still reads standard input would never end.
                runtime.shutdown_background();
            }
            Err(error) => {
                tracing::error!(%error, "cannot start a runtime for the Pod's containers")
            }
        }
    });
    // It ends with its pool.
    thread.map(drop)
}

fn runtime(pool: &Arc<Pool>) -> io::Result<runtime::Runtime> {
    let (begins, ends) = (Arc::clone(&pool.aside), Arc::downgrade(pool));
    runtime::Builder::new_current_thread()
        .enable_all()
        .max_io_events_per_tick(EVENTS)
        // Called by the blocking threads only: this one is not the runtime's.
        .on_thread_start(move || begins.begin())
        .on_thread_stop(move || {
            if let Some(pool) = ends.upgrade() {
                pool.ended_aside();
            }
        })
        .max_blocking_threads(BLOCKING_THREADS)
        .thread_keep_alive(BLOCKING_KEEP_ALIVE)
        .thread_name("pod-blocking")
        .build()
}

/// Gives the seat back, however the thread ends.
struct Seated {
    pool: Arc<Pool>,
    id: WorkerId,
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.pool.stand_up(self.id);
    }
}

struct Worker<'pool> {
    pool: &'pool Pool,
    id: WorkerId,
    bell: &'pool Notify,
    ledger: Ledger<Arc<AccountState>>,
    settled: Vec<Share<Arc<AccountState>>>,
    /// The end of the last poll: the start of the next.
    now: Nanos,
    /// When the driver had its last turn.
    turn: Turn,
}

struct Turn {
    tick: u32,
    polls: u32,
}

impl<'pool> Worker<'pool> {
    fn new(pool: &'pool Pool, id: WorkerId, bell: &'pool Notify) -> Self {
        Self {
            pool,
            id,
            bell,
            ledger: Ledger::new(clock::thread_cpu()),
            settled: Vec::new(),
            now: clock::monotonic(),
            turn: Turn { tick: pool.tick_count(), polls: 0 },
        }
    }

    async fn work(mut self) {
        loop {
            match self.pool.next(self.id, self.now) {
                Next::Poll(task) => self.poll(task),
                Next::Discard(task) => self.discard(&task),
                Next::Park(until) => self.park(until).await,
                Next::Leave => return,
            }
            if self.is_drivers_turn() {
                self.drive().await;
            }
        }
    }

    fn poll(&mut self, task: Arc<TaskCore>) {
        let polled = task.poll_once();
        let took = self.note(&task, polled);
        self.turn.polls += 1;
        self.pool.report(self.id, Report { task, took, polled }, &mut self.settled, self.now);
        self.settled.clear();
    }

    fn discard(&mut self, task: &Arc<TaskCore>) {
        task.discard();
        let took = self.note(task, Polled::Done);
        self.pool.discarded(task, took, &mut self.settled, self.now);
        self.settled.clear();
    }

    /// Charges the time since the last note to the task's account.
    fn note(&mut self, task: &TaskCore, polled: Polled) -> Nanos {
        let end = clock::monotonic();
        let took = end.saturating_sub(self.now);
        self.now = end;
        let waits = u64::from(polled == Polled::Pending);
        self.ledger.note(Arc::clone(&task.account), took, waits);
        if polled == Polled::Done || self.ledger.is_due() {
            self.settled.extend(self.ledger.settle(clock::thread_cpu()));
        }
        took
    }

    async fn park(&mut self, until: Option<Nanos>) {
        match until {
            None => self.bell.notified().await,
            Some(until) => {
                let wait = Duration::from_nanos(until.saturating_sub(clock::monotonic()));
                // Rung or not, the loop looks again.
                let _ = timeout(wait, self.bell.notified()).await;
            }
        }
        self.now = clock::monotonic();
    }

    fn is_drivers_turn(&self) -> bool {
        self.turn.polls >= POLLS_A_TURN
            || self.turn.tick != self.pool.tick_count()
            // With the budget gone every tokio resource says pending: polling would only spin.
            || !has_budget_remaining()
    }

    async fn drive(&mut self) {
        self.turn = Turn { tick: self.pool.tick_count(), polls: 0 };
        tokio::task::yield_now().await;
        self.now = clock::monotonic();
    }
}

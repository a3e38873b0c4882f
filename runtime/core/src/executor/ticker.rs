//! The clock that makes guests give way: a thread that ticks while something runs.
//!
//! A tick moves the epoch of the Pod's engines on, so that every guest that computes gives way,
//! and lets the pool look for those who waited a whole tick and for stuck workers. Always on it
//! would cost 1.3 % of a core, so it rests when nothing is runnable and the next poll wakes it. When
//! nothing is for long, the thread ends: an idle Pod pays for none that it does not need. While the Pod is
//! busy it also looks at the other Pods of the machine.

use std::io;
use std::sync::Arc;
use std::thread::{self, Builder};
use std::time::Duration;

use super::clock;
use super::pod_executor::cores;
use super::pool::Pool;
use super::threads::TickerNext;

pub(super) const TICK: Duration = Duration::from_millis(1);

/// Idle ticks before it rests: waking it costs the waker some 5 µs, more than a tick costs.
const IDLE_TICKS: u32 = 2;

/// How long it rests before it ends: to start it costs some 50 µs.
const LINGER: Duration = Duration::from_millis(500);

const STACK: usize = 128 << 10;

/// Starts the ticker, ticking.
///
/// # Errors
/// When the system gives no thread.
pub(super) fn start(pool: Arc<Pool>) -> io::Result<()> {
    let thread = Builder::new().name("pod-ticker".to_owned()).stack_size(STACK);
    // It ends with its pool, or when the pool has nothing to do.
    thread.spawn(move || run(&pool)).map(drop)
}

fn run(pool: &Pool) {
    // Found out here, and not under the pool's lock by the tick that asks for a second worker.
    cores();
    let (mut idle, mut cpu) = (0, clock::thread_cpu());
    loop {
        // Real time on a thread of its own: a guest must give way whatever its own clock says.
        thread::park_timeout(TICK);
        let before = std::mem::replace(&mut cpu, clock::thread_cpu());
        pool.tick(cpu.saturating_sub(before));
        pool.meet_neighbours();
        match pool.ticker_next(idle >= IDLE_TICKS) {
            TickerNext::Tick => idle = 0,
            TickerNext::Rest if idle < IDLE_TICKS => idle += 1,
            TickerNext::Rest if is_woken(pool) => idle = 0,
            TickerNext::Rest | TickerNext::Leave => return pool.leave_neighbours(),
        }
    }
}

/// Rests; answers whether anybody woke it before it was dismissed.
fn is_woken(pool: &Pool) -> bool {
    let start = clock::monotonic();
    while pool.ticker_rests() {
        let rested = Duration::from_nanos(clock::monotonic().saturating_sub(start));
        let meeting = pool.next_meeting().map(Duration::from_nanos);
        match (LINGER.checked_sub(rested).filter(|left| !left.is_zero()), meeting) {
            // All guests may be held, and others wait for what is said meanwhile.
            (_, Some(meeting)) => {
                thread::park_timeout(meeting);
                pool.meet_neighbours();
            }
            (Some(left), None) => thread::park_timeout(left),
            (None, None) => return !pool.dismiss_ticker(),
        }
    }
    true
}

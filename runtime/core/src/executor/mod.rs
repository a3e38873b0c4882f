//! Where the containers of a Pod get their CPU time.
//!
//! A run of a container is a future; this is what polls it. [`PodExecutor::threads`] gives a
//! Pod a few worker threads, at most one for each core; [`PodExecutor::inline`] gives it none
//! and polls on the caller's own runtime, in plain order, which is what virtual time needs.
//!
//! Decides who runs next, for how long, and on which thread: shares by [`Weight`], limits in
//! [`MilliCpu`], both for the sum of an [`Account`]'s tasks, and one limit for all accounts together. What runs is no concern of it, save
//! that guests give way at each epoch tick through [`yield_point()`].
//!
//! ```text
//!  wake ─▶ queue (least virtual CPU time first) ─▶ worker polls ─▶ ledger ─▶ queue, throttle
//!            ▲                                        │                         │
//!            └── ticker: epochs, waiters, rescue ─────┘          held until paid ┘
//! ```
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `share` | weights and limits as types | yes |
//! | `queue` | who is next | yes |
//! | `throttle` | when an account over its limit may go on | yes |
//! | `bandwidth` | a limit that may change, and what it holds | yes |
//! | `throttling` | how often and how long a limit held something | yes |
//! | `neighbours` | sharing the machine with other Pods | partly |
//! | `ledger` | poll times made CPU time | yes |
//! | `overhead`, `aside` | who pays for CPU time beside the polls | `overhead` |
//! | `crew` | which worker polls, parks, is stuck | yes |
//! | `task` | one future: woken, polled, aborted | |
//! | `account` | what a container is charged to | |
//! | `pool` | the state that threads share, and each step on it | |
//! | `threads`, `worker`, `ticker` | the threads | |
//! | `inline` | no threads | |
//! | `bill` | what computing costs without threads: time | yes |
//! | `blocking` | where work goes that waits for the real world | |
//!
//! **Why not tokio's own scheduler:** its queue is first come, first served, and hands a wake to
//! another thread. A round trip between two containers beside two spinning ones took 25 to
//! 138 µs there and takes 3 to 5 µs here, because a wake from inside a poll only queues and the
//! worker runs the partner next (the kernel wake-up is the cost), and because who has used least
//! goes first.
//!
//! **What no scheme can do** is interrupt a host call or one huge `memory.fill`. A poll over
//! 3 ms while others wait gets its worker replaced; the timers and sockets that were registered
//! on that worker's driver wait until it is back.
//!
//! **Memory:** a worker is a thread, a current-thread tokio runtime and their few touched pages.
//! glibc hands memory of other arenas than the first back at once: a program that moves bulk
//! data through the Pod's network should raise `M_TRIM_THRESHOLD` and `M_TOP_PAD` (half the
//! throughput went into page faults), which is the program's to do, not a library's.

mod account;
mod aside;
mod bandwidth;
mod bill;
mod blocking;
mod clock;
mod crew;
mod inline;
mod ledger;
mod neighbours;
mod overhead;
mod pod_executor;
mod pool;
mod queue;
mod share;
mod task;
mod threads;
mod throttle;
mod throttling;
mod ticker;
mod worker;
mod yield_point;

#[cfg(test)]
mod tests;

pub use account::Account;
pub(crate) use blocking::{Blocking, Work};
pub(crate) use pod_executor::cores;
pub use pod_executor::{PodExecutor, Stats, StillRunning};
pub use share::{MilliCpu, Weight};
pub use task::{AbortHandle, Task, TaskError};
pub use throttling::Throttling;
pub use yield_point::{YieldPoint, yield_point};

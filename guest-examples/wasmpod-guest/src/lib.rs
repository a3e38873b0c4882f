//! What a guest of wasmpod can ask of its Pod beyond WASI: whether it is to stop, and message queues and
//! shared segments that all containers of the Pod have.
//!
//! Queues and segments are in [`ipc`], the same for each WASI.
//!
//! WASI has no signals. A program that has something to finish before it ends asks or waits for the
//! stop here, in the way of its WASI:
//!
//! | for | module | to ask | to wait |
//! |---|---|---|---|
//! | modules of WASI 0.1 | `p1::stop` | `requested()` | |
//! | components of WASI 0.2 | `p2::stop` | `requested()` | `wait()`, or `subscribe()` beside other pollables |
//! | components of WASI 0.3 | `p3::stop` (feature `p3`) | `requested()` | `wait().await` |
//!
//! A program that uses a module runs only where wasmpod is.

// A module of WASI 0.1 has no bindings that are generated: it declares its one import by itself.
#![cfg_attr(target_env = "p2", forbid(unsafe_code))]
#![warn(missing_docs)]

use std::time::Duration;

pub mod ipc;
#[cfg(target_env = "p1")]
pub mod p1;
#[cfg(target_env = "p2")]
pub mod p2;
#[cfg(all(target_env = "p2", feature = "p3"))]
pub mod p3;

/// What is asked of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StopRequest {
    /// The signal that a process would have got: the container's `lifecycle.stopSignal`, `SIGTERM`
    /// unless it has one.
    pub signal: String,
    /// What is left of the grace period: so long after this answer the program is ended.
    pub grace: Duration,
}

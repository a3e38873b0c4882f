//! A terminal for guests: a pseudo-terminal of the kernel between who types and a guest's streams.
//!
//! ```text
//! client ──type_in──▶ master ═ line discipline ═ slave ──▶ standard input
//! client ◀──screen─── master ═  of the kernel  ═ slave ◀── standard output and error
//! ```
//!
//! The kernel echoes, erases, ends lines and input, and makes `\r\n` of `\n`, so that a guest sees
//! what a process sees. Both ends are held here. What a kernel does with a signal has to be done for a
//! guest, which gets none: Ctrl-C is told to whoever [catches](Terminal::catch_signals) it, and ends
//! the command where nobody does.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `keys` | which typed bytes are signals | yes |
//! | `pty` | a pair of descriptors, and its settings | |
//! | `signals` | who is told of a signal | |
//! | `client` | who types and watches | |
//! | `guest` | the guests | |
//! | `wakers` | who waits | |

mod client;
mod guest;
mod keys;
mod pty;
mod signals;
#[cfg(test)]
mod tests;
mod wakers;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub use client::Terminal;
pub use keys::Signal;
pub use pty::TerminalSize;
pub use signals::Caught;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

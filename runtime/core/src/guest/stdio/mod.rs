//! A guest's standard streams.
//!
//! Output goes to an [`Output`] without a task in between: a guest that writes faster than the
//! output takes waits, and nothing is buffered here, however long a line is; but for the many instances
//! of an HTTP handler, which have one log ([`WholeLines`]). Input comes from a
//! bounded [`InputPipe`] or from a [`Terminal`](crate::sandbox::terminal::Terminal); it ends when its
//! writer is dropped or when the container is asked to stop, whichever is first.

mod input;
mod lines;
mod output;
mod pipe;
#[cfg(test)]
mod tests;

use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use input::GuestInput;
pub use input::Stdin;
pub(crate) use lines::WholeLines;
pub(crate) use output::{GuestOutput, TerminalOutput};
pub use output::{Output, OutputBuffer};
pub(in crate::guest) use pipe::INPUT_CAPACITY;
pub use pipe::{InputPipe, InputWriter, input_pipe};

/// What one read or write of a guest may hold; wasmtime-wasi's own measure for a stream.
const PERMIT: usize = 64 << 10;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

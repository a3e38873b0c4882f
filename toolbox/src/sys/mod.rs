//! What the toolbox needs of a kernel: processes, pipes, names of the network.
//!
//! In WebAssembly they are functions of wasmpod (module `wasmpod_process`). Elsewhere they are those of
//! POSIX, so that the shell is tested as a program of the developer's machine.
//!
//! A child has copies of its parent's memory and of those handles that it is given, but none of its files.

#[cfg(not(target_arch = "wasm32"))]
mod unix;
#[cfg(target_arch = "wasm32")]
mod wasm;

use std::io;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use unix::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::*;

/// The number of an open end: 0, 1 and 2 are the standard streams.
pub(crate) type Handle = i32;

/// The number of a process.
pub(crate) type Pid = i32;

/// Where a process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Ctrl-C ends it.
    Foreground,
    Background,
}

/// What a child does; what it returns is its exit code.
pub(crate) type Job = Box<dyn FnOnce() -> i32>;

/// Writes all of `bytes`.
///
/// # Errors
/// `BrokenPipe` when nobody reads, and others.
pub(crate) fn write_all(handle: Handle, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = write(handle, bytes)?;
        bytes = &bytes[written..];
    }
    Ok(())
}

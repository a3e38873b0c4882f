//! Sockets of WASI 0.1: pre-opened listeners.
//!
//! WASI 0.1 cannot make a socket; it can only accept on one that it was given. So a core module
//! that imports `sock_accept` gets one listener for each TCP `containerPort` of its container, on
//! all addresses of the Pod:
//!
//! | descriptor | is |
//! |---|---|
//! | 0, 1, 2 | standard input, output, error |
//! | 3 .. 3 + n | the listeners, in the order of `ports:` |
//! | then | the preopened directories |
//!
//! That is systemd's socket activation (`SD_LISTEN_FDS_START` is 3) and what wasmtime's
//! `--tcplisten` did, so guests find them by the `listenfd` crate, by `LISTEN_FDS` and
//! `LISTEN_FDNAMES` ([`environment`]), by a plain 3, or, as Go does, by asking each descriptor for
//! its type. The scan for directories passes over them: `fd_prestat_get` reports a preopen of an
//! unknown kind there, which wasi-libc and Go skip.
//!
//! **Why a table of our own.** wasmtime-wasi's descriptor table is private, hands out numbers by
//! itself and knows no sockets. [`Descriptors`] maps the guest's numbers to its numbers or to a
//! socket and gives out the lowest free one, as POSIX wants; every function that takes a
//! descriptor is shadowed to translate it and calls the stock implementation for all that is no
//! socket. A module that does not import `sock_accept` gets none of this.

mod connection;
mod descriptors;
mod errno;
mod files;
mod ipc;
mod large;
mod link;
mod listen;
mod memory;
mod poll;
mod sleep;
mod sockets;
mod stock;
mod translate;
mod view;

#[cfg(test)]
mod tests;

pub use descriptors::Descriptors;
pub(crate) use errno::errno;
pub use ipc::IpcDescriptors;
pub(crate) use link::UNSTABLE;
pub use link::{add_to_linker, any_exit_code, sleep_on_tokios_clock, wants_listeners};
pub use listen::{ListenError, ListenPort, environment, listen};
pub use view::{ModuleCtxView, ModuleView};

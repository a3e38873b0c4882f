//! A command in a running container.
//!
//! WebAssembly has no processes, and a Store that runs a guest takes no second call. So a command is
//! a run of its own, in a fresh instance over the same files, network and memory limit. Tried in this
//! order, by the command's first word:
//!
//! 1. the name of a function that the container's own program exports: it is called, and what it
//!    returns is the exit code ([`export`]);
//! 2. a WebAssembly file among the container's own files, by its path or by its name on the `PATH`:
//!    it runs with the command as its arguments ([`file`]); a script there (`#!/bin/sh`) is read by its
//!    shell, if that is a tool;
//! 3. the name of the container's program (or the word that the container was started as): it runs
//!    with the command as its arguments;
//! 4. the name of a tool of the toolbox, if there is one: a shell and what goes with it ([`tools`]);
//! 5. otherwise the code is 127, and the message lists what there is.
//!
//! What is there and cannot be run ends with 126.

mod command;
mod export;
mod file;
mod loader;
mod tools;

pub use command::exec;
pub(super) use command::{Found, resolve};
pub use loader::Loader;

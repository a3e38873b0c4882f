//! Reads and writes of files, ours in place of the stock ones: what passes is counted.
//!
//! | | a stream's reads and writes |
//! |---|---|
//! | [`charged`] | are done by threads, as in wasmtime-wasi; the container pays for what is under way |
//! | [`in_place`] | are done when they return, for virtual time |
//!
//! Beside the host's files are those of the Pod's IPC ([`ipc`]).

mod charged;
mod counted;
mod in_place;
mod ipc;
mod shadow;

pub(crate) use charged::charged_file_streams;
pub(crate) use in_place::file_streams_in_place;
pub use ipc::{IpcResources, PodFiles, PodFilesCtxView, PodFilesView};
pub(crate) use ipc::{link_preopens, link_types};
pub(crate) use shadow::FileTrafficView;

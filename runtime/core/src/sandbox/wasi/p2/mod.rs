//! `wasi:sockets` 0.2 over the Pod's network; and streams of files (`files`).
//!
//! Each interface can be linked by itself ([`link_interface`]): linking what a component does not
//! import costs more than instantiating it. Nothing here spawns a task, and a pollable that is
//! ready completes at once, so that a call between two containers never meets the reactor.
//!
//! Errors and the order of checks follow wasmtime-wasi, whose test programs are the measure.

pub mod bindings;
mod convert;
mod error;
mod files;
mod link;
mod name_lookup;
mod network;
mod tcp;
mod tcp_stream;
mod udp;

pub use error::{SocketError, SocketResult};
pub(crate) use files::{
    FileTrafficView, charged_file_streams, file_streams_in_place, link_preopens, link_types,
};
pub use files::{IpcResources, PodFiles, PodFilesCtxView, PodFilesView};
pub use link::{add_to_linker, link_interface};
pub use network::NetworkHandle;

#[cfg(test)]
mod tests;

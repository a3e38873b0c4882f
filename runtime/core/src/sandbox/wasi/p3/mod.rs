//! Sockets of WASI 0.3 on the Pod's network: `wasi:sockets/types` and `ip-name-lookup`.
//!
//! The traits and the types of records and errors are wasmtime-wasi's own, so that the other
//! interfaces of 0.3 agree with them; only what a handle stands for is ours (see `handle`).
//! Behaviour follows wasmtime-wasi's `p3::sockets`; in particular a socket may listen, and a UDP
//! socket may send, without having been bound.

mod error;
mod handle;
mod link;
mod names;
mod streams;
mod tcp;
mod udp;

#[cfg(test)]
mod tests;

pub use link::link_interface;

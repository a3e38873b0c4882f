//! The front of `wasi:http` 0.2 and 0.3: what a guest of any kind can ask of it.
//!
//! Types come from wasmtime-wasi-http. What is ours is how a request goes out: by the Pod's own
//! network, so that other containers, other Pods and the world outside are reached, or refused,
//! as they are by a socket.

mod client;
mod connect;
mod error;
mod hooks;
mod link;
mod tls;

pub use hooks::PodHttp;
pub use link::{link_interface_p2, link_interface_p3};

//! The fronts that wasmtime calls: sockets of WASI 0.1, 0.2 and 0.3, and HTTP, over the Pod's
//! network; and our own `wasmpod:lifecycle`.

pub mod http;
pub mod lifecycle;
pub mod p1;
pub mod p2;
pub mod p3;
mod view;

pub use view::{NetworkCtxView, NetworkView, PodSockets};

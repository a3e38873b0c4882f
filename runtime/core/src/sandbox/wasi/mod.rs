//! The fronts that wasmtime calls: sockets of WASI 0.1, 0.2 and 0.3, and HTTP, over the Pod's
//! network; and our own `wasmpod:lifecycle`, `wasmpod:ipc` and `wasmpod_terminal`.

pub mod http;
pub mod ipc;
pub mod lifecycle;
pub mod p1;
pub mod p2;
pub mod p3;
pub mod terminal;
mod view;

pub use view::{NetworkCtxView, NetworkView, PodSockets};

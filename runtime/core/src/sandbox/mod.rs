//! Everything a guest can touch.

pub mod filesystem;
pub mod ipc;
pub mod network;
mod stop;
pub mod terminal;
pub mod wasi;

pub use stop::{Stop, StopRequest, stop_signal};

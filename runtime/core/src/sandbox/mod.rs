//! Everything a guest can touch.

pub mod filesystem;
pub mod network;
pub mod wasi;

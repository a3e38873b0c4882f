//! Queues and segments as files: what `/dev/mqueue` and `/dev/shm` are to a guest that knows no other way
//! to them.
//!
//! | file | opened to | reads | writes |
//! |---|---|---|---|
//! | `/dev/mqueue/NAME` | read | how much is in it, as on Linux | |
//! | | write | | each is one message, of priority 0 |
//! | | read and write | each takes one message; what did not fit comes with the next | each is one message |
//! | `/dev/shm/…` | any | its bytes | its bytes |
//!
//! `/dev/mqueue` holds queues and nothing else; `/dev/shm` files and folders, no links. How WASI calls
//! these things is the business of its fronts.

mod file;
mod folder;
#[cfg(test)]
mod tests;

pub use file::{IpcFile, IpcStat, QueueFile, SegmentFile};
pub use folder::{IpcFolder, Opened, Opening, RunIpc};

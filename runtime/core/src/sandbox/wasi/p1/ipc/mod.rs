//! `/dev/mqueue` and `/dev/shm` for modules of WASI 0.1: their folders and files among the descriptors.
//!
//! The numbers are the stock implementation's: under each of ours it holds a folder that is gone, so that
//! no two things get the same one. What is done with such a number is done here and never reaches it.
//!
//! | file | subject |
//! |---|---|
//! | `table` | which numbers are ours |
//! | `calls` | each function of WASI 0.1: ours, or passed on |
//! | `bytes`, `descriptors`, `paths` | ours, by what they take |
//! | `readiness` | what `poll_oneoff` waits for of ours |
//! | `layout` | answers as the interface lays them out |

mod bytes;
mod calls;
mod descriptors;
mod layout;
mod paths;
mod readiness;
mod table;

pub(super) use calls::*;
pub(super) use readiness::PolledFile;
pub use table::IpcDescriptors;

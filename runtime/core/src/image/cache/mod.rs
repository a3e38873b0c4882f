//! The cache of machine code, shared by all wasmpod processes of one user.
//!
//! ```text
//! code/<sha256>.<key>.<shape>        the code; enters only by rename, leaves only by unlink
//! memo/<file identity>.<key>  ─────▶ the name in code/: a warm start reads one link, hashes nothing
//! memo/<sha256>.<key>         ─────▶ the same, for the same content under another path
//! locks/<first byte of sha256>       held while compiling: parallel first starts compile once
//! locks/guest-<first byte>           the same, for files that guests have made
//! locks/better-<first byte>          the same, while better code is made or has its turn
//! locks/better                       whose turn it is: one at a time
//! quick/<name in code/>              a mark: that code was made quickly, better code is still to come; what
//!                                    is written there is why it could not be made
//! kept/<name>-<sha256>.wasm          a module that is in no file of its own: the toolbox
//! ```
//!
//! The key says for which wasmtime, address space and CPU the code is. Code is native and runs
//! unchecked, hence the folder must be ours and closed to others. A process holds a shared lock on
//! the code it uses; pruning leaves such files alone. Nothing here has to be cleaned up after a
//! `kill -9`: locks end with their process, and half-written files are swept by age.

mod error;
mod folder;
mod improve;
mod key;
mod make;
mod prune;
mod source;
mod store;
#[cfg(test)]
mod tests;
mod workplace;

pub use error::CacheError;
pub use prune::{CodeUsage, remove_unused_code};
pub use store::{Code, CodeCache};

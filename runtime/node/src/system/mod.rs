//! What wasmpod has on the disk of this machine: how much it is, what of it nobody needs, and its end.
//!
//! | file | subject |
//! |---|---|
//! | `known` | what the objects of the machine still need |
//! | `usage` | how much there is of what |
//! | `prune` | removing what nothing needs |
//! | `reset` | removing all |

mod known;
mod prune;
mod reset;
#[cfg(test)]
mod tests;
mod usage;

pub use prune::{Prune, Pruned, prune};
pub use reset::{Reset, ResetError, reset};
pub use usage::{Kind, Part, usage};

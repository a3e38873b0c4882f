//! Sharing the machine with the Pods of other processes.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `fair_share` | who holds itself back, and how far | yes |
//! | `slots` | the file in which busy Pods tell each other how much | |
//! | `idle` | how long the cores were idle | |

mod fair_share;
mod idle;
mod slots;

pub(super) use fair_share::Verdict;
pub(super) use slots::Neighbours;

#[cfg(test)]
mod tests;

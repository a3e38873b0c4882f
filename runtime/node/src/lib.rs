//! Many Pods on one machine, each in a process of its own and no daemon above them.
//!
//! An import points down this list or sideways inside a folder, never up.
//!
//! | module | subject |
//! |---|---|
//! | `node` | the machine as a Pod that starts meets it |
//! | `podprocess` | what a Pod's process does for others: its socket, and how to speak to it |
//! | `admission` | whether there is room for a Pod |
//! | `ledger` | the Pods that live, and what each of them asks for |

pub mod node;

pub mod podprocess;

pub mod admission;

pub mod ledger;

pub use node::{Node, Settings};

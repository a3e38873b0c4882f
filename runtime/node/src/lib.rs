//! Many Pods on one machine, each in a process of its own and no daemon above them.
//!
//! An import points down this list or sideways inside a folder, never up.
//!
//! | module | subject |
//! |---|---|
//! | `background` | Pods that stay when the command that started them ends |
//! | `attend` | what a Pod's process does beside its Pod |
//! | `pressure` | what happens when the machine runs short of memory |
//! | `podprocess` | what a Pod's process does for others: its socket, and how to speak to it |
//! | `system` | what is on the disk, and removing it |
//! | `images` | images of registries: fetching, naming, showing, removing them |
//! | `admission` | whether there is room for a Pod |
//! | `node` | the machine as a Pod that starts meets it |
//! | `handover` | what a process tells another that it starts |
//! | `ledger` | the Pods that live, and what each of them asks for |

mod attend;

pub mod background;

pub mod pressure;

pub mod podprocess;

pub mod system;

pub mod images;

pub mod admission;

pub mod node;

pub mod handover;

pub mod ledger;

pub use attend::attend;
pub use node::{Node, Settings};

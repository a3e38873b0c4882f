//! Requests and limits made true: what a container asks for, and what the machine has.
//!
//! CPU is shared and bounded by the [`executor`](crate::executor), memory by the limiter in each
//! Store ([`guest`](crate::guest)); here are the figures that they work with.

mod container;
mod machine;

pub use container::ContainerResources;
pub use machine::{allocatable, allocatable_memory, node_name};

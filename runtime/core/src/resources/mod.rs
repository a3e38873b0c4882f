//! Requests and limits made true: what a container and a Pod ask for, and what the machine has.
//!
//! CPU is shared and bounded by the [`executor`](crate::executor); [`memory`] is what the limiter in
//! each Store ([`guest`](crate::guest)) and the buffers of the sandbox ask for. Here are the figures that
//! they work with, those that they come to ([`stats`]), and the host's [`cgroup`] round the whole Pod.

pub mod cgroup;
mod container;
mod machine;
pub mod memory;
mod pod;
mod qos;
pub mod stats;

pub use container::ContainerResources;
pub use machine::{allocatable, allocatable_memory, machine_memory, node_name};
pub use pod::PodResources;
pub use qos::{QosClass, qos_class};

//! Memory that the containers of a Pod may have, and what they have of it.
//!
//! ```text
//! guests: memories, tables, GC heaps ─grow─▶ ContainerMemory ─▶ PodMemory ─▶ the machine
//! host: buffers, sockets, handles    ─hold─▶  its own limit      the Pod's    for who has no limit
//! ```
//!
//! A guest is refused what exceeds one of the limits. What the host holds for it counts too, or a
//! guest could have the host keep what it may not keep itself; a little of that is free.
//!
//! Rule: `limits.memory` of Container and Pod; in the kernel a cgroup in a cgroup.

mod bound;
mod container;
mod held;
mod pod;

pub use bound::{OutOfMemory, Whose};
pub use container::{ContainerMemory, Exceeded};
pub use held::Held;
pub use pod::PodMemory;

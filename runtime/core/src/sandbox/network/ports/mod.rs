//! Who owns a port: the Pod's address table, one for TCP and one for UDP.
//!
//! Pure: a request comes in, a grant or an errno goes out. Two owners of one port need addresses
//! that do not overlap: a wildcard overlaps with every address of its family, a dual-stack wildcard
//! with all. A closed socket frees its port at once (`wasi:sockets` wants no `TIME_WAIT`), and an
//! accepted connection does not own the port of its listener, as with `SO_REUSEADDR`.
//!
//! Ephemeral ports are Linux' 32768 to 60999, handed out in an order that the Pod's seed decides.

mod ephemeral;
mod table;

pub(crate) use table::{BindingId, Coverage, PortTable};

#[cfg(test)]
mod tests;

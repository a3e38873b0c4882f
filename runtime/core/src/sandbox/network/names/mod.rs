//! Names: who is meant inside the Pod. The files that say the same to guests that look for
//! themselves are the file system's (`etc`).
//!
//! [`Lookup`] is pure: the Pod's own names, `localhost`, `hostAliases` and the other Pods answer
//! from tables; for the rest the host's resolver is asked, by the caller.
//!
//! Rules: Kubernetes' *DNS for Services and Pods* for the forms of a Pod's name; RFC 6761 for
//! `localhost`.

mod lookup;

pub use lookup::HOST_NAME;
pub(crate) use lookup::{Lookup, look_up};

#[cfg(test)]
mod tests;

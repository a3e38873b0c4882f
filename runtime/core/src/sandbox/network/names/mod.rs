//! Names: who is meant inside the Pod, and the files that say so.
//!
//! [`Lookup`] is pure: the Pod's own names, `localhost`, `hostAliases` and the other Pods answer
//! from tables; for the rest the host's resolver is asked, by the caller.
//!
//! Rules: Kubernetes' *DNS for Services and Pods* for the forms of a Pod's name; RFC 6761 for
//! `localhost`; the kubelet for the text of `/etc/hosts` and `/etc/resolv.conf`.

mod files;
mod lookup;

pub use files::{ResolvConf, hosts_file};
pub use lookup::HOST_NAME;
pub(crate) use lookup::{Lookup, look_up};

#[cfg(test)]
mod tests;

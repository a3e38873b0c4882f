//! `hostPort` and `--publish`: real ports of the host that lead into the Pod.
//!
//! A TCP connection is accepted here and handed over; nothing of it stays. Datagrams are passed on
//! one by one, and answers leave through the port that the question came in by.
//!
//! Clients on the host's own loopback appear as the host's address: in the Pod loopback means the
//! Pod, and a service that trusts it must not trust the host's users.

mod forward;
mod open;
mod published_udp;

pub(crate) use forward::{apparent_client, destination};
pub(crate) use open::listen_tcp;
pub use open::{HostPort, HostPortError, HostPortTransport, HostPorts};
pub(crate) use published_udp::PublishedUdp;

#[cfg(test)]
mod tests;

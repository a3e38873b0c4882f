//! A UDP socket: datagrams inside the Pod, to other Pods and outside.
//!
//! Protocol-neutral, as [`TcpSocket`](crate::sandbox::network::TcpSocket) is. A datagram goes into the receiver's
//! mailbox at once or is lost: a mailbox is as large as its socket's receive buffer, and what does
//! not fit is dropped, as a kernel does. A connected socket hears of a port with no owner by
//! `ECONNREFUSED` on its next call, where a kernel would report an ICMP message.
//!
//! Outside, the host's kernel sends from a port of its own, like a router that translates
//! addresses; as with such a router only those may answer who were written to.

mod contacts;
mod mailbox;
mod outside;
mod socket;
mod ways;

pub use mailbox::Datagram;
pub(crate) use mailbox::Mailbox;
pub use socket::UdpSocket;

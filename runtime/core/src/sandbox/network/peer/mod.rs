//! Pods in different processes reach each other on unix sockets.
//!
//! Every Pod process serves two files in a folder of its own user: `PATH`, which takes connections,
//! and `PATH.udp`, which takes datagrams. A connection begins with a header (protocol, who is called,
//! who calls), is answered with one byte, and from then on *is* the guests' connection. A datagram is
//! the same header and the payload. A connection of the host's kernel is given as its descriptor, after
//! the answer.
//!
//! [`Header::decode`] is pure and takes what anybody may send. A header that calls an address which
//! is not this Pod's, or from one that no other Pod can have, is refused: the loopback of a Pod is
//! reached from inside only.

mod call;
mod dead;
mod header;
mod server;

pub(crate) use call::{connect, hand_over, send_datagram};
pub(crate) use dead::remove_dead_sockets;
pub use header::{Header, HeaderError, Transport};
pub use server::{PeerError, PeerServer};

#[cfg(test)]
mod tests;

//! One Pod's address space: its IPs and loopback, one port space for all its containers, in memory.
//!
//! A listener is an entry in a table, a connection a pair of pipes ([`Stream`]), a datagram an entry
//! in a mailbox; no privilege is needed and no byte meets the kernel while it stays in the Pod. What
//! comes from outside (host ports, probes, other Pods) is handed over as a stream, and what goes out
//! passes the [`EgressPolicy`]. Errors are those of a kernel.
//!
//! Start at [`Network`], then [`Endpoint`] (what one container run holds), then [`TcpSocket`] and
//! [`UdpSocket`], on which the fronts of the three WASI versions are built.

mod accept;
mod address;
mod config;
mod directory;
mod egress;
mod endpoint;
mod error;
mod gateway;
mod host_addresses;
mod hostport;
mod kernel;
mod listener;
mod lock;
mod metered;
mod names;
mod node_port;
mod options;
mod outgoing;
mod peer;
mod pipe;
mod place;
mod ports;
mod resolver;
mod service;
mod space;
mod stream;
mod tcp;
mod traffic;
mod udp;
mod wakers;

pub use address::AddressFamily;
pub use config::{HostAlias, NetworkConfig, NetworkLimits, Peer};
pub use directory::{
    Directory, PodPort, PodRecord, Readiness, ServiceKind, ServicePort, ServiceRecord,
    ServiceTransport, TargetPort,
};
pub use egress::{EgressPolicy, EgressRule, EgressRuleError};
pub use endpoint::Endpoint;
pub use error::NetworkError;
pub use hostport::{HostPort, HostPortError, HostPortTransport, HostPorts};
pub use kernel::{KernelSocket, KernelStream};
pub(crate) use listener::Taken;
pub use listener::{Accepted, Connected, Listener};
pub use metered::MeteredStream;
pub use names::HOST_NAME;
pub(crate) use node_port::{NodePort, ServedPort, take_node_port};
pub use options::TcpOptions;
pub use outgoing::OutgoingStream;
pub(crate) use peer::remove_dead_sockets;
pub use peer::{Header, HeaderError, PeerError, PeerServer, Transport};
pub use pipe::MemoryStream;
pub(crate) use place::Place;
pub(crate) use resolver::ask_host;
pub use space::Network;
pub use stream::Stream;
pub use tcp::{TcpAcceptor, TcpConnection, TcpReceiveHalf, TcpSendHalf, TcpSocket};
pub use traffic::{Traffic, TrafficCount};
pub use udp::{Datagram, UdpSocket};

#[cfg(test)]
mod tests;

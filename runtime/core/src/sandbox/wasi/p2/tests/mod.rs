//! The calls that a guest makes, one by one, and a component that makes one itself. The rules are
//! those that wasmtime's own socket programs check.

mod link;
mod names;
mod tcp_rules;
mod udp_rules;

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use wasmtime::component::{Resource, ResourceTable};
use wasmtime_wasi_io::poll::Pollable;
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily};
use super::bindings::wasi::sockets::tcp::HostTcpSocket;
use super::bindings::wasi::sockets::{instance_network, tcp_create_socket};
use super::tcp::TcpSocketResource;
use super::*;
use crate::sandbox::network::{Endpoint, Network, NetworkConfig};
use crate::sandbox::wasi::{NetworkCtxView, NetworkView};

/// A guest's Store, as far as sockets go.
struct Guest {
    table: ResourceTable,
    endpoint: Arc<Endpoint>,
}

impl NetworkView for Guest {
    fn network(&mut self) -> NetworkCtxView<'_> {
        NetworkCtxView { table: &mut self.table, endpoint: &self.endpoint }
    }
}

struct Connection {
    socket: u32,
    input: Resource<DynInputStream>,
    output: Resource<DynOutputStream>,
}

impl Guest {
    fn new() -> Self {
        let network = Network::new(NetworkConfig::new("web", vec!["10.88.0.2".parse().unwrap()]));
        Self { table: ResourceTable::new(), endpoint: Arc::new(network.endpoint()) }
    }

    fn handle(&mut self) -> Resource<NetworkHandle> {
        instance_network::Host::instance_network(&mut self.network()).unwrap()
    }

    fn tcp(&mut self, family: IpAddressFamily) -> u32 {
        tcp_create_socket::Host::create_tcp_socket(&mut self.network(), family).unwrap().rep()
    }

    fn bound(&mut self, local: &str) -> u32 {
        let local: SocketAddr = local.parse().unwrap();
        let family = if local.is_ipv4() { IpAddressFamily::Ipv4 } else { IpAddressFamily::Ipv6 };
        let socket = self.tcp(family);
        let handle = self.handle();
        self.network().start_bind(tcp(socket), handle, local.into()).unwrap();
        self.network().finish_bind(tcp(socket)).unwrap();
        socket
    }

    fn listening(&mut self, local: &str) -> u32 {
        let socket = self.bound(local);
        self.network().start_listen(tcp(socket)).unwrap();
        self.network().finish_listen(tcp(socket)).unwrap();
        socket
    }

    /// The server's side and the client's.
    fn connected(&mut self, local: &str) -> (Connection, Connection) {
        let listener = self.listening(local);
        let remote = self.network().local_address(tcp(listener)).unwrap();
        let client = self.tcp(self.family(listener));
        let handle = self.handle();
        self.network().start_connect(tcp(client), handle, remote).unwrap();
        assert!(self.is_ready(client));
        let (input, output) = self.network().finish_connect(tcp(client)).unwrap();
        assert!(self.is_ready(listener));
        let (accepted, far_input, far_output) = self.network().accept(tcp(listener)).unwrap();
        assert_eq!(code(self.network().accept(tcp(listener))), ErrorCode::WouldBlock);
        assert!(!self.is_ready(listener));
        (
            Connection { socket: accepted.rep(), input: far_input, output: far_output },
            Connection { socket: client, input, output },
        )
    }

    fn family(&self, socket: u32) -> IpAddressFamily {
        self.table.get(&tcp(socket)).unwrap().address_family()
    }

    fn is_ready(&mut self, socket: u32) -> bool {
        self.table.get_mut(&tcp(socket)).unwrap().ready().now_or_never().is_some()
    }

    fn input(&mut self, connection: &Connection) -> &mut DynInputStream {
        self.table.get_mut(&Resource::new_borrow(connection.input.rep())).unwrap()
    }

    fn output(&mut self, connection: &Connection) -> &mut DynOutputStream {
        self.table.get_mut(&Resource::new_borrow(connection.output.rep())).unwrap()
    }

    fn write(&mut self, connection: &Connection, bytes: &'static [u8]) {
        let output = self.output(connection);
        assert!(output.check_write().unwrap() >= bytes.len());
        output.write(Bytes::from_static(bytes)).unwrap();
    }

    fn drop_connection(&mut self, connection: Connection) {
        self.table.delete(connection.input).unwrap();
        self.table.delete(connection.output).unwrap();
        let socket = Resource::new_own(connection.socket);
        HostTcpSocket::drop(&mut self.network(), socket).unwrap();
    }
}

fn tcp(rep: u32) -> Resource<TcpSocketResource> {
    Resource::new_borrow(rep)
}

#[track_caller]
fn code<Value>(outcome: SocketResult<Value>) -> ErrorCode {
    match outcome {
        Err(SocketError::Code(code)) => code,
        Err(SocketError::Trap(error)) => panic!("a trap: {error}"),
        Ok(_) => panic!("it worked"),
    }
}

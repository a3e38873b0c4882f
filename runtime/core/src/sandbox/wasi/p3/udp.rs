//! UDP sockets.

use std::future::poll_fn;
use std::net::SocketAddr;

use wasmtime::component::{Accessor, Resource};
use wasmtime_wasi::p3::bindings::sockets::types::{
    HostUdpSocket, HostUdpSocketWithStore, IpAddressFamily, IpSocketAddress, UdpSocket as Outside,
};
use wasmtime_wasi::p3::sockets::SocketResult;

use super::error::{family, socket_error, wit_family};
use super::handle::Handle as _;
use crate::sandbox::network::UdpSocket;
use crate::sandbox::wasi::{NetworkCtxView, PodSockets};

impl<T: Send> HostUdpSocketWithStore<T> for PodSockets {
    async fn send(
        store: &Accessor<T, Self>,
        socket: Resource<Outside>,
        data: Vec<u8>,
        remote_address: Option<IpSocketAddress>,
    ) -> SocketResult<()> {
        store.with(|mut view| {
            UdpSocket::get(view.get().table, &socket)?
                .send(data.into(), remote_address.map(SocketAddr::from))
                .map_err(socket_error)
        })
    }

    async fn receive(
        store: &Accessor<T, Self>,
        socket: Resource<Outside>,
    ) -> SocketResult<(Vec<u8>, IpSocketAddress)> {
        // A clone, so that nothing of the Store is held while it waits.
        let socket = store.with(|mut view| -> SocketResult<_> {
            Ok(UdpSocket::get(view.get().table, &socket)?.clone())
        })?;
        let datagram =
            poll_fn(|context| socket.poll_receive(context)).await.map_err(socket_error)?;
        Ok((datagram.bytes.into(), datagram.from.into()))
    }
}

impl HostUdpSocket for NetworkCtxView<'_> {
    async fn create(&mut self, address_family: IpAddressFamily) -> SocketResult<Resource<Outside>> {
        let socket = self.endpoint.udp_socket(family(address_family)).map_err(socket_error)?;
        socket.push(self.table).map_err(socket_error)
    }

    async fn bind(
        &mut self,
        socket: Resource<Outside>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        UdpSocket::get(self.table, &socket)?.bind(local_address.into()).map_err(socket_error)
    }

    async fn connect(
        &mut self,
        socket: Resource<Outside>,
        remote_address: IpSocketAddress,
    ) -> SocketResult<()> {
        UdpSocket::get(self.table, &socket)?.connect(remote_address.into()).map_err(socket_error)
    }

    fn disconnect(&mut self, socket: Resource<Outside>) -> SocketResult<()> {
        UdpSocket::get(self.table, &socket)?.disconnect().map_err(socket_error)
    }

    fn get_local_address(&mut self, socket: Resource<Outside>) -> SocketResult<IpSocketAddress> {
        let address = UdpSocket::get(self.table, &socket)?.local_address();
        address.map(IpSocketAddress::from).map_err(socket_error)
    }

    fn get_remote_address(&mut self, socket: Resource<Outside>) -> SocketResult<IpSocketAddress> {
        let address = UdpSocket::get(self.table, &socket)?.remote_address();
        address.map(IpSocketAddress::from).map_err(socket_error)
    }

    fn get_address_family(
        &mut self,
        socket: Resource<Outside>,
    ) -> wasmtime::Result<IpAddressFamily> {
        Ok(wit_family(UdpSocket::get(self.table, &socket)?.address_family()))
    }

    fn get_unicast_hop_limit(&mut self, socket: Resource<Outside>) -> SocketResult<u8> {
        Ok(UdpSocket::get(self.table, &socket)?.hop_limit())
    }

    fn set_unicast_hop_limit(&mut self, socket: Resource<Outside>, value: u8) -> SocketResult<()> {
        UdpSocket::get(self.table, &socket)?.set_hop_limit(value).map_err(socket_error)
    }

    fn get_receive_buffer_size(&mut self, socket: Resource<Outside>) -> SocketResult<u64> {
        let bytes = UdpSocket::get(self.table, &socket)?.receive_buffer();
        Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    fn set_receive_buffer_size(
        &mut self,
        socket: Resource<Outside>,
        value: u64,
    ) -> SocketResult<()> {
        UdpSocket::get(self.table, &socket)?.set_receive_buffer(value).map_err(socket_error)
    }

    fn get_send_buffer_size(&mut self, socket: Resource<Outside>) -> SocketResult<u64> {
        let bytes = UdpSocket::get(self.table, &socket)?.send_buffer();
        Ok(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    fn set_send_buffer_size(&mut self, socket: Resource<Outside>, value: u64) -> SocketResult<()> {
        UdpSocket::get(self.table, &socket)?.set_send_buffer(value).map_err(socket_error)
    }

    fn drop(&mut self, socket: Resource<Outside>) -> wasmtime::Result<()> {
        UdpSocket::delete(self.table, &socket)
    }
}

//! `wasi:sockets/udp` and `udp-create-socket`.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::udp::{
    Host, HostIncomingDatagramStream, HostOutgoingDatagramStream, HostUdpSocket, IncomingDatagram,
    OutgoingDatagram,
};
use super::bindings::wasi::sockets::udp_create_socket;
use super::tcp::bytes;
use super::{NetworkHandle, SocketError, SocketResult};
use crate::sandbox::network::UdpSocket;
use crate::sandbox::wasi::NetworkCtxView;

/// The most datagrams that one call moves.
const MOST_DATAGRAMS: usize = 16;
/// What one call may make the host and the guest allocate.
const MOST_BYTES: usize = 64 * 1024;

/// A socket with the two-step bind of 0.2 around it.
pub struct UdpSocketResource {
    socket: UdpSocket,
    binding: bool,
}

/// What a socket receives.
pub struct IncomingDatagrams {
    socket: UdpSocket,
}

/// What a socket sends.
pub struct OutgoingDatagrams {
    socket: UdpSocket,
    /// How many datagrams the last `check-send` allowed.
    permit: usize,
}

#[async_trait::async_trait]
impl Pollable for UdpSocketResource {
    /// Nothing on the socket itself has to wait.
    async fn ready(&mut self) {}
}

#[async_trait::async_trait]
impl Pollable for IncomingDatagrams {
    async fn ready(&mut self) {
        poll_fn(|cx| self.socket.poll_receivable(cx)).await;
    }
}

#[async_trait::async_trait]
impl Pollable for OutgoingDatagrams {
    /// A datagram can always be sent; whether it arrives is another matter.
    async fn ready(&mut self) {}
}

impl Host for NetworkCtxView<'_> {}

impl udp_create_socket::Host for NetworkCtxView<'_> {
    fn create_udp_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> SocketResult<Resource<UdpSocketResource>> {
        let socket = self.endpoint.udp_socket(family.into())?;
        Ok(self.table.push(UdpSocketResource { socket, binding: false })?)
    }
}

impl NetworkCtxView<'_> {
    fn udp_socket(&self, socket: &Resource<UdpSocketResource>) -> SocketResult<&UdpSocket> {
        Ok(&self.table.get(socket)?.socket)
    }
}

impl HostUdpSocket for NetworkCtxView<'_> {
    fn start_bind(
        &mut self,
        socket: Resource<UdpSocketResource>,
        network: Resource<NetworkHandle>,
        local: IpSocketAddress,
    ) -> SocketResult<()> {
        self.check(&network)?;
        let resource = self.table.get_mut(&socket)?;
        if resource.binding {
            return Err(ErrorCode::ConcurrencyConflict.into());
        }
        resource.socket.bind(SocketAddr::from(local))?;
        resource.binding = true;
        Ok(())
    }

    fn finish_bind(&mut self, socket: Resource<UdpSocketResource>) -> SocketResult<()> {
        let resource = self.table.get_mut(&socket)?;
        if !std::mem::replace(&mut resource.binding, false) {
            return Err(ErrorCode::NotInProgress.into());
        }
        Ok(())
    }

    fn stream(
        &mut self,
        socket: Resource<UdpSocketResource>,
        remote: Option<IpSocketAddress>,
    ) -> SocketResult<(Resource<IncomingDatagrams>, Resource<OutgoingDatagrams>)> {
        let in_use = self
            .table
            .iter_children(&socket)?
            .any(|child| child.is::<IncomingDatagrams>() || child.is::<OutgoingDatagrams>());
        if in_use {
            return Err(SocketError::Trap(wasmtime::format_err!(
                "the socket's earlier datagram streams are not dropped yet"
            )));
        }
        let udp = self.udp_socket(&socket)?.clone();
        // 0.2 knows no implicit bind.
        if !udp.is_bound() {
            return Err(ErrorCode::InvalidState.into());
        }
        match remote {
            Some(remote) => udp.connect(SocketAddr::from(remote))?,
            None if udp.is_connected() => udp.disconnect()?,
            None => {}
        }
        let incoming = IncomingDatagrams { socket: udp.clone() };
        let outgoing = OutgoingDatagrams { socket: udp, permit: 0 };
        Ok((self.table.push_child(incoming, &socket)?, self.table.push_child(outgoing, &socket)?))
    }

    fn local_address(
        &mut self,
        socket: Resource<UdpSocketResource>,
    ) -> SocketResult<IpSocketAddress> {
        Ok(self.udp_socket(&socket)?.local_address()?.into())
    }

    fn remote_address(
        &mut self,
        socket: Resource<UdpSocketResource>,
    ) -> SocketResult<IpSocketAddress> {
        Ok(self.udp_socket(&socket)?.remote_address()?.into())
    }

    fn address_family(
        &mut self,
        socket: Resource<UdpSocketResource>,
    ) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.socket.address_family().into())
    }

    fn unicast_hop_limit(&mut self, socket: Resource<UdpSocketResource>) -> SocketResult<u8> {
        Ok(self.udp_socket(&socket)?.hop_limit())
    }

    fn set_unicast_hop_limit(
        &mut self,
        socket: Resource<UdpSocketResource>,
        hops: u8,
    ) -> SocketResult<()> {
        Ok(self.udp_socket(&socket)?.set_hop_limit(hops)?)
    }

    fn receive_buffer_size(&mut self, socket: Resource<UdpSocketResource>) -> SocketResult<u64> {
        Ok(bytes(self.udp_socket(&socket)?.receive_buffer()))
    }

    fn set_receive_buffer_size(
        &mut self,
        socket: Resource<UdpSocketResource>,
        bytes: u64,
    ) -> SocketResult<()> {
        Ok(self.udp_socket(&socket)?.set_receive_buffer(bytes)?)
    }

    fn send_buffer_size(&mut self, socket: Resource<UdpSocketResource>) -> SocketResult<u64> {
        Ok(bytes(self.udp_socket(&socket)?.send_buffer()))
    }

    fn set_send_buffer_size(
        &mut self,
        socket: Resource<UdpSocketResource>,
        bytes: u64,
    ) -> SocketResult<()> {
        Ok(self.udp_socket(&socket)?.set_send_buffer(bytes)?)
    }

    fn subscribe(
        &mut self,
        socket: Resource<UdpSocketResource>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, socket)
    }

    fn drop(&mut self, socket: Resource<UdpSocketResource>) -> wasmtime::Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}

impl HostIncomingDatagramStream for NetworkCtxView<'_> {
    fn receive(
        &mut self,
        stream: Resource<IncomingDatagrams>,
        most: u64,
    ) -> SocketResult<Vec<IncomingDatagram>> {
        let socket = &self.table.get(&stream)?.socket;
        let most = usize::try_from(most).unwrap_or(usize::MAX).min(MOST_DATAGRAMS);
        let mut now = Context::from_waker(Waker::noop());
        let mut datagrams = Vec::new();
        let mut total = 0;
        while datagrams.len() < most && total < MOST_BYTES {
            match socket.poll_receive(&mut now) {
                Poll::Pending => break,
                Poll::Ready(Ok(datagram)) => {
                    total += 1 + datagram.bytes.len();
                    datagrams.push(IncomingDatagram {
                        data: datagram.bytes.into(),
                        remote_address: datagram.from.into(),
                    });
                }
                // What was received already must not be lost for an error that came after it.
                Poll::Ready(Err(_)) if !datagrams.is_empty() => break,
                Poll::Ready(Err(error)) => return Err(error.into()),
            }
        }
        Ok(datagrams)
    }

    fn subscribe(
        &mut self,
        stream: Resource<IncomingDatagrams>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<IncomingDatagrams>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

impl HostOutgoingDatagramStream for NetworkCtxView<'_> {
    fn check_send(&mut self, stream: Resource<OutgoingDatagrams>) -> SocketResult<u64> {
        self.table.get_mut(&stream)?.permit = MOST_DATAGRAMS;
        Ok(bytes(MOST_DATAGRAMS))
    }

    fn send(
        &mut self,
        stream: Resource<OutgoingDatagrams>,
        datagrams: Vec<OutgoingDatagram>,
    ) -> SocketResult<u64> {
        let stream = self.table.get_mut(&stream)?;
        if datagrams.is_empty() {
            return Ok(0);
        }
        if datagrams.len() > stream.permit {
            return Err(SocketError::Trap(wasmtime::format_err!(
                "not permitted to send {} datagrams: check-send allowed {}",
                datagrams.len(),
                stream.permit
            )));
        }
        stream.permit = 0;
        let mut sent = 0;
        for datagram in datagrams {
            let to = datagram.remote_address.map(SocketAddr::from);
            match stream.socket.send(Bytes::from(datagram.data), to) {
                Ok(()) => sent += 1,
                // Once something was sent the call does not fail.
                Err(_) if sent > 0 => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(sent)
    }

    fn subscribe(
        &mut self,
        stream: Resource<OutgoingDatagrams>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, stream)
    }

    fn drop(&mut self, stream: Resource<OutgoingDatagrams>) -> wasmtime::Result<()> {
        self.table.delete(stream)?;
        Ok(())
    }
}

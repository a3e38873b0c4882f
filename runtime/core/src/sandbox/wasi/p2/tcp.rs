//! `wasi:sockets/tcp` and `tcp-create-socket`.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasmtime::component::Resource;
use wasmtime_wasi_io::poll::{DynPollable, Pollable, subscribe};
use wasmtime_wasi_io::streams::{DynInputStream, DynOutputStream};

use super::bindings::wasi::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress};
use super::bindings::wasi::sockets::tcp::{Host, HostTcpSocket, ShutdownType};
use super::bindings::wasi::sockets::tcp_create_socket;
use super::tcp_stream::{TcpInput, TcpOutput};
use super::{NetworkHandle, SocketResult};
use crate::sandbox::network::{NetworkError, TcpAcceptor, TcpConnection, TcpOptions, TcpSocket};
use crate::sandbox::wasi::NetworkCtxView;

/// A socket with the two-step operations of 0.2 around it.
pub struct TcpSocketResource {
    socket: TcpSocket,
    acceptor: Option<TcpAcceptor>,
    /// Begun and not finished.
    operation: Option<Operation>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Bind,
    Connect,
    Listen,
}

impl TcpSocketResource {
    fn new(socket: TcpSocket) -> Self {
        Self { socket, acceptor: None, operation: None }
    }

    #[cfg(test)]
    pub(super) fn address_family(&self) -> IpAddressFamily {
        self.socket.address_family().into()
    }

    fn begin(&self) -> SocketResult<()> {
        match self.operation {
            Some(_) => Err(ErrorCode::ConcurrencyConflict.into()),
            None => Ok(()),
        }
    }

    fn finish(&mut self, operation: Operation) -> SocketResult<()> {
        if self.operation != Some(operation) {
            return Err(ErrorCode::NotInProgress.into());
        }
        self.operation = None;
        Ok(())
    }
}

#[async_trait::async_trait]
impl Pollable for TcpSocketResource {
    async fn ready(&mut self) {
        match (self.operation, &self.acceptor) {
            (Some(Operation::Connect), _) => {
                // The outcome is for `finish-connect` to tell.
                let _ = poll_fn(|cx| self.socket.poll_finish_connect(cx)).await;
            }
            (None, Some(acceptor)) => poll_fn(|cx| acceptor.poll_ready(cx)).await,
            (Some(Operation::Bind | Operation::Listen), _) | (None, None) => {}
        }
    }
}

impl Host for NetworkCtxView<'_> {}

impl tcp_create_socket::Host for NetworkCtxView<'_> {
    fn create_tcp_socket(
        &mut self,
        family: IpAddressFamily,
    ) -> SocketResult<Resource<TcpSocketResource>> {
        let socket = self.endpoint.tcp_socket(family.into())?;
        Ok(self.table.push(TcpSocketResource::new(socket))?)
    }
}

impl NetworkCtxView<'_> {
    fn options(&self, socket: &Resource<TcpSocketResource>) -> SocketResult<TcpOptions> {
        Ok(self.table.get(socket)?.socket.options()?)
    }

    fn tcp_socket(&mut self, socket: &Resource<TcpSocketResource>) -> SocketResult<&mut TcpSocket> {
        Ok(&mut self.table.get_mut(socket)?.socket)
    }

    fn push_streams(
        &mut self,
        socket: &Resource<TcpSocketResource>,
        connection: &Arc<TcpConnection>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let input: DynInputStream = Box::new(TcpInput::new(Arc::clone(connection)));
        let output: DynOutputStream = Box::new(TcpOutput::new(Arc::clone(connection)));
        Ok((self.table.push_child(input, socket)?, self.table.push_child(output, socket)?))
    }
}

impl HostTcpSocket for NetworkCtxView<'_> {
    fn start_bind(
        &mut self,
        socket: Resource<TcpSocketResource>,
        network: Resource<NetworkHandle>,
        local: IpSocketAddress,
    ) -> SocketResult<()> {
        self.check(&network)?;
        let resource = self.table.get_mut(&socket)?;
        resource.begin()?;
        resource.socket.bind(SocketAddr::from(local))?;
        resource.operation = Some(Operation::Bind);
        Ok(())
    }

    fn finish_bind(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<()> {
        self.table.get_mut(&socket)?.finish(Operation::Bind)
    }

    fn start_connect(
        &mut self,
        socket: Resource<TcpSocketResource>,
        network: Resource<NetworkHandle>,
        remote: IpSocketAddress,
    ) -> SocketResult<()> {
        self.check(&network)?;
        let resource = self.table.get_mut(&socket)?;
        resource.begin()?;
        resource.socket.start_connect(SocketAddr::from(remote))?;
        resource.operation = Some(Operation::Connect);
        Ok(())
    }

    fn finish_connect(
        &mut self,
        socket: Resource<TcpSocketResource>,
    ) -> SocketResult<(Resource<DynInputStream>, Resource<DynOutputStream>)> {
        let resource = self.table.get_mut(&socket)?;
        if resource.operation != Some(Operation::Connect) {
            return Err(ErrorCode::NotInProgress.into());
        }
        let mut now = Context::from_waker(Waker::noop());
        let Poll::Ready(outcome) = resource.socket.poll_finish_connect(&mut now) else {
            return Err(ErrorCode::WouldBlock.into());
        };
        resource.operation = None;
        outcome?;
        let connection = Arc::clone(resource.socket.connection()?);
        self.push_streams(&socket, &connection)
    }

    fn start_listen(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<()> {
        let resource = self.table.get_mut(&socket)?;
        resource.begin()?;
        // 0.2 knows no implicit bind.
        if !resource.socket.is_bound() {
            return Err(ErrorCode::InvalidState.into());
        }
        resource.acceptor = Some(resource.socket.listen()?);
        resource.operation = Some(Operation::Listen);
        Ok(())
    }

    fn finish_listen(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<()> {
        self.table.get_mut(&socket)?.finish(Operation::Listen)
    }

    fn accept(
        &mut self,
        socket: Resource<TcpSocketResource>,
    ) -> SocketResult<(
        Resource<TcpSocketResource>,
        Resource<DynInputStream>,
        Resource<DynOutputStream>,
    )> {
        let Some(acceptor) = &self.table.get(&socket)?.acceptor else {
            return Err(ErrorCode::InvalidState.into());
        };
        let mut now = Context::from_waker(Waker::noop());
        let Poll::Ready(accepted) = acceptor.poll_accept(&mut now) else {
            return Err(ErrorCode::WouldBlock.into());
        };
        let accepted = accepted?;
        let connection = Arc::clone(accepted.connection()?);
        let accepted = self.table.push(TcpSocketResource::new(accepted))?;
        let (input, output) = self.push_streams(&accepted, &connection)?;
        Ok((accepted, input, output))
    }

    fn local_address(
        &mut self,
        socket: Resource<TcpSocketResource>,
    ) -> SocketResult<IpSocketAddress> {
        Ok(self.tcp_socket(&socket)?.local_address()?.into())
    }

    fn remote_address(
        &mut self,
        socket: Resource<TcpSocketResource>,
    ) -> SocketResult<IpSocketAddress> {
        Ok(self.tcp_socket(&socket)?.remote_address()?.into())
    }

    fn is_listening(&mut self, socket: Resource<TcpSocketResource>) -> wasmtime::Result<bool> {
        Ok(self.table.get(&socket)?.socket.is_listening())
    }

    fn address_family(
        &mut self,
        socket: Resource<TcpSocketResource>,
    ) -> wasmtime::Result<IpAddressFamily> {
        Ok(self.table.get(&socket)?.socket.address_family().into())
    }

    fn set_listen_backlog_size(
        &mut self,
        socket: Resource<TcpSocketResource>,
        length: u64,
    ) -> SocketResult<()> {
        Ok(self.tcp_socket(&socket)?.set_listen_backlog(length)?)
    }

    fn keep_alive_enabled(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<bool> {
        Ok(self.options(&socket)?.keep_alive)
    }

    fn set_keep_alive_enabled(
        &mut self,
        socket: Resource<TcpSocketResource>,
        enabled: bool,
    ) -> SocketResult<()> {
        Ok(self.tcp_socket(&socket)?.set_keep_alive(enabled)?)
    }

    fn keep_alive_idle_time(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<u64> {
        Ok(nanoseconds(self.options(&socket)?.keep_alive_idle))
    }

    fn set_keep_alive_idle_time(
        &mut self,
        socket: Resource<TcpSocketResource>,
        nanoseconds: u64,
    ) -> SocketResult<()> {
        let time = Duration::from_nanos(nanoseconds);
        Ok(self.tcp_socket(&socket)?.set_keep_alive_idle(time)?)
    }

    fn keep_alive_interval(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<u64> {
        Ok(nanoseconds(self.options(&socket)?.keep_alive_interval))
    }

    fn set_keep_alive_interval(
        &mut self,
        socket: Resource<TcpSocketResource>,
        nanoseconds: u64,
    ) -> SocketResult<()> {
        let time = Duration::from_nanos(nanoseconds);
        Ok(self.tcp_socket(&socket)?.set_keep_alive_interval(time)?)
    }

    fn keep_alive_count(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<u32> {
        Ok(self.options(&socket)?.keep_alive_count)
    }

    fn set_keep_alive_count(
        &mut self,
        socket: Resource<TcpSocketResource>,
        count: u32,
    ) -> SocketResult<()> {
        Ok(self.tcp_socket(&socket)?.set_keep_alive_count(count)?)
    }

    fn hop_limit(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<u8> {
        Ok(self.options(&socket)?.hop_limit)
    }

    fn set_hop_limit(&mut self, socket: Resource<TcpSocketResource>, hops: u8) -> SocketResult<()> {
        Ok(self.tcp_socket(&socket)?.set_hop_limit(hops)?)
    }

    fn receive_buffer_size(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<u64> {
        Ok(bytes(self.options(&socket)?.receive_buffer))
    }

    fn set_receive_buffer_size(
        &mut self,
        socket: Resource<TcpSocketResource>,
        bytes: u64,
    ) -> SocketResult<()> {
        Ok(self.tcp_socket(&socket)?.set_receive_buffer(bytes)?)
    }

    fn send_buffer_size(&mut self, socket: Resource<TcpSocketResource>) -> SocketResult<u64> {
        Ok(bytes(self.options(&socket)?.send_buffer))
    }

    fn set_send_buffer_size(
        &mut self,
        socket: Resource<TcpSocketResource>,
        bytes: u64,
    ) -> SocketResult<()> {
        Ok(self.tcp_socket(&socket)?.set_send_buffer(bytes)?)
    }

    fn subscribe(
        &mut self,
        socket: Resource<TcpSocketResource>,
    ) -> wasmtime::Result<Resource<DynPollable>> {
        subscribe(self.table, socket)
    }

    fn shutdown(
        &mut self,
        socket: Resource<TcpSocketResource>,
        how: ShutdownType,
    ) -> SocketResult<()> {
        // Why there is no connection was told when it failed; here it is one state of several.
        let connection = self.tcp_socket(&socket)?.connection();
        let stream = connection.map_err(|_not_connected| NetworkError::InvalidState)?.stream();
        if matches!(how, ShutdownType::Receive | ShutdownType::Both) {
            stream.shutdown_read();
        }
        if matches!(how, ShutdownType::Send | ShutdownType::Both) {
            stream.shutdown_write();
        }
        Ok(())
    }

    fn drop(&mut self, socket: Resource<TcpSocketResource>) -> wasmtime::Result<()> {
        self.table.delete(socket)?;
        Ok(())
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

pub(super) fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

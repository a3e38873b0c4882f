//! TCP sockets.

use std::future::poll_fn;
use std::iter;
use std::task::Poll;
use std::time::Duration;

use tokio::sync::oneshot;
use wasmtime::component::{Access, Accessor, FutureReader, Resource, ResourceTable, StreamReader};
use wasmtime_wasi::p3::bindings::sockets::types::{
    Duration as Nanoseconds, ErrorCode, Host, HostTcpSocket, HostTcpSocketWithStore,
    IpAddressFamily, IpSocketAddress, TcpSocket as Outside,
};
use wasmtime_wasi::p3::sockets::{SocketError, SocketResult};

use super::error::{code, family, socket_error, wit_family};
use super::handle::Handle as _;
use super::streams::{Ending, Incoming, Receiving, Sending};
use crate::sandbox::network::{TcpOptions, TcpSocket};
use crate::sandbox::wasi::{NetworkCtxView, PodSockets};

impl Host for NetworkCtxView<'_> {
    fn convert_error_code(&mut self, error: SocketError) -> wasmtime::Result<ErrorCode> {
        error.downcast()
    }
}

impl<T: Send + 'static> HostTcpSocketWithStore<T> for PodSockets {
    async fn connect(
        store: &Accessor<T, Self>,
        socket: Resource<Outside>,
        remote_address: IpSocketAddress,
    ) -> SocketResult<()> {
        store.with(|mut view| {
            let socket = TcpSocket::get(view.get().table, &socket)?;
            socket.start_connect(remote_address.into()).map_err(socket_error)
        })?;
        poll_fn(|context| {
            store.with(|mut view| match TcpSocket::get(view.get().table, &socket) {
                Ok(socket) => socket.poll_finish_connect(context).map_err(socket_error),
                Err(gone) => Poll::Ready(Err(gone)),
            })
        })
        .await
    }

    async fn listen(
        mut store: Access<'_, T, Self>,
        socket: Resource<Outside>,
    ) -> SocketResult<StreamReader<Resource<Outside>>> {
        let view = store.getter();
        let socket = TcpSocket::get(store.get().table, &socket)?;
        let acceptor = socket.listen().map_err(socket_error)?;
        StreamReader::new(&mut store, Incoming::new(acceptor, view)).map_err(SocketError::trap)
    }

    fn send(
        mut store: Access<'_, T, Self>,
        socket: Resource<Outside>,
        mut data: StreamReader<u8>,
    ) -> wasmtime::Result<FutureReader<Result<(), ErrorCode>>> {
        let half = TcpSocket::get(store.get().table, &socket)?.take_send_half();
        match half {
            Ok(half) => {
                let (ending, ended) = oneshot::channel();
                data.pipe(&mut store, Sending::new(half, ending))?;
                FutureReader::new(&mut store, ended)
            }
            Err(error) => {
                data.close(&mut store)?;
                FutureReader::new(&mut store, failed(code(error)))
            }
        }
    }

    fn receive(
        mut store: Access<'_, T, Self>,
        socket: Resource<Outside>,
    ) -> wasmtime::Result<(StreamReader<u8>, FutureReader<Result<(), ErrorCode>>)> {
        let half = TcpSocket::get(store.get().table, &socket)?.take_receive_half();
        match half {
            Ok(half) => {
                let (ending, ended) = oneshot::channel();
                let bytes = StreamReader::new(&mut store, Receiving::new(half, ending))?;
                Ok((bytes, FutureReader::new(&mut store, ended)?))
            }
            Err(error) => {
                let nothing = StreamReader::new(&mut store, iter::empty())?;
                Ok((nothing, FutureReader::new(&mut store, failed(code(error)))?))
            }
        }
    }
}

async fn failed(code: ErrorCode) -> wasmtime::Result<Ending> {
    Ok(Err(code))
}

/// The options of a socket in the table.
fn options(table: &mut ResourceTable, socket: &Resource<Outside>) -> SocketResult<TcpOptions> {
    TcpSocket::get(table, socket)?.options().map_err(socket_error)
}

impl HostTcpSocket for NetworkCtxView<'_> {
    fn create(&mut self, address_family: IpAddressFamily) -> SocketResult<Resource<Outside>> {
        let socket = self.endpoint.tcp_socket(family(address_family)).map_err(socket_error)?;
        socket.push(self.table).map_err(socket_error)
    }

    async fn bind(
        &mut self,
        socket: Resource<Outside>,
        local_address: IpSocketAddress,
    ) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.bind(local_address.into()).map_err(socket_error)
    }

    fn get_local_address(&mut self, socket: Resource<Outside>) -> SocketResult<IpSocketAddress> {
        TcpSocket::get(self.table, &socket)?
            .local_address()
            .map(IpSocketAddress::from)
            .map_err(socket_error)
    }

    fn get_remote_address(&mut self, socket: Resource<Outside>) -> SocketResult<IpSocketAddress> {
        TcpSocket::get(self.table, &socket)?
            .remote_address()
            .map(IpSocketAddress::from)
            .map_err(socket_error)
    }

    fn get_is_listening(&mut self, socket: Resource<Outside>) -> wasmtime::Result<bool> {
        Ok(TcpSocket::get(self.table, &socket)?.is_listening())
    }

    fn get_address_family(
        &mut self,
        socket: Resource<Outside>,
    ) -> wasmtime::Result<IpAddressFamily> {
        Ok(wit_family(TcpSocket::get(self.table, &socket)?.address_family()))
    }

    fn set_listen_backlog_size(
        &mut self,
        socket: Resource<Outside>,
        value: u64,
    ) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.set_listen_backlog(value).map_err(socket_error)
    }

    fn get_keep_alive_enabled(&mut self, socket: Resource<Outside>) -> SocketResult<bool> {
        Ok(options(self.table, &socket)?.keep_alive)
    }

    fn set_keep_alive_enabled(
        &mut self,
        socket: Resource<Outside>,
        value: bool,
    ) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.set_keep_alive(value).map_err(socket_error)
    }

    fn get_keep_alive_idle_time(&mut self, socket: Resource<Outside>) -> SocketResult<Nanoseconds> {
        Ok(nanoseconds(options(self.table, &socket)?.keep_alive_idle))
    }

    fn set_keep_alive_idle_time(
        &mut self,
        socket: Resource<Outside>,
        value: Nanoseconds,
    ) -> SocketResult<()> {
        let time = Duration::from_nanos(value);
        TcpSocket::get(self.table, &socket)?.set_keep_alive_idle(time).map_err(socket_error)
    }

    fn get_keep_alive_interval(&mut self, socket: Resource<Outside>) -> SocketResult<Nanoseconds> {
        Ok(nanoseconds(options(self.table, &socket)?.keep_alive_interval))
    }

    fn set_keep_alive_interval(
        &mut self,
        socket: Resource<Outside>,
        value: Nanoseconds,
    ) -> SocketResult<()> {
        let time = Duration::from_nanos(value);
        TcpSocket::get(self.table, &socket)?.set_keep_alive_interval(time).map_err(socket_error)
    }

    fn get_keep_alive_count(&mut self, socket: Resource<Outside>) -> SocketResult<u32> {
        Ok(options(self.table, &socket)?.keep_alive_count)
    }

    fn set_keep_alive_count(&mut self, socket: Resource<Outside>, value: u32) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.set_keep_alive_count(value).map_err(socket_error)
    }

    fn get_hop_limit(&mut self, socket: Resource<Outside>) -> SocketResult<u8> {
        Ok(options(self.table, &socket)?.hop_limit)
    }

    fn set_hop_limit(&mut self, socket: Resource<Outside>, value: u8) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.set_hop_limit(value).map_err(socket_error)
    }

    fn get_receive_buffer_size(&mut self, socket: Resource<Outside>) -> SocketResult<u64> {
        Ok(u64::try_from(options(self.table, &socket)?.receive_buffer).unwrap_or(u64::MAX))
    }

    fn set_receive_buffer_size(
        &mut self,
        socket: Resource<Outside>,
        value: u64,
    ) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.set_receive_buffer(value).map_err(socket_error)
    }

    fn get_send_buffer_size(&mut self, socket: Resource<Outside>) -> SocketResult<u64> {
        Ok(u64::try_from(options(self.table, &socket)?.send_buffer).unwrap_or(u64::MAX))
    }

    fn set_send_buffer_size(&mut self, socket: Resource<Outside>, value: u64) -> SocketResult<()> {
        TcpSocket::get(self.table, &socket)?.set_send_buffer(value).map_err(socket_error)
    }

    fn drop(&mut self, socket: Resource<Outside>) -> wasmtime::Result<()> {
        TcpSocket::delete(self.table, &socket)
    }
}

fn nanoseconds(time: Duration) -> Nanoseconds {
    Nanoseconds::try_from(time.as_nanos()).unwrap_or(Nanoseconds::MAX)
}

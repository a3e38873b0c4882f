//! A connection through the Pod's network to a host by name.

use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use wasmtime_wasi_http::Error;

use super::error;
use crate::sandbox::network::{AddressFamily, Endpoint, NetworkError, TcpConnection};

/// Connects to the first of the host's addresses that answers.
///
/// # Errors
/// Of the name, or of the first address: the others are second choices.
pub(super) async fn connect(
    endpoint: &Endpoint,
    host: &str,
    port: u16,
) -> Result<Connection, Error> {
    let addresses = endpoint.resolve(host).await.map_err(error::of_lookup)?;
    let mut first = None;
    for ip in addresses {
        match connect_to(endpoint, ip, port).await {
            Ok(connection) => return Ok(connection),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(error::of_connect(first.unwrap_or(NetworkError::NameNotFound)))
}

async fn connect_to(
    endpoint: &Endpoint,
    ip: IpAddr,
    port: u16,
) -> Result<Connection, NetworkError> {
    let mut socket = endpoint.tcp_socket(AddressFamily::of(ip))?;
    socket.start_connect(SocketAddr::new(ip, port))?;
    poll_fn(|context| socket.poll_finish_connect(context)).await?;
    let connection = Arc::clone(socket.connection()?);
    connection.stream().send_at_once();
    Ok(Connection(connection))
}

/// A connection of the container, read and written by the host for it.
pub(super) struct Connection(Arc<TcpConnection>);

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.0.stream().poll_read_buf(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.0.stream().poll_write_from(context, bytes).map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.stream().shutdown_write();
        Poll::Ready(Ok(()))
    }
}

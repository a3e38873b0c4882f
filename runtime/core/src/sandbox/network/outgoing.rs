//! Connections that code of the host makes for a guest: outgoing HTTP, for example.
//!
//! They count as the container's own: its limit, its egress policy, its end.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::tcp::TcpConnection;

/// A connection made for a guest. Dropping it closes it.
pub struct OutgoingStream {
    connection: Arc<TcpConnection>,
}

impl OutgoingStream {
    pub(crate) fn new(connection: Arc<TcpConnection>) -> Self {
        Self { connection }
    }

    /// Who calls, as the other side sees it.
    pub fn local_address(&self) -> SocketAddr {
        self.connection.local_address()
    }

    /// Who is called.
    pub fn remote_address(&self) -> SocketAddr {
        self.connection.remote_address()
    }
}

impl AsyncRead for OutgoingStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.connection.stream().poll_read_buf(cx, buffer)
    }
}

impl AsyncWrite for OutgoingStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.connection.stream().poll_write_from(cx, bytes).map_err(io::Error::from)
    }

    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.connection.stream().shutdown_write();
        Poll::Ready(Ok(()))
    }
}

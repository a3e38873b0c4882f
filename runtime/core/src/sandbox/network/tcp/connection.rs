//! An open connection and its two halves.

use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;

use crate::sandbox::network::endpoint::{EndpointShared, Membership, PortGuard, SocketSlot};
use crate::sandbox::network::{MeteredStream, NetworkError, Stream};

/// An open connection with its addresses. It closes when the last holder lets go.
pub struct TcpConnection {
    stream: MeteredStream,
    local: SocketAddr,
    remote: SocketAddr,
    _membership: Membership,
    _port: Option<PortGuard>,
}

impl TcpConnection {
    pub(super) fn new(
        endpoint: &Arc<EndpointShared>,
        stream: Stream,
        local: SocketAddr,
        remote: SocketAddr,
        port: Option<PortGuard>,
        slot: SocketSlot,
    ) -> Arc<Self> {
        let membership = endpoint.join_stream(&stream, slot);
        let stream = MeteredStream::new(stream, Arc::clone(endpoint.traffic()));
        Arc::new(Self { stream, local, remote, _membership: membership, _port: port })
    }

    /// This side's address.
    pub fn local_address(&self) -> SocketAddr {
        self.local
    }

    /// The other side's address.
    pub fn remote_address(&self) -> SocketAddr {
        self.remote
    }

    /// Reading, writing and shutting down.
    pub fn stream(&self) -> &MeteredStream {
        &self.stream
    }
}

/// The half of a connection to read from. Dropping it shuts reading down.
pub struct TcpReceiveHalf(pub(super) Arc<TcpConnection>);

impl TcpReceiveHalf {
    /// Ready when a read would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.stream.poll_readable(cx)
    }

    /// At most `max` bytes, which is not zero; empty at the end.
    ///
    /// # Errors
    /// As [`Stream::try_read`].
    pub fn poll_read(&self, cx: &mut Context<'_>, max: usize) -> Poll<Result<Bytes, NetworkError>> {
        self.0.stream.poll_read_bytes(cx, max)
    }

    /// Reads into a buffer of the caller's; 0 at the end.
    ///
    /// # Errors
    /// As [`Stream::try_read`].
    pub fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<Result<usize, NetworkError>> {
        self.0.stream.poll_read_into(cx, buffer)
    }
}

impl Drop for TcpReceiveHalf {
    fn drop(&mut self) {
        self.0.stream.shutdown_read();
    }
}

/// The half of a connection to write to. Dropping it shuts writing down.
pub struct TcpSendHalf(pub(super) Arc<TcpConnection>);

impl TcpSendHalf {
    /// Ready when a write would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.0.stream.poll_writable(cx)
    }

    /// Sends a copy of as many bytes as possible.
    ///
    /// # Errors
    /// As [`Stream::write_permit`].
    pub fn poll_write(
        &self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<Result<usize, NetworkError>> {
        self.0.stream.poll_write_from(cx, bytes)
    }
}

impl Drop for TcpSendHalf {
    fn drop(&mut self) {
        self.0.stream.shutdown_write();
    }
}

//! Accepting connections.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::connection::TcpConnection;
use super::socket::TcpSocket;
use crate::sandbox::network::listener::ListeningPort;
use crate::sandbox::network::{AddressFamily, NetworkError, Stream};

/// Accepts connections; the port stays open while this or its socket lives.
#[derive(Clone)]
pub struct TcpAcceptor {
    pub(super) port: Arc<ListeningPort>,
    pub(super) family: AddressFamily,
}

impl TcpAcceptor {
    /// Ready when [`poll_accept`](Self::poll_accept) would not have to wait.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.port.backlog.poll_acceptable(cx)
    }

    /// The next connection, as a socket with the listener's options.
    ///
    /// # Errors
    /// [`NetworkError::SocketLimit`] and [`NetworkError::NoBuffers`], while the connection stays queued;
    /// [`NetworkError::Closed`] after the container's end.
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<Result<TcpSocket, NetworkError>> {
        let endpoint = &self.port.endpoint;
        let (incoming, slot) = ready!(self.port.backlog.poll_dequeue(cx, || endpoint.slot()))?;
        let stream = incoming.stream.unpark(endpoint)?;
        if !matches!(stream, Stream::Memory(_)) {
            stream.apply(&incoming.options);
        }
        endpoint.traffic().accepted();
        let connection =
            TcpConnection::new(endpoint, stream, incoming.local, incoming.remote, None, slot);
        let options = incoming.options;
        Poll::Ready(Ok(TcpSocket::accepted(endpoint, self.family, options, connection)))
    }
}

//! A connection on its way: to this Pod, to another, or outside.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use tokio::time::Sleep;

use crate::sandbox::network::endpoint::{EndpointShared, PortGuard, SocketSlot};
use crate::sandbox::network::kernel::KernelStream;
use crate::sandbox::network::listener::{Backlog, Incoming};
use crate::sandbox::network::options::TcpOptions;
use crate::sandbox::network::pipe::{End, MemoryStream};
use crate::sandbox::network::ports::Coverage;
use crate::sandbox::network::space::{CONNECT_TIMEOUT, Protocol, Route};
use crate::sandbox::network::stream::ParkedStream;
use crate::sandbox::network::{AddressFamily, NetworkError, Stream, service};

/// A connection on its way.
pub(super) struct Connecting {
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) port: PortGuard,
    pub(super) slot: SocketSlot,
    way: Way,
}

enum Way {
    /// Waits for a place in the listener's queue.
    Queueing {
        backlog: Arc<Backlog>,
        timeout: Option<Pin<Box<Sleep>>>,
    },
    /// Has a place.
    Queued(MemoryStream),
    /// The kernel, or another Pod's process, is asked.
    Elsewhere(Pin<Box<dyn Future<Output = Result<Stream, NetworkError>> + Send>>),
    Failed(NetworkError),
}

impl Connecting {
    /// Finds the way to `remote`; where it is in this Pod and there is room, the connection is
    /// established when this returns.
    ///
    /// # Errors
    /// No port is left to call from. All else is told by [`poll`](Self::poll).
    pub(super) fn begin(
        endpoint: &Arc<EndpointShared>,
        options: &TcpOptions,
        remote: SocketAddr,
        bound: Option<(PortGuard, SocketAddr)>,
        slot: SocketSlot,
    ) -> Result<Self, NetworkError> {
        let network = endpoint.network();
        let route = network.route(remote);
        let source = match &route {
            Ok(
                Route::Local { source }
                | Route::Peer { source, .. }
                | Route::Service { source, .. }
                | Route::Outside { source, .. },
            ) => *source,
            Err(_) => AddressFamily::of(remote.ip()).unspecified(),
        };
        let (port, local) = match bound {
            Some((port, local)) if local.ip().is_unspecified() => {
                (port, SocketAddr::new(source, local.port()))
            }
            Some(bound) => bound,
            None => {
                let port = endpoint.bind(Protocol::Tcp, Coverage::Ip(source), 0)?;
                let local = SocketAddr::new(source, port.number());
                (port, local)
            }
        };
        let way = match route {
            Err(error) => Way::Failed(error),
            Ok(Route::Local { .. }) => match network.listener(remote) {
                Some(backlog) => Way::Queueing { backlog, timeout: None },
                None => Way::Failed(NetworkError::ConnectionRefused),
            },
            // Loopback does not leave the Pod, whoever it calls.
            Ok(_) if local.ip().is_loopback() => Way::Failed(NetworkError::InvalidArgument),
            Ok(Route::Peer { socket, .. }) => {
                let endpoint = Arc::clone(endpoint);
                Way::Elsewhere(Box::pin(async move {
                    service::connect_to_pod(&endpoint, &socket, local, remote).await
                }))
            }
            Ok(Route::Service { service, .. }) => {
                let endpoint = Arc::clone(endpoint);
                Way::Elsewhere(Box::pin(async move {
                    service::connect(&endpoint, &service, local, remote).await
                }))
            }
            Ok(Route::Outside { dial, .. }) => {
                let backing = endpoint.backing();
                Way::Elsewhere(Box::pin(async move {
                    let stream = tokio::net::TcpStream::connect(dial).await?;
                    Ok(Stream::Tcp(KernelStream::new(stream, Some(backing))))
                }))
            }
        };
        let mut connecting = Self { local, remote, port, slot, way };
        // Most connections inside a Pod are established here and now.
        connecting.try_queue(endpoint, options);
        Ok(connecting)
    }

    fn try_queue(&mut self, endpoint: &EndpointShared, options: &TcpOptions) {
        let mut nobody = Context::from_waker(Waker::noop());
        let _ = self.poll_queue(&mut nobody, endpoint, options);
    }

    fn poll_queue(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &EndpointShared,
        options: &TcpOptions,
    ) -> Poll<()> {
        let Way::Queueing { backlog, .. } = &self.way else {
            return Poll::Ready(());
        };
        let (local, remote) = (self.local, self.remote);
        let mut ours = None;
        let queued = backlog.poll_enqueue(cx, |listener| {
            let near = End { receive_buffer: options.receive_buffer, memory: endpoint.memory() };
            let (near, far) = MemoryStream::pair(near, listener.end());
            ours = Some(near);
            Incoming {
                stream: ParkedStream::Memory(far),
                local: remote,
                remote: local,
                options: *listener.options,
            }
        });
        self.way = match (ready!(queued), ours) {
            (Ok(()), Some(stream)) => Way::Queued(stream),
            (Err(error), _) => Way::Failed(error),
            (Ok(()), None) => Way::Failed(NetworkError::ConnectionAborted),
        };
        Poll::Ready(())
    }

    /// The stream, or why there is none.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        endpoint: &EndpointShared,
        options: &TcpOptions,
    ) -> Poll<Result<Stream, NetworkError>> {
        if self.poll_queue(cx, endpoint, options).is_pending() {
            if let Way::Queueing { timeout, .. } = &mut self.way {
                let timeout =
                    timeout.get_or_insert_with(|| Box::pin(tokio::time::sleep(CONNECT_TIMEOUT)));
                ready!(timeout.as_mut().poll(cx));
            }
            self.way = Way::Failed(NetworkError::TimedOut);
        }
        let gone = Way::Failed(NetworkError::InvalidState);
        match std::mem::replace(&mut self.way, gone) {
            Way::Queued(stream) => Poll::Ready(Ok(Stream::Memory(stream))),
            Way::Failed(error) => Poll::Ready(Err(error)),
            Way::Elsewhere(mut attempt) => {
                let outcome = attempt.as_mut().poll(cx);
                if outcome.is_pending() {
                    self.way = Way::Elsewhere(attempt);
                }
                outcome
            }
            Way::Queueing { .. } => Poll::Ready(Err(NetworkError::InvalidState)),
        }
    }
}

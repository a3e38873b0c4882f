//! A connection to where a probe asks.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::coop::poll_proceed;
use tokio_util::either::Either;

use crate::sandbox::network::{Endpoint, NetworkError, OutgoingStream, Stream};

/// A connection: into the Pod, or out of it.
///
/// A pipe is always ready to a guest that floods it, and the loops of an HTTP client go on as long as
/// it is: each step here takes of the task's budget, so that its deadline is looked at.
pub(super) struct Dialled(Either<Stream, OutgoingStream>);

impl AsyncRead for Dialled {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let budget = ready!(poll_proceed(context));
        let outcome = ready!(Pin::new(&mut self.0).poll_read(context, buffer));
        budget.made_progress();
        Poll::Ready(outcome)
    }
}

impl AsyncWrite for Dialled {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let budget = ready!(poll_proceed(context));
        let outcome = ready!(Pin::new(&mut self.0).poll_write(context, bytes));
        budget.made_progress();
        Poll::Ready(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }
}

/// Connects to `host`, which is this Pod unless the manifest names another: that one is reached as
/// the Pod's own guests would reach it, and only if they may.
///
/// # Errors
/// In the words of Go's `net.Dial`.
pub(super) async fn dial(endpoint: &Endpoint, host: &str, port: u16) -> Result<Dialled, String> {
    let failed = |ip: IpAddr, error| {
        let at = SocketAddr::new(ip, port);
        format!("dial tcp {at}: connect: {error}")
    };
    let addresses = match host.parse::<IpAddr>() {
        Ok(ip) => vec![ip],
        Err(_name) => {
            let found = endpoint.resolve(host).await;
            found.map_err(|error| format!("dial tcp: lookup {host}: {error}"))?
        }
    };
    let mut outcome = Err(format!("dial tcp: lookup {host}: {}", NetworkError::NameNotFound));
    for ip in addresses {
        outcome =
            dial_address(endpoint, SocketAddr::new(ip, port)).await.map_err(|e| failed(ip, e));
        if outcome.is_ok() {
            break;
        }
    }
    outcome
}

async fn dial_address(endpoint: &Endpoint, to: SocketAddr) -> Result<Dialled, NetworkError> {
    let network = endpoint.network();
    if network.is_own(to.ip()) {
        // From outside, as Kubernetes asks: the guest sees the host's address.
        return Ok(Dialled(Either::Left(network.connect_to(to).await?)));
    }
    Ok(Dialled(Either::Right(endpoint.connect(to).await?)))
}

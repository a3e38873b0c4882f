//! A connection to where a probe asks.

use std::net::{IpAddr, SocketAddr};

use tokio_util::either::Either;

use crate::sandbox::network::{Endpoint, NetworkError, OutgoingStream, Stream};

/// A connection: into the Pod, or out of it.
pub(super) type Dialled = Either<Stream, OutgoingStream>;

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
        return network.connect_to(to).await.map(Either::Left);
    }
    endpoint.connect(to).await.map(Either::Right)
}

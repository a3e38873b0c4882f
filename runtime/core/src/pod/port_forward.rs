//! Connections of this machine's user to a port of the Pod.
//!
//! A guest sees them come from its own loopback, as those of `kubectl port-forward` do. What a client
//! sends over a unix socket is handed over as that socket: nothing copies between it and the guest.
//!
//! Rule: the container runtimes dial `localhost` in the Pod's network, IPv4 first.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicU16, Ordering::Relaxed};

use tokio::net::UnixStream;

use super::view::PodView;
use crate::sandbox::network::{NetworkError, Place, Stream};

/// The ports that a kernel gives to clients. The number means nothing, but connections of one guest
/// should differ in it.
const CLIENT_PORTS: std::ops::RangeInclusive<u16> = 32_768..=60_999;

/// Why there is no connection.
#[derive(Debug, Clone, thiserror::Error)]
pub enum PortForwardError {
    /// Nobody listens there, or not any more.
    #[error("dial tcp4 127.0.0.1:{port}: connect: {source}")]
    Connect {
        /// The port.
        port: u16,
        /// Why.
        #[source]
        source: NetworkError,
    },
    /// The Pod does not run.
    #[error("pods {pod:?} has no network: it does not run")]
    Gone {
        /// The Pod.
        pod: String,
    },
}

/// A place in the queue of who listens, for one connection.
pub struct PortForward {
    place: Place,
    from: SocketAddr,
}

impl PodView {
    /// A connection to `port`, to be [made](PortForward::hand_over) of a client's stream. Waits while the
    /// queue of the listener is full.
    ///
    /// # Errors
    /// [`PortForwardError`]; refused is told apart.
    ///
    /// # Cancel safety
    /// Safe.
    pub async fn port_forward(&self, port: u16) -> Result<PortForward, PortForwardError> {
        let gone = || PortForwardError::Gone { pod: self.identity().name.clone() };
        let store = self.runtime.current_store().ok_or_else(gone)?;
        let loopbacks = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];
        let mut refused = NetworkError::ConnectionRefused;
        for ip in loopbacks {
            match store.network().reserve(SocketAddr::new(ip, port)).await {
                Ok(place) => {
                    return Ok(PortForward { place, from: SocketAddr::new(ip, client_port()) });
                }
                Err(NetworkError::ConnectionRefused) => {}
                Err(error) => refused = error,
            }
        }
        Err(PortForwardError::Connect { port, source: refused })
    }
}

impl PortForward {
    /// Makes it of `stream`, whose other end the client holds.
    ///
    /// # Errors
    /// The stream cannot be given away; it is closed then.
    pub fn hand_over(self, stream: UnixStream) -> Result<(), NetworkError> {
        self.place.fill(self.from, Stream::from(stream))
    }
}

fn client_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    let count = CLIENT_PORTS.end() - CLIENT_PORTS.start();
    CLIENT_PORTS.start() + number % count
}

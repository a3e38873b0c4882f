//! The ways of datagrams into and out of the Pod that are not the host's kernel to the world:
//! published ports of the host, and other Pods.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use super::NetworkError;
use super::hostport::PublishedUdp;
use super::lock::lock;
use super::peer;

/// Knows who came in through which published port, so that answers leave the same way.
#[derive(Default)]
pub(crate) struct UdpGateway {
    published: Mutex<HashMap<u16, Arc<PublishedUdp>>>,
    to_peers: OnceLock<Option<UnixDatagram>>,
}

impl UdpGateway {
    /// The clients of a port of the Pod, whichever of the host's ports they came by.
    pub(crate) fn publish(&self, pod_port: u16) -> Arc<PublishedUdp> {
        Arc::clone(lock(&self.published).entry(pod_port).or_default())
    }

    pub(crate) fn withdraw(&self, pod_port: u16) {
        lock(&self.published).remove(&pod_port);
    }

    /// Sends an answer from a published port to the client that it knows; false for anybody else.
    pub(crate) fn answer(&self, pod_port: u16, to: SocketAddr, payload: &[u8]) -> bool {
        let published = {
            let published = lock(&self.published);
            if published.is_empty() {
                return false;
            }
            published.get(&pod_port).cloned()
        };
        published.is_some_and(|published| published.answer(to, payload))
    }

    /// Sends a datagram to another Pod, whose process is at the socket `pod`; a full queue there loses it.
    pub(crate) fn send_to_peer(
        &self,
        pod: &Path,
        from: SocketAddr,
        to: SocketAddr,
        payload: &[u8],
    ) -> Result<(), NetworkError> {
        let socket = self.to_peers.get_or_init(|| {
            let socket = UnixDatagram::unbound().ok()?;
            socket.set_nonblocking(true).ok()?;
            Some(socket)
        });
        let socket = socket.as_ref().ok_or(NetworkError::NoBuffers)?;
        peer::send_datagram(socket, pod, from, to, payload)
    }
}

//! Who came in through a published UDP port, so that answers find back.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use rustix::net::SendFlags;
use tokio::net::UdpSocket;

use crate::sandbox::network::lock::lock;

/// Clients of one published UDP port that can be answered; the oldest is forgotten first.
const MOST_CLIENTS: usize = 4096;
/// The clients of a published UDP port, so that answers find back.
#[derive(Default)]
pub(crate) struct PublishedUdp {
    clients: Mutex<VecDeque<Client>>,
}

/// One of them.
pub(super) struct Client {
    /// As the guest sees it.
    pub(super) apparent: SocketAddr,
    pub(super) real: SocketAddr,
    pub(super) socket: Arc<UdpSocket>,
}

impl PublishedUdp {
    /// Sends an answer to a client; false when nobody with this address has asked.
    pub(crate) fn answer(&self, to: SocketAddr, payload: &[u8]) -> bool {
        let (socket, real) = {
            let clients = lock(&self.clients);
            match clients.iter().rev().find(|client| client.apparent == to) {
                Some(client) => (Arc::clone(&client.socket), client.real),
                None => return false,
            }
        };
        // An answer that the kernel does not take at once is lost, as any datagram may be.
        let _ = rustix::net::sendto(&socket, payload, SendFlags::DONTWAIT, &real);
        true
    }

    pub(super) fn remember(&self, client: Client) {
        let mut clients = lock(&self.clients);
        if clients.back().is_some_and(|last| last.is(&client)) {
            return;
        }
        clients.retain(|known| known.apparent != client.apparent);
        if clients.len() >= MOST_CLIENTS {
            clients.pop_front();
        }
        clients.push_back(client);
    }
}

impl Client {
    fn is(&self, other: &Self) -> bool {
        self.apparent == other.apparent
            && self.real == other.real
            && Arc::ptr_eq(&self.socket, &other.socket)
    }
}

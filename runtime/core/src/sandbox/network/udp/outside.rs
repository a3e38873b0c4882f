//! The host's socket behind a guest's, for datagrams that leave the Pods.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;

use crate::sandbox::network::{AddressFamily, NetworkError};

/// How many outside addresses a socket remembers having written to.
const CONTACTS: usize = 256;

/// The host's socket behind this one.
pub(super) struct Outside {
    pub(super) socket: Arc<tokio::net::UdpSocket>,
    pub(super) contacts: VecDeque<Contact>,
}

/// An outside address under both its names: the guest's and the host's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Contact {
    pub(super) named: SocketAddr,
    pub(super) dialled: SocketAddr,
}

impl Outside {
    pub(super) fn open(family: AddressFamily) -> Result<Self, NetworkError> {
        // Registering a socket without a runtime would panic.
        tokio::runtime::Handle::try_current().map_err(|_| NetworkError::NotSupported)?;
        let socket = std::net::UdpSocket::bind((family.unspecified(), 0))?;
        socket.set_nonblocking(true)?;
        let socket = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
        Ok(Self { socket, contacts: VecDeque::new() })
    }

    pub(super) fn remember(&mut self, contact: Contact) {
        if self.contacts.back() == Some(&contact) {
            return;
        }
        self.contacts.retain(|known| *known != contact);
        if self.contacts.len() >= CONTACTS {
            self.contacts.pop_front();
        }
        self.contacts.push_back(contact);
    }
}

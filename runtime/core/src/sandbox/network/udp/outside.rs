//! The host's socket behind a guest's, for datagrams that leave the Pods.

use std::sync::Arc;

use super::contacts::Contacts;
use crate::sandbox::network::{AddressFamily, NetworkError};

/// The host's socket behind this one.
pub(super) struct Outside {
    pub(super) socket: Arc<tokio::net::UdpSocket>,
    pub(super) contacts: Contacts,
}

impl Outside {
    pub(super) fn open(family: AddressFamily) -> Result<Self, NetworkError> {
        // Registering a socket without a runtime would panic.
        tokio::runtime::Handle::try_current().map_err(|_| NetworkError::NotSupported)?;
        let socket = std::net::UdpSocket::bind((family.unspecified(), 0))?;
        socket.set_nonblocking(true)?;
        let socket = Arc::new(tokio::net::UdpSocket::from_std(socket)?);
        Ok(Self { socket, contacts: Contacts::default() })
    }
}

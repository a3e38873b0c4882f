//! Where datagrams go and come from: inside the Pod, a Service's Pods, outside.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use tokio::io::Interest;

use super::contacts::Contact;
use super::mailbox::Datagram;
use super::outside::Outside;
use super::socket::UdpSocket;
use crate::sandbox::network::lock::lock;
use crate::sandbox::network::wakers::WakerSet;
use crate::sandbox::network::{NetworkError, ServiceRecord, service};

/// How many Pods of a Service a datagram is sent to before one of them lives.
const ATTEMPTS: usize = 3;

impl UdpSocket {
    pub(super) fn send_inside(
        &self,
        payload: Bytes,
        from: SocketAddr,
        to: SocketAddr,
        connected: bool,
    ) {
        match self.network().mailbox(to) {
            Some(mailbox) => mailbox.deliver(Datagram { bytes: payload, from }),
            None if connected => self.inner.mailbox.refuse(),
            None => {}
        }
    }

    /// To the Pod that took the last one, as long as it is an endpoint and lives: an exchange of several
    /// datagrams stays with one.
    pub(super) fn send_to_service(
        &self,
        service: &ServiceRecord,
        payload: Bytes,
        from: SocketAddr,
        to: SocketAddr,
        connected: bool,
    ) -> Result<(), NetworkError> {
        let (network, mailbox) = (self.network(), &self.inner.mailbox);
        for _ in 0..ATTEMPTS {
            let current = mailbox.pod_of_service(to);
            let endpoint = service::datagram_endpoint(network, service, from, to, current);
            let Some((endpoint, pod)) = endpoint else {
                if connected {
                    mailbox.refuse();
                }
                return Ok(());
            };
            mailbox.remember_service(to, pod);
            if network.is_own(pod.ip()) {
                self.send_inside(payload, from, pod, connected);
                return Ok(());
            }
            let gateway = network.gateway();
            let sent = gateway.send_to_peer(&endpoint.pod.socket, from, pod, &payload);
            match network.heard_of(sent) {
                // It is dead, and known to be from here on.
                Err(NetworkError::HostUnreachable) => {}
                sent => return sent,
            }
        }
        Ok(())
    }

    pub(super) fn send_outside(
        &self,
        payload: &[u8],
        to: SocketAddr,
        dial: SocketAddr,
    ) -> Result<(), NetworkError> {
        let (socket, readers) = {
            let mut state = lock(&self.inner.state);
            let fresh = state.outside.is_none();
            if fresh {
                state.outside = Some(Outside::open(self.inner.family)?);
            }
            let outside = state.outside.as_mut().expect("opened above");
            outside.contacts.remember(Contact { named: to, dialled: dial });
            let readers = if fresh { self.inner.mailbox.readers() } else { WakerSet::default() };
            (Arc::clone(&outside.socket), readers)
        };
        // Who waits for datagrams must now wait for the host's socket too.
        readers.wake();
        // Straight to the kernel: tokio takes a fresh socket for unwritable until its reactor has
        // turned, and nobody waits to send here.
        match rustix::net::sendto(&socket, payload, SendFlags::DONTWAIT, &dial) {
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// One datagram of the host's socket; none when there was none, or it came from a stranger.
    pub(super) fn receive_outside(
        &self,
        socket: &tokio::net::UdpSocket,
    ) -> Result<Option<Datagram>, NetworkError> {
        let received = socket.try_io(Interest::READABLE, || {
            let mut buffer = Vec::with_capacity(self.inner.family.max_datagram());
            let (_, _, from) =
                rustix::net::recvfrom(socket, spare_capacity(&mut buffer), RecvFlags::DONTWAIT)?;
            Ok((buffer, from))
        });
        let (mut buffer, from) = match received {
            Ok(received) => received,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let Some(from) = from.and_then(|from| SocketAddr::try_from(from).ok()) else {
            return Ok(None);
        };
        let state = lock(&self.inner.state);
        let named = state.outside.as_ref().and_then(|outside| outside.contacts.named(from));
        let welcome = named.filter(|named| state.remote.is_none_or(|remote| remote == *named));
        buffer.shrink_to_fit();
        Ok(welcome.map(|from| Datagram { bytes: buffer.into(), from }))
    }
}

/// A Pod that does not run is a host that is down: the network does not tell who sends to it.
pub(super) fn or_lost(sent: Result<(), NetworkError>) -> Result<(), NetworkError> {
    match sent {
        Err(NetworkError::HostUnreachable) => Ok(()),
        sent => sent,
    }
}

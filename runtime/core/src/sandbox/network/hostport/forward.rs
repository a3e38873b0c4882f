//! What comes in through a port of the host, on its way to the guest.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use tokio::net::{TcpListener, UdpSocket};

use super::published_udp::{Client, PublishedUdp};
use crate::sandbox::network::accept::take_each;
use crate::sandbox::network::{AddressFamily, Datagram, Network, NetworkError, Stream};

pub(super) async fn take_connections(network: Arc<Network>, listener: TcpListener, pod_port: u16) {
    take_each(listener, |stream, client| {
        hand_over(Arc::clone(&network), stream.into(), client, pod_port)
    })
    .await;
}

async fn hand_over(network: Arc<Network>, stream: Stream, client: SocketAddr, pod_port: u16) {
    let to = destination(&network, client, pod_port);
    let from = apparent_client(&network, to, client);
    // Refused, the client sees a reset: the nearest to what a kernel would have said.
    let _: Result<(), NetworkError> = network.hand_over(to, from, stream).await;
}

/// The Pod's address for a connection of `client`.
pub(crate) fn destination(network: &Network, client: SocketAddr, pod_port: u16) -> SocketAddr {
    reached(network, client, |to| network.listener(to).is_some(), pod_port)
}

/// The Pod's IP of the client's family, or the other one when only there somebody listens.
fn reached(
    network: &Network,
    client: SocketAddr,
    listens: impl Fn(SocketAddr) -> bool,
    pod_port: u16,
) -> SocketAddr {
    let config = network.config();
    let family = AddressFamily::of(client.ip().to_canonical());
    let mut candidates = config.ip(family).into_iter().chain(config.ips.iter().copied());
    let fallback = SocketAddr::new(
        config.ip(family).or(config.ips.first().copied()).unwrap_or(family.loopback()),
        pod_port,
    );
    candidates
        .find(|ip| listens(SocketAddr::new(*ip, pod_port)))
        .map_or(fallback, |ip| SocketAddr::new(ip, pod_port))
}

/// Who calls, as the guest sees it: of the same family as `to`, and never loopback.
pub(crate) fn apparent_client(network: &Network, to: SocketAddr, client: SocketAddr) -> SocketAddr {
    let ip = client.ip().to_canonical();
    let same_family = ip.is_ipv4() == to.is_ipv4();
    if same_family && !ip.is_loopback() && !network.is_own(ip) {
        return SocketAddr::new(ip, client.port());
    }
    let host = network.config().host_ip;
    let host = if host.is_ipv4() == to.is_ipv4() {
        host
    } else if let IpAddr::V4(v4) = host {
        // An IPv4 address of the host, written for a guest that speaks IPv6 (RFC 6052).
        let [a, b, c, d] = v4.octets();
        let pair = |high, low| u16::from_be_bytes([high, low]);
        IpAddr::V6(Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, pair(a, b), pair(c, d)))
    } else {
        IpAddr::V4(Ipv4Addr::new(169, 254, 1, 1))
    };
    SocketAddr::new(host, client.port())
}

pub(super) async fn take_datagrams(
    network: Arc<Network>,
    socket: Arc<UdpSocket>,
    published: Arc<PublishedUdp>,
    pod_port: u16,
) {
    let mut buffer = vec![0; usize::from(u16::MAX)];
    loop {
        let Ok((count, real)) = socket.recv_from(&mut buffer).await else {
            // An ICMP message for an earlier answer; the next datagram is not affected by it.
            tokio::task::yield_now().await;
            continue;
        };
        let to = reached(&network, real, |to| network.mailbox(to).is_some(), pod_port);
        let Some(mailbox) = network.mailbox(to) else { continue };
        let apparent = apparent_client(&network, to, real);
        published.remember(Client { apparent, real, socket: Arc::clone(&socket) });
        mailbox
            .deliver(Datagram { bytes: Bytes::copy_from_slice(&buffer[..count]), from: apparent });
    }
}

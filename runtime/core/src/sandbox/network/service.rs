//! Connections and datagrams to a Service: handed to one of its Pods.
//!
//! The address of a Service is nobody's: who calls it is connected with a ready Pod behind it, and
//! from then on has an ordinary connection with that. A Pod that refuses, or is gone, is passed over
//! for the next one, which no packet filter could do: nobody sees a Pod go.

use std::net::SocketAddr;
use std::path::Path;

use tokio::time::Instant;

use super::directory::{EndpointAddress, ServicePort, ServiceRecord, ServiceTransport, endpoints};
use super::endpoint::EndpointShared;
use super::kernel::KernelStream;
use super::lock::lock;
use super::{Network, NetworkError, Stream, peer};

/// Connects `from` with one of the Pods behind `to`, an address of `service`.
///
/// # Errors
/// [`NetworkError::ConnectionRefused`] where the Service has no such port, no Pod is ready, or all
/// refuse; what the last one said if that was something else.
pub(super) async fn connect(
    caller: &EndpointShared,
    service: &ServiceRecord,
    from: SocketAddr,
    to: SocketAddr,
) -> Result<Stream, NetworkError> {
    let network = caller.network();
    let port = service.port(ServiceTransport::Tcp, to.port());
    let port = port.ok_or(NetworkError::ConnectionRefused)?;
    let mut outcome = Err(NetworkError::ConnectionRefused);
    for endpoint in order(network, service, port, from) {
        let Some(address) = endpoint.address(to.ip()) else { continue };
        // Nothing of the caller's is written before it is connected, so that another one may be tried
        // whatever has kept this one from it.
        outcome = connect_to(caller, &endpoint, from, address).await;
        if outcome.is_ok() {
            let now = Instant::now().into_std();
            let mut balancer = lock(network.balancer());
            balancer.connected(service, port, from.ip(), &endpoint.pod.uid, now);
            return outcome;
        }
    }
    match outcome {
        // Its Pods, not the Service.
        Err(NetworkError::HostUnreachable) => Err(NetworkError::ConnectionRefused),
        outcome => outcome,
    }
}

async fn connect_to(
    caller: &EndpointShared,
    endpoint: &EndpointAddress,
    from: SocketAddr,
    to: SocketAddr,
) -> Result<Stream, NetworkError> {
    let network = caller.network();
    if network.is_own(to.ip()) {
        return network.connect_from(from, to, caller.memory()).await;
    }
    connect_to_pod(caller, &endpoint.pod.socket, from, to).await
}

/// Connects `from` with another Pod, whose process is at `socket`.
///
/// # Errors
/// [`NetworkError::HostUnreachable`] when its process does not run, else what it answers.
pub(super) async fn connect_to_pod(
    caller: &EndpointShared,
    socket: &Path,
    from: SocketAddr,
    to: SocketAddr,
) -> Result<Stream, NetworkError> {
    let stream = caller.network().heard_of(peer::connect(socket, from, to).await)?;
    Ok(Stream::Unix(KernelStream::new(stream, Some(caller.backing()))))
}

/// The Pod that takes the datagrams from `from` to `to`, an address of `service`: `current` as long
/// as it is one of those that may.
pub(super) fn datagram_endpoint(
    network: &Network,
    service: &ServiceRecord,
    from: SocketAddr,
    to: SocketAddr,
    current: Option<SocketAddr>,
) -> Option<(EndpointAddress, SocketAddr)> {
    let port = service.port(ServiceTransport::Udp, to.port())?;
    let with_address = |endpoint: EndpointAddress| {
        let address = endpoint.address(to.ip())?;
        Some((endpoint, address))
    };
    let pods = network.directory()?.pods();
    let mut all = endpoints(service, port, &pods).filter_map(with_address);
    if let Some(same) = all.find(|(_, address)| Some(*address) == current) {
        return Some(same);
    }
    let (endpoint, address) =
        order(network, service, port, from).into_iter().find_map(with_address)?;
    let now = Instant::now().into_std();
    lock(network.balancer()).connected(service, port, from.ip(), &endpoint.pod.uid, now);
    Some((endpoint, address))
}

fn order(
    network: &Network,
    service: &ServiceRecord,
    port: &ServicePort,
    from: SocketAddr,
) -> Vec<EndpointAddress> {
    let Some(directory) = network.directory() else { return Vec::new() };
    let pods = directory.pods();
    let all = endpoints(service, port, &pods);
    let now = Instant::now().into_std();
    lock(network.balancer()).order(service, port, from.ip(), all, now)
}

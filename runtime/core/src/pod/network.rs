//! The Pod's network as its manifest asks for it: names, neighbours, host ports, where guests may go.

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, ContainerPort, Pod};

use super::address::{host_ips, pod_ranges, service_ranges};
use super::builder::{Neighbour, PodBuilder, PodError, PublishedPort};
use super::uid::seed;
use crate::error::chain;
use crate::lifecycle::{Identity, SandboxError};
use crate::manifest::{containers, environment::hostname};
use crate::private_folder::make_private;
use crate::sandbox::network::{
    Directory, EgressPolicy, HostAlias, HostPort, HostPortTransport, HostPorts, Network,
    NetworkConfig, Peer, PeerServer, ask_host,
};

/// Rules for where guests may go, separated by commas; they add to those of `--allow-net`.
const ALLOW_NET: &str = "wasmpod.dev/allow-net";

/// The network with what opens it to the outside.
pub(super) struct PodNetwork {
    pub(super) network: Arc<Network>,
    _host_ports: HostPorts,
    _peers: Option<PeerServer>,
}

/// The rules of the command line and of the Pod's annotation. On virtual time nothing is allowed:
/// real sockets do not wait for its clock.
pub(super) fn egress(
    request: &PodBuilder,
    on_virtual_time: bool,
) -> Result<EgressPolicy, PodError> {
    let annotation = request.pod.pod.metadata.annotations.iter().flatten();
    let annotation = annotation.filter(|(key, _)| *key == ALLOW_NET).map(|(_, rules)| rules);
    let policy = EgressPolicy::parse(request.allow_net.iter().chain(annotation))
        .map_err(|error| PodError::NetworkRule { source: error })?;
    if !on_virtual_time {
        return Ok(policy);
    }
    let nothing = EgressPolicy::nothing();
    if policy != EgressPolicy::default() && policy != nothing {
        (request.on_note)(&format!(
            "{ALLOW_NET} opens no way out: the outside has no virtual time"
        ));
    }
    Ok(nothing)
}

impl PodNetwork {
    /// # Errors
    /// A name of the rules that cannot be resolved, a host port or a socket that cannot be had.
    pub(super) async fn open(
        request: &PodBuilder,
        identity: &Identity,
        ips: &[IpAddr; 2],
        mut egress: EgressPolicy,
        directory: Option<&Arc<Directory>>,
        on_virtual_time: bool,
    ) -> Result<Self, SandboxError> {
        resolve_rules(&mut egress).await;
        let pod = &request.pod.pod;
        let spec = pod.spec.as_ref();
        let mut config = NetworkConfig::new(hostname(pod), ips.to_vec());
        config.subdomain = spec.and_then(|spec| spec.subdomain.clone());
        config.namespace.clone_from(&identity.namespace);
        config.pod_ranges = pod_ranges().to_vec();
        config.service_ranges = service_ranges().to_vec();
        config.directory = directory.cloned();
        config.host_ip = host_ips()[0];
        config.host_aliases = host_aliases(pod);
        config.peers = request.neighbours.iter().map(peer).collect();
        config.egress = egress;
        config.seed = seed(&identity.uid);
        let network = Network::new(config);
        let mut ports = host_ports(pod, &request.published);
        if on_virtual_time {
            for HostPort { host_port, .. } in ports.drain(..) {
                let why = "the host's ports have no virtual time";
                (request.on_note)(&format!("hostPort {host_port} is not opened: {why}"));
            }
        }
        let host_ports = HostPorts::open(&network, &ports)
            .map_err(|error| SandboxError::Create(chain(&error)))?;
        let peers = match &request.place {
            None => None,
            Some(place) => Some(
                serve_peers(&network, &place.socket)
                    .map_err(|error| SandboxError::Create(chain(&error)))?,
            ),
        };
        Ok(Self { network, _host_ports: host_ports, _peers: peers })
    }
}

/// Names in rules are resolved once, when the Pod starts. One that has no address allows nothing:
/// the guest's own attempt then says so.
async fn resolve_rules(egress: &mut EgressPolicy) {
    let names: Vec<String> = egress.hosts().map(str::to_owned).collect();
    for name in names {
        match ask_host(&name).await {
            Ok(addresses) => egress.resolved(&name, &addresses),
            Err(error) => tracing::warn!("the network rule for {name} allows nothing: {error}"),
        }
    }
}

/// Takes what other Pods send, at `socket`.
///
/// # Errors
/// The folder is not this user's alone, or the socket cannot be had.
pub(super) fn serve_peers(network: &Arc<Network>, socket: &Path) -> io::Result<PeerServer> {
    let folder = socket.parent().unwrap_or(socket);
    make_private(folder)
        .map_err(|error| io::Error::other(format!("{} {}", folder.display(), chain(&error))))?;
    PeerServer::serve(network, socket).map_err(io::Error::other)
}

fn peer(other: &Neighbour) -> Peer {
    Peer {
        name: other.name.clone(),
        hostname: other.hostname.clone(),
        subdomain: other.subdomain.clone(),
        namespace: other.namespace.clone(),
        ips: other.ips.to_vec(),
        socket: other.socket.clone(),
    }
}

fn host_aliases(pod: &Pod) -> Vec<HostAlias> {
    let aliases = pod.spec.iter().flat_map(|spec| spec.host_aliases.iter().flatten());
    aliases
        .filter_map(|alias| {
            let ip = alias.ip.parse().ok()?;
            Some(HostAlias { ip, hostnames: alias.hostnames.clone().unwrap_or_default() })
        })
        .collect()
}

fn host_ports(pod: &Pod, published: &[PublishedPort]) -> Vec<HostPort> {
    let declared = pod.spec.iter().flat_map(containers).flat_map(ports);
    let declared = declared.filter_map(|port| {
        let transport = match port.protocol.as_deref() {
            Some("UDP") => HostPortTransport::Udp,
            _ => HostPortTransport::Tcp,
        };
        Some(HostPort {
            transport,
            host_ip: port.host_ip.as_deref().and_then(|ip| ip.parse().ok()),
            host_port: u16::try_from(port.host_port?).ok().filter(|port| *port != 0)?,
            pod_port: u16::try_from(port.container_port).ok()?,
        })
    });
    let published = published.iter().map(|port| HostPort {
        transport: if port.udp { HostPortTransport::Udp } else { HostPortTransport::Tcp },
        host_ip: port.host_ip,
        host_port: port.host_port,
        pod_port: port.pod_port,
    });
    declared.chain(published).collect()
}

fn ports(container: &Container) -> impl Iterator<Item = &ContainerPort> {
    container.ports.iter().flatten()
}

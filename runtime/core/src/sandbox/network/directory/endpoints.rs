//! Which Pods a connection to a Service may go to.
//!
//! Rule: the EndpointSlice controller of Kubernetes: the Pods that the selector chooses in the
//! Service's own namespace, if they are ready, or in any case where `publishNotReadyAddresses` says
//! so; a named port is that of each Pod. One rule is stricter here: a Pod that is being ended is
//! never chosen, neither where `publishNotReadyAddresses` is set nor where no other is left.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::record::{PodRecord, Readiness, ServicePort, ServiceRecord, TargetPort};

/// A place that a connection to a Service may go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EndpointAddress {
    pub(crate) pod: Arc<PodRecord>,
    pub(crate) port: u16,
}

impl EndpointAddress {
    /// Its address in the family of `like`, if the Pod has one.
    pub(crate) fn address(&self, like: IpAddr) -> Option<SocketAddr> {
        let ip = self.pod.ips.iter().find(|ip| ip.is_ipv4() == like.is_ipv4())?;
        Some(SocketAddr::new(*ip, self.port))
    }
}

/// The endpoints of one port of a Service, in the order of `pods`.
pub(crate) fn endpoints(
    service: &ServiceRecord,
    port: &ServicePort,
    pods: &[Arc<PodRecord>],
) -> impl Iterator<Item = EndpointAddress> {
    chosen(service, pods).filter_map(|pod| {
        let port = target(port, pod)?;
        Some(EndpointAddress { pod: Arc::clone(pod), port })
    })
}

/// The Pods that take connections of `service`.
pub(crate) fn chosen<'pods>(
    service: &ServiceRecord,
    pods: &'pods [Arc<PodRecord>],
) -> impl Iterator<Item = &'pods Arc<PodRecord>> {
    pods.iter().filter(|pod| selects(service, pod) && is_open(service, pod))
}

fn selects(service: &ServiceRecord, pod: &PodRecord) -> bool {
    let label = |(key, value)| pod.labels.get(key) == Some(value);
    !service.selector.is_empty()
        && pod.namespace == service.namespace
        && service.selector.iter().all(label)
}

fn is_open(service: &ServiceRecord, pod: &PodRecord) -> bool {
    match pod.readiness {
        Readiness::Ready => true,
        Readiness::NotReady => service.publish_not_ready,
        Readiness::Terminating => false,
    }
}

/// A Pod whose containers name no such port is left out.
fn target(port: &ServicePort, pod: &PodRecord) -> Option<u16> {
    match &port.target {
        TargetPort::Number(number) => Some(*number),
        TargetPort::Name(name) => {
            let named =
                |known: &&super::PodPort| known.name == *name && known.transport == port.transport;
            pod.ports.iter().find(named).map(|known| known.number)
        }
    }
}

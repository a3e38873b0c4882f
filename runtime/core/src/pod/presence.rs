//! A Pod's entry in the directory of the machine: whether it takes connections of Services.
//!
//! Only a Pod with labels, which a selector can choose, or one that others are to reach, has one.
//! It is written behind the start: a guest that runs needs it no sooner than others know of it.
//!
//! Rule: the EndpointSlice controller of Kubernetes, with the Pod's condition Ready; one that is
//! being deleted, or is over, takes none.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Container, ContainerPort, Pod, PodStatus};

use super::network::serve_peers;
use super::runtime::PodRuntime;
use crate::error::chain;
use crate::manifest::environment::hostname;
use crate::records::Held;
use crate::sandbox::network::{PeerServer, PodPort, PodRecord, Readiness, ServiceTransport};
use crate::worker::PodHandle;

/// When an entry that could not be written is tried again: a disk that is full may not stay so.
const RETRY: Duration = Duration::from_secs(5);

/// Keeps the entry true as long as the Pod lives; to be dropped with it.
pub(super) async fn present(runtime: &PodRuntime, handle: &PodHandle) -> Infallible {
    if runtime.directory().is_some() {
        keep(runtime, handle).await;
    }
    pending().await
}

fn is_of_interest(runtime: &PodRuntime) -> bool {
    let request = &runtime.request;
    request.place.is_some() || request.is_reachable || !labels(&runtime.wanted_pod()).is_empty()
}

fn labels(pod: &Pod) -> BTreeMap<String, String> {
    pod.metadata.labels.clone().unwrap_or_default()
}

/// What others hold on to: the entry, and where they call.
struct Presence {
    record: PodRecord,
    held: Held,
    _peers: Option<PeerServer>,
}

async fn keep(runtime: &PodRuntime, handle: &PodHandle) {
    let (mut status, mut deletion) = (handle.status(), handle.deletion());
    let mut presence: Option<Presence> = None;
    let mut has_failed = false;
    loop {
        let is_deleted = deletion.borrow_and_update().is_some();
        let shown = readiness(&status.borrow_and_update(), is_deleted);
        let shown = shown.filter(|_| is_of_interest(runtime));
        let outcome = show(runtime, &mut presence, shown);
        if let Err(error) = &outcome
            && !std::mem::replace(&mut has_failed, true)
        {
            let text = format!("Services do not see this Pod as it is: {}", chain(error));
            (runtime.request.on_note)(&text);
        }
        let again = async {
            match outcome {
                Ok(()) => pending().await,
                Err(_) => tokio::time::sleep(RETRY).await,
            }
        };
        tokio::select! {
            biased;
            changed = deletion.changed() => if changed.is_err() { return },
            changed = status.changed() => if changed.is_err() { return },
            () = runtime.relabelled.notified() => {}
            () = again => {}
        }
    }
}

/// Makes the entry say what is to be shown.
fn show(
    runtime: &PodRuntime,
    presence: &mut Option<Presence>,
    shown: Option<Readiness>,
) -> io::Result<()> {
    match (shown, presence.as_mut()) {
        (None, _) => *presence = None,
        (Some(readiness), Some(presence)) => {
            let labels = labels(&runtime.wanted_pod());
            let record = PodRecord { readiness, labels, ..presence.record.clone() };
            if record != presence.record {
                presence.held.update(&record)?;
                presence.record = record;
            }
        }
        (Some(readiness), None) => *presence = Some(Presence::begin(runtime, readiness)?),
    }
    Ok(())
}

/// Whether a Pod takes connections; none before it has an address, and once it is over.
fn readiness(status: &PodStatus, is_deleted: bool) -> Option<Readiness> {
    let is_over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
    if is_over || status.pod_ip.is_none() {
        return None;
    }
    let mut conditions = status.conditions.iter().flatten();
    let is_ready =
        conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True");
    Some(match (is_deleted, is_ready) {
        (true, _) => Readiness::Terminating,
        (false, true) => Readiness::Ready,
        (false, false) => Readiness::NotReady,
    })
}

impl Presence {
    fn begin(runtime: &PodRuntime, readiness: Readiness) -> io::Result<Self> {
        let Some(store) = runtime.current_store() else {
            return Err(io::Error::other("the Pod has no sandbox"));
        };
        let request = &runtime.request;
        let (socket, peers) = match &request.place {
            // Served since its network is there.
            Some(place) => (place.socket.clone(), None),
            None => {
                let socket = request.host.folders().socket(&runtime.identity.uid);
                let peers = serve_peers(store.network(), &socket);
                (socket, Some(peers.map_err(|error| io::Error::other(chain(&error)))?))
            }
        };
        let pod = runtime.pod();
        let record = PodRecord {
            uid: runtime.identity.uid.clone(),
            name: runtime.identity.name.clone(),
            namespace: runtime.identity.namespace.clone(),
            hostname: hostname(pod),
            subdomain: pod.spec.as_ref().and_then(|spec| spec.subdomain.clone()),
            labels: labels(&runtime.wanted_pod()),
            ips: store.pod_ips(),
            ports: named_ports(pod),
            socket,
            readiness,
        };
        let held = request.host.shared.directory.publish_pod(&record)?;
        Ok(Self { record, held, _peers: peers })
    }
}

/// Rule: `FindPort` of Kubernetes: app containers, then init containers that run beside them.
fn named_ports(pod: &Pod) -> Vec<PodPort> {
    let is_sidecar = |container: &&Container| container.restart_policy.as_deref() == Some("Always");
    let all = pod.spec.iter().flat_map(|spec| {
        let init = spec.init_containers.iter().flatten();
        spec.containers.iter().chain(init.filter(is_sidecar))
    });
    all.flat_map(|container| container.ports.iter().flatten()).filter_map(named_port).collect()
}

fn named_port(port: &ContainerPort) -> Option<PodPort> {
    let transport = match port.protocol.as_deref() {
        None | Some("TCP") => ServiceTransport::Tcp,
        Some("UDP") => ServiceTransport::Udp,
        Some(_) => return None,
    };
    let number = u16::try_from(port.container_port).ok()?;
    Some(PodPort { name: port.name.clone()?, number, transport })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_takes_connections_while_it_is_ready() {
        use Readiness::{NotReady, Ready, Terminating};
        let status = |phase: &str, ip: bool, ready: &str| -> PodStatus {
            let ip = ip.then_some("10.244.0.2");
            serde_json::from_value(json!({
                "phase": phase,
                "podIP": ip,
                "conditions": [{ "type": "Ready", "status": ready }],
            }))
            .unwrap()
        };
        for (phase, ip, ready, deleted, expected) in [
            ("Pending", false, "False", false, None),
            ("Pending", true, "False", false, Some(NotReady)),
            ("Running", true, "True", false, Some(Ready)),
            ("Running", true, "False", false, Some(NotReady)),
            ("Running", true, "True", true, Some(Terminating)),
            ("Succeeded", true, "False", false, None),
            ("Failed", true, "False", true, None),
        ] {
            let status = status(phase, ip, ready);
            assert_eq!(readiness(&status, deleted), expected, "{status:?}");
        }
    }

    #[test]
    fn ports_have_names_where_they_stay() {
        let pod: Pod = serde_json::from_value(json!({ "spec": {
            "initContainers": [
                { "name": "once", "ports": [{ "name": "old", "containerPort": 1 }] },
                { "name": "proxy", "restartPolicy": "Always",
                  "ports": [{ "name": "proxy", "containerPort": 2 }] },
            ],
            "containers": [
                { "name": "web", "ports": [
                    { "name": "http", "containerPort": 80 },
                    { "containerPort": 81 },
                    { "name": "dns", "containerPort": 53, "protocol": "UDP" },
                ] },
            ],
        } }))
        .unwrap();
        let ports = named_ports(&pod);
        let shown: Vec<String> = ports
            .iter()
            .map(|port| format!("{} {} {}", port.name, port.number, port.transport))
            .collect();
        assert_eq!(shown, ["http 80 TCP", "dns 53 UDP", "proxy 2 TCP"]);
    }
}

//! What is written down of a Pod. Pure.

use std::path::PathBuf;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod, PodSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::MicroTime;
use serde::{Deserialize, Serialize};
use wasmpod::manifest::containers;
use wasmpod::manifest::quantity::Quantity;
use wasmpod::resources::{PodResources, qos_class};

/// A Pod that lives, or waits for its place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PodRecord {
    /// `metadata.uid`
    pub uid: String,
    /// `metadata.name`
    pub name: String,
    /// `metadata.namespace`
    pub namespace: String,
    /// `status.qosClass`
    pub qos_class: String,
    /// `spec.priority`
    pub priority: i32,
    /// What the Pod as a whole requests.
    pub requests: Requests,
    /// Its containers, init containers first.
    pub containers: Vec<ContainerRecord>,
    /// Where its process answers questions and takes orders (see
    /// [`PodClient`](crate::podprocess::PodClient)).
    pub socket: PathBuf,
    /// Its process.
    pub pid: u32,
    /// When it was made known.
    pub created: MicroTime,
    /// Whether it has its place.
    pub state: State,
}

/// What one container requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContainerRecord {
    /// `name`
    pub name: String,
    /// `resources.requests`
    pub requests: Requests,
}

/// Amounts that are requested; zero where nothing is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Requests {
    /// In thousandths of a core.
    pub milli_cpu: u64,
    /// In bytes.
    pub memory: u64,
    /// In bytes.
    pub ephemeral_storage: u64,
}

/// Whether a Pod has its place on the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum State {
    /// There was no room yet.
    Waiting,
    /// What it requests is set aside for it.
    Admitted,
}

impl PodRecord {
    /// The record of a Pod that has been defaulted and validated, of this process.
    pub fn of(pod: &Pod, socket: PathBuf, created: Timestamp, state: State) -> Self {
        let nothing = PodSpec::default();
        let (metadata, spec) = (&pod.metadata, pod.spec.as_ref().unwrap_or(&nothing));
        let container = |container: &Container| ContainerRecord {
            name: container.name.clone(),
            requests: Requests::of_container(container),
        };
        Self {
            uid: metadata.uid.clone().unwrap_or_default(),
            name: metadata.name.clone().unwrap_or_default(),
            namespace: metadata.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            qos_class: qos_class(spec).to_string(),
            priority: priority(spec),
            requests: Requests::of_pod(spec),
            containers: containers(spec).map(container).collect(),
            socket,
            pid: std::process::id(),
            created: MicroTime(created),
            state,
        }
    }

    /// `default/web`
    pub fn full_name(&self) -> String {
        format!("{}/{}", self.namespace, self.name)
    }
}

impl Requests {
    /// Of the Pod as a whole.
    pub fn of_pod(spec: &PodSpec) -> Self {
        let resources = PodResources::of(spec);
        Self {
            milli_cpu: resources.cpu_request,
            memory: resources.memory_request,
            ephemeral_storage: resources.ephemeral_storage_request,
        }
    }

    /// Of one container; a quantity that cannot be read counts as nothing.
    pub fn of_container(container: &Container) -> Self {
        let requests = container.resources.as_ref().and_then(|own| own.requests.as_ref());
        let amount = |resource: &str| -> Quantity {
            let text = requests.and_then(|requests| requests.get(resource));
            text.and_then(|text| text.0.parse().ok()).unwrap_or(Quantity::ZERO)
        };
        Self {
            milli_cpu: u64::try_from(amount("cpu").milli_ceil()).unwrap_or(0),
            memory: amount("memory").bytes(),
            ephemeral_storage: amount("ephemeral-storage").bytes(),
        }
    }
}

/// Rule: the priority admission of Kubernetes, which knows two classes by itself.
fn priority(spec: &PodSpec) -> i32 {
    spec.priority.unwrap_or(match spec.priority_class_name.as_deref() {
        Some("system-node-critical") => 2_000_001_000,
        Some("system-cluster-critical") => 2_000_000_000,
        Some(_) | None => 0,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_says_who_asks_for_what() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "web", "uid": "u" },
            "spec": {
                "priorityClassName": "system-cluster-critical",
                "initContainers": [
                    { "name": "init", "resources": { "requests": { "memory": "64Mi" } } },
                ],
                "containers": [
                    { "name": "web", "resources": {
                        "requests": { "cpu": "250m", "memory": "16Mi", "ephemeral-storage": "1Ki" },
                    } },
                    { "name": "log" },
                ],
            },
        }))
        .unwrap();
        let created = Timestamp::from_microsecond(1_234_567).unwrap();
        let record = PodRecord::of(&pod, "/run/u.api".into(), created, State::Waiting);
        assert_eq!((record.full_name().as_str(), record.priority), ("default/web", 2_000_000_000));
        assert_eq!(record.qos_class, "Burstable");
        let requests = |milli_cpu, memory, ephemeral_storage| Requests {
            milli_cpu,
            memory,
            ephemeral_storage,
        };
        assert_eq!(record.requests, requests(250, 64 << 20, 1024));
        let containers: Vec<_> = record
            .containers
            .iter()
            .map(|container| (container.name.as_str(), container.requests))
            .collect();
        assert_eq!(
            containers,
            [
                ("init", requests(0, 64 << 20, 0)),
                ("web", requests(250, 16 << 20, 1024)),
                ("log", Requests::default()),
            ]
        );
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<PodRecord>(&text).unwrap(), record, "{text}");
    }
}

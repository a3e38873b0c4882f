//! What the process of a Pod must know beside the Pod itself. Pure.
//!
//! It is kept as an object beside the Pod's, so that whoever finds the process gone can start another.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use wasmpod::pod::PublishedPort;
use wasmpod_objects::resource::{Deletion, Generation, Scope, StatusSubresource};
use wasmpod_objects::{Key, Resource};

use crate::node::Settings;
use crate::pressure;

/// Not a kind that anybody sees: only this crate writes and reads it.
pub(super) const LAUNCHES: Resource = Resource {
    group: "node.wasmpod.dev",
    version: "v1",
    plural: "launches",
    kind: "Launch",
    scope: Scope::Namespaced,
    status: StatusSubresource::None,
    generation: Generation::None,
    deletion: Deletion::Immediate,
};

/// Under which that of a Pod is kept.
pub(super) fn key(namespace: &str, uid: &str) -> Key {
    Key::new(LAUNCHES, namespace, uid)
}

/// How the process of a Pod is started, beside what the Pod itself says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Launch {
    /// The folder of the manifest, absolute: relative paths in it begin there.
    pub folder: PathBuf,
    /// Files that stand for the images of these names.
    pub image_map: Vec<(String, PathBuf)>,
    /// Ports of the host beside the manifest's own.
    pub published: Vec<Published>,
    /// Where guests may go beside what everyone may reach.
    pub allow_net: Vec<String>,
    /// Whether the process has a cgroup of the host, as far as that lets it.
    pub cgroup: bool,
    /// What the machine is to its Pods.
    pub node: Settings,
    /// What is done when its memory is short.
    pub eviction: pressure::Settings,
}

impl Launch {
    /// As it is kept for the Pod `uid`.
    pub(super) fn object(&self, uid: &str, namespace: &str) -> Value {
        json!({
            "apiVersion": LAUNCHES.api_version(), "kind": LAUNCHES.kind,
            "metadata": { "name": uid, "namespace": namespace }, "spec": self,
        })
    }
}

/// One port of the host that stands for one of the Pod.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Published {
    /// Every address of the host when absent.
    pub host_ip: Option<IpAddr>,
    /// 0: any free one.
    pub host_port: u16,
    /// The port in the Pod.
    pub pod_port: u16,
    /// TCP or UDP.
    pub protocol: Protocol,
}

/// What a published port carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

impl From<&Published> for PublishedPort {
    fn from(port: &Published) -> Self {
        Self {
            host_ip: port.host_ip,
            host_port: port.host_port,
            pod_port: port.pod_port,
            udp: port.protocol == Protocol::Udp,
        }
    }
}

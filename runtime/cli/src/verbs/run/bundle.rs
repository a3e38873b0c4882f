//! What the process of one Pod must know: made from the command line and the manifests, and
//! handed over whole where the Pod gets a process of its own.

use std::mem;
use std::net::IpAddr;
use std::path::PathBuf;

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};
use serde::{Deserialize, Serialize};
use wasmpod::manifest::{Manifest, Origin, PodManifest};
use wasmpod::resources::cgroup::CgroupPlan;
use wasmpod_node::background::Published;
use wasmpod_node::{Settings, pressure};

use crate::print::logs::Names;

/// One Pod and its place among the others of the command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Bundle {
    pub(crate) pod: Pod,
    /// Where the manifest stood: relative paths in it begin there.
    pub(crate) source: String,
    pub(crate) config_maps: Vec<ConfigMap>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) persistent_volume_claims: Vec<PersistentVolumeClaim>,
    pub(crate) image_map: Vec<(String, PathBuf)>,
    pub(crate) published: Vec<Published>,
    pub(crate) allow_net: Vec<String>,
    /// Where the Pod's process has its cgroup of the host, if it is to have one.
    pub(crate) cgroup: Option<CgroupPlan>,
    /// What the machine is to its Pods.
    pub(crate) node: Settings,
    /// What is done when its memory is short.
    pub(crate) eviction: pressure::Settings,
    /// The other Pods of the command; empty when this is the only one.
    pub(crate) neighbours: Vec<Neighbour>,
    /// This Pod as the others know it; found when it starts if absent.
    pub(crate) place: Option<Neighbour>,
    pub(crate) show: Show,
    /// The container that reads this process's standard input.
    pub(crate) stdin: Option<String>,
    /// The process that starts the Pod's own; none where it runs in the process of the command.
    pub(crate) parent: Option<i32>,
}

/// A Pod of the same command: who it is and where its process can be reached.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Neighbour {
    pub(crate) uid: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) hostname: String,
    pub(crate) subdomain: Option<String>,
    pub(crate) ips: [IpAddr; 2],
    pub(crate) socket: PathBuf,
}

/// How output is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Show {
    pub(crate) logs: Logs,
    pub(crate) events: Events,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Logs {
    Raw,
    Prefixed(Names),
    Json,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Events {
    None,
    Warnings,
    All,
    /// Events and status changes as JSON lines.
    Json,
}

impl Bundle {
    /// `default/web`
    pub(crate) fn name(&self) -> &str {
        self.pod.metadata.name.as_deref().unwrap_or_default()
    }

    /// The Pod and its objects as the library takes them. They may be large: nothing stays here.
    pub(crate) fn take_manifest(&mut self) -> (PodManifest, Manifest) {
        let pod = PodManifest {
            pod: mem::take(&mut self.pod),
            origin: Origin::Pod,
            source: self.source.clone(),
            line: 1,
            written: None,
        };
        let objects = Manifest {
            config_maps: mem::take(&mut self.config_maps),
            secrets: mem::take(&mut self.secrets),
            persistent_volume_claims: mem::take(&mut self.persistent_volume_claims),
            ..Manifest::default()
        };
        (pod, objects)
    }
}

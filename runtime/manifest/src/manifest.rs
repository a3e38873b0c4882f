//! What a set of manifests came to.

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret, Service};

use crate::problem::Note;

/// The objects of all sources, in their order: valid, with defaults filled in.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// Pods, and workloads reduced to one Pod each.
    pub pods: Vec<PodManifest>,
    /// ConfigMaps as written.
    pub config_maps: Vec<ConfigMap>,
    /// Secrets, `stringData` merged into `data`.
    pub secrets: Vec<Secret>,
    /// Claims as written, and those that a StatefulSet's templates stand for.
    pub persistent_volume_claims: Vec<PersistentVolumeClaim>,
    /// Services with defaults; a cluster IP and a node port only where they are written.
    pub services: Vec<Service>,
    /// The same as they are written, where that was asked for: of
    /// [`load_as_written`](crate::load_as_written) alone.
    pub services_as_written: Vec<WrittenService>,
    /// What was accepted without effect: each thing once.
    pub notes: Vec<Note>,
}

/// One Pod to run, and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct PodManifest {
    /// With defaults, valid, and with a name and a namespace.
    pub pod: Pod,
    /// The object that was written.
    pub origin: Origin,
    /// The name of the source: paths in the manifest are relative to its folder.
    pub source: String,
    /// The line on which the object begins, from 1.
    pub line: u32,
    /// The Pod as it is written, without defaults, where that was asked for: of
    /// [`load_as_written`](crate::load_as_written) alone, and none of a workload's.
    pub written: Option<Box<serde_json::Value>>,
}

/// A Service as it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct WrittenService {
    /// Without defaults, and without what only the system writes.
    pub object: serde_json::Value,
    /// The name of the source.
    pub source: String,
}

/// What stood in the manifest for a Pod.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// A Pod.
    Pod,
    /// A workload, of which one Pod is run.
    Workload {
        /// Its kind.
        kind: WorkloadKind,
        /// Its name.
        name: String,
    },
}

/// The kinds that hold a Pod template.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WorkloadKind {
    /// `batch/v1`
    CronJob,
    /// `apps/v1`
    DaemonSet,
    /// `apps/v1`
    Deployment,
    /// `batch/v1`
    Job,
    /// `v1`
    PodTemplate,
    /// `apps/v1`
    ReplicaSet,
    /// `v1`
    ReplicationController,
    /// `apps/v1`
    StatefulSet,
}

impl WorkloadKind {
    /// The kind as a manifest writes it.
    pub const fn as_str(self) -> &'static str {
        match self {
            WorkloadKind::CronJob => "CronJob",
            WorkloadKind::DaemonSet => "DaemonSet",
            WorkloadKind::Deployment => "Deployment",
            WorkloadKind::Job => "Job",
            WorkloadKind::PodTemplate => "PodTemplate",
            WorkloadKind::ReplicaSet => "ReplicaSet",
            WorkloadKind::ReplicationController => "ReplicationController",
            WorkloadKind::StatefulSet => "StatefulSet",
        }
    }
}

//! The rules of the API server, in its words.
//!
//! Each function takes an object with its defaults filled in and returns every rule that it
//! breaks, in the order of the fields. Paths, kinds of error and texts are those of
//! `pkg/apis/core/validation` of Kubernetes, so that they can be looked up as they stand. Some
//! of its paths leave an index out (`volumeMounts.subPath`): they print so here too, but lead
//! to the very element ([`crate::field::FieldPath::segments`]).
//!
//! Those that end in `_update` compare two states of an object: what may change once it is there.
//!
//! Left alone: what a manifest cannot contain (status), policies of a cluster
//! (`privileged` and the like), and what this runtime does not offer, which is a matter of its
//! own. Features that a release still calls alpha or beta count as switched on.

mod absent;
mod affinity;
mod annotations;
mod config_map;
mod container;
mod containers;
mod dns;
mod env;
mod handler;
mod job;
mod label_selector;
mod lifecycle;
mod metadata;
mod names;
mod paths;
mod persistent_volume_claim;
mod pod;
mod ports;
mod probe;
mod quantity;
mod resources;
mod restart_policy;
mod schedule;
mod scheduling;
mod secret;
mod security_context;
mod selector;
mod service;
#[cfg(test)]
mod tests;
mod update;
mod volume_mounts;
mod volumes;
mod windows;
mod workload;

pub use config_map::config_map;
pub(crate) use job::{cron_job, job};
pub use names::{label_value, qualified_name};
pub use persistent_volume_claim::persistent_volume_claim;
pub use pod::pod;
pub use secret::secret;
pub(crate) use selector::{plain_selector, selector};
pub use service::service;
pub(crate) use service::{Allocated, SOURCE_RANGES};
pub use update::{
    config_map_update, event, persistent_volume_claim_update, pod_update, secret_update,
    service_update,
};
pub(crate) use workload::{
    daemon_set, deployment, replica_set, replication_controller, stateful_set, workload_metadata,
};

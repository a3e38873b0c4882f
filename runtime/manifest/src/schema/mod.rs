//! The table: every field of the kinds that we read, its shape, and what becomes of it.
//!
//! It is the schema of strict decoding and the source of the support page at once, so that the
//! two cannot disagree. A test compares it with the types of k8s-openapi, field by field.

mod container;
mod metadata;
mod objects;
mod pod;
mod probe;
mod reason;
mod remote_volume;
mod scheduling;
mod security;
mod service;
mod shape;
mod status;
mod volume;
mod workload;

#[cfg(test)]
mod tests;

pub(crate) use objects::{CONFIG_MAP, PERSISTENT_VOLUME_CLAIM, SECRET};
pub(crate) use pod::POD;
pub(crate) use reason::{BALANCER_CLIENTS, REDUCED};
pub(crate) use service::SERVICE;
pub(crate) use shape::{Field, Keys, Object, Shape, Support, Values};
pub(crate) use workload::{
    CRON_JOB, DAEMON_SET, DEPLOYMENT, JOB, POD_TEMPLATE, REPLICA_SET, REPLICATION_CONTROLLER,
    STATEFUL_SET,
};

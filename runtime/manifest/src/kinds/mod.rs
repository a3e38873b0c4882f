//! What an object of a manifest is, and what becomes of it.
//!
//! Pods are taken as they are; workloads are reduced to one Pod of their template, with a note;
//! ConfigMaps, Secrets and claims are what Pods draw on, Services lead to them. Other kinds are
//! skipped with a note, as `podman kube play` does: a manifest made for a cluster has Roles and
//! Ingresses beside its Pods.

mod claim_templates;
mod echo;
mod gathered;
mod generated_name;
mod injected;
mod known;
mod object;
mod pod;
mod service;
mod support_object;
mod workload;

#[cfg(test)]
mod tests;

pub(crate) use gathered::Gathered;
pub(crate) use known::version_of;
pub(crate) use object::read_document;

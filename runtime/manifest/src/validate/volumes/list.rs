//! The list: names, and which volumes can be mounted.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::Volume;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::super::absent::some_text;
use super::super::names;
use super::super::volume_mounts::Volumes;
use super::source::source;
use crate::field::{Errors, Place};

/// Checks all volumes; returns the ones without fault, by name.
///
/// A faulty volume cannot be mounted: its mounts are reported as not found, as upstream does.
pub(in super::super) fn volumes<'m>(
    volumes: &'m [Volume],
    metadata: &ObjectMeta,
    at: &Place<'_>,
    errors: &mut Errors,
) -> Volumes<'m> {
    let created: HashSet<String> = match some_text(&metadata.name) {
        Some(pod) => volumes
            .iter()
            .filter(|volume| volume.ephemeral.is_some())
            .map(|volume| format!("{pod}-{}", volume.name))
            .collect(),
        None => HashSet::new(),
    };
    let mut mountable = Volumes::new();
    for (index, volume) in volumes.iter().enumerate() {
        let at = at.index(index);
        let before = errors.len();
        source(volume, metadata, &at, errors);
        let name = volume.name.as_str();
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        } else {
            errors.invalid_each(&at.field("name"), name, names::dns_label(name));
        }
        if mountable.contains_key(name) {
            errors.duplicate(&at.field("name"), name);
        }
        if errors.len() == before {
            mountable.insert(name, volume);
        }
        if let Some(claim) = &volume.persistent_volume_claim
            && created.contains(&claim.claim_name)
        {
            let detail = "must not reference a PVC that gets created for an ephemeral volume";
            let at = at.field("persistentVolumeClaim");
            errors.invalid(&at.field("claimName"), claim.claim_name.as_str(), detail);
        }
    }
    mountable
}

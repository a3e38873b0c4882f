//! A claim: once it is bound it may ask for more, and that is all.

use k8s_openapi::api::core::v1::{PersistentVolumeClaim, PersistentVolumeClaimSpec};

use super::super::absent::{some_text, text};
use super::difference::differences;
use super::metadata;
use crate::field::{Errors, FieldError, Place};
use crate::quantity::Quantity;

const IMMUTABLE: &str = "spec is immutable after creation except resources.requests and \
    volumeAttributesClassName for bound claims";

/// Every change from `old` to `new` that a PersistentVolumeClaim does not allow.
pub fn persistent_volume_claim_update(
    new: &PersistentVolumeClaim,
    old: &PersistentVolumeClaim,
) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&new.metadata, &old.metadata, &mut errors);
    let empty = PersistentVolumeClaimSpec::default();
    let [new_spec, old_spec] = [new, old].map(|claim| claim.spec.as_ref().unwrap_or(&empty));
    let at = Place::top("spec");

    let is_bound = new.status.as_ref().is_some_and(|status| text(&status.phase) == "Bound");
    let compared = with_mutable_of(new_spec.clone(), old_spec, is_bound);
    let changed = differences("spec", &compared, old_spec);
    if !changed.is_empty() {
        errors.forbidden(&at, IMMUTABLE);
        errors.hint(format!("changed: {}", changed.join(", ")));
    }
    let capacity = old.status.as_ref().and_then(|status| status.capacity.as_ref());
    let capacity = capacity.and_then(|capacity| capacity.get("storage")?.0.parse().ok());
    if let (Some(wanted), Some(before)) = (storage(new_spec), storage(old_spec))
        && wanted < before
        && capacity.is_some_and(|capacity: Quantity| wanted <= capacity)
    {
        let resources = at.field("resources");
        let requests = resources.field("requests");
        let detail = "field can not be less than status.capacity";
        errors.forbidden(&requests.field("storage"), detail);
    }
    if some_text(&old_spec.volume_attributes_class_name).is_some()
        && new_spec.volume_attributes_class_name.is_none()
    {
        let detail = "update from non-nil value to nil is forbidden";
        errors.forbidden(&at.field("volumeAttributesClassName"), detail);
    }
    errors.into_vec()
}

fn storage(spec: &PersistentVolumeClaimSpec) -> Option<Quantity> {
    spec.resources.as_ref()?.requests.as_ref()?.get("storage")?.0.parse().ok()
}

/// `new` with all that may change as it is in `old`.
fn with_mutable_of(
    mut new: PersistentVolumeClaimSpec,
    old: &PersistentVolumeClaimSpec,
    is_bound: bool,
) -> PersistentVolumeClaimSpec {
    // It is written once, by whoever binds the claim.
    if some_text(&old.volume_name).is_none() {
        new.volume_name.clone_from(&old.volume_name);
    }
    // A class is given to a claim that had none.
    if old.storage_class_name.is_none() {
        new.storage_class_name = None;
    }
    new.volume_attributes_class_name.clone_from(&old.volume_attributes_class_name);
    let old_size = old
        .resources
        .as_ref()
        .and_then(|resources| resources.requests.as_ref())
        .and_then(|requests| requests.get("storage"));
    let requests = new.resources.as_mut().and_then(|resources| resources.requests.as_mut());
    if let (true, Some(requests), Some(old_size)) = (is_bound, requests, old_size) {
        requests.insert("storage".to_owned(), old_size.clone());
    }
    new
}

//! ConfigMaps, Secrets, Services, and Events, which may change in whatever way that leaves them
//! valid.

use k8s_openapi::api::core::v1::{ConfigMap, Event, Secret, Service};

use super::super::absent::{list, some_text, text};
use super::metadata;
use crate::field::{Errors, FieldError, Place};

const FROZEN: &str = "field is immutable when `immutable` is set";

/// Every change from `old` to `new` that a ConfigMap does not allow.
pub fn config_map_update(new: &ConfigMap, old: &ConfigMap) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&new.metadata, &old.metadata, &mut errors);
    if old.immutable == Some(true) {
        if new.immutable != Some(true) {
            errors.forbidden(&Place::top("immutable"), FROZEN);
        }
        if new.data.iter().flatten().ne(old.data.iter().flatten()) {
            errors.forbidden(&Place::top("data"), FROZEN);
        }
        if new.binary_data.iter().flatten().ne(old.binary_data.iter().flatten()) {
            errors.forbidden(&Place::top("binaryData"), FROZEN);
        }
    }
    errors.into_vec()
}

/// Every change from `old` to `new` that a Secret does not allow.
pub fn secret_update(new: &Secret, old: &Secret) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&new.metadata, &old.metadata, &mut errors);
    if text(&new.type_) != text(&old.type_) {
        errors.invalid(&Place::top("type"), text(&new.type_), "field is immutable");
    }
    if old.immutable == Some(true) {
        if new.immutable != Some(true) {
            errors.forbidden(&Place::top("immutable"), FROZEN);
        }
        if new.data.iter().flatten().ne(old.data.iter().flatten()) {
            errors.forbidden(&Place::top("data"), FROZEN);
        }
    }
    errors.into_vec()
}

/// Every change from `old` to `new` that a Service does not allow: it keeps its address.
pub fn service_update(new: &Service, old: &Service) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&new.metadata, &old.metadata, &mut errors);
    let (Some(new), Some(old)) = (&new.spec, &old.spec) else {
        return errors.into_vec();
    };
    let is_external = |kind: &Option<String>| text(kind) == "ExternalName";
    if is_external(&new.type_) || is_external(&old.type_) {
        return errors.into_vec();
    }
    if let (Some(new_address), Some(old_address)) =
        (some_text(&new.cluster_ip), some_text(&old.cluster_ip))
        && new_address != old_address
    {
        let spec = Place::top("spec");
        let addresses = spec.field("clusterIPs");
        let given = match list(&new.cluster_ips) {
            [] => vec![new_address.to_owned()],
            given => given.to_vec(),
        };
        errors.invalid(&addresses.index(0), given, "may not change once set");
    }
    errors.into_vec()
}

/// Every rule that an Event of the core group breaks.
pub fn event(event: &Event) -> Vec<FieldError> {
    let mut errors = Errors::default();
    super::super::metadata::object_meta(&event.metadata, &Place::top("metadata"), &mut errors);
    let own = text(&event.metadata.namespace);
    let involved = text(&event.involved_object.namespace);
    // What has no namespace is told of in this one.
    let expected = if involved.is_empty() { "default" } else { involved };
    if own != expected {
        let at = Place::top("involvedObject");
        errors.invalid(&at.field("namespace"), involved, "does not match event.namespace");
    }
    errors.into_vec()
}

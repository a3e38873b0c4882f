//! A ConfigMap.

use k8s_openapi::api::core::v1::ConfigMap;

use super::{metadata, names};
use crate::field::{Errors, FieldError, Place};

/// The most that a ConfigMap or a Secret may hold, keys aside.
pub(super) const MOST_BYTES: usize = 1024 * 1024;

/// Every rule that `config_map` breaks.
pub fn config_map(config_map: &ConfigMap) -> Vec<FieldError> {
    let mut errors = Errors::default();
    metadata::object_meta(&config_map.metadata, &Place::top("metadata"), &mut errors);
    let mut bytes = 0;
    let at = Place::top("data");
    for (key, value) in config_map.data.iter().flatten() {
        let at = at.key(key);
        errors.invalid_each(&at, key, names::config_map_key(key));
        if config_map.binary_data.as_ref().is_some_and(|binary| binary.contains_key(key)) {
            errors.invalid(&at, key.as_str(), "duplicate of key present in binaryData");
        }
        bytes += value.len();
    }
    let at = Place::top("binaryData");
    for (key, value) in config_map.binary_data.iter().flatten() {
        errors.invalid_each(&at.key(key), key, names::config_map_key(key));
        bytes += value.0.len();
    }
    if bytes > MOST_BYTES {
        // The object as a whole: Kubernetes prints no field here.
        errors.too_long(&Place::top("data").unprinted(), MOST_BYTES);
    }
    errors.into_vec()
}

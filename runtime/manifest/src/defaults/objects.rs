//! Defaults of the objects that Pods draw on.

use k8s_openapi::api::core::v1::{
    ConfigMap, PersistentVolumeClaim, PersistentVolumeClaimSpec, Secret,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{resources, set_text};

/// Fills in a ConfigMap: its namespace.
pub fn config_map(config_map: &mut ConfigMap) {
    metadata(&mut config_map.metadata);
}

/// Fills in a Secret: its namespace, its type, and `stringData` moved into `data`.
pub fn secret(secret: &mut Secret) {
    metadata(&mut secret.metadata);
    set_text(&mut secret.type_, "Opaque");
    let written = secret.string_data.take().unwrap_or_default();
    if !written.is_empty() {
        let data = secret.data.get_or_insert_default();
        data.extend(
            written
                .into_iter()
                .map(|(key, text)| (key, k8s_openapi::ByteString(text.into_bytes()))),
        );
    }
}

/// Fills in a PersistentVolumeClaim: its namespace and its volume mode.
pub fn persistent_volume_claim(claim: &mut PersistentVolumeClaim) {
    metadata(&mut claim.metadata);
    if let Some(spec) = &mut claim.spec {
        persistent_volume_claim_spec(spec);
    }
}

pub(super) fn persistent_volume_claim_spec(spec: &mut PersistentVolumeClaimSpec) {
    set_text(&mut spec.volume_mode, "Filesystem");
    if let Some(written) = &mut spec.resources {
        resources::canonical(written.limits.as_mut());
        resources::canonical(written.requests.as_mut());
    }
}

pub(super) fn metadata(metadata: &mut ObjectMeta) {
    set_text(&mut metadata.namespace, "default");
}

//! Sources on the node and in the API.

use k8s_openapi::api::core::v1::{ProjectedVolumeSource, Volume};
use wasmpod_manifest::quantity::Quantity;

use super::{Source, is, source as shown, text};
use crate::quantity::{amount, canonical};

pub(super) fn source(volume: &Volume) -> Option<Source> {
    if let Some(host) = &volume.host_path {
        let type_ = host.type_.clone().unwrap_or_else(|| "<none>".to_owned());
        return Some(shown(
            "HostPath (bare host directory volume)",
            [("Path:", host.path.clone()), ("HostPathType:", type_)],
        ));
    }
    if let Some(empty) = &volume.empty_dir {
        let limit = empty.size_limit.as_ref().filter(|limit| amount(limit) > Quantity::ZERO);
        let limit = limit.map_or_else(|| "<unset>".to_owned(), canonical);
        return Some(shown(
            "EmptyDir (a temporary directory that shares a pod's lifetime)",
            [("Medium:", text(&empty.medium)), ("SizeLimit:", limit)],
        ));
    }
    if let Some(secret) = &volume.secret {
        return Some(shown(
            "Secret (a volume populated by a Secret)",
            [("SecretName:", text(&secret.secret_name)), ("Optional:", is(secret.optional))],
        ));
    }
    if let Some(map) = &volume.config_map {
        return Some(shown(
            "ConfigMap (a volume populated by a ConfigMap)",
            [("Name:", map.name.clone()), ("Optional:", is(map.optional))],
        ));
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        return Some(shown(
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
            [("ClaimName:", claim.claim_name.clone()), ("ReadOnly:", is(claim.read_only))],
        ));
    }
    if volume.ephemeral.is_some() {
        return Some(shown(
            "EphemeralVolume (an inline specification for a volume that gets created and deleted \
             with the pod)",
            [],
        ));
    }
    if volume.downward_api.is_some() {
        return Some(shown("DownwardAPI (a volume populated by information about the pod)", []));
    }
    if let Some(projected) = &volume.projected {
        return Some(Source {
            type_: "Projected (a volume that contains injected data from multiple sources)",
            fields: projected_fields(projected),
        });
    }
    volume.image.as_ref().map(|image| {
        shown(
            "Image (a container image or OCI artifact)",
            [("Reference:", text(&image.reference)), ("PullPolicy:", text(&image.pull_policy))],
        )
    })
}

fn projected_fields(projected: &ProjectedVolumeSource) -> Vec<(&'static str, String)> {
    let mut fields = Vec::new();
    for source in projected.sources.iter().flatten() {
        if let Some(secret) = &source.secret {
            fields.push(("SecretName:", secret.name.clone()));
            fields.push(("Optional:", is(secret.optional)));
        } else if source.downward_api.is_some() {
            fields.push(("DownwardAPI:", "true".to_owned()));
        } else if let Some(map) = &source.config_map {
            fields.push(("ConfigMapName:", map.name.clone()));
            fields.push(("Optional:", is(map.optional)));
        } else if let Some(token) = &source.service_account_token {
            let seconds = token.expiration_seconds.unwrap_or_default();
            fields.push(("TokenExpirationSeconds:", seconds.to_string()));
        }
    }
    fields
}

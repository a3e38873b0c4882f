//! Projected volumes: files of several sources in one directory.

use std::collections::HashSet;

use k8s_openapi::api::core::v1::{
    ClusterTrustBundleProjection, KeyToPath, ProjectedVolumeSource, ServiceAccountTokenProjection,
    VolumeProjection,
};

use super::super::absent::list;
use super::super::label_selector::label_selector;
use super::super::paths;
use super::certificates::{pod_certificate, signer_name, trust_bundle_name};
use super::files;
use crate::field::{Errors, Place};

const LEAST_EXPIRATION: i64 = 10 * 60;
const MOST_EXPIRATION: i64 = 1 << 32;

pub(super) fn projected(source: &ProjectedVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    files::mode(source.default_mode, &at.field("defaultMode"), errors);
    files::user(source.default_user, &at.field("defaultUser"), errors);
    let mut taken = Paths(HashSet::new());
    let sources = at.field("sources");
    for (index, projection) in list(&source.sources).iter().enumerate() {
        self::source(projection, at, &sources.index(index), &mut taken, errors);
    }
}

/// The paths in the volume that are taken: two files cannot share one.
pub(super) struct Paths(HashSet<String>);

impl Paths {
    /// `at` is the path's own place; Kubernetes prints the volume, and `owner` as the value.
    pub(super) fn take(
        &mut self,
        path: &str,
        owner: &str,
        volume: &Place<'_>,
        at: &Place<'_>,
        errors: &mut Errors,
    ) {
        if !path.is_empty() && !self.0.insert(path.to_owned()) {
            errors.invalid(&at.printed_as(volume), owner, "conflicting duplicate paths");
        }
    }
}

fn source(
    source: &VolumeProjection,
    volume: &Place<'_>,
    at: &Place<'_>,
    taken: &mut Paths,
    errors: &mut Errors,
) {
    let VolumeProjection {
        cluster_trust_bundle,
        config_map,
        downward_api,
        pod_certificate: certificate,
        secret,
        service_account_token,
    } = source;
    let mut kinds = 0;
    if let Some(secret) = secret {
        kinds += 1;
        let at = at.field("secret");
        keys(&secret.name, list(&secret.items), volume, &at, taken, errors);
    }
    if let Some(config_map) = config_map {
        kinds += 1;
        let at = at.field("configMap");
        keys(&config_map.name, list(&config_map.items), volume, &at, taken, errors);
    }
    if let Some(downward) = downward_api {
        kinds += 1;
        let at = at.field("downwardAPI");
        files::downward_files(list(&downward.items), &at, errors);
        let at = at.field("items");
        for (index, file) in list(&downward.items).iter().enumerate() {
            let at = at.index(index);
            taken.take(&file.path, &file.path, volume, &at.field("path"), errors);
        }
    }
    if let Some(token) = service_account_token {
        kinds += 1;
        service_account(token, volume, at, errors);
    }
    if let Some(bundle) = cluster_trust_bundle {
        kinds += 1;
        let at = at.field("clusterTrustBundle");
        trust_bundle(bundle, &at, errors);
        taken.take(&bundle.path, &bundle.path, volume, &at.field("path"), errors);
    }
    if let Some(certificate) = certificate {
        kinds += 1;
        pod_certificate(certificate, volume, &at.field("podCertificate"), taken, errors);
    }
    match kinds {
        // Upstream lets an empty source pass, and it projects nothing.
        0 | 1 => {}
        _ => errors.forbidden(at, "may not specify more than 1 volume type per source"),
    }
}

fn keys(
    name: &str,
    items: &[KeyToPath],
    volume: &Place<'_>,
    at: &Place<'_>,
    taken: &mut Paths,
    errors: &mut Errors,
) {
    if name.is_empty() {
        errors.required(&at.field("name"), "");
    }
    files::items(items, &at.field("items"), errors);
    let at = at.field("items");
    for (index, item) in items.iter().enumerate() {
        taken.take(&item.path, name, volume, &at.index(index).field("path"), errors);
    }
}

fn service_account(
    token: &ServiceAccountTokenProjection,
    volume: &Place<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let here = at.field("serviceAccountToken");
    if let Some(seconds) = token.expiration_seconds {
        let at = here.field("expirationSeconds");
        if seconds < LEAST_EXPIRATION {
            errors.invalid(&at, seconds, "may not specify a duration less than 10 minutes");
        }
        if seconds > MOST_EXPIRATION {
            errors.invalid(&at, seconds, "may not specify a duration larger than 2^32 seconds");
        }
    }
    files::user(token.user, &here.field("user"), errors);
    // Kubernetes prints it as a path of the volume.
    let path_at = here.field("path").printed_after(volume);
    if token.path.is_empty() {
        errors.required(&path_at, "");
    } else {
        paths::local_non_reserved(&token.path, &path_at, errors);
    }
}

fn trust_bundle(bundle: &ClusterTrustBundleProjection, at: &Place<'_>, errors: &mut Errors) {
    let value = || serde_json::to_value(bundle).unwrap_or_default();
    match (bundle.name.as_deref(), bundle.signer_name.as_deref()) {
        (Some(_), Some(_)) => {
            errors.invalid(at, value(), "only one of name and signerName may be used");
        }
        (Some(name), None) => {
            let name_at = at.field("name");
            if name.is_empty() {
                errors.required(&name_at, "must be a valid object name");
            }
            for wrong in trust_bundle_name(name) {
                let detail = format!("not a valid clustertrustbundlename: {wrong}");
                errors.invalid(&name_at, name, detail);
            }
            if let Some(selector) = &bundle.label_selector {
                let value = serde_json::to_value(selector).unwrap_or_default();
                let detail = "labelSelector must be unset if name is specified";
                errors.invalid(&at.field("labelSelector"), value, detail);
            }
        }
        (None, Some(signer)) => {
            let signer_at = at.field("signerName");
            if signer.is_empty() {
                errors.required(&signer_at, "must be a valid signer name");
            }
            signer_name(signer, &signer_at, errors);
            label_selector(bundle.label_selector.as_ref(), &at.field("labelSelector"), errors);
        }
        (None, None) => errors.required(at, "either name or signerName must be specified"),
    }
    files::user(bundle.user, &at.field("user"), errors);
    if bundle.path.is_empty() {
        errors.required(&at.field("path"), "");
    }
    paths::local_non_reserved(&bundle.path, &at.field("path"), errors);
}

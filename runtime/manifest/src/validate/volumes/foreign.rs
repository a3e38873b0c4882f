//! File systems of other machines, and drivers of others.
//!
//! This runtime mounts none of them; a manifest that a cluster would refuse is wrong all the
//! same, and says so first.

use k8s_openapi::api::core::v1::{
    AzureFileVolumeSource, CSIVolumeSource, CephFSVolumeSource, FlexVolumeSource,
    FlockerVolumeSource, GitRepoVolumeSource, GlusterfsVolumeSource, LocalObjectReference,
    NFSVolumeSource, QuobyteVolumeSource, StorageOSVolumeSource,
};

use super::super::absent::{some_text, text};
use super::super::{names, paths};
use crate::field::{Errors, Place};

/// Each of these fields must not be empty.
pub(super) fn required(fields: &[(&'static str, &str)], at: &Place<'_>, errors: &mut Errors) {
    for (field, _) in fields.iter().filter(|(_, value)| value.is_empty()) {
        errors.required(&at.field(field), "");
    }
}

/// A reference to a Secret, where there is one, must name it.
pub(super) fn secret_ref(
    reference: Option<&LocalObjectReference>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    if reference.is_some_and(|reference| reference.name.is_empty()) {
        errors.required(&at.field("secretRef").field("name"), "");
    }
}

pub(super) fn git_repo(source: &GitRepoVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("repository", &source.repository)], at, errors);
    paths::local_descending(text(&source.directory), &at.field("directory"), errors);
}

pub(super) fn nfs(source: &NFSVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("server", &source.server), ("path", &source.path)], at, errors);
    if !source.path.starts_with('/') {
        errors.invalid(&at.field("path"), source.path.as_str(), "must be an absolute path");
    }
}

pub(super) fn glusterfs(source: &GlusterfsVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("endpoints", &source.endpoints), ("path", &source.path)], at, errors);
}

pub(super) fn flocker(source: &FlockerVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    let (name, uuid) = (some_text(&source.dataset_name), some_text(&source.dataset_uuid));
    if name.is_none() && uuid.is_none() {
        errors.required(at, "one of datasetName and datasetUUID is required");
    }
    if name.is_some() && uuid.is_some() {
        let detail = "datasetName and datasetUUID can not be specified simultaneously";
        errors.invalid(at, "resource", detail);
    }
    if let Some(name) = name.filter(|name| name.contains('/')) {
        errors.invalid(&at.field("datasetName"), name, "must not contain '/'");
    }
}

pub(super) fn ceph_fs(source: &CephFSVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    if source.monitors.is_empty() {
        errors.required(&at.field("monitors"), "");
    }
}

pub(super) fn quobyte(source: &QuobyteVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    let form = "must be a host:port pair or multiple pairs separated by commas";
    let registry = source.registry.as_str();
    if registry.is_empty() {
        errors.required(&at.field("registry"), form);
    } else if text(&source.tenant).len() > 64 {
        let detail = "must be a UUID and may not exceed a length of 64 characters";
        errors.required(&at.field("tenant"), detail);
    } else {
        for _ in registry.split(',').filter(|pair| !is_host_and_port(pair)) {
            errors.invalid(&at.field("registry"), registry, form);
        }
    }
    required(&[("volume", &source.volume)], at, errors);
}

fn is_host_and_port(pair: &str) -> bool {
    pair.rsplit_once(':').is_some_and(|(host, _)| {
        !host.contains(':') || (host.starts_with('[') && host.ends_with(']'))
    })
}

pub(super) fn flex(source: &FlexVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("driver", &source.driver)], at, errors);
    let at = at.field("options");
    for key in source.options.iter().flat_map(|options| options.keys()) {
        let domain = key.split('/').next().unwrap_or_default().to_lowercase();
        let reserved = ["kubernetes.io", "k8s.io"].iter().any(|own| {
            domain.strip_suffix(own).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        if reserved {
            let detail = "kubernetes.io and k8s.io namespaces are reserved";
            errors.invalid(&at.key(key), key.as_str(), detail);
        }
    }
}

pub(super) fn azure_file(source: &AzureFileVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("secretName", &source.secret_name), ("shareName", &source.share_name)], at, errors);
}

pub(super) fn storage_os(source: &StorageOSVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("volumeName", text(&source.volume_name))], at, errors);
    let labels = [
        ("volumeName", some_text(&source.volume_name)),
        ("volumeNamespace", some_text(&source.volume_namespace)),
    ];
    for (field, name) in labels {
        if let Some(name) = name {
            errors.invalid_each(&at.field(field), name, names::dns_label(name));
        }
    }
    secret_ref(source.secret_ref.as_ref(), at, errors);
}

pub(super) fn csi(source: &CSIVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    const MOST_DRIVER_NAME: usize = 63;
    let driver = source.driver.as_str();
    let driver_at = at.field("driver");
    if driver.is_empty() {
        errors.required(&driver_at, "");
    }
    if driver.len() > MOST_DRIVER_NAME {
        errors.too_long(&driver_at, MOST_DRIVER_NAME);
    }
    errors.invalid_each(&driver_at, driver, names::dns_subdomain(&driver.to_lowercase()));
    if let Some(reference) = &source.node_publish_secret_ref {
        let at = at.field("nodePublishSecretRef");
        let name = reference.name.as_str();
        if name.is_empty() {
            errors.required(&at.field("name"), "");
        } else {
            // Printed one step up, as Kubernetes prints it.
            errors.invalid_each(&at.unprinted().field("name"), name, names::dns_subdomain(name));
        }
    }
}

//! `volumeMounts` and `volumeDevices` of a container.

use std::collections::{BTreeMap, HashSet};

use k8s_openapi::api::core::v1::{Container, Volume, VolumeDevice, VolumeMount};

use super::absent::{list, some_text};
use super::paths;
use crate::field::{Errors, Place};

/// The volumes that are well formed, by name: only those can be mounted.
pub(super) type Volumes<'m> = BTreeMap<&'m str, &'m Volume>;

const PROPAGATIONS: [&str; 3] = ["Bidirectional", "HostToContainer", "None"];
const RECURSIVE_READ_ONLY: [&str; 3] = ["Disabled", "Enabled", "IfPossible"];
const BIND_MOUNT_OPTIONS: [&str; 3] = ["nodev", "noexec", "nosuid"];

pub(super) fn volume_mounts(
    container: &Container,
    volumes: &Volumes<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let devices = list(&container.volume_devices);
    let mut paths_taken = HashSet::new();
    for (index, mount) in list(&container.volume_mounts).iter().enumerate() {
        let here = at.index(index);
        let (name, path) = (mount.name.as_str(), mount.mount_path.as_str());
        if name.is_empty() {
            errors.required(&here.field("name"), "");
        }
        if !volumes.contains_key(name) {
            errors.not_found(&here.field("name"), name, "");
        }
        if path.is_empty() {
            errors.required(&here.field("mountPath"), "");
        }
        if !paths_taken.insert(path) {
            errors.invalid(&here.field("mountPath"), path, "must be unique");
        }
        if devices.iter().any(|device| device.name == name) {
            errors.invalid(&here.field("name"), name, "must not already exist in volumeDevices");
        }
        if devices.iter().any(|device| device.device_path == path) {
            let detail = "must not already exist as a path in volumeDevices";
            errors.invalid(&here.field("mountPath"), path, detail);
        }
        sub_path(mount, &here, errors);
        options(mount, container, &here, errors);
        if volumes.get(name).is_some_and(|volume| volume.image.is_some()) {
            image_mount(mount, &here, errors);
        }
    }
}

fn sub_path(mount: &VolumeMount, at: &Place<'_>, errors: &mut Errors) {
    // Printed without the index, as Kubernetes prints it, but found with it.
    let unindexed = at.unprinted();
    if let Some(path) = some_text(&mount.sub_path) {
        paths::local_descending(path, &unindexed.field("subPath"), errors);
    }
    if let Some(path) = some_text(&mount.sub_path_expr) {
        if some_text(&mount.sub_path).is_some() {
            let detail = "subPathExpr and subPath are mutually exclusive";
            errors.invalid(&at.field("subPathExpr"), path, detail);
        }
        paths::local_descending(path, &unindexed.field("subPathExpr"), errors);
    }
}

fn options(mount: &VolumeMount, container: &Container, at: &Place<'_>, errors: &mut Errors) {
    let unindexed = at.unprinted();
    if let Some(propagation) = mount.mount_propagation.as_deref() {
        let at = unindexed.field("mountPropagation");
        if !PROPAGATIONS.contains(&propagation) {
            errors.unsupported(&at, propagation, &PROPAGATIONS);
        }
        let privileged = container.security_context.as_ref().and_then(|own| own.privileged);
        if propagation == "Bidirectional" && privileged != Some(true) {
            let detail =
                "Bidirectional mount propagation is available only to privileged containers";
            errors.forbidden(&at, detail);
        }
    }
    let at_recursive = unindexed.field("recursiveReadOnly");
    match mount.recursive_read_only.as_deref() {
        None | Some("Disabled") => {}
        Some("Enabled" | "IfPossible") => {
            if mount.read_only != Some(true) {
                errors.forbidden(&at_recursive, "may only be specified when readOnly is true");
            }
            if mount.mount_propagation.as_deref().is_some_and(|propagation| propagation != "None") {
                let detail = "may only be specified when mountPropagation is None or not specified";
                errors.forbidden(&at_recursive, detail);
            }
        }
        Some(other) => errors.unsupported(&at_recursive, other, &RECURSIVE_READ_ONLY),
    }
    let at = at.field("bindMountOptions");
    for (index, option) in list(&mount.bind_mount_options).iter().enumerate() {
        if !BIND_MOUNT_OPTIONS.contains(&option.as_str()) {
            errors.unsupported(&at.index(index), option, &BIND_MOUNT_OPTIONS);
        }
    }
}

fn image_mount(mount: &VolumeMount, at: &Place<'_>, errors: &mut Errors) {
    if !list(&mount.bind_mount_options).is_empty() {
        errors.forbidden(&at.field("bindMountOptions"), "not allowed in image volume sources");
    }
}

pub(super) fn volume_devices(
    container: &Container,
    volumes: &Volumes<'_>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let mounts = list(&container.volume_mounts);
    let mut names = HashSet::new();
    let mut paths_taken = HashSet::new();
    for (index, device) in list(&container.volume_devices).iter().enumerate() {
        let here = at.index(index);
        let VolumeDevice { name, device_path: path } = device;
        let name_at = here.field("name");
        let path_at = here.field("devicePath");
        if name.is_empty() {
            errors.required(&name_at, "");
        } else if !names.insert(name.as_str()) {
            errors.invalid(&name_at, name.as_str(), "must be unique");
        }
        match volumes.get(name.as_str()) {
            Some(volume) => {
                if volume.persistent_volume_claim.is_none() && volume.ephemeral.is_none() {
                    let detail = "can only use volume source type of PersistentVolumeClaim or \
                                  Ephemeral for block mode";
                    errors.invalid(&name_at, name.as_str(), detail);
                }
            }
            None => errors.not_found(&name_at, name, ""),
        }
        if path.is_empty() {
            errors.required(&path_at, "");
        }
        if paths_taken.contains(path.as_str()) {
            errors.invalid(&path_at, path.as_str(), "must be unique");
        }
        if path.split('/').any(|part| part == "..") {
            errors.invalid(&path_at, path.as_str(), "can not contain backsteps ('..')");
        } else {
            paths_taken.insert(path.as_str());
        }
        if mounts.iter().any(|mount| &mount.name == name) {
            errors.invalid(&name_at, name.as_str(), "must not already exist in volumeMounts");
        }
        if mounts.iter().any(|mount| &mount.mount_path == path) {
            let detail = "must not already exist as a path in volumeMounts";
            errors.invalid(&path_at, path.as_str(), detail);
        }
    }
}

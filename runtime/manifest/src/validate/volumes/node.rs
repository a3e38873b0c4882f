//! Volumes of the node itself: emptyDir and hostPath.

use k8s_openapi::api::core::v1::{EmptyDirVolumeSource, HostPathVolumeSource};

use super::super::absent::text;
use super::super::{paths, quantity};
use crate::field::{Errors, Place};

const HOST_PATH_TYPES: [&str; 8] = [
    "",
    "BlockDevice",
    "CharDevice",
    "Directory",
    "DirectoryOrCreate",
    "File",
    "FileOrCreate",
    "Socket",
];

/// Permission bits of a directory, with the sticky bit.
const MOST_DIRECTORY_MODE: i32 = 0o1777;

pub(super) fn empty_dir(source: &EmptyDirVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    if let Some(written) = &source.size_limit {
        let at = at.field("sizeLimit");
        if quantity::parsed(written, &at, errors).is_some_and(|limit| limit.is_negative()) {
            errors.forbidden(&at, "SizeLimit field must be a valid resource quantity");
        }
    }
    // Upstream lets the kubelet find out, and the Pod waits for ever.
    let medium = text(&source.medium);
    if !matches!(medium, "" | "Memory") && !medium.starts_with("HugePages") {
        errors.unsupported(&at.field("medium"), medium, &["", "Memory"]);
    }
    if let Some(mode) = source.mode.filter(|mode| !(0..=MOST_DIRECTORY_MODE).contains(mode)) {
        let detail = "must be a number between 0 and 01777 (octal), both inclusive";
        errors.invalid(&at.field("mode"), mode, detail);
    }
}

pub(super) fn host_path(source: &HostPathVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    if source.path.is_empty() {
        return errors.required(&at.field("path"), "");
    }
    paths::no_backsteps(&source.path, &at.field("path"), errors);
    let kind = text(&source.type_);
    if !HOST_PATH_TYPES.contains(&kind) {
        errors.unsupported(&at.field("type"), kind, &HOST_PATH_TYPES);
    }
}

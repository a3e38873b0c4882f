//! Disks of clouds and storage networks.
//!
//! As with [`super::foreign`]: none can be attached here, but wrong is wrong.

use k8s_openapi::api::core::v1::{
    AWSElasticBlockStoreVolumeSource, AzureDiskVolumeSource, CinderVolumeSource, FCVolumeSource,
    GCEPersistentDiskVolumeSource, ISCSIVolumeSource, PhotonPersistentDiskVolumeSource,
    PortworxVolumeSource, RBDVolumeSource, ScaleIOVolumeSource, VsphereVirtualDiskVolumeSource,
};

use super::super::absent::{list, text};
use super::super::names;
use super::foreign::{required, secret_ref};
use crate::field::{Errors, Place};

pub(super) fn gce(source: &GCEPersistentDiskVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("pdName", &source.pd_name)], at, errors);
    partition(source.partition, at, errors);
}

pub(super) fn aws(source: &AWSElasticBlockStoreVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("volumeID", &source.volume_id)], at, errors);
    partition(source.partition, at, errors);
}

/// 0 is the disk as a whole, though the text, which is upstream's, begins at 1.
fn partition(partition: Option<i32>, at: &Place<'_>, errors: &mut Errors) {
    if let Some(number) = partition.filter(|number| !(0..=255).contains(number)) {
        errors.invalid(&at.field("partition"), number, names::between(1, 255));
    }
}

pub(super) fn iscsi(source: &ISCSIVolumeSource, volume: &str, at: &Place<'_>, errors: &mut Errors) {
    required(&[("targetPortal", &source.target_portal), ("iqn", &source.iqn)], at, errors);
    if !source.iqn.is_empty() {
        iscsi_name(&source.iqn, &at.field("iqn"), errors);
    }
    lun(source.lun, at, errors);
    let authenticates = [source.chap_auth_discovery, source.chap_auth_session];
    if authenticates.contains(&Some(true)) && source.secret_ref.is_none() {
        errors.required(&at.field("secretRef"), "");
    }
    if let Some(initiator) = source.initiator_name.as_deref() {
        iscsi_name(initiator, &at.field("initiatorName"), errors);
        if volume.len() + 1 + source.target_portal.len() > 64 {
            let detail = "Total length of <volume name>:<iscsi.targetPortal> must be under 64 \
                          characters if iscsi.initiatorName is specified.";
            errors.invalid(&at.field("targetPortal"), volume, detail);
        }
    }
}

fn iscsi_name(name: &str, at: &Place<'_>, errors: &mut Errors) {
    let serial = |digits: &str, length: usize| {
        let digits = digits.get(1..).unwrap_or_default();
        digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    let valid = if let Some(rest) = name.strip_prefix("iqn") {
        is_qualified_iscsi_name(rest)
    } else if let Some(rest) = name.strip_prefix("eui") {
        serial(rest, 16)
    } else if let Some(rest) = name.strip_prefix("naa") {
        serial(rest, 32)
    } else {
        return errors.invalid(at, name, "must be valid format starting with iqn, eui, or naa");
    };
    if !valid {
        errors.invalid(at, name, "must be valid format");
    }
}

/// `.2015-02.example.com:disk`: a month, a domain, and a name.
fn is_qualified_iscsi_name(rest: &str) -> bool {
    let Some((date, name)) = rest.strip_prefix('.').and_then(|rest| rest.split_once('.')) else {
        return false;
    };
    let Some((domain, disk)) = name.split_once(':') else {
        return false;
    };
    let month = |date: &str| {
        let bytes = date.as_bytes();
        bytes.len() == 7
            && bytes[4] == b'-'
            && bytes.iter().enumerate().all(|(index, byte)| index == 4 || byte.is_ascii_digit())
    };
    month(date)
        && !domain.is_empty()
        && domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.".contains(&byte))
        && !disk.is_empty()
        && !disk.contains(|letter: char| ",;*&$|".contains(letter) || letter.is_whitespace())
}

fn lun(lun: i32, at: &Place<'_>, errors: &mut Errors) {
    if !(0..=255).contains(&lun) {
        errors.invalid(&at.field("lun"), lun, names::between(0, 255));
    }
}

pub(super) fn fibre_channel(source: &FCVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    let (targets, wwids) = (list(&source.target_wwns), list(&source.wwids));
    let targets_at = at.field("targetWWNs");
    if targets.is_empty() && wwids.is_empty() {
        let detail = "must specify either targetWWNs or wwids, but not both";
        errors.required(&targets_at, detail);
    }
    if targets.is_empty() {
        return;
    }
    if !wwids.is_empty() {
        let detail = "targetWWNs and wwids can not be specified simultaneously";
        errors.invalid(&targets_at, targets.to_vec(), detail);
    }
    match source.lun {
        None => {
            errors.required(&at.field("lun"), "lun is required if targetWWNs is specified");
        }
        Some(number) => lun(number, at, errors),
    }
}

pub(super) fn rbd(source: &RBDVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    if source.monitors.is_empty() {
        errors.required(&at.field("monitors"), "");
    }
    required(&[("image", &source.image)], at, errors);
}

pub(super) fn cinder(source: &CinderVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("volumeID", &source.volume_id)], at, errors);
    secret_ref(source.secret_ref.as_ref(), at, errors);
}

pub(super) fn vsphere(
    source: &VsphereVirtualDiskVolumeSource,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    required(&[("volumePath", &source.volume_path)], at, errors);
}

pub(super) fn photon(
    source: &PhotonPersistentDiskVolumeSource,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    required(&[("pdID", &source.pd_id)], at, errors);
}

pub(super) fn portworx(source: &PortworxVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    required(&[("volumeID", &source.volume_id)], at, errors);
}

pub(super) fn scale_io(source: &ScaleIOVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    let fields = [
        ("gateway", source.gateway.as_str()),
        ("system", &source.system),
        ("volumeName", text(&source.volume_name)),
    ];
    required(&fields, at, errors);
}

pub(super) fn azure_disk(source: &AzureDiskVolumeSource, at: &Place<'_>, errors: &mut Errors) {
    const CACHING: [&str; 3] = ["None", "ReadOnly", "ReadWrite"];
    const KINDS: [&str; 3] = ["Dedicated", "Managed", "Shared"];
    let uri = source.disk_uri.as_str();
    required(&[("diskName", &source.disk_name), ("diskURI", uri)], at, errors);
    if let Some(mode) = source.caching_mode.as_deref().filter(|mode| !CACHING.contains(mode)) {
        errors.unsupported(&at.field("cachingMode"), mode, &CACHING);
    }
    let Some(kind) = source.kind.as_deref() else {
        return;
    };
    if !KINDS.contains(&kind) {
        errors.unsupported(&at.field("kind"), kind, &KINDS);
    }
    let (prefix, form) = if kind == "Managed" {
        (
            "/subscriptions/",
            "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/\
             disks/{disk-id}",
        )
    } else {
        (
            "https://",
            "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd",
        )
    };
    if !uri.starts_with(prefix) {
        errors.unsupported(&at.field("diskURI"), uri, &[form]);
    }
}

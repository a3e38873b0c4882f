//! Defaults of a volume.

use k8s_openapi::api::core::v1::{
    DownwardAPIVolumeFile, EmptyDirVolumeSource, ImageVolumeSource, ProjectedVolumeSource, Volume,
};

use super::{container, objects, set_text};

/// `0644`: the owner writes, all read.
const FILE_MODE: i32 = 0o644;

pub(super) fn apply(volume: &mut Volume) {
    if has_no_source(volume) {
        volume.empty_dir = Some(EmptyDirVolumeSource::default());
    }
    if let Some(source) = &mut volume.config_map {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.secret {
        source.default_mode.get_or_insert(FILE_MODE);
    }
    if let Some(source) = &mut volume.downward_api {
        source.default_mode.get_or_insert(FILE_MODE);
        source.items.iter_mut().flatten().for_each(downward_file);
    }
    volume.projected.iter_mut().for_each(projected);
    if let Some(source) = &mut volume.host_path {
        source.type_.get_or_insert_default();
    }
    volume.image.iter_mut().for_each(image);
    if let Some(source) = &mut volume.ephemeral
        && let Some(template) = &mut source.volume_claim_template
    {
        objects::persistent_volume_claim_spec(&mut template.spec);
    }
}

fn projected(source: &mut ProjectedVolumeSource) {
    source.default_mode.get_or_insert(FILE_MODE);
    for projection in source.sources.iter_mut().flatten() {
        if let Some(downward) = &mut projection.downward_api {
            downward.items.iter_mut().flatten().for_each(downward_file);
        }
        if let Some(token) = &mut projection.service_account_token {
            token.expiration_seconds.get_or_insert(3600);
        }
        if let Some(certificate) = &mut projection.pod_certificate {
            certificate.max_expiration_seconds.get_or_insert(86_400);
        }
    }
}

fn downward_file(file: &mut DownwardAPIVolumeFile) {
    if let Some(field) = &mut file.field_ref {
        set_text(&mut field.api_version, "v1");
    }
}

fn image(source: &mut ImageVolumeSource) {
    let policy = container::pull_policy(source.reference.as_deref().unwrap_or_default());
    set_text(&mut source.pull_policy, policy);
}

/// Whether no source is set. Named one by one: a new kind must be added here, or a volume of
/// that kind would become an empty directory.
fn has_no_source(volume: &Volume) -> bool {
    let Volume {
        name: _,
        aws_elastic_block_store: None,
        azure_disk: None,
        azure_file: None,
        cephfs: None,
        cinder: None,
        config_map: None,
        csi: None,
        downward_api: None,
        empty_dir: None,
        ephemeral: None,
        fc: None,
        flex_volume: None,
        flocker: None,
        gce_persistent_disk: None,
        git_repo: None,
        glusterfs: None,
        host_path: None,
        image: None,
        iscsi: None,
        nfs: None,
        persistent_volume_claim: None,
        photon_persistent_disk: None,
        portworx_volume: None,
        projected: None,
        quobyte: None,
        rbd: None,
        scale_io: None,
        secret: None,
        storageos: None,
        vsphere_volume: None,
    } = volume
    else {
        return false;
    };
    true
}

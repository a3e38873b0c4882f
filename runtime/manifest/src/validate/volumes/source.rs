//! The source of a volume: one, and only one.

use k8s_openapi::api::core::v1::Volume;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::super::absent::{some_text, text};
use super::super::{container, names, persistent_volume_claim};
use super::{files, foreign, foreign_block, node, projected};
use crate::field::{Errors, Place};

/// Counts sources: all but the first are only said to be too many.
struct Sources<'e> {
    errors: &'e mut Errors,
    count: usize,
}

impl Sources<'_> {
    fn check<Source>(
        &mut self,
        source: Option<&Source>,
        at: &Place<'_>,
        rules: impl FnOnce(&Source, &Place<'_>, &mut Errors),
    ) {
        let Some(source) = source else { return };
        self.count += 1;
        if self.count > 1 {
            self.errors.forbidden(at, "may not specify more than 1 volume type");
        } else {
            rules(source, at, self.errors);
        }
    }
}

pub(super) fn source(volume: &Volume, metadata: &ObjectMeta, at: &Place<'_>, errors: &mut Errors) {
    // Every field of `Volume` is named, so that a new kind cannot be forgotten.
    let Volume {
        name,
        aws_elastic_block_store,
        azure_disk,
        azure_file,
        cephfs,
        cinder,
        config_map,
        csi,
        downward_api,
        empty_dir,
        ephemeral,
        fc,
        flex_volume,
        flocker,
        gce_persistent_disk,
        git_repo,
        glusterfs,
        host_path,
        image,
        iscsi,
        nfs,
        persistent_volume_claim: claim,
        photon_persistent_disk,
        portworx_volume,
        projected,
        quobyte,
        rbd,
        scale_io,
        secret,
        storageos,
        vsphere_volume,
    } = volume;
    let mut sources = Sources { errors, count: 0 };
    let all = &mut sources;
    all.check(empty_dir.as_ref(), &at.field("emptyDir"), node::empty_dir);
    all.check(host_path.as_ref(), &at.field("hostPath"), node::host_path);
    all.check(git_repo.as_ref(), &at.field("gitRepo"), foreign::git_repo);
    // Kubernetes prints the old name of this one.
    let gce = at.field("gcePersistentDisk");
    all.check(gce_persistent_disk.as_ref(), &gce, foreign_block::gce);
    let aws = at.field("awsElasticBlockStore");
    all.check(aws_elastic_block_store.as_ref(), &aws, foreign_block::aws);
    all.check(secret.as_ref(), &at.field("secret"), files::secret);
    all.check(nfs.as_ref(), &at.field("nfs"), foreign::nfs);
    all.check(iscsi.as_ref(), &at.field("iscsi"), |source, at, errors| {
        foreign_block::iscsi(source, name, at, errors);
    });
    all.check(glusterfs.as_ref(), &at.field("glusterfs"), foreign::glusterfs);
    all.check(flocker.as_ref(), &at.field("flocker"), foreign::flocker);
    all.check(claim.as_ref(), &at.field("persistentVolumeClaim"), |source, at, errors| {
        if source.claim_name.is_empty() {
            errors.required(&at.field("claimName"), "");
        }
    });
    all.check(rbd.as_ref(), &at.field("rbd"), foreign_block::rbd);
    all.check(cinder.as_ref(), &at.field("cinder"), foreign_block::cinder);
    all.check(cephfs.as_ref(), &at.field("cephfs"), foreign::ceph_fs);
    all.check(quobyte.as_ref(), &at.field("quobyte"), foreign::quobyte);
    all.check(downward_api.as_ref(), &at.field("downwardAPI"), files::downward_api);
    all.check(fc.as_ref(), &at.field("fc"), foreign_block::fibre_channel);
    all.check(flex_volume.as_ref(), &at.field("flexVolume"), foreign::flex);
    all.check(config_map.as_ref(), &at.field("configMap"), files::config_map);
    all.check(azure_file.as_ref(), &at.field("azureFile"), foreign::azure_file);
    all.check(vsphere_volume.as_ref(), &at.field("vsphereVolume"), foreign_block::vsphere);
    let photon = at.field("photonPersistentDisk");
    all.check(photon_persistent_disk.as_ref(), &photon, foreign_block::photon);
    all.check(portworx_volume.as_ref(), &at.field("portworxVolume"), foreign_block::portworx);
    all.check(azure_disk.as_ref(), &at.field("azureDisk"), foreign_block::azure_disk);
    all.check(storageos.as_ref(), &at.field("storageos"), foreign::storage_os);
    all.check(projected.as_ref(), &at.field("projected"), projected::projected);
    all.check(scale_io.as_ref(), &at.field("scaleIO"), foreign_block::scale_io);
    all.check(csi.as_ref(), &at.field("csi"), foreign::csi);
    all.check(ephemeral.as_ref(), &at.field("ephemeral"), |source, here, errors| {
        let here = here.field("volumeClaimTemplate");
        match &source.volume_claim_template {
            Some(template) => persistent_volume_claim::template(template, &here, errors),
            None => errors.required(&here, ""),
        }
        claim_name(metadata, name, at, errors);
    });
    all.check(image.as_ref(), &at.field("image"), |source, at, errors| {
        if text(&source.reference).is_empty() {
            errors.required(&at.field("reference"), "");
        }
        container::pull_policy(text(&source.pull_policy), &at.field("pullPolicy"), errors);
    });
    if sources.count == 0 {
        sources.errors.required(at, "must specify a volume type");
    }
}

/// The claim of an ephemeral volume is named for the Pod and the volume.
fn claim_name(metadata: &ObjectMeta, volume: &str, at: &Place<'_>, errors: &mut Errors) {
    let Some(pod) = some_text(&metadata.name) else {
        return;
    };
    if volume.is_empty() {
        return;
    }
    let claim = format!("{pod}-{volume}");
    for wrong in names::dns_subdomain(&claim) {
        errors.invalid(&at.field("name"), volume, format!("PVC name \"{claim}\": {wrong}"));
    }
}

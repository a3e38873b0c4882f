//! Sources that live elsewhere: a Pod here cannot have them, a Pod of a cluster can.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::Volume;

use super::{Source, is, secret, source as shown, text};

pub(super) fn source(volume: &Volume) -> Option<Source> {
    disks(volume).or_else(|| files(volume)).or_else(|| systems(volume)).or_else(|| drivers(volume))
}

fn number(number: Option<i32>) -> String {
    number.unwrap_or_default().to_string()
}

fn list(texts: &[String]) -> String {
    format!("[{}]", texts.join(" "))
}

fn disks(volume: &Volume) -> Option<Source> {
    if let Some(disk) = &volume.gce_persistent_disk {
        return Some(shown(
            "GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)",
            [
                ("PDName:", disk.pd_name.clone()),
                ("FSType:", text(&disk.fs_type)),
                ("Partition:", number(disk.partition)),
                ("ReadOnly:", is(disk.read_only)),
            ],
        ));
    }
    if let Some(disk) = &volume.aws_elastic_block_store {
        return Some(shown(
            "AWSElasticBlockStore (a Persistent Disk resource in AWS)",
            [
                ("VolumeID:", disk.volume_id.clone()),
                ("FSType:", text(&disk.fs_type)),
                ("Partition:", number(disk.partition)),
                ("ReadOnly:", is(disk.read_only)),
            ],
        ));
    }
    if let Some(disk) = &volume.azure_disk {
        return Some(shown(
            "AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)",
            [
                ("DiskName:", disk.disk_name.clone()),
                ("DiskURI:", disk.disk_uri.clone()),
                ("Kind: ", text(&disk.kind)),
                ("FSType:", text(&disk.fs_type)),
                ("CachingMode:", text(&disk.caching_mode)),
                ("ReadOnly:", is(disk.read_only)),
            ],
        ));
    }
    if let Some(disk) = &volume.vsphere_volume {
        return Some(shown(
            "vSphereVolume (a Persistent Disk resource in vSphere)",
            [
                ("VolumePath:", disk.volume_path.clone()),
                ("FSType:", text(&disk.fs_type)),
                ("StoragePolicyName:", text(&disk.storage_policy_name)),
            ],
        ));
    }
    if let Some(disk) = &volume.cinder {
        return Some(shown(
            "Cinder (a Persistent Disk resource in OpenStack)",
            [
                ("VolumeID:", disk.volume_id.clone()),
                ("FSType:", text(&disk.fs_type)),
                ("ReadOnly:", is(disk.read_only)),
                ("SecretRef:", secret(disk.secret_ref.as_ref().map(|it| &*it.name))),
            ],
        ));
    }
    if let Some(disk) = &volume.photon_persistent_disk {
        return Some(shown(
            "PhotonPersistentDisk (a Persistent Disk resource in photon platform)",
            [("PdID:", disk.pd_id.clone()), ("FSType:", text(&disk.fs_type))],
        ));
    }
    volume.fc.as_ref().map(|disk| {
        shown(
            "FC (a Fibre Channel disk)",
            [
                ("TargetWWNs:", disk.target_wwns.clone().unwrap_or_default().join(", ")),
                ("LUN:", disk.lun.map_or_else(|| "<none>".to_owned(), |lun| lun.to_string())),
                ("FSType:", text(&disk.fs_type)),
                ("ReadOnly:", is(disk.read_only)),
            ],
        )
    })
}

fn files(volume: &Volume) -> Option<Source> {
    if let Some(repository) = &volume.git_repo {
        return Some(shown(
            "GitRepo (a volume that is pulled from git when the pod is created)",
            [
                ("Repository:", repository.repository.clone()),
                ("Revision:", text(&repository.revision)),
            ],
        ));
    }
    if let Some(nfs) = &volume.nfs {
        return Some(shown(
            "NFS (an NFS mount that lasts the lifetime of a pod)",
            [
                ("Server:", nfs.server.clone()),
                ("Path:", nfs.path.clone()),
                ("ReadOnly:", is(nfs.read_only)),
            ],
        ));
    }
    if let Some(file) = &volume.azure_file {
        return Some(shown(
            "AzureFile (an Azure File Service mount on the host and bind mount to the pod)",
            [
                ("SecretName:", file.secret_name.clone()),
                ("ShareName:", file.share_name.clone()),
                ("ReadOnly:", is(file.read_only)),
            ],
        ));
    }
    if let Some(ceph) = &volume.cephfs {
        return Some(shown(
            "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
            [
                ("Monitors:", list(&ceph.monitors)),
                ("Path:", text(&ceph.path)),
                ("User:", text(&ceph.user)),
                ("SecretFile:", text(&ceph.secret_file)),
                ("SecretRef:", secret(ceph.secret_ref.as_ref().map(|it| &*it.name))),
                ("ReadOnly:", is(ceph.read_only)),
            ],
        ));
    }
    if let Some(gluster) = &volume.glusterfs {
        return Some(shown(
            "Glusterfs (a Glusterfs mount on the host that shares a pod's lifetime)",
            [
                ("EndpointsName:", gluster.endpoints.clone()),
                ("Path:", gluster.path.clone()),
                ("ReadOnly:", is(gluster.read_only)),
            ],
        ));
    }
    volume.quobyte.as_ref().map(|quobyte| {
        shown(
            "Quobyte (a Quobyte mount on the host that shares a pod's lifetime)",
            [
                ("Registry:", quobyte.registry.clone()),
                ("Volume:", quobyte.volume.clone()),
                ("ReadOnly:", is(quobyte.read_only)),
            ],
        )
    })
}

fn systems(volume: &Volume) -> Option<Source> {
    if let Some(iscsi) = &volume.iscsi {
        let initiator = iscsi.initiator_name.clone();
        return Some(shown(
            "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then \
             exposed to the pod)",
            [
                ("TargetPortal:", iscsi.target_portal.clone()),
                ("IQN:", iscsi.iqn.clone()),
                ("Lun:", iscsi.lun.to_string()),
                ("ISCSIInterface", text(&iscsi.iscsi_interface)),
                ("FSType:", text(&iscsi.fs_type)),
                ("ReadOnly:", is(iscsi.read_only)),
                ("Portals:", list(iscsi.portals.as_deref().unwrap_or_default())),
                ("DiscoveryCHAPAuth:", is(iscsi.chap_auth_discovery)),
                ("SessionCHAPAuth:", is(iscsi.chap_auth_session)),
                ("SecretRef:", secret(iscsi.secret_ref.as_ref().map(|it| &*it.name))),
                ("InitiatorName:", initiator.unwrap_or_else(|| "<none>".to_owned())),
            ],
        ));
    }
    if let Some(rbd) = &volume.rbd {
        return Some(shown(
            "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
            [
                ("CephMonitors:", list(&rbd.monitors)),
                ("RBDImage:", rbd.image.clone()),
                ("FSType:", text(&rbd.fs_type)),
                ("RBDPool:", text(&rbd.pool)),
                ("RadosUser:", text(&rbd.user)),
                ("Keyring:", text(&rbd.keyring)),
                ("SecretRef:", secret(rbd.secret_ref.as_ref().map(|it| &*it.name))),
                ("ReadOnly:", is(rbd.read_only)),
            ],
        ));
    }
    if let Some(portworx) = &volume.portworx_volume {
        return Some(shown(
            "PortworxVolume (a Portworx Volume resource)",
            [("VolumeID:", portworx.volume_id.clone())],
        ));
    }
    if let Some(storage) = &volume.scale_io {
        return Some(shown(
            "ScaleIO (a persistent volume backed by a block device in ScaleIO)",
            [
                ("Gateway:", storage.gateway.clone()),
                ("System:", storage.system.clone()),
                ("Protection Domain:", text(&storage.protection_domain)),
                ("Storage Pool:", text(&storage.storage_pool)),
                ("Storage Mode:", text(&storage.storage_mode)),
                ("VolumeName:", text(&storage.volume_name)),
                ("FSType:", text(&storage.fs_type)),
                ("ReadOnly:", is(storage.read_only)),
            ],
        ));
    }
    volume.storageos.as_ref().map(|storage| {
        shown(
            "StorageOS (a StorageOS Persistent Disk resource)",
            [
                ("VolumeName:", text(&storage.volume_name)),
                ("VolumeNamespace:", text(&storage.volume_namespace)),
                ("FSType:", text(&storage.fs_type)),
                ("ReadOnly:", is(storage.read_only)),
            ],
        )
    })
}

fn drivers(volume: &Volume) -> Option<Source> {
    if let Some(flex) = &volume.flex_volume {
        return Some(shown(
            "FlexVolume (a generic volume resource that is provisioned/attached using an exec \
             based plugin)",
            [
                ("Driver:", flex.driver.clone()),
                ("FSType:", text(&flex.fs_type)),
                ("SecretRef:", secret(flex.secret_ref.as_ref().map(|it| &*it.name))),
                ("ReadOnly:", is(flex.read_only)),
                ("Options:", map(flex.options.as_ref())),
            ],
        ));
    }
    if let Some(flocker) = &volume.flocker {
        return Some(shown(
            "Flocker (a Flocker volume mounted by the Flocker agent)",
            [
                ("DatasetName:", text(&flocker.dataset_name)),
                ("DatasetUUID:", text(&flocker.dataset_uuid)),
            ],
        ));
    }
    volume.csi.as_ref().map(|csi| {
        shown(
            "CSI (a Container Storage Interface (CSI) volume source)",
            [
                ("Driver:", csi.driver.clone()),
                ("FSType:", text(&csi.fs_type)),
                ("ReadOnly:", is(csi.read_only)),
            ],
        )
    })
}

fn map(pairs: Option<&BTreeMap<String, String>>) -> String {
    let pairs: Vec<String> =
        pairs.into_iter().flatten().map(|(key, value)| format!("{key}:{value}")).collect();
    format!("map[{}]", pairs.join(" "))
}

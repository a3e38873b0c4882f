//! Volume sources that need a storage system beside the machine.

use super::metadata::LOCAL_OBJECT_REFERENCE;
use super::shape::{BOOL, INT32, Object, STRING, STRING_MAP, STRINGS, Shape, part};

pub(crate) static AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE: Object = Object {
    name: "AWSElasticBlockStoreVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("partition", INT32),
        part("readOnly", BOOL),
        part("volumeID", STRING),
    ],
};

pub(crate) static AZURE_DISK_VOLUME_SOURCE: Object = Object {
    name: "AzureDiskVolumeSource",
    fields: &[
        part("cachingMode", STRING),
        part("diskName", STRING),
        part("diskURI", STRING),
        part("fsType", STRING),
        part("kind", STRING),
        part("readOnly", BOOL),
    ],
};

pub(crate) static AZURE_FILE_VOLUME_SOURCE: Object = Object {
    name: "AzureFileVolumeSource",
    fields: &[part("readOnly", BOOL), part("secretName", STRING), part("shareName", STRING)],
};

pub(crate) static CEPH_FS_VOLUME_SOURCE: Object = Object {
    name: "CephFSVolumeSource",
    fields: &[
        part("monitors", STRINGS),
        part("path", STRING),
        part("readOnly", BOOL),
        part("secretFile", STRING),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("user", STRING),
    ],
};

pub(crate) static CINDER_VOLUME_SOURCE: Object = Object {
    name: "CinderVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("readOnly", BOOL),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("volumeID", STRING),
    ],
};

pub(crate) static CSI_VOLUME_SOURCE: Object = Object {
    name: "CSIVolumeSource",
    fields: &[
        part("driver", STRING),
        part("fsType", STRING),
        part("nodePublishSecretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("readOnly", BOOL),
        part("volumeAttributes", STRING_MAP),
    ],
};

pub(crate) static FC_VOLUME_SOURCE: Object = Object {
    name: "FCVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("lun", INT32),
        part("readOnly", BOOL),
        part("targetWWNs", STRINGS),
        part("wwids", STRINGS),
    ],
};

pub(crate) static FLEX_VOLUME_SOURCE: Object = Object {
    name: "FlexVolumeSource",
    fields: &[
        part("driver", STRING),
        part("fsType", STRING),
        part("options", STRING_MAP),
        part("readOnly", BOOL),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
    ],
};

pub(crate) static FLOCKER_VOLUME_SOURCE: Object = Object {
    name: "FlockerVolumeSource",
    fields: &[part("datasetName", STRING), part("datasetUUID", STRING)],
};

pub(crate) static GCE_PERSISTENT_DISK_VOLUME_SOURCE: Object = Object {
    name: "GCEPersistentDiskVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("partition", INT32),
        part("pdName", STRING),
        part("readOnly", BOOL),
    ],
};

pub(crate) static GIT_REPO_VOLUME_SOURCE: Object = Object {
    name: "GitRepoVolumeSource",
    fields: &[part("directory", STRING), part("repository", STRING), part("revision", STRING)],
};

pub(crate) static GLUSTERFS_VOLUME_SOURCE: Object = Object {
    name: "GlusterfsVolumeSource",
    fields: &[part("endpoints", STRING), part("path", STRING), part("readOnly", BOOL)],
};

pub(crate) static ISCSI_VOLUME_SOURCE: Object = Object {
    name: "ISCSIVolumeSource",
    fields: &[
        part("chapAuthDiscovery", BOOL),
        part("chapAuthSession", BOOL),
        part("fsType", STRING),
        part("initiatorName", STRING),
        part("iqn", STRING),
        part("iscsiInterface", STRING),
        part("lun", INT32),
        part("portals", STRINGS),
        part("readOnly", BOOL),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("targetPortal", STRING),
    ],
};

pub(crate) static NFS_VOLUME_SOURCE: Object = Object {
    name: "NFSVolumeSource",
    fields: &[part("path", STRING), part("readOnly", BOOL), part("server", STRING)],
};

pub(crate) static PHOTON_PERSISTENT_DISK_VOLUME_SOURCE: Object = Object {
    name: "PhotonPersistentDiskVolumeSource",
    fields: &[part("fsType", STRING), part("pdID", STRING)],
};

pub(crate) static PORTWORX_VOLUME_SOURCE: Object = Object {
    name: "PortworxVolumeSource",
    fields: &[part("fsType", STRING), part("readOnly", BOOL), part("volumeID", STRING)],
};

pub(crate) static QUOBYTE_VOLUME_SOURCE: Object = Object {
    name: "QuobyteVolumeSource",
    fields: &[
        part("group", STRING),
        part("readOnly", BOOL),
        part("registry", STRING),
        part("tenant", STRING),
        part("user", STRING),
        part("volume", STRING),
    ],
};

pub(crate) static RBD_VOLUME_SOURCE: Object = Object {
    name: "RBDVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("image", STRING),
        part("keyring", STRING),
        part("monitors", STRINGS),
        part("pool", STRING),
        part("readOnly", BOOL),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("user", STRING),
    ],
};

pub(crate) static SCALE_IO_VOLUME_SOURCE: Object = Object {
    name: "ScaleIOVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("gateway", STRING),
        part("protectionDomain", STRING),
        part("readOnly", BOOL),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("sslEnabled", BOOL),
        part("storageMode", STRING),
        part("storagePool", STRING),
        part("system", STRING),
        part("volumeName", STRING),
    ],
};

pub(crate) static STORAGE_OS_VOLUME_SOURCE: Object = Object {
    name: "StorageOSVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("readOnly", BOOL),
        part("secretRef", Shape::Object(&LOCAL_OBJECT_REFERENCE)),
        part("volumeName", STRING),
        part("volumeNamespace", STRING),
    ],
};

pub(crate) static VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE: Object = Object {
    name: "VsphereVirtualDiskVolumeSource",
    fields: &[
        part("fsType", STRING),
        part("storagePolicyID", STRING),
        part("storagePolicyName", STRING),
        part("volumePath", STRING),
    ],
};

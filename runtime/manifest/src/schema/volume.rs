//! Volumes, and the sources that a machine by itself can serve.

use super::container::{OBJECT_FIELD_SELECTOR, RESOURCE_FIELD_SELECTOR};
use super::metadata::{LABEL_SELECTOR, OBJECT_META};
use super::objects::PERSISTENT_VOLUME_CLAIM_SPEC;
use super::reason::{HUGE_PAGES, IMAGE_VOLUME, NO_SIGNERS, NO_TOKENS, REMOTE_VOLUME, USERS};
use super::remote_volume::{
    AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE, AZURE_DISK_VOLUME_SOURCE, AZURE_FILE_VOLUME_SOURCE,
    CEPH_FS_VOLUME_SOURCE, CINDER_VOLUME_SOURCE, CSI_VOLUME_SOURCE, FC_VOLUME_SOURCE,
    FLEX_VOLUME_SOURCE, FLOCKER_VOLUME_SOURCE, GCE_PERSISTENT_DISK_VOLUME_SOURCE,
    GIT_REPO_VOLUME_SOURCE, GLUSTERFS_VOLUME_SOURCE, ISCSI_VOLUME_SOURCE, NFS_VOLUME_SOURCE,
    PHOTON_PERSISTENT_DISK_VOLUME_SOURCE, PORTWORX_VOLUME_SOURCE, QUOBYTE_VOLUME_SOURCE,
    RBD_VOLUME_SOURCE, SCALE_IO_VOLUME_SOURCE, STORAGE_OS_VOLUME_SOURCE,
    VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE,
};
use super::shape::Support::{Honoured, Ignored, Refused};
use super::shape::{BOOL, INT32, INT64, Object, QUANTITY, STRING, STRING_MAP, Shape, field, part};

pub(crate) static VOLUME: Object = Object {
    name: "Volume",
    fields: &[
        field(
            "awsElasticBlockStore",
            Shape::Object(&AWS_ELASTIC_BLOCK_STORE_VOLUME_SOURCE),
            Refused(REMOTE_VOLUME),
        ),
        field("azureDisk", Shape::Object(&AZURE_DISK_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("azureFile", Shape::Object(&AZURE_FILE_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("cephfs", Shape::Object(&CEPH_FS_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("cinder", Shape::Object(&CINDER_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("configMap", Shape::Object(&CONFIG_MAP_VOLUME_SOURCE), Honoured),
        field("csi", Shape::Object(&CSI_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("downwardAPI", Shape::Object(&DOWNWARD_API_VOLUME_SOURCE), Honoured),
        field("emptyDir", Shape::Object(&EMPTY_DIR_VOLUME_SOURCE), Honoured),
        field("ephemeral", Shape::Object(&EPHEMERAL_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("fc", Shape::Object(&FC_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("flexVolume", Shape::Object(&FLEX_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("flocker", Shape::Object(&FLOCKER_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field(
            "gcePersistentDisk",
            Shape::Object(&GCE_PERSISTENT_DISK_VOLUME_SOURCE),
            Refused(REMOTE_VOLUME),
        ),
        field("gitRepo", Shape::Object(&GIT_REPO_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("glusterfs", Shape::Object(&GLUSTERFS_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("hostPath", Shape::Object(&HOST_PATH_VOLUME_SOURCE), Honoured),
        field("image", Shape::Object(&IMAGE_VOLUME_SOURCE), Refused(IMAGE_VOLUME)),
        field("iscsi", Shape::Object(&ISCSI_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("name", STRING, Honoured),
        field("nfs", Shape::Object(&NFS_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field(
            "persistentVolumeClaim",
            Shape::Object(&PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE),
            Honoured,
        ),
        field(
            "photonPersistentDisk",
            Shape::Object(&PHOTON_PERSISTENT_DISK_VOLUME_SOURCE),
            Refused(REMOTE_VOLUME),
        ),
        field("portworxVolume", Shape::Object(&PORTWORX_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("projected", Shape::Object(&PROJECTED_VOLUME_SOURCE), Honoured),
        field("quobyte", Shape::Object(&QUOBYTE_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("rbd", Shape::Object(&RBD_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("scaleIO", Shape::Object(&SCALE_IO_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field("secret", Shape::Object(&SECRET_VOLUME_SOURCE), Honoured),
        field("storageos", Shape::Object(&STORAGE_OS_VOLUME_SOURCE), Refused(REMOTE_VOLUME)),
        field(
            "vsphereVolume",
            Shape::Object(&VSPHERE_VIRTUAL_DISK_VOLUME_SOURCE),
            Refused(REMOTE_VOLUME),
        ),
    ],
};

pub(crate) static CONFIG_MAP_VOLUME_SOURCE: Object = Object {
    name: "ConfigMapVolumeSource",
    fields: &[
        part("defaultMode", INT32),
        field("defaultUser", INT64, Ignored(USERS)),
        part("items", Shape::List(&Shape::Object(&KEY_TO_PATH))),
        part("name", STRING),
        part("optional", BOOL),
    ],
};

pub(crate) static KEY_TO_PATH: Object = Object {
    name: "KeyToPath",
    fields: &[
        part("key", STRING),
        part("mode", INT32),
        part("path", STRING),
        field("user", INT64, Ignored(USERS)),
    ],
};

pub(crate) static DOWNWARD_API_VOLUME_SOURCE: Object = Object {
    name: "DownwardAPIVolumeSource",
    fields: &[
        part("defaultMode", INT32),
        field("defaultUser", INT64, Ignored(USERS)),
        part("items", Shape::List(&Shape::Object(&DOWNWARD_API_VOLUME_FILE))),
    ],
};

pub(crate) static DOWNWARD_API_VOLUME_FILE: Object = Object {
    name: "DownwardAPIVolumeFile",
    fields: &[
        part("fieldRef", Shape::Object(&OBJECT_FIELD_SELECTOR)),
        part("mode", INT32),
        part("path", STRING),
        part("resourceFieldRef", Shape::Object(&RESOURCE_FIELD_SELECTOR)),
        field("user", INT64, Ignored(USERS)),
    ],
};

pub(crate) static EMPTY_DIR_VOLUME_SOURCE: Object = Object {
    name: "EmptyDirVolumeSource",
    fields: &[
        field("medium", STRING, Refused(HUGE_PAGES)).only("HugePages"),
        field("mode", INT32, Honoured),
        field("sizeLimit", QUANTITY, Honoured),
    ],
};

pub(crate) static HOST_PATH_VOLUME_SOURCE: Object =
    Object { name: "HostPathVolumeSource", fields: &[part("path", STRING), part("type", STRING)] };

pub(crate) static IMAGE_VOLUME_SOURCE: Object = Object {
    name: "ImageVolumeSource",
    fields: &[part("pullPolicy", STRING), part("reference", STRING)],
};

pub(crate) static PERSISTENT_VOLUME_CLAIM_VOLUME_SOURCE: Object = Object {
    name: "PersistentVolumeClaimVolumeSource",
    fields: &[part("claimName", STRING), part("readOnly", BOOL)],
};

pub(crate) static PROJECTED_VOLUME_SOURCE: Object = Object {
    name: "ProjectedVolumeSource",
    fields: &[
        part("defaultMode", INT32),
        field("defaultUser", INT64, Ignored(USERS)),
        part("sources", Shape::List(&Shape::Object(&VOLUME_PROJECTION))),
    ],
};

pub(crate) static VOLUME_PROJECTION: Object = Object {
    name: "VolumeProjection",
    fields: &[
        field(
            "clusterTrustBundle",
            Shape::Object(&CLUSTER_TRUST_BUNDLE_PROJECTION),
            Refused(NO_SIGNERS),
        ),
        field("configMap", Shape::Object(&CONFIG_MAP_PROJECTION), Honoured),
        field("downwardAPI", Shape::Object(&DOWNWARD_API_PROJECTION), Honoured),
        field("podCertificate", Shape::Object(&POD_CERTIFICATE_PROJECTION), Refused(NO_SIGNERS)),
        field("secret", Shape::Object(&SECRET_PROJECTION), Honoured),
        field(
            "serviceAccountToken",
            Shape::Object(&SERVICE_ACCOUNT_TOKEN_PROJECTION),
            Refused(NO_TOKENS),
        ),
    ],
};

pub(crate) static CLUSTER_TRUST_BUNDLE_PROJECTION: Object = Object {
    name: "ClusterTrustBundleProjection",
    fields: &[
        part("labelSelector", Shape::Object(&LABEL_SELECTOR)),
        part("name", STRING),
        part("optional", BOOL),
        part("path", STRING),
        part("signerName", STRING),
        part("user", INT64),
    ],
};

pub(crate) static CONFIG_MAP_PROJECTION: Object = Object {
    name: "ConfigMapProjection",
    fields: &[
        part("items", Shape::List(&Shape::Object(&KEY_TO_PATH))),
        part("name", STRING),
        part("optional", BOOL),
    ],
};

pub(crate) static DOWNWARD_API_PROJECTION: Object = Object {
    name: "DownwardAPIProjection",
    fields: &[part("items", Shape::List(&Shape::Object(&DOWNWARD_API_VOLUME_FILE)))],
};

pub(crate) static POD_CERTIFICATE_PROJECTION: Object = Object {
    name: "PodCertificateProjection",
    fields: &[
        part("certificateChainPath", STRING),
        part("credentialBundlePath", STRING),
        part("keyPath", STRING),
        part("keyType", STRING),
        part("maxExpirationSeconds", INT32),
        part("signerName", STRING),
        part("user", INT64),
        part("userAnnotations", STRING_MAP),
    ],
};

pub(crate) static SECRET_PROJECTION: Object = Object {
    name: "SecretProjection",
    fields: &[
        part("items", Shape::List(&Shape::Object(&KEY_TO_PATH))),
        part("name", STRING),
        part("optional", BOOL),
    ],
};

pub(crate) static SERVICE_ACCOUNT_TOKEN_PROJECTION: Object = Object {
    name: "ServiceAccountTokenProjection",
    fields: &[
        part("audience", STRING),
        part("expirationSeconds", INT64),
        part("path", STRING),
        part("user", INT64),
    ],
};

pub(crate) static SECRET_VOLUME_SOURCE: Object = Object {
    name: "SecretVolumeSource",
    fields: &[
        part("defaultMode", INT32),
        field("defaultUser", INT64, Ignored(USERS)),
        part("items", Shape::List(&Shape::Object(&KEY_TO_PATH))),
        part("optional", BOOL),
        part("secretName", STRING),
    ],
};

pub(crate) static EPHEMERAL_VOLUME_SOURCE: Object = Object {
    name: "EphemeralVolumeSource",
    fields: &[part("volumeClaimTemplate", Shape::Object(&PERSISTENT_VOLUME_CLAIM_TEMPLATE))],
};

pub(crate) static PERSISTENT_VOLUME_CLAIM_TEMPLATE: Object = Object {
    name: "PersistentVolumeClaimTemplate",
    fields: &[
        part("metadata", Shape::Object(&OBJECT_META)),
        part("spec", Shape::Object(&PERSISTENT_VOLUME_CLAIM_SPEC)),
    ],
};

//! ConfigMap, Secret and PersistentVolumeClaim.

use super::metadata::{
    LABEL_SELECTOR, OBJECT_META, TYPED_LOCAL_OBJECT_REFERENCE, TYPED_OBJECT_REFERENCE,
};
use super::reason::FOLDER_CLAIM;
use super::shape::Support::{Honoured, Ignored, System};
use super::shape::{
    ANY, BOOL, BYTES_MAP, Object, QUANTITY_MAP, STRING, STRING_MAP, STRINGS, Shape, field, part,
};

pub(crate) static CONFIG_MAP: Object = Object {
    name: "ConfigMap",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("binaryData", BYTES_MAP, Honoured),
        field("data", STRING_MAP, Honoured),
        field("immutable", BOOL, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
    ],
};

pub(crate) static SECRET: Object = Object {
    name: "Secret",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("data", BYTES_MAP, Honoured),
        field("immutable", BOOL, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("stringData", STRING_MAP, Honoured),
        field("type", STRING, Honoured),
    ],
};

pub(crate) static PERSISTENT_VOLUME_CLAIM: Object = Object {
    name: "PersistentVolumeClaim",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&PERSISTENT_VOLUME_CLAIM_SPEC), Ignored(FOLDER_CLAIM)),
        field("status", ANY, System),
    ],
};

pub(crate) static PERSISTENT_VOLUME_CLAIM_SPEC: Object = Object {
    name: "PersistentVolumeClaimSpec",
    fields: &[
        part("accessModes", STRINGS),
        part("dataSource", Shape::Object(&TYPED_LOCAL_OBJECT_REFERENCE)),
        part("dataSourceRef", Shape::Object(&TYPED_OBJECT_REFERENCE)),
        part("resources", Shape::Object(&VOLUME_RESOURCE_REQUIREMENTS)),
        part("selector", Shape::Object(&LABEL_SELECTOR)),
        part("storageClassName", STRING),
        part("volumeAttributesClassName", STRING),
        part("volumeMode", STRING),
        part("volumeName", STRING),
    ],
};

pub(crate) static VOLUME_RESOURCE_REQUIREMENTS: Object = Object {
    name: "VolumeResourceRequirements",
    fields: &[part("limits", QUANTITY_MAP), part("requests", QUANTITY_MAP)],
};

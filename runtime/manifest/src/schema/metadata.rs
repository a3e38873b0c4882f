//! What every object has, and label selectors.

use super::reason::{FINALIZERS, OWNERS};
use super::shape::Support::{Honoured, Ignored, System};
use super::shape::{
    ANY, BOOL, INT64, Object, STRING, STRING_MAP, STRINGS, Shape, TIME, field, part,
};

pub(crate) static OBJECT_META: Object = Object {
    name: "ObjectMeta",
    fields: &[
        field("annotations", STRING_MAP, Honoured),
        field("creationTimestamp", TIME, System),
        field("deletionGracePeriodSeconds", INT64, System),
        field("deletionTimestamp", TIME, System),
        field("finalizers", STRINGS, Ignored(FINALIZERS)),
        field("generateName", STRING, Honoured),
        field("generation", INT64, System),
        field("labels", STRING_MAP, Honoured),
        field("managedFields", Shape::List(&Shape::Object(&MANAGED_FIELDS_ENTRY)), System),
        field("name", STRING, Honoured),
        field("namespace", STRING, Honoured),
        field("ownerReferences", Shape::List(&Shape::Object(&OWNER_REFERENCE)), Ignored(OWNERS)),
        field("resourceVersion", STRING, System),
        field("selfLink", STRING, System),
        field("uid", STRING, System),
    ],
};

pub(crate) static MANAGED_FIELDS_ENTRY: Object = Object {
    name: "ManagedFieldsEntry",
    fields: &[
        part("apiVersion", STRING),
        part("fieldsType", STRING),
        part("fieldsV1", ANY),
        part("manager", STRING),
        part("operation", STRING),
        part("subresource", STRING),
        part("time", TIME),
    ],
};

pub(crate) static OWNER_REFERENCE: Object = Object {
    name: "OwnerReference",
    fields: &[
        part("apiVersion", STRING),
        part("blockOwnerDeletion", BOOL),
        part("controller", BOOL),
        part("kind", STRING),
        part("name", STRING),
        part("uid", STRING),
    ],
};

pub(crate) static LABEL_SELECTOR: Object = Object {
    name: "LabelSelector",
    fields: &[
        part("matchExpressions", Shape::List(&Shape::Object(&LABEL_SELECTOR_REQUIREMENT))),
        part("matchLabels", STRING_MAP),
    ],
};

pub(crate) static LABEL_SELECTOR_REQUIREMENT: Object = Object {
    name: "LabelSelectorRequirement",
    fields: &[part("key", STRING), part("operator", STRING), part("values", STRINGS)],
};

pub(crate) static LOCAL_OBJECT_REFERENCE: Object =
    Object { name: "LocalObjectReference", fields: &[part("name", STRING)] };

pub(crate) static TYPED_LOCAL_OBJECT_REFERENCE: Object = Object {
    name: "TypedLocalObjectReference",
    fields: &[part("apiGroup", STRING), part("kind", STRING), part("name", STRING)],
};

pub(crate) static TYPED_OBJECT_REFERENCE: Object = Object {
    name: "TypedObjectReference",
    fields: &[
        part("apiGroup", STRING),
        part("kind", STRING),
        part("name", STRING),
        part("namespace", STRING),
    ],
};

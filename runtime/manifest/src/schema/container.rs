//! Containers: what they run, with which ports, environment and mounts.

use super::probe::{LIFECYCLE, PROBE};
use super::reason::{DEVICES, MOUNT_OPTIONS, PROPAGATION, RESOURCES, SCTP};
use super::security::SECURITY_CONTEXT;
use super::shape::Support::{Honoured, Ignored, Refused};
use super::shape::{
    BOOL, INT32, INTS32, Keys, Object, QUANTITY, QUANTITY_MAP, STRING, STRINGS, Shape, field, part,
};

pub(crate) static CONTAINER: Object = Object {
    name: "Container",
    fields: &[
        field("args", STRINGS, Honoured),
        field("command", STRINGS, Honoured),
        field("env", Shape::List(&Shape::Object(&ENV_VAR)), Honoured),
        field("envFrom", Shape::List(&Shape::Object(&ENV_FROM_SOURCE)), Honoured),
        field("image", STRING, Honoured),
        field("imagePullPolicy", STRING, Honoured),
        field("lifecycle", Shape::Object(&LIFECYCLE), Honoured),
        field("livenessProbe", Shape::Object(&PROBE), Honoured),
        field("name", STRING, Honoured),
        field("ports", Shape::List(&Shape::Object(&CONTAINER_PORT)), Honoured),
        field("readinessProbe", Shape::Object(&PROBE), Honoured),
        field("resizePolicy", Shape::List(&Shape::Object(&CONTAINER_RESIZE_POLICY)), Honoured),
        field("resources", Shape::Object(&RESOURCE_REQUIREMENTS), Honoured),
        field("restartPolicy", STRING, Honoured),
        field("restartPolicyRules", Shape::List(&Shape::Object(&CONTAINER_RESTART_RULE)), Honoured),
        field("securityContext", Shape::Object(&SECURITY_CONTEXT), Honoured),
        field("startupProbe", Shape::Object(&PROBE), Honoured),
        field("stdin", BOOL, Honoured),
        field("stdinOnce", BOOL, Honoured),
        field("terminationMessagePath", STRING, Honoured),
        field("terminationMessagePolicy", STRING, Honoured),
        field("tty", BOOL, Honoured),
        field("volumeDevices", Shape::List(&Shape::Object(&VOLUME_DEVICE)), Refused(DEVICES)),
        field("volumeMounts", Shape::List(&Shape::Object(&VOLUME_MOUNT)), Honoured),
        field("workingDir", STRING, Honoured),
    ],
};

pub(crate) static EPHEMERAL_CONTAINER: Object = Object {
    name: "EphemeralContainer",
    fields: &[
        part("args", STRINGS),
        part("command", STRINGS),
        part("env", Shape::List(&Shape::Object(&ENV_VAR))),
        part("envFrom", Shape::List(&Shape::Object(&ENV_FROM_SOURCE))),
        part("image", STRING),
        part("imagePullPolicy", STRING),
        part("lifecycle", Shape::Object(&LIFECYCLE)),
        part("livenessProbe", Shape::Object(&PROBE)),
        part("name", STRING),
        part("ports", Shape::List(&Shape::Object(&CONTAINER_PORT))),
        part("readinessProbe", Shape::Object(&PROBE)),
        part("resizePolicy", Shape::List(&Shape::Object(&CONTAINER_RESIZE_POLICY))),
        part("resources", Shape::Object(&RESOURCE_REQUIREMENTS)),
        part("restartPolicy", STRING),
        part("restartPolicyRules", Shape::List(&Shape::Object(&CONTAINER_RESTART_RULE))),
        part("securityContext", Shape::Object(&SECURITY_CONTEXT)),
        part("startupProbe", Shape::Object(&PROBE)),
        part("stdin", BOOL),
        part("stdinOnce", BOOL),
        part("targetContainerName", STRING),
        part("terminationMessagePath", STRING),
        part("terminationMessagePolicy", STRING),
        part("tty", BOOL),
        part("volumeDevices", Shape::List(&Shape::Object(&VOLUME_DEVICE))),
        part("volumeMounts", Shape::List(&Shape::Object(&VOLUME_MOUNT))),
        part("workingDir", STRING),
    ],
};

pub(crate) static ENV_VAR: Object = Object {
    name: "EnvVar",
    fields: &[
        part("name", STRING),
        part("value", STRING),
        part("valueFrom", Shape::Object(&ENV_VAR_SOURCE)),
    ],
};

pub(crate) static ENV_VAR_SOURCE: Object = Object {
    name: "EnvVarSource",
    fields: &[
        field("configMapKeyRef", Shape::Object(&CONFIG_MAP_KEY_SELECTOR), Honoured),
        field("fieldRef", Shape::Object(&OBJECT_FIELD_SELECTOR), Honoured),
        field("fileKeyRef", Shape::Object(&FILE_KEY_SELECTOR), Honoured),
        field("resourceFieldRef", Shape::Object(&RESOURCE_FIELD_SELECTOR), Honoured),
        field("secretKeyRef", Shape::Object(&SECRET_KEY_SELECTOR), Honoured),
    ],
};

pub(crate) static CONFIG_MAP_KEY_SELECTOR: Object = Object {
    name: "ConfigMapKeySelector",
    fields: &[part("key", STRING), part("name", STRING), part("optional", BOOL)],
};

pub(crate) static OBJECT_FIELD_SELECTOR: Object = Object {
    name: "ObjectFieldSelector",
    fields: &[part("apiVersion", STRING), part("fieldPath", STRING)],
};

pub(crate) static FILE_KEY_SELECTOR: Object = Object {
    name: "FileKeySelector",
    fields: &[
        part("key", STRING),
        part("optional", BOOL),
        part("path", STRING),
        part("volumeName", STRING),
    ],
};

pub(crate) static RESOURCE_FIELD_SELECTOR: Object = Object {
    name: "ResourceFieldSelector",
    fields: &[part("containerName", STRING), part("divisor", QUANTITY), part("resource", STRING)],
};

pub(crate) static SECRET_KEY_SELECTOR: Object = Object {
    name: "SecretKeySelector",
    fields: &[part("key", STRING), part("name", STRING), part("optional", BOOL)],
};

pub(crate) static ENV_FROM_SOURCE: Object = Object {
    name: "EnvFromSource",
    fields: &[
        part("configMapRef", Shape::Object(&CONFIG_MAP_ENV_SOURCE)),
        part("prefix", STRING),
        part("secretRef", Shape::Object(&SECRET_ENV_SOURCE)),
    ],
};

pub(crate) static CONFIG_MAP_ENV_SOURCE: Object =
    Object { name: "ConfigMapEnvSource", fields: &[part("name", STRING), part("optional", BOOL)] };

pub(crate) static SECRET_ENV_SOURCE: Object =
    Object { name: "SecretEnvSource", fields: &[part("name", STRING), part("optional", BOOL)] };

pub(crate) static CONTAINER_PORT: Object = Object {
    name: "ContainerPort",
    fields: &[
        part("containerPort", INT32),
        part("hostIP", STRING),
        part("hostPort", INT32),
        part("name", STRING),
        field("protocol", STRING, Refused(SCTP)).only("SCTP"),
    ],
};

pub(crate) static CONTAINER_RESIZE_POLICY: Object = Object {
    name: "ContainerResizePolicy",
    fields: &[part("resourceName", STRING), part("restartPolicy", STRING)],
};

pub(crate) static RESOURCE_REQUIREMENTS: Object = Object {
    name: "ResourceRequirements",
    fields: &[
        field("claims", Shape::List(&Shape::Object(&RESOURCE_CLAIM)), Refused(DEVICES)),
        field("limits", Shape::KeyedMap(&LIMITS), Honoured),
        field("requests", Shape::KeyedMap(&REQUESTS_BY_NAME), Honoured),
    ],
};

/// Those of a Pod. What else than CPU and memory it may name (`pids`, huge pages) bounds nothing that a
/// guest has.
pub(crate) static POD_RESOURCE_REQUIREMENTS: Object = Object {
    name: "ResourceRequirements",
    fields: &[
        part("claims", Shape::List(&Shape::Object(&RESOURCE_CLAIM))),
        part("limits", QUANTITY_MAP),
        part("requests", QUANTITY_MAP),
    ],
};

pub(crate) static RESOURCE_CLAIM: Object =
    Object { name: "ResourceClaim", fields: &[part("name", STRING), part("request", STRING)] };

pub(crate) static CONTAINER_RESTART_RULE: Object = Object {
    name: "ContainerRestartRule",
    fields: &[
        part("action", STRING),
        part("exitCodes", Shape::Object(&CONTAINER_RESTART_RULE_ON_EXIT_CODES)),
    ],
};

pub(crate) static CONTAINER_RESTART_RULE_ON_EXIT_CODES: Object = Object {
    name: "ContainerRestartRuleOnExitCodes",
    fields: &[part("operator", STRING), part("values", INTS32)],
};

pub(crate) static VOLUME_DEVICE: Object =
    Object { name: "VolumeDevice", fields: &[part("devicePath", STRING), part("name", STRING)] };

pub(crate) static VOLUME_MOUNT: Object = Object {
    name: "VolumeMount",
    fields: &[
        field("bindMountOptions", STRINGS, Ignored(MOUNT_OPTIONS)),
        field("mountPath", STRING, Honoured),
        field("mountPropagation", STRING, Ignored(PROPAGATION)).unless(&["None"]),
        field("name", STRING, Honoured),
        field("readOnly", BOOL, Honoured),
        field("recursiveReadOnly", STRING, Honoured),
        field("subPath", STRING, Honoured),
        field("subPathExpr", STRING, Honoured),
    ],
};

static LIMITS: Keys = Keys {
    name: "limits",
    known: &[
        field("cpu", QUANTITY, Honoured),
        field("ephemeral-storage", QUANTITY, Honoured),
        field("memory", QUANTITY, Honoured),
    ],
    shape: QUANTITY,
    support: Refused(RESOURCES),
};

static REQUESTS_BY_NAME: Keys = Keys {
    name: "requests",
    known: &[
        field("cpu", QUANTITY, Honoured),
        field("ephemeral-storage", QUANTITY, Honoured),
        field("memory", QUANTITY, Honoured),
    ],
    shape: QUANTITY,
    support: Refused(RESOURCES),
};

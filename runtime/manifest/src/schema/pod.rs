//! The Pod and what stands directly in its spec.

use super::container::{CONTAINER, EPHEMERAL_CONTAINER, POD_RESOURCE_REQUIREMENTS};
use super::metadata::{LOCAL_OBJECT_REFERENCE, OBJECT_META};
use super::reason::{
    API_ACCESS, CGROUP_ONLY, CLASSES, DEVICES, EVICTION_API, GATED, HOST_NAMESPACES, HOST_NETWORK,
    ON_CREATE, PREEMPTION, RESOLVER, RUNTIME_CLASS, SCHEDULING, SHARED_PROCESSES, USERS, WINDOWS,
};
use super::scheduling::{AFFINITY, TOLERATION, TOPOLOGY_SPREAD_CONSTRAINT};
use super::security::POD_SECURITY_CONTEXT;
use super::shape::Support::{Honoured, Ignored, Refused, System};
use super::shape::{
    BOOL, INT32, INT64, Object, QUANTITY_MAP, STRING, STRING_MAP, STRINGS, Shape, field, part,
};
use super::status::POD_STATUS;
use super::volume::VOLUME;

pub(crate) static POD: Object = Object {
    name: "Pod",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&POD_SPEC), Honoured),
        field("status", Shape::Object(&POD_STATUS), System),
    ],
};

pub(crate) static POD_TEMPLATE_SPEC: Object = Object {
    name: "PodTemplateSpec",
    fields: &[
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&POD_SPEC), Honoured),
    ],
};

pub(crate) static POD_SPEC: Object = Object {
    name: "PodSpec",
    fields: &[
        field("activeDeadlineSeconds", INT64, Honoured),
        field("affinity", Shape::Object(&AFFINITY), Ignored(SCHEDULING)),
        field("automountServiceAccountToken", BOOL, Ignored(API_ACCESS)),
        field("containers", Shape::List(&Shape::Object(&CONTAINER)), Honoured),
        field("dnsConfig", Shape::Object(&POD_DNS_CONFIG), Ignored(RESOLVER)),
        field("dnsPolicy", STRING, Ignored(RESOLVER)).unless(&["ClusterFirst", "Default"]),
        field("enableServiceLinks", BOOL, Honoured),
        field(
            "ephemeralContainers",
            Shape::List(&Shape::Object(&EPHEMERAL_CONTAINER)),
            Refused(ON_CREATE),
        ),
        field(
            "evictionResponders",
            Shape::List(&Shape::Object(&EVICTION_RESPONDER)),
            Ignored(EVICTION_API),
        ),
        field("hostAliases", Shape::List(&Shape::Object(&HOST_ALIAS)), Honoured),
        field("hostIPC", BOOL, Refused(HOST_NAMESPACES)),
        field("hostNetwork", BOOL, Refused(HOST_NETWORK)),
        field("hostPID", BOOL, Refused(HOST_NAMESPACES)),
        field("hostUsers", BOOL, Ignored(USERS)).unless(&["true"]),
        field("hostname", STRING, Honoured),
        field("hostnameOverride", STRING, Honoured),
        field("imagePullSecrets", Shape::List(&Shape::Object(&LOCAL_OBJECT_REFERENCE)), Honoured),
        field("initContainers", Shape::List(&Shape::Object(&CONTAINER)), Honoured),
        field("nodeName", STRING, Ignored(SCHEDULING)),
        field("nodeSelector", STRING_MAP, Ignored(SCHEDULING)),
        field("os", Shape::Object(&POD_OS), Honoured),
        field("overhead", QUANTITY_MAP, Ignored(CGROUP_ONLY)),
        field("preemptionPolicy", STRING, Ignored(PREEMPTION)),
        field("priority", INT32, Honoured),
        field("priorityClassName", STRING, Ignored(CLASSES))
            .unless(&["system-cluster-critical", "system-node-critical"]),
        field("readinessGates", Shape::List(&Shape::Object(&POD_READINESS_GATE)), Honoured),
        field("resourceClaims", Shape::List(&Shape::Object(&POD_RESOURCE_CLAIM)), Refused(DEVICES)),
        field("resources", Shape::Object(&POD_RESOURCE_REQUIREMENTS), Honoured),
        field("restartPolicy", STRING, Honoured),
        field("runtimeClassName", STRING, Ignored(RUNTIME_CLASS)),
        field("schedulerName", STRING, Ignored(SCHEDULING)).unless(&["default-scheduler"]),
        field("schedulingGates", Shape::List(&Shape::Object(&POD_SCHEDULING_GATE)), Refused(GATED)),
        field("schedulingGroup", Shape::Object(&POD_SCHEDULING_GROUP), Ignored(SCHEDULING)),
        field("securityContext", Shape::Object(&POD_SECURITY_CONTEXT), Honoured),
        field("serviceAccount", STRING, Ignored(API_ACCESS)).unless(&["default"]),
        field("serviceAccountName", STRING, Ignored(API_ACCESS)).unless(&["default"]),
        field("setHostnameAsFQDN", BOOL, Honoured),
        field("shareProcessNamespace", BOOL, Refused(SHARED_PROCESSES)),
        field("subdomain", STRING, Honoured),
        field("terminationGracePeriodSeconds", INT64, Honoured),
        field("tolerations", Shape::List(&Shape::Object(&TOLERATION)), Ignored(SCHEDULING)),
        field(
            "topologySpreadConstraints",
            Shape::List(&Shape::Object(&TOPOLOGY_SPREAD_CONSTRAINT)),
            Ignored(SCHEDULING),
        ),
        field("volumes", Shape::List(&Shape::Object(&VOLUME)), Honoured),
    ],
};

pub(crate) static POD_DNS_CONFIG: Object = Object {
    name: "PodDNSConfig",
    fields: &[
        part("nameservers", STRINGS),
        part("options", Shape::List(&Shape::Object(&POD_DNS_CONFIG_OPTION))),
        part("searches", STRINGS),
    ],
};

pub(crate) static POD_DNS_CONFIG_OPTION: Object =
    Object { name: "PodDNSConfigOption", fields: &[part("name", STRING), part("value", STRING)] };

pub(crate) static EVICTION_RESPONDER: Object =
    Object { name: "EvictionResponder", fields: &[part("name", STRING), part("priority", INT32)] };

pub(crate) static HOST_ALIAS: Object =
    Object { name: "HostAlias", fields: &[part("hostnames", STRINGS), part("ip", STRING)] };

pub(crate) static POD_OS: Object =
    Object { name: "PodOS", fields: &[field("name", STRING, Refused(WINDOWS)).only("windows")] };

pub(crate) static POD_READINESS_GATE: Object =
    Object { name: "PodReadinessGate", fields: &[part("conditionType", STRING)] };

pub(crate) static POD_RESOURCE_CLAIM: Object = Object {
    name: "PodResourceClaim",
    fields: &[
        part("name", STRING),
        part("resourceClaimName", STRING),
        part("resourceClaimTemplateName", STRING),
    ],
};

pub(crate) static POD_SCHEDULING_GATE: Object =
    Object { name: "PodSchedulingGate", fields: &[part("name", STRING)] };

pub(crate) static POD_SCHEDULING_GROUP: Object =
    Object { name: "PodSchedulingGroup", fields: &[part("podGroupName", STRING)] };

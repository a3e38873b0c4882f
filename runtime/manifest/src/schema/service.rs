//! Services.

use super::metadata::OBJECT_META;
use super::reason::{
    APP_PROTOCOL, BALANCER_CLIENTS, EXTERNAL_IPS, FAMILIES, LOAD_BALANCER, NO_BALANCER,
    ONE_MACHINE, SCTP,
};
use super::shape::Support::{Honoured, Ignored, Refused, System};
use super::shape::{
    BOOL, INT_OR_STRING, INT32, INT64, Object, STRING, STRING_MAP, STRINGS, Shape, TIME, field,
    part,
};

pub(crate) static SERVICE: Object = Object {
    name: "Service",
    fields: &[
        field("apiVersion", STRING, Honoured),
        field("kind", STRING, Honoured),
        field("metadata", Shape::Object(&OBJECT_META), Honoured),
        field("spec", Shape::Object(&SERVICE_SPEC), Honoured),
        field("status", Shape::Object(&SERVICE_STATUS), System),
    ],
};

static SERVICE_SPEC: Object = Object {
    name: "ServiceSpec",
    fields: &[
        field("allocateLoadBalancerNodePorts", BOOL, Honoured),
        field("clusterIP", STRING, Honoured),
        field("clusterIPs", STRINGS, Honoured),
        field("externalIPs", STRINGS, Ignored(EXTERNAL_IPS)),
        field("externalName", STRING, Honoured),
        field("externalTrafficPolicy", STRING, Honoured),
        field("healthCheckNodePort", INT32, Ignored(NO_BALANCER)),
        field("internalTrafficPolicy", STRING, Honoured),
        field("ipFamilies", STRINGS, Ignored(FAMILIES)),
        field("ipFamilyPolicy", STRING, Ignored(FAMILIES)),
        field("loadBalancerClass", STRING, Ignored(NO_BALANCER)),
        field("loadBalancerIP", STRING, Ignored(NO_BALANCER)),
        field("loadBalancerSourceRanges", STRINGS, Refused(BALANCER_CLIENTS)),
        field("ports", Shape::List(&Shape::Object(&SERVICE_PORT)), Honoured),
        field("publishNotReadyAddresses", BOOL, Honoured),
        field("selector", STRING_MAP, Honoured),
        field("sessionAffinity", STRING, Honoured),
        field("sessionAffinityConfig", Shape::Object(&SESSION_AFFINITY_CONFIG), Honoured),
        field("trafficDistribution", STRING, Ignored(ONE_MACHINE)),
        field("type", STRING, Ignored(LOAD_BALANCER)).only("LoadBalancer"),
    ],
};

static SERVICE_PORT: Object = Object {
    name: "ServicePort",
    fields: &[
        field("appProtocol", STRING, Ignored(APP_PROTOCOL)),
        field("name", STRING, Honoured),
        field("nodePort", INT32, Honoured),
        field("port", INT32, Honoured),
        field("protocol", STRING, Refused(SCTP)).only("SCTP"),
        field("targetPort", INT_OR_STRING, Honoured),
    ],
};

static SESSION_AFFINITY_CONFIG: Object = Object {
    name: "SessionAffinityConfig",
    fields: &[part("clientIP", Shape::Object(&CLIENT_IP_CONFIG))],
};

static CLIENT_IP_CONFIG: Object =
    Object { name: "ClientIPConfig", fields: &[part("timeoutSeconds", INT32)] };

static SERVICE_STATUS: Object = Object {
    name: "ServiceStatus",
    fields: &[
        part("conditions", Shape::List(&Shape::Object(&CONDITION))),
        part("loadBalancer", Shape::Object(&LOAD_BALANCER_STATUS)),
    ],
};

static CONDITION: Object = Object {
    name: "Condition",
    fields: &[
        part("lastTransitionTime", TIME),
        part("message", STRING),
        part("observedGeneration", INT64),
        part("reason", STRING),
        part("status", STRING),
        part("type", STRING),
    ],
};

static LOAD_BALANCER_STATUS: Object = Object {
    name: "LoadBalancerStatus",
    fields: &[part("ingress", Shape::List(&Shape::Object(&LOAD_BALANCER_INGRESS)))],
};

static LOAD_BALANCER_INGRESS: Object = Object {
    name: "LoadBalancerIngress",
    fields: &[
        part("hostname", STRING),
        part("ip", STRING),
        part("ipMode", STRING),
        part("ports", Shape::List(&Shape::Object(&PORT_STATUS))),
    ],
};

static PORT_STATUS: Object = Object {
    name: "PortStatus",
    fields: &[part("error", STRING), part("port", INT32), part("protocol", STRING)],
};

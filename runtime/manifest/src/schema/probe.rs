//! Probes, lifecycle hooks and the actions of both.

use super::reason::{HTTP1, PLAIN_GRPC};
use super::shape::Support::{Honoured, Ignored};
use super::shape::{INT_OR_STRING, INT32, INT64, Object, STRING, STRINGS, Shape, field, part};

pub(crate) static LIFECYCLE: Object = Object {
    name: "Lifecycle",
    fields: &[
        field("postStart", Shape::Object(&LIFECYCLE_HANDLER), Honoured),
        field("preStop", Shape::Object(&LIFECYCLE_HANDLER), Honoured),
        field("stopSignal", STRING, Honoured),
    ],
};

pub(crate) static LIFECYCLE_HANDLER: Object = Object {
    name: "LifecycleHandler",
    fields: &[
        part("exec", Shape::Object(&EXEC_ACTION)),
        part("httpGet", Shape::Object(&HTTP_GET_ACTION)),
        part("sleep", Shape::Object(&SLEEP_ACTION)),
        part("tcpSocket", Shape::Object(&TCP_SOCKET_ACTION)),
    ],
};

pub(crate) static EXEC_ACTION: Object =
    Object { name: "ExecAction", fields: &[part("command", STRINGS)] };

pub(crate) static HTTP_GET_ACTION: Object = Object {
    name: "HTTPGetAction",
    fields: &[
        part("host", STRING),
        part("httpHeaders", Shape::List(&Shape::Object(&HTTP_HEADER))),
        part("path", STRING),
        part("port", INT_OR_STRING),
        field("protocol", STRING, Ignored(HTTP1)),
        part("scheme", STRING),
    ],
};

pub(crate) static HTTP_HEADER: Object =
    Object { name: "HTTPHeader", fields: &[part("name", STRING), part("value", STRING)] };

pub(crate) static SLEEP_ACTION: Object =
    Object { name: "SleepAction", fields: &[part("seconds", INT64)] };

pub(crate) static TCP_SOCKET_ACTION: Object = Object {
    name: "TCPSocketAction",
    fields: &[part("host", STRING), part("port", INT_OR_STRING)],
};

pub(crate) static PROBE: Object = Object {
    name: "Probe",
    fields: &[
        part("exec", Shape::Object(&EXEC_ACTION)),
        part("failureThreshold", INT32),
        part("grpc", Shape::Object(&GRPC_ACTION)),
        part("httpGet", Shape::Object(&HTTP_GET_ACTION)),
        part("initialDelaySeconds", INT32),
        part("periodSeconds", INT32),
        part("successThreshold", INT32),
        part("tcpSocket", Shape::Object(&TCP_SOCKET_ACTION)),
        part("terminationGracePeriodSeconds", INT64),
        part("timeoutSeconds", INT32),
    ],
};

pub(crate) static GRPC_ACTION: Object = Object {
    name: "GRPCAction",
    fields: &[
        field("mode", STRING, Ignored(PLAIN_GRPC)),
        part("port", INT32),
        part("service", STRING),
    ],
};

//! What a probe or a hook does: exactly one of a few actions.

use k8s_openapi::api::core::v1::{
    ExecAction, GRPCAction, HTTPGetAction, LifecycleHandler, Probe, SleepAction, TCPSocketAction,
};

use super::absent::{list, text};
use super::{names, ports};
use crate::field::{Errors, Place};

/// The actions that are set; a probe cannot sleep, a hook cannot speak gRPC.
#[derive(Clone, Copy, Default)]
pub(super) struct Handler<'m> {
    exec: Option<&'m ExecAction>,
    http_get: Option<&'m HTTPGetAction>,
    tcp_socket: Option<&'m TCPSocketAction>,
    grpc: Option<&'m GRPCAction>,
    sleep: Option<&'m SleepAction>,
}

impl<'m> From<&'m Probe> for Handler<'m> {
    fn from(probe: &'m Probe) -> Self {
        Self {
            exec: probe.exec.as_ref(),
            http_get: probe.http_get.as_ref(),
            tcp_socket: probe.tcp_socket.as_ref(),
            grpc: probe.grpc.as_ref(),
            sleep: None,
        }
    }
}

impl<'m> From<&'m LifecycleHandler> for Handler<'m> {
    fn from(hook: &'m LifecycleHandler) -> Self {
        Self {
            exec: hook.exec.as_ref(),
            http_get: hook.http_get.as_ref(),
            tcp_socket: hook.tcp_socket.as_ref(),
            grpc: None,
            sleep: hook.sleep.as_ref(),
        }
    }
}

/// `grace_period` is the Pod's, in seconds: a hook may not sleep longer.
pub(super) fn handler(
    handler: Handler<'_>,
    grace_period: Option<i64>,
    at: &Place<'_>,
    errors: &mut Errors,
) {
    let mut first = true;
    // The second action and all after it are only said to be too many.
    let mut is_first = |at: &Place<'_>, errors: &mut Errors| {
        if !first {
            errors.forbidden(at, "may not specify more than 1 handler type");
        }
        std::mem::replace(&mut first, false)
    };
    if let Some(action) = handler.exec {
        let at = at.field("exec");
        if is_first(&at, errors) && list(&action.command).is_empty() {
            errors.required(&at.field("command"), "");
        }
    }
    if let Some(action) = handler.http_get {
        let at = at.field("httpGet");
        if is_first(&at, errors) {
            http_get(action, &at, errors);
        }
    }
    if let Some(action) = handler.tcp_socket {
        let at = at.field("tcpSocket");
        if is_first(&at, errors) {
            ports::number_or_name(&action.port, &at.field("port"), errors);
        }
    }
    if let Some(action) = handler.grpc {
        let at = at.field("grpc");
        if is_first(&at, errors) {
            grpc(action, &at, errors);
        }
    }
    if let Some(action) = handler.sleep {
        let at = at.field("sleep");
        if is_first(&at, errors) {
            sleep(action, grace_period, &at, errors);
        }
    }
    if first {
        errors.required(at, "must specify a handler type");
    }
}

fn http_get(action: &HTTPGetAction, at: &Place<'_>, errors: &mut Errors) {
    if text(&action.path).is_empty() {
        errors.required(&at.field("path"), "");
    }
    ports::number_or_name(&action.port, &at.field("port"), errors);
    let scheme = text(&action.scheme);
    if !matches!(scheme, "HTTP" | "HTTPS") {
        errors.unsupported(&at.field("scheme"), scheme, &["HTTP", "HTTPS"]);
    }
    let headers = at.field("httpHeaders");
    for (index, header) in list(&action.http_headers).iter().enumerate() {
        // Printed without the index, as Kubernetes prints it, but found with it.
        let at = headers.index(index).unprinted();
        let name = header.name.as_str();
        errors.invalid_each(&at.field("name").unprinted(), name, names::http_header(name));
    }
}

fn grpc(action: &GRPCAction, at: &Place<'_>, errors: &mut Errors) {
    ports::number(action.port, &at.field("port"), errors);
    match text(&action.mode) {
        "" | "Plaintext" | "TLS" => {}
        other => errors.unsupported(&at.field("mode"), other, &["Plaintext", "TLS"]),
    }
}

fn sleep(action: &SleepAction, grace_period: Option<i64>, at: &Place<'_>, errors: &mut Errors) {
    let Some(grace_period) = grace_period else {
        return;
    };
    if !(0..=grace_period).contains(&action.seconds) {
        let detail = format!(
            "must be non-negative and less than terminationGracePeriodSeconds ({grace_period})"
        );
        errors.invalid(at, action.seconds, detail);
    }
}

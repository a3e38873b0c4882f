//! A probe on one line.

use std::fmt::Write as _;

use k8s_openapi::api::core::v1::{HTTPGetAction, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

pub(super) fn line(probe: &Probe) -> String {
    let attributes = format!(
        "delay={}s timeout={}s period={}s #success={} #failure={}",
        probe.initial_delay_seconds.unwrap_or_default(),
        probe.timeout_seconds.unwrap_or_default(),
        probe.period_seconds.unwrap_or_default(),
        probe.success_threshold.unwrap_or_default(),
        probe.failure_threshold.unwrap_or_default(),
    );
    let what = if let Some(exec) = &probe.exec {
        format!("exec [{}]", exec.command.clone().unwrap_or_default().join(" "))
    } else if let Some(get) = &probe.http_get {
        format!("http-get {}", url(get))
    } else if let Some(tcp) = &probe.tcp_socket {
        format!("tcp-socket {}:{}", tcp.host.as_deref().unwrap_or_default(), port(&tcp.port))
    } else if let Some(grpc) = &probe.grpc {
        format!("grpc <pod>:{} {}", grpc.port, grpc.service.as_deref().unwrap_or_default())
    } else {
        "unknown".to_owned()
    };
    format!("{what} {attributes}")
}

fn port(port: &IntOrString) -> String {
    match port {
        IntOrString::Int(number) => number.to_string(),
        IntOrString::String(name) => name.clone(),
    }
}

/// As Go writes a URL of these parts.
fn url(get: &HTTPGetAction) -> String {
    let (host, port) = (get.host.as_deref().unwrap_or_default(), port(&get.port));
    let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
    let host = if port.is_empty() { host } else { format!("{host}:{port}") };
    let scheme = get.scheme.as_deref().unwrap_or_default().to_lowercase();
    let scheme = if scheme.is_empty() { scheme } else { format!("{scheme}:") };
    let path = escaped(get.path.as_deref().unwrap_or_default(), "$&+,/:;=@");
    let slash = if path.is_empty() || path.starts_with('/') { "" } else { "/" };
    format!("{scheme}//{}{slash}{path}", escaped(&host, "!$&'()*+,;=:[]<>\""))
}

fn escaped(text: &str, also_allowed: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        let character = char::from(byte);
        let is_plain = byte.is_ascii_alphanumeric() || "-_.~".contains(character);
        if is_plain || (byte.is_ascii() && also_allowed.contains(character)) {
            escaped.push(character);
        } else {
            write!(escaped, "%{byte:02X}").expect("a text takes every character");
        }
    }
    escaped
}

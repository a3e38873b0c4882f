//! What a probe or a hook asks, read from the manifest.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use k8s_openapi::api::core::v1::{Container, HTTPGetAction, HTTPHeader, LifecycleHandler, Probe};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use crate::manifest::expand::expand;

/// Who asks, to an HTTP server.
pub(super) const PROBE_AGENT: &str = concat!("kube-probe/wasmpod-", env!("CARGO_PKG_VERSION"));
const HOOK_AGENT: &str = concat!("kube-lifecycle/wasmpod-", env!("CARGO_PKG_VERSION"));

/// What is asked, with names and defaults settled.
#[derive(Clone, Debug)]
pub(crate) enum Handler {
    /// `httpGet`
    Http(HttpGet),
    /// `tcpSocket`
    Tcp(Target),
    /// `grpc`, with the service that is asked for.
    Grpc(Target, String),
    /// `exec`, which is the container's own to run.
    Exec(Vec<String>),
    /// `sleep`
    Sleep(Duration),
}

/// A host and a port; `Display` is how an address is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// An address or a name.
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// `httpGet`
#[derive(Clone, Debug)]
pub(crate) struct HttpGet {
    pub(crate) target: Target,
    pub(crate) tls: bool,
    /// With its query, and a slash in front.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
}

/// Why nothing can be asked; the probe counts neither way then.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum HandlerError {
    #[error("port {0} not found")]
    NoSuchPort(String),
    #[error("invalid port number: {0}")]
    PortNumber(i32),
    #[error("missing probe handler for {0}")]
    Missing(String),
}

impl Handler {
    /// Of a probe of `container`, in a Pod that has the address `ip`.
    ///
    /// # Errors
    /// [`HandlerError`]
    pub(crate) fn of_probe(
        probe: &Probe,
        container: &Container,
        ip: IpAddr,
    ) -> Result<Self, HandlerError> {
        if let Some(exec) = &probe.exec {
            let words = exec.command.iter().flatten();
            Ok(Self::Exec(words.map(|word| expand(word, |name| value(container, name))).collect()))
        } else if let Some(get) = &probe.http_get {
            Ok(Self::Http(HttpGet::new(get, container, ip, PROBE_AGENT)?))
        } else if let Some(tcp) = &probe.tcp_socket {
            let port = port(&tcp.port, container)?;
            Ok(Self::Tcp(Target::new(tcp.host.as_deref(), ip, port)))
        } else if let Some(grpc) = &probe.grpc {
            let target = Target::new(None, ip, number(grpc.port)?);
            Ok(Self::Grpc(target, grpc.service.clone().unwrap_or_default()))
        } else {
            Err(HandlerError::Missing(container.name.clone()))
        }
    }

    /// Of a hook.
    ///
    /// # Errors
    /// [`HandlerError`]
    pub(crate) fn of_hook(
        hook: &LifecycleHandler,
        container: &Container,
        ip: IpAddr,
    ) -> Result<Self, HandlerError> {
        if let Some(exec) = &hook.exec {
            Ok(Self::Exec(exec.command.clone().unwrap_or_default()))
        } else if let Some(get) = &hook.http_get {
            Ok(Self::Http(HttpGet::new(get, container, ip, HOOK_AGENT)?))
        } else if let Some(sleep) = &hook.sleep {
            Ok(Self::Sleep(Duration::from_secs(u64::try_from(sleep.seconds).unwrap_or(0))))
        } else {
            Err(HandlerError::Missing(container.name.clone()))
        }
    }
}

impl HttpGet {
    fn new(
        get: &HTTPGetAction,
        container: &Container,
        ip: IpAddr,
        agent: &'static str,
    ) -> Result<Self, HandlerError> {
        let port = port(&get.port, container)?;
        let path = get.path.as_deref().unwrap_or_default();
        Ok(Self {
            target: Target::new(get.host.as_deref(), ip, port),
            tls: get.scheme.as_deref() == Some("HTTPS"),
            path: if path.starts_with('/') { path.to_owned() } else { format!("/{path}") },
            headers: headers(get.http_headers.as_deref().unwrap_or_default(), agent),
        })
    }

    /// As it is shown in messages.
    pub(crate) fn url(&self) -> String {
        let scheme = if self.tls { "https" } else { "http" };
        format!("{scheme}://{}{}", self.target, self.path)
    }
}

impl Target {
    fn new(host: Option<&str>, ip: IpAddr, port: u16) -> Self {
        let host = host.filter(|host| !host.is_empty());
        Self { host: host.map_or_else(|| ip.to_string(), str::to_owned), port }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// What `$(NAME)` stands for in the command of a probe: what the manifest itself says, no more.
///
/// Rule: the kubelet's `ExpandContainerCommandOnlyStatic`. It leaves hooks as they are.
fn value<'manifest>(container: &'manifest Container, name: &str) -> Option<&'manifest str> {
    let mut variables = container.env.iter().flatten().rev();
    variables.find(|variable| variable.name == name)?.value.as_deref()
}

fn port(port: &IntOrString, container: &Container) -> Result<u16, HandlerError> {
    match port {
        IntOrString::Int(port) => number(*port),
        IntOrString::String(name) => {
            let mut ports = container.ports.iter().flatten();
            let named = ports.find(|port| port.name.as_ref() == Some(name));
            match (named, name.parse()) {
                (Some(port), _) => number(port.container_port),
                (None, Ok(port)) => number(port),
                (None, Err(_)) => Err(HandlerError::NoSuchPort(name.clone())),
            }
        }
    }
}

fn number(port: i32) -> Result<u16, HandlerError> {
    u16::try_from(port).ok().filter(|port| *port != 0).ok_or(HandlerError::PortNumber(port))
}

/// The headers of the manifest, with those of a probe where it says nothing else. What validation
/// lets pass and is no header goes without a word, as it would have no effect.
fn headers(written: &[HTTPHeader], agent: &'static str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for header in written {
        if let (Ok(name), Ok(value)) =
            (header.name.parse::<HeaderName>(), HeaderValue::from_str(&header.value))
        {
            headers.append(name, value);
        }
    }
    let defaults = [(http::header::USER_AGENT, agent), (http::header::ACCEPT, "*/*")];
    for (name, value) in defaults {
        match headers.get(&name) {
            None => {
                headers.insert(name, HeaderValue::from_static(value));
            }
            // An empty one asks for none.
            Some(value) if value.is_empty() => {
                headers.remove(name);
            }
            Some(_) => {}
        }
    }
    headers
}

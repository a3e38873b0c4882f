//! Who is meant by a name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::sandbox::network::directory::{Directory, chosen};
use crate::sandbox::network::{NetworkConfig, NetworkError, ServiceKind};

/// Leads to the host, as the guests see it. What may be reached there is for the egress policy.
pub const HOST_NAME: &str = "host.wasmpod.internal";

/// A Service may stand for a name that is another Service's; a circle of them for none.
const MOST_ALIASES: u8 = 8;

/// What is known about a name without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// The addresses.
    Known(Vec<IpAddr>),
    /// The host's resolver is to be asked for this name.
    Ask(String),
}

/// Looks a name up in the Pod's own tables and among the Services of the machine.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for what is neither a name nor an address,
/// [`NetworkError::NameNotFound`] for a name in the cluster's domain that nobody has.
pub(crate) fn look_up(config: &NetworkConfig, name: &str) -> Result<Lookup, NetworkError> {
    follow(config, name, MOST_ALIASES)
}

/// Looks a name up, and the name that it stands for, as long as there are `steps` left.
fn follow(config: &NetworkConfig, name: &str, steps: u8) -> Result<Lookup, NetworkError> {
    let domain = match url::Host::parse(name) {
        Ok(url::Host::Domain(domain)) => domain,
        Ok(url::Host::Ipv4(ip)) => return Ok(Lookup::Known(vec![ip.into()])),
        Ok(url::Host::Ipv6(ip)) => return Ok(Lookup::Known(vec![ip.into()])),
        // An IPv6 address without brackets is no host of a URL.
        Err(_) => match name.parse::<Ipv6Addr>() {
            Ok(ip) => return Ok(Lookup::Known(vec![ip.into()])),
            Err(_) => return Err(NetworkError::InvalidArgument),
        },
    };
    let domain = domain.strip_suffix('.').unwrap_or(&domain);
    if domain.is_empty() {
        return Err(NetworkError::InvalidArgument);
    }
    if domain == "localhost" || domain.ends_with(".localhost") {
        return Ok(Lookup::Known(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]));
    }
    if domain == HOST_NAME {
        return Ok(Lookup::Known(vec![config.host_ip]));
    }
    // The kubelet's /etc/hosts has the Pod's own line before those of hostAliases.
    if is_name_of(config, domain, &config.hostname, config.subdomain.as_deref(), &config.namespace)
    {
        return Ok(Lookup::Known(config.ips.clone()));
    }
    let aliases: Vec<IpAddr> = config
        .host_aliases
        .iter()
        .filter(|alias| alias.hostnames.iter().any(|host| host.eq_ignore_ascii_case(domain)))
        .map(|alias| alias.ip)
        .collect();
    if !aliases.is_empty() {
        return Ok(Lookup::Known(aliases));
    }
    // Before the Pods: in Kubernetes a name is a Service's or nobody's.
    match config.directory.as_deref().and_then(|directory| service(config, directory, domain)) {
        // No Pod is ready.
        Some(Service::At(addresses)) if addresses.is_empty() => {
            return Err(NetworkError::NameNotFound);
        }
        Some(Service::At(addresses)) => return Ok(Lookup::Known(addresses)),
        Some(Service::Alias(other)) => {
            let left = steps.checked_sub(1).ok_or(NetworkError::NameNotFound)?;
            return follow(config, &other, left);
        }
        None => {}
    }
    let is_pod = |name: &str, hostname: &str, subdomain: Option<&str>, namespace: &str| {
        (namespace == config.namespace && name.eq_ignore_ascii_case(domain))
            || strip_prefix_ignoring_case(domain, name)
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == namespace)
            || is_name_of(config, domain, hostname, subdomain, namespace)
    };
    let peer = config.peers.iter().find(|peer| {
        is_pod(&peer.name, &peer.hostname, peer.subdomain.as_deref(), &peer.namespace)
    });
    if let Some(peer) = peer {
        return Ok(Lookup::Known(peer.ips.clone()));
    }
    let others = config.directory.as_deref().map(Directory::pods).unwrap_or_default();
    let other = others
        .iter()
        .find(|pod| is_pod(&pod.name, &pod.hostname, pod.subdomain.as_deref(), &pod.namespace));
    if let Some(pod) = other {
        return Ok(Lookup::Known(pod.ips.clone()));
    }
    let in_cluster = domain
        .strip_suffix(config.cluster_domain.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if in_cluster {
        return Err(NetworkError::NameNotFound);
    }
    Ok(Lookup::Ask(domain.to_owned()))
}

/// What a Service's name leads to.
enum Service {
    At(Vec<IpAddr>),
    /// Another name.
    Alias(String),
}

/// What a name leads to that is a Service's, or that of a Pod below a Service's.
///
/// Rule: Kubernetes' *DNS for Services and Pods*.
fn service(config: &NetworkConfig, directory: &Directory, domain: &str) -> Option<Service> {
    let services = directory.services();
    let mut services = services.iter();
    services.find_map(|service| {
        let is = |name: &str| is_below_namespace(config, domain, name, &service.namespace);
        if is(&service.name) {
            return Some(match &service.kind {
                ServiceKind::ClusterIp(ips) => Service::At(ips.clone()),
                ServiceKind::ExternalName(name) => Service::Alias(name.clone()),
                ServiceKind::Headless => {
                    let pods = directory.pods();
                    Service::At(chosen(service, &pods).flat_map(|pod| pod.ips.clone()).collect())
                }
            });
        }
        let may_be_a_pods = service.kind == ServiceKind::Headless
            && domain
                .split('.')
                .nth(1)
                .is_some_and(|part| part.eq_ignore_ascii_case(&service.name));
        if !may_be_a_pods {
            return None;
        }
        let pods = directory.pods();
        let mut below = chosen(service, &pods).filter(|pod| {
            pod.subdomain.as_ref() == Some(&service.name)
                && is(&format!("{}.{}", pod.hostname, service.name))
        });
        below.next().map(|pod| Service::At(pod.ips.clone()))
    })
}

/// Whether `domain` is `name` in its own namespace, or with the namespace, `svc` and the cluster's
/// domain after it.
fn is_below_namespace(config: &NetworkConfig, domain: &str, name: &str, namespace: &str) -> bool {
    let Some(rest) = strip_prefix_ignoring_case(domain, name) else { return false };
    if rest.is_empty() {
        return namespace == config.namespace;
    }
    let cluster = &config.cluster_domain;
    [format!(".{namespace}"), format!(".{namespace}.svc"), format!(".{namespace}.svc.{cluster}")]
        .iter()
        .any(|form| rest.eq_ignore_ascii_case(form))
}

fn strip_prefix_ignoring_case<'text>(text: &'text str, prefix: &str) -> Option<&'text str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Whether `domain` means the Pod with this hostname: `hostname`, `hostname.subdomain`, and the
/// latter with namespace, `svc` and the cluster's domain after it.
fn is_name_of(
    config: &NetworkConfig,
    domain: &str,
    hostname: &str,
    subdomain: Option<&str>,
    namespace: &str,
) -> bool {
    let here = namespace == config.namespace;
    if here && domain.eq_ignore_ascii_case(hostname) {
        return true;
    }
    let Some(subdomain) = subdomain else { return false };
    is_below_namespace(config, domain, &format!("{hostname}.{subdomain}"), namespace)
}

//! Names: who is meant inside the Pod, and the files that say so.
//!
//! [`Lookup`] is pure: the Pod's own names, `localhost`, `hostAliases` and the other Pods answer
//! from tables; for the rest the host's resolver is asked, by the caller.
//!
//! Rules: Kubernetes' *DNS for Services and Pods* for the forms of a Pod's name; RFC 6761 for
//! `localhost`; the kubelet for the text of `/etc/hosts` and `/etc/resolv.conf`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::NetworkError;
use super::config::NetworkConfig;

/// Leads to the host, as the guests see it. What may be reached there is for the egress policy.
pub const HOST_NAME: &str = "host.wasmpod.internal";

/// What is known about a name without asking anybody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Lookup {
    /// The addresses.
    Known(Vec<IpAddr>),
    /// The host's resolver is to be asked for this name.
    Ask(String),
}

/// Looks a name up in the Pod's own tables.
///
/// # Errors
/// [`NetworkError::InvalidArgument`] for what is neither a name nor an address,
/// [`NetworkError::NameNotFound`] for a name in the cluster's domain that nobody has.
pub(crate) fn look_up(config: &NetworkConfig, name: &str) -> Result<Lookup, NetworkError> {
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
    let peer = config.peers.iter().find(|peer| {
        let same_namespace = peer.namespace == config.namespace;
        (same_namespace && peer.name.eq_ignore_ascii_case(domain))
            || domain
                .strip_prefix(peer.name.as_str())
                .and_then(|rest| rest.strip_prefix('.'))
                .is_some_and(|rest| rest == peer.namespace)
            || is_name_of(
                config,
                domain,
                &peer.hostname,
                peer.subdomain.as_deref(),
                &peer.namespace,
            )
    });
    if let Some(peer) = peer {
        return Ok(Lookup::Known(peer.ips.clone()));
    }
    let in_cluster = domain
        .strip_suffix(config.cluster_domain.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    if in_cluster {
        return Err(NetworkError::NameNotFound);
    }
    Ok(Lookup::Ask(domain.to_owned()))
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
    let short = format!("{hostname}.{subdomain}");
    let cluster = &config.cluster_domain;
    (here && domain.eq_ignore_ascii_case(&short))
        || domain.eq_ignore_ascii_case(&format!("{short}.{namespace}"))
        || domain.eq_ignore_ascii_case(&format!("{short}.{namespace}.svc"))
        || domain.eq_ignore_ascii_case(&format!("{short}.{namespace}.svc.{cluster}"))
}

/// The text of `/etc/hosts`.
pub fn hosts_file(config: &NetworkConfig) -> String {
    let mut text = String::from(
        "# Kubernetes-managed hosts file.\n\
         127.0.0.1\tlocalhost\n\
         ::1\tlocalhost ip6-localhost ip6-loopback\n\
         fe00::0\tip6-localnet\n\
         fe00::0\tip6-mcastprefix\n\
         fe00::1\tip6-allnodes\n\
         fe00::2\tip6-allrouters\n",
    );
    let NetworkConfig { hostname, namespace, cluster_domain, .. } = config;
    for ip in &config.ips {
        match &config.subdomain {
            Some(subdomain) => text.push_str(&format!(
                "{ip}\t{hostname}.{subdomain}.{namespace}.svc.{cluster_domain}\t{hostname}\n"
            )),
            None => text.push_str(&format!("{ip}\t{hostname}\n")),
        }
    }
    if !config.host_aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
        for alias in &config.host_aliases {
            text.push_str(&format!("{}\t{}\n", alias.ip, alias.hostnames.join("\t")));
        }
    }
    text
}

/// What goes into `/etc/resolv.conf`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ResolvConf {
    /// `nameserver` lines, three at most.
    pub nameservers: Vec<String>,
    /// The `search` line.
    pub searches: Vec<String>,
    /// The `options` line, such as `ndots:5`.
    pub options: Vec<String>,
}

impl ResolvConf {
    /// Reads a resolver's configuration; what is unknown in it is left out.
    pub fn parse(text: &str) -> Self {
        let mut parsed = Self::default();
        for line in text.lines() {
            let line = line.split(['#', ';']).next().unwrap_or_default();
            let mut words = line.split_whitespace().map(str::to_owned);
            match words.next().as_deref() {
                Some("nameserver") => parsed.nameservers.extend(words.next()),
                // The last line of its kind counts.
                Some("search" | "domain") => parsed.searches = words.collect(),
                Some("options") => parsed.options = words.collect(),
                _ => {}
            }
        }
        parsed
    }

    /// The configuration of a Pod under `dnsPolicy: Default`, from the host's.
    ///
    /// `ClusterFirst` means the same here: there is no cluster DNS, and the kubelet falls back to
    /// `Default` then. Nameservers on the host's loopback are left out, for in the Pod that address
    /// is the Pod itself.
    pub fn from_host(host: &str) -> Self {
        let mut parsed = Self::parse(host);
        parsed.nameservers.retain(|server| {
            server.parse::<IpAddr>().map_or(true, |ip| !ip.to_canonical().is_loopback())
        });
        parsed
    }

    /// Adds `spec.dnsConfig`: servers and search domains after those that are there, each once;
    /// an option replaces one of the same name.
    pub fn add(
        &mut self,
        nameservers: &[String],
        searches: &[String],
        options: &[(String, Option<String>)],
    ) {
        append_new(&mut self.nameservers, nameservers);
        append_new(&mut self.searches, searches);
        for (name, value) in options {
            let option = match value {
                Some(value) => format!("{name}:{value}"),
                None => name.clone(),
            };
            self.options.retain(|known| known.split(':').next() != Some(name.as_str()));
            self.options.push(option);
        }
    }

    /// The text of the file.
    pub fn render(&self) -> String {
        let mut text = String::new();
        if !self.searches.is_empty() {
            text.push_str(&format!("search {}\n", self.searches.join(" ")));
        }
        for server in self.nameservers.iter().take(3) {
            text.push_str(&format!("nameserver {server}\n"));
        }
        if !self.options.is_empty() {
            text.push_str(&format!("options {}\n", self.options.join(" ")));
        }
        text
    }
}

fn append_new(list: &mut Vec<String>, more: &[String]) {
    for each in more {
        if !list.contains(each) {
            list.push(each.clone());
        }
    }
}

#[cfg(test)]
mod tests;

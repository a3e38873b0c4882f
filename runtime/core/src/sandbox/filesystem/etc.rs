//! The texts of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf` of a Pod.
//!
//! Pure, save for [`host_resolv_conf`]. Names are resolved by the Pod's network, which knows the
//! same facts; these files are for guests that look for themselves.
//!
//! Rule: the kubelet's managed hosts file and its DNS configurer.

use std::fmt::Write;
use std::fs;
use std::net::IpAddr;
use std::path::Path;

use k8s_openapi::api::core::v1::{HostAlias, PodDNSConfig};

/// How many search domains the kubelet keeps.
const MAX_SEARCHES: usize = 32;
/// How many name servers a resolver looks at, and the kubelet keeps.
const MAX_NAMESERVERS: usize = 3;

/// The three files, as text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EtcFiles {
    /// `/etc/hosts`
    pub hosts: String,
    /// `/etc/hostname`, with its line end.
    pub hostname: String,
    /// `/etc/resolv.conf`
    pub resolv_conf: String,
}

/// `/etc/hosts` as the kubelet writes it.
///
/// `domain` is the Pod's domain when it has a subdomain; its full name then comes first.
#[must_use]
pub fn hosts(
    ips: &[IpAddr],
    hostname: &str,
    domain: Option<&str>,
    aliases: &[HostAlias],
) -> String {
    let mut text = "# Kubernetes-managed hosts file.\n\
        127.0.0.1\tlocalhost\n\
        ::1\tlocalhost ip6-localhost ip6-loopback\n\
        fe00::0\tip6-localnet\n\
        fe00::0\tip6-mcastprefix\n\
        fe00::1\tip6-allnodes\n\
        fe00::2\tip6-allrouters\n"
        .to_owned();
    for ip in ips {
        let _ = match domain {
            Some(domain) => writeln!(text, "{ip}\t{hostname}.{domain}\t{hostname}"),
            None => writeln!(text, "{ip}\t{hostname}"),
        };
    }
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
        for alias in aliases {
            let names = alias.hostnames.as_deref().unwrap_or_default().join("\t");
            let _ = writeln!(text, "{}\t{names}", alias.ip);
        }
    }
    text
}

/// `/etc/resolv.conf`: of the host, or empty with dnsPolicy `None`, then what `dnsConfig` adds.
///
/// `ClusterFirst` means the same as `Default`: there is no cluster DNS, and the kubelet falls back
/// to the host's then. Name servers on the host's loopback are left out, for in the Pod that
/// address is the Pod itself.
#[must_use]
pub fn resolv_conf(host: &str, policy: Option<&str>, config: Option<&PodDNSConfig>) -> String {
    let mut nameservers: Vec<String> = Vec::new();
    let mut searches: Vec<String> = Vec::new();
    let mut options: Vec<(String, Option<String>)> = Vec::new();
    if policy != Some("None") {
        for line in host.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let reachable = words.next().filter(|server| !is_loopback(server));
                    nameservers.extend(reachable.map(str::to_owned));
                }
                // The last line of its kind wins, as in the resolver.
                Some("search" | "domain") => searches = words.map(str::to_owned).collect(),
                Some("options") => options.extend(words.map(|word| match word.split_once(':') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (word.to_owned(), None),
                })),
                _ => {}
            }
        }
    }
    if let Some(config) = config {
        nameservers.extend(config.nameservers.iter().flatten().cloned());
        searches.extend(config.searches.iter().flatten().cloned());
        for option in config.options.iter().flatten() {
            let Some(name) = &option.name else { continue };
            match options.iter_mut().find(|(known, _)| known == name) {
                Some((_, value)) => value.clone_from(&option.value),
                None => options.push((name.clone(), option.value.clone())),
            }
        }
    }
    write_resolv_conf(once_each(nameservers), once_each(searches), &options)
}

/// systemd-resolved has 127.0.0.53, Docker 127.0.0.11.
fn is_loopback(server: &str) -> bool {
    server.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
}

fn write_resolv_conf(
    mut nameservers: Vec<String>,
    mut searches: Vec<String>,
    options: &[(String, Option<String>)],
) -> String {
    nameservers.truncate(MAX_NAMESERVERS);
    searches.truncate(MAX_SEARCHES);
    let mut text = String::new();
    if !searches.is_empty() {
        let _ = writeln!(text, "search {}", searches.join(" "));
    }
    for nameserver in nameservers {
        let _ = writeln!(text, "nameserver {nameserver}");
    }
    if !options.is_empty() {
        text.push_str("options");
        for (name, value) in options {
            let _ = match value {
                Some(value) => write!(text, " {name}:{value}"),
                None => write!(text, " {name}"),
            };
        }
        text.push('\n');
    }
    text
}

/// The host's `/etc/resolv.conf`; empty where there is none.
#[must_use]
pub fn host_resolv_conf() -> String {
    fs::read_to_string(Path::new("/etc/resolv.conf")).unwrap_or_default()
}

fn once_each(values: Vec<String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::with_capacity(values.len());
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::PodDNSConfigOption;

    use super::*;

    #[test]
    fn hosts_has_the_pods_addresses_and_aliases() {
        let aliases = [HostAlias {
            ip: "10.1.2.3".to_owned(),
            hostnames: Some(vec!["db".to_owned(), "db.local".to_owned()]),
        }];
        let ips = ["10.0.0.5".parse().unwrap(), "fd00::5".parse().unwrap()];
        insta::assert_snapshot!(hosts(&ips, "web", Some("sub.ns.svc.cluster.local"), &aliases), @"
        # Kubernetes-managed hosts file.
        127.0.0.1	localhost
        ::1	localhost ip6-localhost ip6-loopback
        fe00::0	ip6-localnet
        fe00::0	ip6-mcastprefix
        fe00::1	ip6-allnodes
        fe00::2	ip6-allrouters
        10.0.0.5	web.sub.ns.svc.cluster.local	web
        fd00::5	web.sub.ns.svc.cluster.local	web

        # Entries added by HostAliases.
        10.1.2.3	db	db.local
        ");
        assert!(hosts(&ips[..1], "web", None, &[]).ends_with("allrouters\n10.0.0.5\tweb\n"));
    }

    #[test]
    fn dns_config_adds_to_the_host_or_stands_alone() {
        let host = "# by the host\nsearch old\nsearch lan example.org\nnameserver 127.0.0.53\n\
                    nameserver ::1\nnameserver 10.0.0.1\nnameserver 10.0.0.2\noptions edns0 ndots:1 trust-ad\n";
        let option = |name: &str, value: Option<&str>| PodDNSConfigOption {
            name: Some(name.to_owned()),
            value: value.map(str::to_owned),
        };
        let config = PodDNSConfig {
            nameservers: Some(vec![
                "1.1.1.1".to_owned(),
                "10.0.0.1".to_owned(),
                "9.9.9.9".to_owned(),
            ]),
            searches: Some(vec!["svc".to_owned(), "lan".to_owned()]),
            options: Some(vec![option("ndots", Some("5")), option("use-vc", None)]),
        };
        insta::assert_snapshot!(resolv_conf(host, Some("ClusterFirst"), Some(&config)), @"
        search lan example.org svc
        nameserver 10.0.0.1
        nameserver 10.0.0.2
        nameserver 1.1.1.1
        options edns0 ndots:5 trust-ad use-vc
        ");
        insta::assert_snapshot!(resolv_conf(host, Some("None"), Some(&config)), @"
        search svc lan
        nameserver 1.1.1.1
        nameserver 10.0.0.1
        nameserver 9.9.9.9
        options ndots:5 use-vc
        ");
        assert_eq!(resolv_conf("", None, None), "");
    }
}

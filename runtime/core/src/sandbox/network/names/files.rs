//! The texts of `/etc/hosts` and `/etc/resolv.conf`.

use std::net::IpAddr;

use crate::sandbox::network::NetworkConfig;

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

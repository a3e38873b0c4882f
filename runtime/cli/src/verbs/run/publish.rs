//! `--publish [IP:]HOST:POD[/PROTOCOL]`, as podman and docker write it.

use wasmpod_node::background::{Protocol, Published};

use crate::failure::Failure;

/// # Errors
/// The rule as it was typed, and what it should look like.
pub(crate) fn parse(rule: &str) -> Result<Published, Failure> {
    try_parse(rule).ok_or_else(|| {
        Failure::new(format!("--publish {rule}: not a pair of ports"))
            .hint("`8080:80`, `127.0.0.1:8080:80`, `[::1]:8080:80`, `5353:53/udp`")
    })
}

fn try_parse(rule: &str) -> Option<Published> {
    let (ports, protocol) = match rule.rsplit_once('/') {
        None => (rule, Protocol::Tcp),
        Some((ports, protocol)) if protocol.eq_ignore_ascii_case("tcp") => (ports, Protocol::Tcp),
        Some((ports, protocol)) if protocol.eq_ignore_ascii_case("udp") => (ports, Protocol::Udp),
        Some(_) => return None,
    };
    let (host, pod) = ports.rsplit_once(':').unwrap_or((ports, ports));
    let (ip, host) = match host.rsplit_once(':') {
        None => (None, host),
        Some((ip, host)) => {
            let ip = ip.strip_prefix('[').and_then(|ip| ip.strip_suffix(']')).unwrap_or(ip);
            (Some(ip.parse().ok()?), host)
        }
    };
    let host_port = if host.is_empty() { 0 } else { host.parse().ok()? };
    let pod_port = pod.parse().ok().filter(|port| *port != 0)?;
    Some(Published { host_ip: ip, host_port, pod_port, protocol })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_podman_reads() {
        let tcp = |host_ip: Option<&str>, host_port, pod_port| Published {
            host_ip: host_ip.map(|ip| ip.parse().unwrap()),
            host_port,
            pod_port,
            protocol: Protocol::Tcp,
        };
        for (rule, expected) in [
            ("8080:80", tcp(None, 8080, 80)),
            ("80", tcp(None, 80, 80)),
            (":80", tcp(None, 0, 80)),
            ("127.0.0.1:8080:80", tcp(Some("127.0.0.1"), 8080, 80)),
            ("127.0.0.1::80", tcp(Some("127.0.0.1"), 0, 80)),
            ("[::1]:8080:80/tcp", tcp(Some("::1"), 8080, 80)),
            ("53:53/UDP", Published { protocol: Protocol::Udp, ..tcp(None, 53, 53) }),
        ] {
            assert_eq!(try_parse(rule), Some(expected), "{rule}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_pair_of_ports() {
        for rule in
            ["", "a:b", "1:0", "70000:1", "1:70000", "1:2/sctp", "host:1:2", "1:2:3:4", "-1:2"]
        {
            assert!(try_parse(rule).is_none(), "{rule}");
        }
    }
}

//! Where guests may go outside of Pods.
//!
//! Pure: a destination comes in, a verdict goes out. The verdict is on the address that is dialled,
//! never on a name, so a name that changes its address between check and use gains nothing.
//!
//! By default everything is allowed except what is the host's own or speaks for it: loopback, the
//! addresses of its interfaces,
//! link-local, the metadata services of clouds, and addresses that are none (unspecified,
//! broadcast, multicast). An IPv6 address that carries an IPv4 one (mapped, NAT64, 6to4, Teredo,
//! ISATAP) is judged by both.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

/// What a Pod may reach outside of Pods.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EgressPolicy {
    base: Base,
    rules: Vec<EgressRule>,
    /// What the names in `rules` were when the Pod started.
    resolved: Vec<(IpNet, Option<u16>)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Base {
    /// Everything but the refused ranges.
    #[default]
    Public,
    /// Only what a rule allows.
    Nothing,
}

/// One thing that `--allow-net` or the annotation `wasmpod.dev/allow-net` names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EgressRule {
    /// An address or a range, at one port or all.
    Range {
        /// The addresses.
        range: IpNet,
        /// The port; all when none.
        port: Option<u16>,
    },
    /// A name, at one port or all.
    Host {
        /// The name, in lower case and without a dot at its end.
        name: String,
        /// The port; all when none.
        port: Option<u16>,
    },
}

/// A rule that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{rule}` is no network rule: expected `none`, `all`, an address, a range such as 10.0.0.0/8, \
     or a host name, each but the first two with `:port` if wanted"
)]
pub struct EgressRuleError {
    /// The text that was given.
    pub rule: String,
}

impl EgressPolicy {
    /// The policy that allows nothing.
    pub fn nothing() -> Self {
        Self { base: Base::Nothing, ..Self::default() }
    }

    /// A policy from the texts of `--allow-net` or the annotation, comma-separated or one each.
    ///
    /// `none` takes the default away, whatever its place; `all` allows the refused ranges too.
    ///
    /// # Errors
    /// [`EgressRuleError`] names the first text that is no rule.
    pub fn parse<Text: AsRef<str>>(
        texts: impl IntoIterator<Item = Text>,
    ) -> Result<Self, EgressRuleError> {
        let mut policy = Self::default();
        for text in texts {
            for rule in text.as_ref().split(',').map(str::trim).filter(|rule| !rule.is_empty()) {
                policy.add(rule)?;
            }
        }
        Ok(policy)
    }

    fn add(&mut self, text: &str) -> Result<(), EgressRuleError> {
        match text {
            "none" => self.base = Base::Nothing,
            "all" => {
                let everywhere: [IpNet; 2] = [
                    Ipv4Net::new_assert(Ipv4Addr::UNSPECIFIED, 0).into(),
                    Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 0).into(),
                ];
                let all = everywhere.map(|range| EgressRule::Range { range, port: None });
                self.rules.extend(all);
            }
            rule => self.rules.push(rule.parse()?),
        }
        Ok(())
    }

    /// The names in the rules, to be resolved once when the Pod starts.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.rules.iter().filter_map(|rule| match rule {
            EgressRule::Host { name, .. } => Some(name.as_str()),
            EgressRule::Range { .. } => None,
        })
    }

    /// Allows the addresses that a name of the rules had when the Pod started, wherever they are.
    pub fn resolved(&mut self, name: &str, addresses: &[IpAddr]) {
        for port in self.ports_of(name) {
            self.resolved.extend(addresses.iter().map(|ip| (IpNet::from(*ip), port)));
        }
    }

    /// Whether a name may be looked up outside: under `none` only those that a rule names.
    pub(crate) fn may_resolve(&self, name: &str) -> bool {
        self.base == Base::Public || !self.ports_of(name).is_empty()
    }

    /// The ports (none: all) that the rules open for a name.
    pub(crate) fn ports_of(&self, name: &str) -> Vec<Option<u16>> {
        let ports = self.rules.iter().filter_map(|rule| match rule {
            EgressRule::Host { name: host, port } if host == name => Some(*port),
            EgressRule::Host { .. } | EgressRule::Range { .. } => None,
        });
        ports.collect()
    }

    /// Whether a guest may go to an address; what is the host's own counts as its loopback does,
    /// for its services listen there too. `is_own` is asked only if all else agrees.
    pub fn allows(&self, to: SocketAddr, is_own: impl FnOnce(IpAddr) -> bool) -> bool {
        let ip = to.ip().to_canonical();
        if self.has_rule_for(ip, to.port()) {
            return true;
        }
        self.base == Base::Public && !is_refused(ip) && !is_own(ip)
    }

    /// Whether a rule, and not the default, allows an address.
    pub(crate) fn has_rule_for(&self, ip: IpAddr, port: u16) -> bool {
        let named = self.rules.iter().filter_map(|rule| match rule {
            EgressRule::Range { range, port } => Some((range, port)),
            EgressRule::Host { .. } => None,
        });
        let resolved = self.resolved.iter().map(|(range, port)| (range, port));
        named
            .chain(resolved)
            .any(|(range, only)| range.contains(&ip) && only.is_none_or(|only| only == port))
    }
}

impl FromStr for EgressRule {
    type Err = EgressRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || EgressRuleError { rule: text.to_owned() };
        if let Ok(ip) = text.parse::<IpAddr>() {
            return Ok(Self::Range { range: ip.to_canonical().into(), port: None });
        }
        if let Ok(address) = text.parse::<SocketAddr>() {
            let port = Some(address.port()).filter(|port| *port != 0).ok_or_else(wrong)?;
            return Ok(Self::Range { range: address.ip().to_canonical().into(), port: Some(port) });
        }
        if let Ok(range) = text.parse::<IpNet>() {
            return Ok(Self::Range { range: range.trunc(), port: None });
        }
        let (host, port) = match text.rsplit_once(':') {
            None => (text, None),
            Some((host, port)) => {
                let port = port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?;
                (host, Some(port))
            }
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(range) = bare.parse::<IpNet>() {
            return Ok(Self::Range { range: range.trunc(), port });
        }
        match url::Host::parse(host) {
            Ok(url::Host::Domain(name)) if is_host_name(&name) => {
                Ok(Self::Host { name: name.trim_end_matches('.').to_owned(), port })
            }
            Ok(url::Host::Ipv4(ip)) => Ok(Self::Range { range: IpAddr::from(ip).into(), port }),
            Ok(url::Host::Ipv6(ip)) => {
                Ok(Self::Range { range: IpAddr::from(ip).to_canonical().into(), port })
            }
            Ok(url::Host::Domain(_)) | Err(_) => Err(wrong()),
        }
    }
}

/// A pattern such as `*.example.com` is none: it would allow what nobody has looked at.
fn is_host_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !name.trim_matches('.').is_empty() && name.bytes().all(allowed)
}

/// The host's own, or what speaks for it.
pub(crate) fn is_refused(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => is_refused_v4(ip),
        IpAddr::V6(ip) => is_refused_v6(ip) || embedded_v4(ip).into_iter().any(is_refused_v4),
    }
}

/// Metadata services outside of the link-local range: Alibaba, Azure's platform agent, Oracle.
const METADATA_V4: [Ipv4Addr; 3] = [
    Ipv4Addr::new(100, 100, 100, 200),
    Ipv4Addr::new(168, 63, 129, 16),
    Ipv4Addr::new(192, 0, 0, 192),
];

/// Metadata services of Amazon (instances, EKS credentials) and Google.
const METADATA_V6: [Ipv6Addr; 3] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

fn is_refused_v4(ip: Ipv4Addr) -> bool {
    // All of 0.0.0.0/8: Linux takes 0.0.0.0 for the host itself.
    ip.octets()[0] == 0
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_multicast()
        || METADATA_V4.contains(&ip)
}

fn is_refused_v6(ip: Ipv6Addr) -> bool {
    ip.is_unspecified()
        || ip.is_loopback()
        || ip.is_unicast_link_local()
        || ip.is_multicast()
        || METADATA_V6.contains(&ip)
}

/// The IPv4 addresses that a translator could make of an IPv6 one.
fn embedded_v4(ip: Ipv6Addr) -> Vec<Ipv4Addr> {
    let segments = ip.segments();
    let pair = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        Ipv4Addr::new(a, b, c, d)
    };
    let last = pair(segments[6], segments[7]);
    match segments {
        // IPv4-compatible, IPv4-translated (RFC 2765), NAT64 (RFC 6052 and the local prefix of RFC 8215)
        [0, 0, 0, 0, 0, 0, _, _] | [0, 0, 0, 0, 0xffff, 0, _, _] => vec![last],
        [0x64, 0xff9b, ..] => vec![last],
        // 6to4
        [0x2002, high, low, ..] => vec![pair(high, low)],
        // Teredo: the server, and the client with its bits turned over
        [0x2001, 0, high, low, _, _, client_high, client_low] => {
            vec![pair(high, low), pair(!client_high, !client_low)]
        }
        // ISATAP
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => vec![last],
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(policy: &EgressPolicy, to: &str) -> bool {
        policy.allows(to.parse().unwrap(), |ip| ip == IpAddr::from([192, 168, 7, 7]))
    }

    #[test]
    fn by_default_only_the_host_and_its_spokesmen_are_refused() {
        let policy = EgressPolicy::default();
        for (to, expected) in [
            ("93.184.215.14:443", true),
            ("10.1.2.3:5432", true),
            ("[2606:4700::1111]:443", true),
            ("[64:ff9b::8.8.8.8]:53", true),
            ("127.0.0.1:80", false),
            ("127.9.9.9:80", false),
            ("0.0.0.0:80", false),
            ("0.1.2.3:80", false),
            ("255.255.255.255:80", false),
            ("224.0.0.1:80", false),
            ("169.254.1.2:80", false),
            ("169.254.169.254:80", false),
            ("100.100.100.200:80", false),
            ("168.63.129.16:80", false),
            ("192.168.7.7:22", false),
            ("[::1]:80", false),
            ("[::]:80", false),
            ("[fe80::1]:80", false),
            ("[ff02::1]:80", false),
            ("[fd00:ec2::254]:80", false),
            ("[fd20:ce::254]:80", false),
            ("[::ffff:127.0.0.1]:80", false),
            ("[::ffff:169.254.169.254]:80", false),
            ("[::127.0.0.1]:80", false),
            ("[64:ff9b::169.254.169.254]:80", false),
            ("[64:ff9b:1::127.0.0.1]:80", false),
            ("[2002:7f00:1::]:80", false),
            ("[2002:a9fe:a9fe::1]:80", false),
            ("[2001:0:7f00:1::]:80", false),
            ("[2001:0:808:808::80ff:fffe]:80", false),
            ("[2001:db8::5efe:127.0.0.1]:80", false),
        ] {
            assert_eq!(allows(&policy, to), expected, "{to}");
        }
    }

    #[test]
    fn rules_widen_and_none_narrows() {
        let policy = EgressPolicy::parse(["127.0.0.1:5432", "169.254.0.0/16"]).unwrap();
        assert!(allows(&policy, "127.0.0.1:5432"));
        assert!(!allows(&policy, "127.0.0.1:5433"));
        assert!(allows(&policy, "169.254.169.254:80"));
        assert!(allows(&policy, "9.9.9.9:53"));

        let policy = EgressPolicy::parse(["10.0.0.0/8:443, none"]).unwrap();
        assert!(allows(&policy, "10.1.1.1:443"));
        assert!(!allows(&policy, "10.1.1.1:80"));
        assert!(!allows(&policy, "9.9.9.9:53"));

        let policy = EgressPolicy::parse(["all"]).unwrap();
        assert!(allows(&policy, "127.0.0.1:1"));
        assert!(allows(&policy, "[::1]:1"));
    }

    #[test]
    fn a_named_host_is_what_it_was_at_the_start() {
        let mut policy = EgressPolicy::parse(["none", "DB.example.com:5432"]).unwrap();
        assert_eq!(policy.hosts().collect::<Vec<_>>(), ["db.example.com"]);
        assert!(policy.may_resolve("db.example.com"));
        assert!(!policy.may_resolve("evil.example.com"));
        assert!(!allows(&policy, "10.0.0.9:5432"));
        policy.resolved("db.example.com", &["10.0.0.9".parse().unwrap()]);
        assert!(allows(&policy, "10.0.0.9:5432"));
        assert!(!allows(&policy, "10.0.0.9:22"));
    }

    #[test]
    fn what_is_no_rule_is_named() {
        for text in ["10.0.0.0/33", "host:0", "host:99999", "a b", "http://x/", "[::1", ":80", "*"]
        {
            let error = EgressPolicy::parse([text]).unwrap_err();
            assert_eq!(error.rule, text);
        }
        insta::assert_snapshot!(
            EgressPolicy::parse(["10.0.0.0/33"]).unwrap_err(),
            @"`10.0.0.0/33` is no network rule: expected `none`, `all`, an address, a range such as 10.0.0.0/8, or a host name, each but the first two with `:port` if wanted"
        );
    }

    #[test]
    fn rules_are_read_in_all_their_forms() {
        let parsed = |text: &str| text.parse::<EgressRule>().unwrap();
        let range = |range: &str, port| EgressRule::Range { range: range.parse().unwrap(), port };
        assert_eq!(parsed("10.0.0.1"), range("10.0.0.1/32", None));
        assert_eq!(parsed("10.0.0.1:80"), range("10.0.0.1/32", Some(80)));
        assert_eq!(parsed("10.0.0.1/8"), range("10.0.0.0/8", None));
        assert_eq!(parsed("10.0.0.0/8:80"), range("10.0.0.0/8", Some(80)));
        assert_eq!(parsed("::1"), range("::1/128", None));
        assert_eq!(parsed("[::1]:80"), range("::1/128", Some(80)));
        assert_eq!(parsed("fd00::/8"), range("fd00::/8", None));
        assert_eq!(parsed("[fd00::/8]:80"), range("fd00::/8", Some(80)));
        assert_eq!(
            parsed("Example.com.:443"),
            EgressRule::Host { name: "example.com".into(), port: Some(443) }
        );
    }
}

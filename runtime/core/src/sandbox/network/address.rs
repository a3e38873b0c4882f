//! Which addresses a socket may name, by family and kind.
//!
//! Pure. Rules: the documentation of `wasi:sockets` (IPv6 sockets are IPv6 only; IPv4-mapped and
//! the deprecated IPv4-compatible addresses are refused; an unspecified address or port 0 is no
//! remote), which holds for all three WASI versions here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The family of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AddressFamily {
    /// `AF_INET`
    Ipv4,
    /// `AF_INET6`, IPv6 only
    Ipv6,
}

impl AddressFamily {
    /// The family of an address.
    pub fn of(ip: IpAddr) -> Self {
        match ip {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }

    /// `0.0.0.0` or `::`
    pub fn unspecified(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::Ipv6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    /// `127.0.0.1` or `::1`
    pub fn loopback(self) -> IpAddr {
        match self {
            Self::Ipv4 => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Self::Ipv6 => IpAddr::V6(Ipv6Addr::LOCALHOST),
        }
    }

    /// Whether a socket of this family may name this address at all.
    pub(crate) fn admits(self, ip: IpAddr) -> bool {
        match (self, ip) {
            (Self::Ipv4, IpAddr::V4(_)) => true,
            (Self::Ipv6, IpAddr::V6(v6)) => {
                v6.to_ipv4_mapped().is_none() && !is_ipv4_compatible(v6)
            }
            (Self::Ipv4, IpAddr::V6(_)) | (Self::Ipv6, IpAddr::V4(_)) => false,
        }
    }

    /// The largest payload of one datagram: what remains of 65,535 after the headers.
    pub(crate) fn max_datagram(self) -> usize {
        match self {
            Self::Ipv4 => 65_507,
            Self::Ipv6 => 65_527,
        }
    }
}

/// `::a.b.c.d`, out of use since 2006; `::` and `::1` are not of this kind.
fn is_ipv4_compatible(ip: Ipv6Addr) -> bool {
    matches!(ip.segments(), [0, 0, 0, 0, 0, 0, _, _])
        && ip != Ipv6Addr::UNSPECIFIED
        && ip != Ipv6Addr::LOCALHOST
}

/// Neither multicast nor broadcast.
pub(crate) fn is_unicast(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(v4) => !v4.is_multicast() && !v4.is_broadcast(),
        IpAddr::V6(v6) => !v6.is_multicast(),
    }
}

/// Whether somebody could be reached under this address.
pub(crate) fn is_remote(address: SocketAddr) -> bool {
    !address.ip().to_canonical().is_unspecified() && address.port() != 0
}

/// The same address without flow and scope, which mean nothing inside a Pod.
pub(crate) fn plain(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip(), address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_admits_only_its_own_addresses() {
        let admits = |family: AddressFamily, ip: &str| family.admits(ip.parse().unwrap());
        assert!(admits(AddressFamily::Ipv4, "10.0.0.1"));
        assert!(!admits(AddressFamily::Ipv4, "::1"));
        assert!(!admits(AddressFamily::Ipv6, "127.0.0.1"));
        assert!(admits(AddressFamily::Ipv6, "::1"));
        assert!(admits(AddressFamily::Ipv6, "::"));
        assert!(!admits(AddressFamily::Ipv6, "::ffff:127.0.0.1"));
        assert!(!admits(AddressFamily::Ipv6, "::10.0.0.1"));
    }

    #[test]
    fn unspecified_addresses_and_port_0_are_no_remotes() {
        for (address, remote) in [
            ("10.0.0.1:80", true),
            ("0.0.0.0:80", false),
            ("10.0.0.1:0", false),
            ("[::]:80", false),
            ("[::ffff:0.0.0.0]:80", false),
            ("[::1]:80", true),
        ] {
            assert_eq!(is_remote(address.parse().unwrap()), remote, "{address}");
        }
    }
}

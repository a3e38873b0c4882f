//! What stands before a connection or a datagram, on the wire.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::sandbox::network::AddressFamily;

/// What stands before a connection or a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What follows.
    pub transport: Transport,
    /// Who is called.
    pub to: SocketAddr,
    /// Who calls; of the same family.
    pub from: SocketAddr,
}

/// What follows a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// A connection.
    Tcp,
    /// One datagram.
    Udp,
    /// A TCP connection that the host has accepted, whose descriptor follows once the header has been
    /// answered. Who calls is its client, whoever that is.
    HostTcp,
}

/// A header that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Another version speaks there.
    #[error("unknown version {0}")]
    Version(u8),
    /// None of ours.
    #[error("unknown protocol {0}")]
    Protocol(u8),
    /// Neither IPv4 nor IPv6.
    #[error("unknown address family {0}")]
    Family(u8),
}

const VERSION: u8 = 1;
/// The number of TCP with a bit that no protocol of the Internet has here.
const HOST_TCP: u8 = 6 | 0x80;
/// A header with IPv6 addresses: three bytes, and twice an address with its port.
pub(super) const LONGEST: usize = 3 + 2 * 18;

impl Header {
    /// The bytes of a header. Both addresses are of one family; the caller's routing sees to that.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LONGEST);
        let protocol = match self.transport {
            Transport::Tcp => 6,
            Transport::Udp => 17,
            Transport::HostTcp => HOST_TCP,
        };
        let family = if self.to.is_ipv4() { 4 } else { 6 };
        bytes.extend([VERSION, protocol, family]);
        for address in [self.to, self.from] {
            match address.ip() {
                IpAddr::V4(ip) => bytes.extend(ip.octets()),
                IpAddr::V6(ip) => bytes.extend(ip.octets()),
            }
            bytes.extend(address.port().to_be_bytes());
        }
        bytes
    }

    /// Reads a header and says how long it was; `None` when more bytes are needed.
    ///
    /// # Errors
    /// [`HeaderError`] as soon as the bytes cannot become a header.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, HeaderError> {
        match bytes.first() {
            None => return Ok(None),
            Some(&VERSION) => {}
            Some(&version) => return Err(HeaderError::Version(version)),
        }
        let transport = match bytes.get(1) {
            None => return Ok(None),
            Some(6) => Transport::Tcp,
            Some(17) => Transport::Udp,
            Some(&HOST_TCP) => Transport::HostTcp,
            Some(&protocol) => return Err(HeaderError::Protocol(protocol)),
        };
        let family = match bytes.get(2) {
            None => return Ok(None),
            Some(4) => AddressFamily::Ipv4,
            Some(6) => AddressFamily::Ipv6,
            Some(&family) => return Err(HeaderError::Family(family)),
        };
        let Some((to, rest)) = take_address(family, &bytes[3..]) else { return Ok(None) };
        let Some((from, rest)) = take_address(family, rest) else { return Ok(None) };
        Ok(Some((Self { transport, to, from }, bytes.len() - rest.len())))
    }
}

fn take_address(family: AddressFamily, bytes: &[u8]) -> Option<(SocketAddr, &[u8])> {
    let (ip, rest) = match family {
        AddressFamily::Ipv4 => {
            let (ip, rest) = bytes.split_first_chunk::<4>()?;
            (IpAddr::V4(Ipv4Addr::from(*ip)), rest)
        }
        AddressFamily::Ipv6 => {
            let (ip, rest) = bytes.split_first_chunk::<16>()?;
            (IpAddr::V6(Ipv6Addr::from(*ip)), rest)
        }
    };
    let (port, rest) = rest.split_first_chunk::<2>()?;
    Some((SocketAddr::new(ip, u16::from_be_bytes(*port)), rest))
}

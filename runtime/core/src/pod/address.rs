//! One IP for each Pod of this machine.
//!
//! An address is held by the lock on a file named after it, as long as the Pod's process lives:
//! a process that was killed has let go of it, and nothing needs to be cleaned up.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::uid::seed;

/// The Pod addresses of a machine, 10.244.0.0/16 as most clusters have it, are not addresses of
/// the host: they exist in memory.
const NETWORK: [u8; 2] = [10, 244];
/// The same host part in IPv6, below a unique local prefix.
const NETWORK_V6: [u16; 3] = [0xfd00, 10, 244];

/// The same for Services: 10.96.0.0/16.
const SERVICES: [u8; 2] = [10, 96];
const SERVICES_V6: [u16; 3] = [0xfd00, 10, 96];

/// 10.244.0.0 is the network, .0.1 the host as a Pod would see it, .255.255 the broadcast.
const FIRST: u16 = 2;
/// Nothing but Services has addresses in their range.
const FIRST_SERVICE: u16 = 1;
const LAST: u16 = u16::MAX - 1;

/// Where searches begin: more than the Pods that most machines have.
const FIRST_CHOICES: u64 = 256;

/// The address of one Pod, let go of when dropped.
#[derive(Debug)]
pub struct AddressLease {
    host: u16,
    // The lock is the lease.
    _file: File,
}

impl AddressLease {
    /// Takes a free address; the uid says at which of the first few the search begins, so that
    /// Pods that start at the same time do not all ask for the same one, and few files are made.
    ///
    /// # Errors
    /// When `folder` cannot be written, or every address is taken.
    pub fn take(folder: &Path, uid: &str) -> io::Result<Self> {
        Self::take_from(folder, seed(uid) % FIRST_CHOICES)
    }

    fn take_from(folder: &Path, seed: u64) -> io::Result<Self> {
        for host in hosts(FIRST, seed) {
            if let Some(lease) = Self::try_take(folder, host)? {
                return Ok(lease);
            }
        }
        Err(io::Error::other("every Pod address of this machine is taken"))
    }

    fn try_take(folder: &Path, host: u16) -> io::Result<Option<Self>> {
        let path = folder.join(ipv4(host).to_string());
        let open = || File::options().create(true).truncate(false).write(true).open(&path);
        let file = match open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                std::fs::create_dir_all(folder)?;
                open()?
            }
            opened => opened?,
        };
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self { host, _file: file })),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The Pod's addresses, IPv4 first: Pod `status.podIPs`.
    pub fn ips(&self) -> [IpAddr; 2] {
        both(NETWORK, NETWORK_V6, self.host)
    }
}

/// The addresses of a Pod that no other can reach: nobody minds who else has them.
pub(super) fn ips_of_hermit(uid: &str) -> [IpAddr; 2] {
    let host = hosts(FIRST, seed(uid)).next().expect("there are many");
    both(NETWORK, NETWORK_V6, host)
}

/// The addresses of a Service, by the part that is its own.
pub(super) fn service_ips(host: u16) -> [IpAddr; 2] {
    both(SERVICES, SERVICES_V6, host)
}

/// The part of a Service's address that is its own; none for an address outside of their range, or
/// one that no Service may have.
pub(super) fn service_host(ip: IpAddr) -> Option<u16> {
    let host = match ip {
        IpAddr::V4(ip) => u16::from_be_bytes([ip.octets()[2], ip.octets()[3]]),
        IpAddr::V6(ip) => ip.segments()[7],
    };
    let is_one = (FIRST_SERVICE..=LAST).contains(&host) && service_ips(host).contains(&ip);
    is_one.then_some(host)
}

/// A free one of all parts that Services may have: the first from where `seed` says, if there is one.
pub(super) fn free_service_host(seed: u64, is_free: impl Fn(u16) -> bool) -> Option<u16> {
    hosts(FIRST_SERVICE, seed).find(|host| is_free(*host))
}

/// All from `first` to the last, each once, beginning where `seed` says and going round.
fn hosts(first: u16, seed: u64) -> impl Iterator<Item = u16> {
    let count = u64::from(LAST - first + 1);
    let start = first + u16::try_from(seed % count).expect("below a u16");
    (start..=LAST).chain(first..start)
}

/// The node as a Pod sees it: Pod `status.hostIPs`.
pub fn host_ips() -> [IpAddr; 2] {
    both(NETWORK, NETWORK_V6, 1)
}

/// The addresses of all Pods.
pub(super) fn pod_ranges() -> [IpNet; 2] {
    ranges(NETWORK, NETWORK_V6)
}

/// The addresses of all Services.
pub(super) fn service_ranges() -> [IpNet; 2] {
    ranges(SERVICES, SERVICES_V6)
}

fn ranges([a, b]: [u8; 2], [c, d, e]: [u16; 3]) -> [IpNet; 2] {
    [
        Ipv4Net::new_assert(Ipv4Addr::new(a, b, 0, 0), 16).into(),
        Ipv6Net::new_assert(Ipv6Addr::new(c, d, e, 0, 0, 0, 0, 0), 112).into(),
    ]
}

/// The address in both families of `host`.
fn both([a, b]: [u8; 2], [c, d, e]: [u16; 3], host: u16) -> [IpAddr; 2] {
    let [high, low] = host.to_be_bytes();
    let v6 = Ipv6Addr::new(c, d, e, 0, 0, 0, 0, host);
    [Ipv4Addr::new(a, b, high, low).into(), v6.into()]
}

fn ipv4(host: u16) -> IpAddr {
    both(NETWORK, NETWORK_V6, host)[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pods_have_two_addresses() {
        let folder = tempfile::tempdir().unwrap();
        let first = AddressLease::take_from(folder.path(), 7).unwrap();
        let second = AddressLease::take_from(folder.path(), 7).unwrap();
        assert_eq!(first.ips()[0].to_string(), "10.244.0.9");
        assert_eq!(second.ips()[0].to_string(), "10.244.0.10");
        assert_eq!(second.ips()[1].to_string(), "fd00:a:f4::a");
    }

    #[test]
    fn an_address_that_was_let_go_of_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let ips = AddressLease::take_from(folder.path(), 7).unwrap().ips();
        assert_eq!(AddressLease::take_from(folder.path(), 7).unwrap().ips(), ips);
    }

    #[test]
    fn a_service_has_an_address_of_each_family() {
        let ips = service_ips(0x0102);
        assert_eq!(ips.map(|ip| ip.to_string()), ["10.96.1.2", "fd00:a:60::102"]);
        assert!(service_ranges().iter().zip(ips).all(|(range, ip)| range.contains(&ip)));
        assert!(ips.iter().all(|ip| service_host(*ip) == Some(0x0102)));
        for foreign in ["10.97.1.2", "10.96.0.0", "10.96.255.255", "fd00:a:61::102"] {
            assert_eq!(service_host(foreign.parse().unwrap()), None, "{foreign}");
        }
        assert_eq!(free_service_host(7, |_| true), Some(8));
        assert_eq!(free_service_host(7, |host| host == 7), Some(7), "the search goes round");
        assert_eq!(free_service_host(7, |_| false), None);
    }

    #[test]
    fn the_search_goes_round() {
        let folder = tempfile::tempdir().unwrap();
        let end = u64::from(LAST - FIRST);
        let last = AddressLease::take_from(folder.path(), end).unwrap();
        let next = AddressLease::take_from(folder.path(), end).unwrap();
        assert_eq!(last.ips()[0].to_string(), "10.244.255.254");
        assert_eq!(next.ips()[0].to_string(), "10.244.0.2");
    }
}

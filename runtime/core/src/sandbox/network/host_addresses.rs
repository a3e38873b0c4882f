//! Which addresses are the host's own.
//!
//! Asked of the kernel when a guest wants to go outside, not read from the interfaces once: a host
//! gets and loses addresses while a Pod runs. Connecting a datagram socket sends nothing; it makes
//! the kernel look up the route, and only the host's own address is reached from itself.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Mutex;
use std::time::Duration;

use tokio::time::Instant;

use super::AddressFamily;
use super::lock::lock;

/// How long an answer holds: a guest that sends datagrams must not cost four system calls each.
const HOLDS: Duration = Duration::from_secs(5);
/// How many answers are remembered; the oldest is forgotten first.
const MOST: usize = 64;

/// Answers for one Pod.
#[derive(Default)]
pub(super) struct HostAddresses {
    answers: Mutex<VecDeque<Answer>>,
}

#[derive(Clone, Copy)]
struct Answer {
    ip: IpAddr,
    own: bool,
    until: Instant,
}

impl HostAddresses {
    /// Whether `ip` is an address of this host.
    pub(super) fn contains(&self, ip: IpAddr) -> bool {
        let (ip, now) = (ip.to_canonical(), Instant::now());
        let known = lock(&self.answers).iter().find(|answer| answer.ip == ip).copied();
        if let Some(known) = known.filter(|known| known.until > now) {
            return known.own;
        }
        let own = is_own(ip);
        let mut answers = lock(&self.answers);
        answers.retain(|answer| answer.ip != ip && answer.until > now);
        if answers.len() >= MOST {
            answers.pop_front();
        }
        answers.push_back(Answer { ip, own, until: now + HOLDS });
        own
    }
}

fn is_own(ip: IpAddr) -> bool {
    let source = UdpSocket::bind(SocketAddr::new(AddressFamily::of(ip).unspecified(), 0)).and_then(
        |socket| {
            socket.connect(SocketAddr::new(ip, 9))?;
            socket.local_addr()
        },
    );
    // Where the kernel knows no way, no guest gets anywhere.
    source.is_ok_and(|source| source.ip() == ip)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_hosts_addresses_are_known_from_others() {
        let addresses = HostAddresses::default();
        for _ in 0..2 {
            assert!(addresses.contains("127.0.0.1".parse().unwrap()));
            assert!(addresses.contains("::ffff:127.0.0.1".parse().unwrap()));
            assert!(!addresses.contains("192.0.2.1".parse().unwrap()));
        }
        for last in 0..=255 {
            addresses.contains(IpAddr::from([192, 0, 2, last]));
        }
        assert_eq!(lock(&addresses.answers).len(), MOST);
    }
}

//! Requests for ports in, grants or errnos out.

use std::collections::HashMap;
use std::net::IpAddr;

use super::ephemeral::{EPHEMERAL_COUNT, EphemeralOrder};
use crate::sandbox::network::NetworkError;

/// The address that a binding covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coverage {
    /// One address, or all of its family when it is unspecified.
    Ip(IpAddr),
    /// All addresses of both families.
    DualStack,
}

impl Coverage {
    pub(super) fn overlaps(self, other: Self) -> bool {
        match (self, other) {
            (Self::DualStack, _) | (_, Self::DualStack) => true,
            (Self::Ip(a), Self::Ip(b)) => {
                a.is_ipv4() == b.is_ipv4() && (a == b || a.is_unspecified() || b.is_unspecified())
            }
        }
    }

    fn covers(self, ip: IpAddr) -> bool {
        self.overlaps(Self::Ip(ip))
    }
}

/// Names one binding among all that ever were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BindingId(u64);

struct Binding<Receiver> {
    id: BindingId,
    coverage: Coverage,
    /// Who takes what arrives; none for a socket that is bound and does not listen.
    receiver: Option<Receiver>,
}

/// The owners of all ports of one protocol.
pub(crate) struct PortTable<Receiver> {
    bindings: HashMap<u16, Vec<Binding<Receiver>>>,
    ephemeral: EphemeralOrder,
    next_id: u64,
}

impl<Receiver> PortTable<Receiver> {
    pub(crate) fn new(seed: u64) -> Self {
        Self { bindings: HashMap::new(), ephemeral: EphemeralOrder::new(seed), next_id: 0 }
    }

    /// Grants `port` on the addresses of `coverage`; port 0 asks for an ephemeral one.
    ///
    /// # Errors
    /// [`NetworkError::AddressInUse`] when an overlapping owner exists,
    /// [`NetworkError::AddressNotAvailable`] when no ephemeral port is left.
    pub(crate) fn bind(
        &mut self,
        coverage: Coverage,
        port: u16,
    ) -> Result<(u16, BindingId), NetworkError> {
        let port = if port == 0 {
            self.free_ephemeral(coverage).ok_or(NetworkError::AddressNotAvailable)?
        } else if self.is_free(coverage, port) {
            port
        } else {
            return Err(NetworkError::AddressInUse);
        };
        let id = BindingId(self.next_id);
        self.next_id += 1;
        self.bindings.entry(port).or_default().push(Binding { id, coverage, receiver: None });
        Ok((port, id))
    }

    /// Lets `receiver` take what arrives at a binding.
    pub(crate) fn receive(&mut self, port: u16, id: BindingId, receiver: Receiver) {
        if let Some(binding) =
            self.bindings.get_mut(&port).and_then(|all| all.iter_mut().find(|each| each.id == id))
        {
            binding.receiver = Some(receiver);
        }
    }

    /// Frees a port; its receiver comes back, so that it can be dropped outside of the lock.
    pub(crate) fn release(&mut self, port: u16, id: BindingId) -> Option<Receiver> {
        let owners = self.bindings.get_mut(&port)?;
        let index = owners.iter().position(|binding| binding.id == id)?;
        let binding = owners.swap_remove(index);
        if owners.is_empty() {
            self.bindings.remove(&port);
        }
        binding.receiver
    }

    /// Who takes what arrives for `ip` and `port`: the owner of that very address before a wildcard.
    pub(crate) fn lookup(&self, ip: IpAddr, port: u16) -> Option<&Receiver> {
        let owners = self.bindings.get(&port)?;
        let exact = owners.iter().find(|binding| binding.coverage == Coverage::Ip(ip));
        exact
            .or_else(|| owners.iter().find(|binding| binding.coverage.covers(ip)))
            .and_then(|binding| binding.receiver.as_ref())
    }

    fn is_free(&self, coverage: Coverage, port: u16) -> bool {
        self.bindings
            .get(&port)
            .is_none_or(|owners| owners.iter().all(|owner| !owner.coverage.overlaps(coverage)))
    }

    /// A port that nobody owns on any address, or else one that is free on these addresses.
    fn free_ephemeral(&mut self, coverage: Coverage) -> Option<u16> {
        for _ in 0..EPHEMERAL_COUNT {
            let port = self.ephemeral.next();
            if !self.bindings.contains_key(&port) {
                return Some(port);
            }
        }
        for _ in 0..EPHEMERAL_COUNT {
            let port = self.ephemeral.next();
            if self.is_free(coverage, port) {
                return Some(port);
            }
        }
        None
    }
}

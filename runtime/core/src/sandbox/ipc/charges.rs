//! Who pays for a segment or a name: each container for what it made the host hold of it.

use std::sync::Arc;

use super::IpcError;
use crate::resources::memory::{ContainerMemory, Held};

/// What the containers pay for one thing that several of them make larger.
#[derive(Debug, Default)]
pub(super) struct Charges {
    of_containers: Vec<Held>,
}

impl Charges {
    fn total(&self) -> usize {
        self.of_containers.iter().map(Held::bytes).sum()
    }

    /// Charges `memory` with `more`.
    ///
    /// # Errors
    /// [`IpcError::OutOfMemory`]
    pub(super) fn grow(
        &mut self,
        memory: &Arc<ContainerMemory>,
        more: usize,
    ) -> Result<(), IpcError> {
        if more == 0 {
            return Ok(());
        }
        let refused = |_| IpcError::OutOfMemory;
        let mut known = self.of_containers.iter_mut();
        match known.find(|held| Arc::ptr_eq(held.memory(), memory)) {
            Some(held) => held.grow(more).map_err(refused),
            None => {
                self.of_containers.push(memory.hold(more).map_err(refused)?);
                Ok(())
            }
        }
    }

    /// Comes to `total`: more is charged to `memory`.
    ///
    /// # Errors
    /// [`IpcError::OutOfMemory`] for more; it is what it was.
    pub(super) fn set(
        &mut self,
        memory: &Arc<ContainerMemory>,
        total: usize,
    ) -> Result<(), IpcError> {
        let before = self.total();
        if total > before {
            return self.grow(memory, total - before);
        }
        self.shrink_to(total);
        Ok(())
    }

    /// Comes down to `total`: whoever came last has it back first.
    pub(super) fn shrink_to(&mut self, total: usize) {
        let mut less = self.total().saturating_sub(total);
        while let Some(held) = self.of_containers.last_mut().filter(|_| less > 0) {
            let part = held.bytes().min(less);
            // Less is always there.
            let _ = held.set(held.bytes() - part);
            less -= part;
            if held.bytes() == 0 {
                self.of_containers.pop();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resources::memory::{Exceeded, PodMemory};

    #[test]
    fn each_pays_for_what_it_made_larger() {
        let pod = PodMemory::new(1 << 30);
        let memory = |name| pod.container(name, Some(4 << 20), Exceeded::Deny);
        let (one, two) = (memory("one"), memory("two"));
        let mut charges = Charges::default();
        charges.grow(&one, 100).unwrap();
        charges.grow(&two, 50).unwrap();
        charges.grow(&one, 10).unwrap();
        assert_eq!((one.of_host(), two.of_host()), (110, 50));
        assert_eq!(charges.grow(&one, 16 << 20), Err(IpcError::OutOfMemory));
        charges.shrink_to(100);
        assert_eq!((one.of_host(), two.of_host()), (100, 0));
        charges.shrink_to(1000);
        charges.set(&two, 101).unwrap();
        assert_eq!((one.of_host(), two.of_host()), (100, 1));
        charges.set(&two, 99).unwrap();
        assert_eq!((one.of_host(), two.of_host()), (99, 0));
        drop(charges);
        assert_eq!((one.of_host(), two.of_host()), (0, 0));
    }
}

//! The memory of a Pod: its own limit over all its containers, and what the machine has for those
//! that have none.
//!
//! Without the latter one guest could make the kernel kill the whole Pod, or worse.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::bound::{Bound, OutOfMemory, Whose};
use super::container::{ContainerMemory, Exceeded};
use crate::resources::allocatable_memory;

/// What any machine can give that can run this process at all.
const UNASKED: usize = 4 << 20;

/// The memory of one Pod's containers.
#[derive(Debug)]
pub struct PodMemory {
    whole: Arc<Whole>,
    /// By name: a container that starts again has what is left of its earlier runs, and the limit
    /// that it was given since.
    containers: Mutex<BTreeMap<String, Arc<ContainerMemory>>>,
}

/// What all containers share.
#[derive(Debug)]
pub(super) struct Whole {
    bound: Bound,
    machine: Machine,
}

/// Which limits hold for a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limits {
    /// It has one of its own; the Pod's holds as well.
    Own,
    /// It has none: the machine's holds too.
    Shared,
}

/// Bytes that this machine has for the Pod.
#[derive(Clone, Copy, Debug)]
enum Machine {
    Bytes(usize),
    /// Found out when it matters: the machine is not asked on a small guest's way to its start.
    Found(fn() -> u64),
}

impl PodMemory {
    /// On a machine that has so many bytes for it.
    pub fn new(machine: u64) -> Self {
        Self::on(Machine::Bytes(usize::try_from(machine).unwrap_or(usize::MAX)))
    }

    /// On this machine.
    pub fn of_machine() -> Self {
        Self::on(Machine::Found(allocatable_memory))
    }

    fn on(machine: Machine) -> Self {
        let whole = Arc::new(Whole { bound: Bound::new(None), machine });
        Self { whole, containers: Mutex::default() }
    }

    /// Changes the limit over all containers, `spec.resources.limits.memory` of the Pod; below what is
    /// in use it denies more until there is room again.
    pub fn set_limit(&self, limit: Option<u64>) {
        self.whole.bound.set_limit(limit);
    }

    /// The limit over all containers.
    pub fn limit(&self) -> Option<usize> {
        self.whole.bound.limit()
    }

    /// Bytes that all containers together use now.
    pub fn used(&self) -> usize {
        self.whole.bound.used()
    }

    /// The memory of a container whose new run begins: of `limit` bytes in its first run, and since
    /// then what [`ContainerMemory::set_limit`] said.
    pub fn container(
        &self,
        name: &str,
        limit: Option<u64>,
        exceeded: Exceeded,
    ) -> Arc<ContainerMemory> {
        let mut containers = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = containers.get(name) {
            known.begin_run();
            return Arc::clone(known);
        }
        let memory = Arc::new(ContainerMemory::new(&self.whole, limit, exceeded));
        containers.insert(name.to_owned(), Arc::clone(&memory));
        memory
    }

    /// Memory that no container of its own is charged for, only the Pod.
    pub(crate) fn of_pod(&self) -> Arc<ContainerMemory> {
        Arc::new(ContainerMemory::new(&self.whole, None, Exceeded::Deny))
    }

    /// The memory of a container that has begun a run.
    pub fn of_container(&self, name: &str) -> Option<Arc<ContainerMemory>> {
        let containers = self.containers.lock().unwrap_or_else(PoisonError::into_inner);
        containers.get(name).cloned()
    }
}

impl Whole {
    pub(super) fn limit(&self, limits: Limits) -> usize {
        let machine = match limits {
            Limits::Own => usize::MAX,
            Limits::Shared => self.machine.get(),
        };
        machine.min(self.bound.limit().unwrap_or(usize::MAX))
    }

    pub(super) fn grow(&self, more: usize, limits: Limits) -> Result<(), OutOfMemory> {
        let grown = self.bound.grow(more, |total| self.machine.allows(total, limits));
        grown.map_err(|used| self.refused(used, more))
    }

    pub(super) fn shrink(&self, less: usize) {
        self.bound.shrink(less);
    }

    pub(super) fn hold(&self, more: usize, limits: Limits) -> Result<(), OutOfMemory> {
        let held = self.bound.hold(more, |total| self.machine.allows(total, limits));
        held.map_err(|used| self.refused(used, more))
    }

    pub(super) fn hold_anyway(&self, more: usize) {
        self.bound.hold_anyway(more);
    }

    pub(super) fn can_hold(&self, more: usize, limits: Limits) -> bool {
        self.bound.can_hold(more, |total| self.machine.allows(total, limits))
    }

    pub(super) fn release(&self, less: usize) {
        self.bound.release(less);
    }

    fn refused(&self, used: usize, more: usize) -> OutOfMemory {
        let fits = |limit: &usize| used.checked_add(more).is_some_and(|total| total <= *limit);
        match self.bound.limit().filter(|limit| !fits(limit)) {
            Some(limit) => OutOfMemory { whose: Whose::Pod, limit, used, more },
            None => OutOfMemory { whose: Whose::Machine, limit: self.machine.get(), used, more },
        }
    }
}

impl Machine {
    fn allows(self, total: usize, limits: Limits) -> bool {
        match self {
            _ if limits == Limits::Own => true,
            Self::Found(_) if total <= UNASKED => true,
            Self::Bytes(_) | Self::Found(_) => total <= self.get(),
        }
    }

    fn get(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Found(find) => usize::try_from(find()).unwrap_or(usize::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    fn refused(result: Result<(), OutOfMemory>) -> String {
        result.unwrap_err().to_string()
    }

    #[test]
    fn containers_without_a_limit_share_the_machine() {
        let pod = PodMemory::new(3 * MIB as u64);
        let container = |name, limit| pod.container(name, limit, Exceeded::Deny);
        let (first, second) = (container("first", None), container("second", None));
        let limited = container("limited", Some(MIB as u64));
        first.grow(2 * MIB).unwrap();
        assert_eq!(
            refused(second.grow(2 * MIB)),
            "memory that this machine has for the Pod of 3145728 bytes exceeded: 2097152 bytes in \
             use, 2097152 more asked for"
        );
        second.grow(MIB).unwrap();
        limited.grow(MIB).unwrap();
        assert_eq!((first.used(), second.used(), pod.used()), (2 * MIB, MIB, 4 * MIB));
        assert_eq!((first.limit(), limited.limit()), (3 * MIB, MIB));
        first.shrink(2 * MIB);
        second.grow(MIB).unwrap();
    }

    #[test]
    fn the_pods_limit_is_above_those_of_its_containers() {
        let pod = PodMemory::new(1 << 30);
        pod.set_limit(Some(4 * MIB as u64));
        let container = |name, limit| pod.container(name, limit, Exceeded::Deny);
        let (limited, free) = (container("limited", Some(3 << 20)), container("free", None));
        limited.grow(3 * MIB).unwrap();
        assert_eq!(
            refused(limited.grow(1)),
            "memory limit of 3145728 bytes exceeded: 3145728 bytes in use, 1 more asked for"
        );
        free.grow(MIB).unwrap();
        assert_eq!(
            refused(free.grow(1)),
            "memory limit of the Pod of 4194304 bytes exceeded: 4194304 bytes in use, 1 more asked for"
        );
        assert_eq!((free.used(), free.limit(), limited.limit()), (MIB, 4 * MIB, 3 * MIB));
        pod.set_limit(Some(5 * MIB as u64));
        free.grow(MIB).unwrap();
        pod.set_limit(Some(1));
        assert!(limited.grow(0).is_ok(), "nothing more is always there");
        limited.shrink(3 * MIB);
        assert!(limited.grow(1).is_err());
        pod.set_limit(None);
        limited.grow(3 * MIB).unwrap();
    }

    #[test]
    fn what_the_host_holds_is_charged_to_both() {
        let pod = PodMemory::new(1 << 30);
        pod.set_limit(Some(6 * MIB as u64));
        let memory = pod.container("web", Some(8 << 20), Exceeded::Deny);
        let mut held = memory.hold(4 * MIB).unwrap();
        assert_eq!((memory.used(), memory.of_host(), pod.used()), (2 * MIB, 4 * MIB, 2 * MIB));
        assert!(memory.can_hold(4 * MIB) && !memory.can_hold(4 * MIB + 1));
        assert!(held.grow(5 * MIB).is_err());
        assert_eq!(held.bytes(), 4 * MIB);
        held.set(3 * MIB).unwrap();
        memory.grow(5 * MIB).unwrap();
        assert!(memory.grow(1).is_err() && !memory.can_hold(1));
        drop(held);
        memory.grow(MIB).unwrap();
        assert_eq!((memory.of_host(), pod.used(), memory.peak()), (0, 6 * MIB, 6 * MIB));
    }

    #[test]
    fn a_container_that_starts_again_keeps_its_limit_and_begins_a_new_peak() {
        let pod = PodMemory::new(1 << 30);
        let first = pod.container("web", Some(8 << 20), Exceeded::Deny);
        first.grow(3 * MIB).unwrap();
        first.shrink(2 * MIB);
        assert_eq!(first.peak(), 3 * MIB);
        first.set_limit(Some(16 << 20));
        let second = pod.container("web", Some(8 << 20), Exceeded::Deny);
        assert!(Arc::ptr_eq(&first, &second) && second.limit() == 16 << 20);
        assert_eq!((second.used(), second.peak()), (MIB, MIB));
        assert!(pod.of_container("web").is_some() && pod.of_container("db").is_none());
    }

    #[test]
    fn the_machine_is_asked_for_its_memory_when_it_matters() {
        let found = PodMemory::on(Machine::Found(|| 5 << 20));
        let unasked = PodMemory::on(Machine::Found(|| panic!("asked")));
        for pod in [&found, &unasked] {
            pod.container("a", None, Exceeded::Deny).grow(UNASKED).unwrap();
            pod.container("b", Some(1 << 30), Exceeded::Deny).grow(UNASKED).unwrap();
        }
        let error = found.container("a", None, Exceeded::Deny).grow(1).unwrap_err();
        assert_eq!((error.whose, error.limit, error.used), (Whose::Machine, 5 << 20, 2 * UNASKED));
    }
}

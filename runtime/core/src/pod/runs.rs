//! What is known of the runs of a Pod's containers, for those who deal with them from outside.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::exec::Execution;
use super::meter::ContainerMeter;
use crate::guest::Loader;
use crate::sandbox::filesystem::Mount;

/// By container.
#[derive(Default)]
pub(super) struct Runs(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Gone with its run.
    executions: HashMap<String, Weak<Execution>>,
    /// From its first command on: what a liveness probe was too impatient for is to be ready after
    /// the restart.
    loaders: HashMap<String, Loader>,
    /// Where its run, or its last one, has its files.
    mounts: HashMap<String, Vec<Mount>>,
    /// From its first run on.
    meters: HashMap<String, Arc<ContainerMeter>>,
}

impl Runs {
    fn known(&self) -> MutexGuard<'_, Known> {
        // Each change is one insertion.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what those need who deal with a new run of `container`.
    pub(super) fn set_execution(&self, container: &str, execution: &Arc<Execution>) {
        self.known().executions.insert(container.to_owned(), Arc::downgrade(execution));
    }

    /// What was noted of the run that is in progress.
    pub(super) fn execution(&self, container: &str) -> Option<Arc<Execution>> {
        self.known().executions.get(container).and_then(Weak::upgrade)
    }

    /// Notes where a new run of `container` has its files.
    pub(super) fn set_mounts(&self, container: &str, mounts: &[Mount]) {
        self.known().mounts.insert(container.to_owned(), mounts.to_vec());
    }

    /// The same, of its last run, as long as they are there.
    pub(super) fn mounts(&self, container: &str) -> Option<Vec<Mount>> {
        self.known().mounts.get(container).cloned()
    }

    /// What makes programs of the files of `container`, in all its runs.
    pub(super) fn loader(&self, container: &str, make: impl FnOnce() -> Loader) -> Loader {
        self.known().loaders.entry(container.to_owned()).or_insert_with(make).clone()
    }

    /// What measures `container` in all its runs; made before the first one.
    pub(super) fn meter_or(
        &self,
        container: &str,
        make: impl FnOnce() -> ContainerMeter,
    ) -> Arc<ContainerMeter> {
        let make = || Arc::new(make());
        Arc::clone(self.known().meters.entry(container.to_owned()).or_insert_with(make))
    }

    /// The same of a container that has begun.
    pub(super) fn meter(&self, container: &str) -> Option<Arc<ContainerMeter>> {
        self.known().meters.get(container).cloned()
    }

    /// The Pod is over, and its files are to be removed.
    pub(super) fn end(&self) {
        let (loaders, mounts) = {
            let mut known = self.known();
            (std::mem::take(&mut known.loaders), std::mem::take(&mut known.mounts))
        };
        drop((loaders, mounts));
    }
}

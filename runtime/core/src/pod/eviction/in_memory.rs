//! Files of volumes in memory are memory of their containers.
//!
//! The kernel charges a page of a tmpfs to whoever writes it first. Here it is known only whose volume it
//! is: that container pays which alone mounts it, and where there are several the Pod does.

use std::collections::BTreeMap;

use super::bounds::Bounds;
use super::sizes::{Sizes as _, StoreSizes};
use crate::pod::store::PodStore;
use crate::resources::memory::Held;

/// What is charged for each volume.
#[derive(Default)]
pub(super) struct Charges(BTreeMap<String, Held>);

impl Charges {
    /// Charges what is there now. That may be more than there is room for: the file is written already,
    /// and the next growth is what will be refused.
    pub(super) fn update(&mut self, bounds: &Bounds, store: &PodStore) {
        for (volume, container) in bounds.in_memory() {
            let memory = match container {
                Some(container) => store.memory.of_container(container),
                None => Some(store.memory.of_pod()),
            };
            let Some(memory) = memory else { continue };
            let bytes = StoreSizes { store }.volume(volume);
            let held = self.0.entry(volume.to_owned()).or_insert_with(|| Held::nothing(&memory));
            held.set_anyway(usize::try_from(bytes).unwrap_or(usize::MAX));
        }
    }
}

//! What may be changed of a Pod that runs, as far as its life cycle has to do with it.
//!
//! Rule: `ValidatePodUpdate` of the API server lets images and the active deadline be changed; the
//! kubelet starts a container again whose image is another.

use std::time::Duration;

use super::spec::{ContainerIndex, Spec};

/// The difference between what a Pod wanted and what it wants now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpecChange {
    /// The containers that have another image, with that.
    pub images: Vec<(ContainerIndex, String)>,
    /// `spec.activeDeadlineSeconds`, where that is another.
    pub active_deadline: Option<Duration>,
}

impl SpecChange {
    /// What of `new` differs from `old` and may be changed; containers are known by their names.
    pub fn between(old: &Spec, new: &Spec) -> Self {
        let images = new.containers.iter().filter_map(|container| {
            let index = old.index_of(&container.name)?;
            let differs = old.container(index).image != container.image;
            differs.then(|| (index, container.image.clone()))
        });
        // It may be set and shortened, never taken away.
        let deadline = new.active_deadline.filter(|_| new.active_deadline != old.active_deadline);
        Self { images: images.collect(), active_deadline: deadline }
    }

    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Spec {
    /// Takes in a change.
    pub(crate) fn change(&mut self, change: &SpecChange) {
        for (index, image) in &change.images {
            if let Some(container) = self.containers.get_mut(index.0) {
                container.image.clone_from(image);
            }
        }
        self.active_deadline = change.active_deadline.or(self.active_deadline);
    }
}

//! How much there is, and removing what nobody uses.

use std::collections::HashSet;

use serde::Serialize;
use wasmpod::sandbox::filesystem;
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Collection, Layout};
use wasmpod_images::rootfs::{Root, Trees};

use super::error::Problem;
use super::machine::Images;

/// What is to go. What a Pod uses never does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prune {
    /// What no name leads to.
    Unnamed,
    /// All that no Pod uses.
    Unused,
}

/// What has gone, or would go.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Pruned {
    /// Images that had names, with these.
    pub images: Vec<(Digest, Vec<String>)>,
    /// What all of it takes on the disk, with unpacked roots.
    pub bytes: u64,
}

/// How much there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ImagesUsage {
    /// Images, whatever names they have.
    pub images: u64,
    /// How many of them a Pod uses.
    pub in_use: u64,
    /// What they and their unpacked roots take on the disk.
    pub bytes: u64,
    /// What of that [`Prune::Unused`] would free.
    pub reclaimable: u64,
}

impl Images {
    /// Removes what nobody uses.
    ///
    /// # Errors
    /// Something cannot be read or removed; what has gone until then is gone.
    pub fn prune(&self, prune: Prune) -> Result<Pruned, Problem> {
        self.go_through(prune, Layout::collect, |trees, kept| {
            let before = sizes(trees, kept);
            let gone = trees.retain(kept)?;
            // What was killed in the midst of making or removing one.
            trees.sweep()?;
            let freed = before.into_iter().filter(|(image, _)| gone.contains(image));
            Ok(freed.map(|(_, bytes)| bytes).sum())
        })
    }

    /// What [`prune`](Self::prune) would remove now.
    ///
    /// # Errors
    /// Something cannot be read.
    pub fn would_prune(&self, prune: Prune) -> Result<Pruned, Problem> {
        self.go_through(prune, Layout::would_collect, |trees, kept| {
            Ok(sizes(trees, kept).into_iter().map(|(_, bytes)| bytes).sum())
        })
    }

    fn go_through(
        &self,
        prune: Prune,
        collect: impl Fn(
            &Layout,
            &Collection,
        ) -> Result<
            wasmpod_images::layout::Collected,
            wasmpod_images::layout::LayoutError,
        >,
        clear_trees: impl Fn(&Trees, &HashSet<Digest>) -> Result<u64, Problem>,
    ) -> Result<Pruned, Problem> {
        let Some(layout) = self.look()? else { return Ok(Pruned::default()) };
        let before = layout.images()?;
        let collected = collect(
            &layout,
            &match prune {
                Prune::Unnamed => Collection::Unreferenced,
                Prune::Unused => Collection::Unused,
            },
        )?;
        let names = |digest: &Digest| {
            let entries = before.iter().filter(|image| image.digest == *digest);
            entries.filter_map(|image| image.name.clone()).collect()
        };
        let images =
            collected.images.iter().map(|digest| (digest.clone(), names(digest))).collect();
        let mut bytes = collected.bytes;
        if let Some(trees) = self.trees()? {
            let kept = before
                .iter()
                .map(|image| image.digest.clone())
                .filter(|digest| !collected.images.contains(digest))
                .collect();
            bytes += clear_trees(&trees, &kept)?;
        }
        Ok(Pruned { images, bytes })
    }

    /// Measures them.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn usage(&self) -> Result<ImagesUsage, Problem> {
        let Some(layout) = self.look()? else { return Ok(ImagesUsage::default()) };
        let images: HashSet<Digest> =
            layout.images()?.into_iter().map(|image| image.digest).collect();
        let in_use = layout.in_use()?;
        Ok(ImagesUsage {
            images: images.len() as u64,
            in_use: images.intersection(&in_use).count() as u64,
            bytes: filesystem::usage(self.folder()).map_or(0, |usage| usage.bytes),
            reclaimable: self.would_prune(Prune::Unused)?.bytes,
        })
    }
}

/// What the roots of other images than these take. One that a container has is not counted.
fn sizes(trees: &Trees, kept: &HashSet<Digest>) -> Vec<(Digest, u64)> {
    let images = trees.images().unwrap_or_default().into_iter();
    let is_free = |image: &Digest| !trees.is_used(image).unwrap_or(true);
    let others = images.filter(|image| !kept.contains(image) && is_free(image));
    let sizes = others.filter_map(|image| {
        // Held while it is measured, so that it is not half gone.
        let root: Option<Root> = trees.get(&image).ok().flatten();
        let place = root?.path().parent()?.to_owned();
        let bytes = filesystem::usage(&place).map_or(0, |usage| usage.bytes);
        Some((image, bytes))
    });
    sizes.collect()
}

//! Giving names to images, and taking them away.
//!
//! An image goes with its last name, as everywhere. One that a Pod uses keeps it, unless that is forced:
//! then the name goes, and the image stays until the Pod has ended and something is pruned.

use std::collections::HashSet;

use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Collection, Image, Layout};
use wasmpod_images::reference::Reference;
use wasmpod_images::rootfs::Removal;

use super::error::Problem;
use super::find::{Found, find};
use super::machine::Images;

/// Whether a name goes that somebody needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Force {
    /// No.
    No,
    /// The last name of an image in use, and all names of one that is named by its ID.
    Yes,
}

/// What has gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name.
    Untagged(String),
    /// An image.
    Deleted(Digest),
}

impl Images {
    /// Gives the image `source` another name.
    ///
    /// # Errors
    /// There is no such image, or the store cannot be used.
    pub fn tag(&self, source: &str, target: &Reference) -> Result<(), Problem> {
        let not_found = || Problem::NotFound(source.to_owned());
        let layout = self.look()?.ok_or_else(not_found)?;
        // Nobody removes it between the look and the name.
        let pin = layout.pin("tag")?;
        let found = find(&layout, source)?;
        let image = found.image().ok_or_else(not_found)?;
        pin.keep(&image.digest)?;
        let same_repository =
            matches!(&found, Found::Named(named) if named.0.name() == target.name());
        // What one repository calls it says nothing about another.
        let known = same_repository.then_some(&image.registry_digest);
        Ok(layout.name(target, &image.digest, known)?)
    }

    /// Takes the name `text` away, and the image with its last one. By an ID, all names go.
    ///
    /// # Errors
    /// There is no such image, or it is needed; nothing has gone then.
    pub fn remove(&self, text: &str, force: Force) -> Result<Vec<Removed>, Problem> {
        let not_found = || Problem::NotFound(text.to_owned());
        let layout = self.look()?.ok_or_else(not_found)?;
        let found = find(&layout, text)?;
        let digest = found.image().ok_or_else(not_found)?.digest.clone();
        let all = layout.images()?;
        let others = |names: &[String]| {
            let mut entries = all.iter().filter(|image| image.digest == digest);
            entries.any(|image| !image.name.as_ref().is_some_and(|name| names.contains(name)))
        };
        let names = match found {
            Found::Named(named) => {
                let (reference, image) = *named;
                vec![image.name.unwrap_or(reference.to_string())]
            }
            Found::Id(images) => names(images),
        };
        let is_id = text
            .parse::<Reference>()
            .is_ok_and(|name| !names.contains(&name.with_default_tag().to_string()));
        if force == Force::No {
            if is_id && names.len() > 1 {
                return Err(Problem::SeveralNames { text: text.to_owned(), names });
            }
            if !others(&names) && layout.in_use()?.contains(&digest) {
                return Err(Problem::InUse(text.to_owned()));
            }
        }
        let mut removed = Vec::new();
        for name in names {
            let Ok(reference) = name.parse::<Reference>() else { continue };
            if layout.remove(&reference)? {
                removed.push(Removed::Untagged(reference.familiar()));
            }
        }
        if self.delete_unnamed(&layout, &digest)? {
            removed.push(Removed::Deleted(digest));
        }
        Ok(removed)
    }

    /// Removes what no name leads to; answers whether the image of this digest was gone then.
    fn delete_unnamed(&self, layout: &Layout, digest: &Digest) -> Result<bool, Problem> {
        layout.collect(&Collection::Unreferenced)?;
        if layout.has(digest) {
            return Ok(false);
        }
        if let Some(trees) = self.trees()? {
            // One that a container has goes with the next prune.
            let _: Removal = trees.remove(digest)?;
        }
        Ok(true)
    }
}

fn names(images: Vec<Image>) -> Vec<String> {
    let mut known = HashSet::new();
    let names = images.into_iter().filter_map(|image| image.name);
    names.filter(|name| known.insert(name.clone())).collect()
}

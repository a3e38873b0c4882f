//! The names: `index.json`, and what each of them leads to.
//!
//! A name leads to the manifest of one image, so that what is here is whole for every tool that
//! reads the layout. Where the registry's name led to an index, of which that manifest was chosen,
//! the index's digest is noted beside it: `NAME@DIGEST` of the registry finds the image again.

use std::collections::{HashMap, HashSet};
use std::fs::File;
use std::io::Read as _;
use std::time::{Duration, SystemTime};

use oci_spec::image::{Descriptor, ImageIndex};

use super::error::LayoutError;
use super::folder::{at, replace};
use super::limits::MOST_INDEX_BYTES;
use super::manifest::{Content, Manifest};
use super::store::Layout;
use crate::digest::Digest;
use crate::reference::Reference;

pub(super) const EMPTY_INDEX: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// The full reference; the specification's own.
const NAME: &str = "org.opencontainers.image.ref.name";

/// The digest by which the registry knows the image, if that is not the manifest's.
const REGISTRY_DIGEST: &str = "dev.wasmpod.image.registry-digest";

/// Since when the name leads here, in seconds since 1970.
const SINCE: &str = "dev.wasmpod.image.since";

/// An image that the layout has.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The full reference. Another tool may have put something else or nothing here.
    pub name: Option<String>,
    /// Its manifest.
    pub manifest: Descriptor,
    /// The manifest's digest.
    pub digest: Digest,
    /// What the registry calls it: the digest of the index that the manifest was chosen from, or
    /// that of the manifest.
    pub registry_digest: Digest,
    /// Bytes of the manifest, its configuration and its layers, as they are stored.
    pub size: u64,
    /// Since when it has this name.
    pub since: SystemTime,
    /// When a Pod or a pull used it last.
    pub last_used: SystemTime,
}

/// What a name leads to.
#[derive(Debug)]
pub struct Found {
    /// The image.
    pub image: Image,
    /// Its manifest, or what is wrong with that.
    pub manifest: Result<Manifest, LayoutError>,
}

impl Layout {
    /// Every image, in the order of `index.json`.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`], [`LayoutError::Io`]
    pub fn images(&self) -> Result<Vec<Image>, LayoutError> {
        let index = self.read_index()?;
        let image = |entry| self.image(entry, self.manifest_of(entry).as_ref());
        Ok(index.manifests().iter().filter_map(image).collect())
    }

    /// The image of this name: by digest if it has one (of the manifest or of the index that it was
    /// chosen from), else by tag. Its manifest is there; whether all its blobs are is for the reader
    /// to find out.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`], [`LayoutError::Io`]
    pub fn resolve(&self, reference: &Reference) -> Result<Option<Image>, LayoutError> {
        Ok(self.find(reference)?.map(|found| found.image))
    }

    /// As [`Layout::resolve`], with the manifest.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`], [`LayoutError::Io`]
    pub fn find(&self, reference: &Reference) -> Result<Option<Found>, LayoutError> {
        let index = self.read_index()?;
        let mut fitting = index.manifests().iter().filter(|entry| is_entry_of(entry, reference));
        // Only what fits is looked at closer: that reads its manifest.
        Ok(fitting.find_map(|entry| {
            let manifest = self.manifest(&Digest::of(entry).ok()?);
            let is_there = !matches!(manifest, Err(LayoutError::Missing(_)));
            let image = self.image(entry, manifest.as_ref().ok())?;
            is_there.then_some(Found { image, manifest })
        }))
    }

    fn manifest_of(&self, entry: &Descriptor) -> Option<Manifest> {
        self.manifest(&Digest::of(entry).ok()?).ok()
    }

    /// Lets `reference` (with the default tag, if it has neither tag nor digest) lead to the
    /// manifest of this digest. `registry_digest` is what the registry calls it, if that is another.
    ///
    /// # Errors
    /// [`LayoutError::Missing`] unless the manifest and all that it needs are there, so that a name
    /// never leads to half an image.
    pub fn name(
        &self,
        reference: &Reference,
        manifest: &Digest,
        registry_digest: Option<&Digest>,
    ) -> Result<(), LayoutError> {
        let _lock = self.lock_exclusively()?;
        let manifest = self.manifest(manifest)?;
        for descriptor in manifest.content.needs() {
            self.blob(descriptor)?;
        }
        let name = reference.clone().with_default_tag().to_string();
        let mut annotations = HashMap::from([
            (NAME.to_owned(), name.clone()),
            (SINCE.to_owned(), seconds(SystemTime::now()).to_string()),
        ]);
        if let Some(digest) = registry_digest.filter(|digest| **digest != manifest.digest) {
            annotations.insert(REGISTRY_DIGEST.to_owned(), digest.to_string());
        }
        let mut entry = manifest.descriptor();
        if let Content::Image(image) = &manifest.content {
            entry.set_artifact_type(image.artifact_type().clone());
        }
        entry.set_annotations(Some(annotations));
        self.note_use(&manifest.digest);
        let mut index = self.read_index()?;
        let mut entries = index.manifests().clone();
        let known = entries.iter_mut().find(|known| annotation(known, NAME) == Some(&name));
        match known {
            // Nothing new is not written, so that fifty Pods at once do not sync fifty times.
            Some(known) if is_same(known, &entry) => return Ok(()),
            Some(known) => *known = entry,
            None => entries.push(entry),
        }
        index.set_manifests(entries);
        self.write_index(&index)
    }

    /// Takes the name away; its blobs go with the next collection, unless they are needed otherwise.
    /// Answers whether there was such a name.
    ///
    /// # Errors
    /// [`LayoutError::Damaged`], [`LayoutError::Io`]
    pub fn remove(&self, reference: &Reference) -> Result<bool, LayoutError> {
        let _lock = self.lock_exclusively()?;
        let name = reference.clone().with_default_tag().to_string();
        self.retain(|entry| annotation(entry, NAME) != Some(&name))
    }

    /// Takes all names of these manifests away. The exclusive lock must be held.
    pub(super) fn forget(&self, manifests: &HashSet<Digest>) -> Result<bool, LayoutError> {
        self.retain(|entry| !Digest::of(entry).is_ok_and(|digest| manifests.contains(&digest)))
    }

    fn retain(&self, keep: impl FnMut(&Descriptor) -> bool) -> Result<bool, LayoutError> {
        let mut index = self.read_index()?;
        let mut entries = index.manifests().clone();
        entries.retain(keep);
        if entries.len() == index.manifests().len() {
            return Ok(false);
        }
        index.set_manifests(entries);
        self.write_index(&index)?;
        Ok(true)
    }

    /// What the index names, but for these manifests: manifests, and the indexes that they were chosen from.
    pub(super) fn named_besides(
        &self,
        gone: &HashSet<Digest>,
    ) -> Result<HashSet<Digest>, LayoutError> {
        let index = self.read_index()?;
        let stays = |entry: &&Descriptor| !Digest::of(entry).is_ok_and(|it| gone.contains(&it));
        let digests = index.manifests().iter().filter(stays).flat_map(|entry| {
            let registry = annotation(entry, REGISTRY_DIGEST).and_then(|text| text.parse().ok());
            [Digest::of(entry).ok(), registry]
        });
        Ok(digests.flatten().collect())
    }

    fn read_index(&self) -> Result<ImageIndex, LayoutError> {
        let path = self.index_file();
        let mut bytes = Vec::new();
        let file = at(&path, File::open(&path))?;
        at(&path, file.take(MOST_INDEX_BYTES).read_to_end(&mut bytes))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| LayoutError::Damaged { path, problem: error.to_string() })
    }

    fn write_index(&self, index: &ImageIndex) -> Result<(), LayoutError> {
        let path = self.index_file();
        let bytes = serde_json::to_vec(index).map_err(|error| LayoutError::Damaged {
            path: path.clone(),
            problem: error.to_string(),
        })?;
        replace(&path, &bytes)
    }

    /// `None` for an entry whose digest is of no known algorithm: nobody could fetch it either.
    fn image(&self, entry: &Descriptor, manifest: Option<&Manifest>) -> Option<Image> {
        let digest = Digest::of(entry).ok()?;
        let registry = annotation(entry, REGISTRY_DIGEST).and_then(|text| text.parse().ok());
        let since = annotation(entry, SINCE).and_then(|text| text.parse().ok());
        let since = SystemTime::UNIX_EPOCH + Duration::from_secs(since.map_or(0, clamp));
        let layers: u64 = manifest.map_or(0, |manifest| {
            manifest.content.needs().iter().map(|needed| needed.size()).fold(0, u64::saturating_add)
        });
        let file = self.open_blob(&digest).and_then(|(file, _)| {
            at(&self.blob_path(&digest), file.metadata().and_then(|metadata| metadata.modified()))
        });
        Some(Image {
            name: annotation(entry, NAME).cloned(),
            manifest: entry.clone(),
            registry_digest: registry.unwrap_or_else(|| digest.clone()),
            digest,
            size: entry.size().saturating_add(layers),
            since,
            last_used: file.unwrap_or(since),
        })
    }
}

fn is_entry_of(entry: &Descriptor, reference: &Reference) -> bool {
    let Some(name) = annotation(entry, NAME) else { return false };
    let Some(digest) = reference.digest() else {
        return *name == reference.clone().with_default_tag().to_string();
    };
    // Content is the same under each name, but whoever may pull from one repository may not
    // therefore from another.
    let same_repository =
        name.parse::<Reference>().is_ok_and(|known| known.name() == reference.name());
    let is_digest = |text: &str| text.parse().is_ok_and(|known: Digest| known == *digest);
    same_repository
        && (is_digest(entry.digest().as_ref())
            || annotation(entry, REGISTRY_DIGEST).is_some_and(|text| is_digest(text)))
}

fn annotation<'a>(entry: &'a Descriptor, key: &str) -> Option<&'a String> {
    entry.annotations().as_ref()?.get(key)
}

fn is_same(known: &Descriptor, new: &Descriptor) -> bool {
    known.digest() == new.digest()
        && annotation(known, REGISTRY_DIGEST) == annotation(new, REGISTRY_DIGEST)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// A time that `SystemTime` can hold: another tool may have written anything.
fn clamp(seconds: u64) -> u64 {
    seconds.min(u64::from(u32::MAX))
}

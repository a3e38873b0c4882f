//! What images there are.

use std::collections::HashSet;
use std::io::Read as _;
use std::time::SystemTime;

use jiff::Timestamp;
use serde::Serialize;
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Content, Image, Layout};
use wasmpod_images::reference::Reference;

use super::error::Problem;
use super::machine::Images;

/// What an author says of the time, where no config does.
const CREATED: &str = "org.opencontainers.image.created";

/// A config is small; more is nobody's.
const MOST_CONFIG_BYTES: u64 = 4 << 20;

/// Hexadecimal digits of an ID that are shown, as everywhere.
const SHORT: usize = 12;

/// An image of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListedImage {
    /// The digest of its manifest, which is its ID.
    pub digest: Digest,
    /// Its full references; another tool may have written something else.
    pub names: Vec<String>,
    /// `NAME@DIGEST`, by which its registries know it.
    pub registry_digests: Vec<String>,
    /// When it was made, if it says so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub created: Option<Timestamp>,
    /// When it got its latest name here.
    pub since: Timestamp,
    /// Bytes of the manifest, the config and the layers, as they are stored.
    pub size_bytes: u64,
    /// Whether a Pod has it.
    pub in_use: bool,
}

/// The beginning of an ID, as it is shown.
pub fn short_id(digest: &Digest) -> &str {
    digest.hex().get(..SHORT).unwrap_or_default()
}

impl ListedImage {
    /// Its names that are references.
    pub fn references(&self) -> impl Iterator<Item = Reference> {
        self.names.iter().filter_map(|name| name.parse().ok())
    }

    /// The same with those names alone that `wanted` means: all of a repository, or one version.
    #[must_use]
    pub fn called(mut self, wanted: &Reference) -> Option<Self> {
        let known = std::mem::take(&mut self.registry_digests);
        let fits = |text: &String| text.parse().is_ok_and(|name| fits(&name, wanted, &known));
        self.names.retain(fits);
        let of_repository = |text: &String| text.starts_with(&format!("{}@", wanted.name()));
        self.registry_digests = known.into_iter().filter(of_repository).collect();
        (!self.names.is_empty()).then_some(self)
    }
}

/// Whether the image of this name is meant by `wanted`; all tags are, if that has neither tag nor digest.
fn fits(name: &Reference, wanted: &Reference, registry_digests: &[String]) -> bool {
    if name.name() != wanted.name() {
        return false;
    }
    match (wanted.digest(), wanted.tag()) {
        (Some(digest), _) => {
            let whole = format!("{}@{digest}", name.name());
            name.digest() == Some(digest) || registry_digests.contains(&whole)
        }
        (None, Some(tag)) => name.tag() == Some(tag),
        (None, None) => true,
    }
}

impl Images {
    /// All images, by name.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn list(&self) -> Result<Vec<ListedImage>, Problem> {
        let Some(layout) = self.look()? else { return Ok(Vec::new()) };
        let in_use = layout.in_use()?;
        let mut listed: Vec<ListedImage> = Vec::new();
        for image in layout.images()? {
            match listed.iter_mut().find(|known| known.digest == image.digest) {
                Some(known) => known.add(&image),
                None => listed.push(ListedImage::of(&layout, &image, &in_use)),
            }
        }
        listed.iter_mut().for_each(|image| image.names.sort_unstable());
        listed.sort_by(|one, other| one.names.cmp(&other.names));
        Ok(listed)
    }

    /// The names of all images, for completion: reads no manifest but what it must.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn names(&self) -> Result<Vec<String>, Problem> {
        let Some(layout) = self.look()? else { return Ok(Vec::new()) };
        let names = layout.images()?.into_iter().filter_map(|image| image.name);
        Ok(names
            .filter_map(|name| name.parse::<Reference>().ok())
            .map(|name| name.familiar())
            .collect())
    }
}

impl ListedImage {
    pub(super) fn of(layout: &Layout, image: &Image, in_use: &HashSet<Digest>) -> Self {
        let mut listed = Self {
            digest: image.digest.clone(),
            names: Vec::new(),
            registry_digests: Vec::new(),
            created: created(layout, &image.digest),
            since: timestamp(image.since),
            size_bytes: image.size,
            in_use: in_use.contains(&image.digest),
        };
        listed.add(image);
        listed
    }

    pub(super) fn add(&mut self, image: &Image) {
        self.since = self.since.max(timestamp(image.since));
        let Some(name) = &image.name else { return };
        self.names.push(name.clone());
        if let Ok(reference) = name.parse::<Reference>() {
            let known = format!("{}@{}", reference.name(), image.registry_digest);
            if !self.registry_digests.contains(&known) {
                self.registry_digests.push(known);
            }
        }
    }
}

fn timestamp(time: SystemTime) -> Timestamp {
    Timestamp::try_from(time).unwrap_or_default()
}

/// What the config or the manifest says; nothing where they do not.
pub(super) fn created(layout: &Layout, digest: &Digest) -> Option<Timestamp> {
    #[derive(serde::Deserialize)]
    struct Config {
        created: Option<String>,
    }
    let manifest = layout.manifest(digest).ok()?;
    let Content::Image(image) = &manifest.content else { return None };
    let of_config = || {
        let file = layout.blob(image.config()).ok()?;
        let mut bytes = Vec::new();
        file.take(MOST_CONFIG_BYTES).read_to_end(&mut bytes).ok()?;
        serde_json::from_slice::<Config>(&bytes).ok()?.created
    };
    let annotations = image.annotations().as_ref();
    let of_author = || annotations?.get(CREATED).cloned();
    let created: Timestamp = of_config().or_else(of_author)?.parse().ok()?;
    // Whoever makes images that are the same each time writes no time, or this one.
    (created != Timestamp::UNIX_EPOCH).then_some(created)
}

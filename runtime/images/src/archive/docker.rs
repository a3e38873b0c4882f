//! What `podman save` and `skopeo` write for docker: files that are named by their digests, and a
//! `manifest.json` that says which of them make an image.
//!
//! docker before 25 named layers otherwise, by digests that only it can compute; since then its
//! archives are OCI archives as well.
//!
//! Rule: `docker-archive` of containers/image; "Image Tarball" of moby's specification 1.2.

use std::collections::BTreeMap;

use oci_spec::image::{Descriptor, ImageManifestBuilder, MediaType};
use serde::Deserialize;

use super::error::ArchiveError;
use crate::digest::Digest;
use crate::layout::Pin;
use crate::shown::{beginning, shown};

/// The file that tells what the others are.
pub(super) const MANIFEST: &str = "manifest.json";

/// An image of the archive.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Image {
    config: String,
    /// None for an image without a name.
    pub(super) repo_tags: Option<Vec<String>>,
    layers: Vec<String>,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Vec<Image>, ArchiveError> {
    serde_json::from_slice(bytes).map_err(|error| ArchiveError::Invalid {
        file: MANIFEST.to_owned(),
        problem: format!("cannot be read: {}", beginning(&error.to_string())),
    })
}

/// The digest that is a file's name: `<hex>.tar` and `<hex>.json`.
pub(super) fn digest(name: &str) -> Option<Digest> {
    let hex = name.strip_suffix(".tar").or_else(|| name.strip_suffix(".json"))?;
    format!("sha256:{hex}").parse().ok()
}

/// The manifest that the image has elsewhere, put into the layout.
pub(super) fn manifest(
    pin: &Pin,
    image: &Image,
    sizes: &BTreeMap<Digest, u64>,
) -> Result<Digest, ArchiveError> {
    let describe = |name: &str, media_type: MediaType| {
        let digest = digest(name).ok_or_else(|| ArchiveError::Invalid {
            file: MANIFEST.to_owned(),
            problem: format!(
                "names the file {}, not by its digest: make it an OCI archive (`skopeo copy \
                 docker-archive:FILE oci-archive:FILE`)",
                shown(name)
            ),
        })?;
        let size = sizes.get(&digest).ok_or_else(|| ArchiveError::Missing(digest.clone()))?;
        Ok::<_, ArchiveError>(Descriptor::new(media_type, *size, digest.to_oci()))
    };
    let layers = image.layers.iter().map(|layer| describe(layer, MediaType::ImageLayer));
    let manifest = ImageManifestBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageManifest)
        .config(describe(&image.config, MediaType::ImageConfig)?)
        .layers(layers.collect::<Result<Vec<_>, _>>()?)
        .build();
    let invalid = |problem: String| ArchiveError::Invalid { file: MANIFEST.to_owned(), problem };
    let manifest = manifest.map_err(|error| invalid(error.to_string()))?;
    let bytes = serde_json::to_vec(&manifest).map_err(|error| invalid(error.to_string()))?;
    Ok(pin.put(&bytes)?)
}

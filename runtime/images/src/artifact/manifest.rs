//! A manifest within bounds, and which of the layouts it is.

use oci_spec::image::{Descriptor, ImageManifest, MediaType};
use serde::de::DeserializeOwned;

use super::error::ArtifactError;
use super::image::{Image, Layout};
use super::media::{ConfigKind, LayerKind, ManifestKind, config_kind, layer_kind, manifest_kind};
use super::{cncf, container, spin};
use crate::layout::{MOST_LAYERS, MOST_MANIFEST_BYTES};
use crate::shown::{beginning, shown};

/// The most bytes of a config, or of a locked application with small files in it.
pub const MOST_DOCUMENT_BYTES: u64 = 8 << 20;

/// A manifest of an image, and what kind of image it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    manifest: ImageManifest,
    shape: Shape,
}

/// Which blob says how the image runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Artifact,
    Container,
    /// The locked application is the config.
    SpinConfig,
    /// The locked application is this layer, beside a container's config that says nothing.
    SpinLayer(usize),
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// It is too large, broken, an index, or that of something else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ArtifactError> {
        bounded("manifest", bytes, MOST_MANIFEST_BYTES)?;
        // Docker's first format has other fields, and ought to be refused by its name.
        let head: Head = json("manifest", bytes)?;
        match head.media_type.as_ref().map(|media_type| (media_type, manifest_kind(media_type))) {
            None | Some((_, Some(ManifestKind::Image))) => {}
            Some((_, Some(ManifestKind::Schema1))) => {
                return Err(ArtifactError::SchemaVersion { version: 1 });
            }
            Some((media_type, Some(ManifestKind::Index) | None)) => {
                return Err(ArtifactError::NotAnImage { media_type: shown(media_type.as_ref()) });
            }
        }
        if head.schema_version != 2 {
            return Err(ArtifactError::SchemaVersion { version: head.schema_version });
        }
        let manifest: ImageManifest = json("manifest", bytes)?;
        let layers = manifest.layers().len();
        if layers > MOST_LAYERS {
            return Err(ArtifactError::TooManyLayers { layers, most: MOST_LAYERS });
        }
        let shape = shape(&manifest)?;
        Ok(Self { manifest, shape })
    }

    /// The blob that says how the image runs, to be fetched before the rest: the config, or in what
    /// Spin pushes a layer.
    #[must_use]
    pub fn document(&self) -> &Descriptor {
        match self.shape {
            Shape::Artifact | Shape::Container | Shape::SpinConfig => self.manifest.config(),
            Shape::SpinLayer(number) => &self.manifest.layers()[number],
        }
    }

    /// The image, from the bytes of its [`document`](Self::document), verified by the caller.
    ///
    /// # Errors
    /// It is broken, or not for WebAssembly.
    pub fn image(&self, document: &[u8]) -> Result<Image, ArtifactError> {
        match self.shape {
            Shape::Artifact => cncf::image(&self.manifest),
            Shape::Container => container::image(&self.manifest, document),
            Shape::SpinConfig | Shape::SpinLayer(_) => spin::image(&self.manifest, document),
        }
    }

    /// As it was written.
    #[must_use]
    pub fn as_written(&self) -> &ImageManifest {
        &self.manifest
    }
}

fn shape(manifest: &ImageManifest) -> Result<Shape, ArtifactError> {
    let config = manifest.config().media_type();
    let locked =
        |layer: &Descriptor| layer_kind(layer.media_type()) == Some(LayerKind::SpinApplication);
    match config_kind(config) {
        Some(ConfigKind::Container) => Ok(match manifest.layers().iter().position(locked) {
            Some(number) => Shape::SpinLayer(number),
            None => Shape::Container,
        }),
        Some(ConfigKind::Wasm) => Ok(Shape::Artifact),
        Some(ConfigKind::Spin) => Ok(Shape::SpinConfig),
        // What `oras push` makes of a file: the layers alone tell what it is.
        Some(ConfigKind::Empty) if has_wasm(manifest) => Ok(Shape::Artifact),
        Some(ConfigKind::Empty) => {
            let media_type = shown(manifest.artifact_type().as_ref().unwrap_or(config).as_ref());
            Err(ArtifactError::UnknownConfig { media_type })
        }
        None => Err(ArtifactError::UnknownConfig { media_type: shown(config.as_ref()) }),
    }
}

pub(super) fn has_wasm(manifest: &ImageManifest) -> bool {
    manifest.layers().iter().any(|layer| layer_kind(layer.media_type()) == Some(LayerKind::Wasm))
}

/// The only layer of WebAssembly in `layers`.
pub(super) fn only_program<'manifest>(
    layers: &[&'manifest Descriptor],
) -> Result<&'manifest Descriptor, ArtifactError> {
    match layers {
        [] => Err(ArtifactError::NoProgram),
        [program] => Ok(program),
        several => Err(ArtifactError::SeveralPrograms { count: several.len() }),
    }
}

/// What to fetch, without what else was written about it: an application may name one layer a hundred
/// thousand times, and there is room for megabytes of annotations.
pub(super) fn bare(blob: &Descriptor) -> Box<Descriptor> {
    let media_type = blob.media_type().clone();
    Box::new(Descriptor::new(media_type, blob.size(), blob.digest().clone()))
}

/// A layer, counted from 0, that `layout` does not have.
pub(super) fn unknown_layer(layer: &Descriptor, index: usize, layout: Layout) -> ArtifactError {
    let media_type = shown(layer.media_type().as_ref());
    ArtifactError::UnknownLayer { number: index + 1, media_type, layout }
}

/// What both formats of Docker and that of OCI begin with.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    schema_version: u32,
    media_type: Option<MediaType>,
}

pub(super) fn bounded(what: &'static str, bytes: &[u8], most: u64) -> Result<(), ArtifactError> {
    let bytes = bytes.len() as u64;
    if bytes > most { Err(ArtifactError::TooLarge { what, bytes, most }) } else { Ok(()) }
}

pub(super) fn json<T: DeserializeOwned>(
    what: &'static str,
    bytes: &[u8],
) -> Result<T, ArtifactError> {
    serde_json::from_slice(bytes).map_err(|error| {
        // It may have all of a hostile value in it.
        ArtifactError::Json { what, message: beginning(&error.to_string()) }
    })
}

//! What a manifest holds together.
//!
//! Decided here: what is a manifest at all, and the limits that keep a stranger's within reason.
//! Left alone: what its layers mean.

use oci_spec::image::{Descriptor, ImageIndex, ImageManifest};
use serde_json::Value;

use super::error::LayoutError;
use super::limits::{MOST_LAYERS, MOST_MANIFEST_BYTES};
use crate::digest::Digest;
use crate::shown::beginning;

/// A manifest whose digest was checked, as it was read.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// What it is called.
    pub digest: Digest,
    /// The bytes that have this digest; they are what is pushed.
    pub bytes: Vec<u8>,
    /// What they say.
    pub content: Content,
}

/// The two things a name can stand for.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    /// One image or artifact.
    Image(Box<ImageManifest>),
    /// Several, of which a platform chooses one.
    Index(Box<ImageIndex>),
}

impl Manifest {
    /// Reads one that should have this digest.
    ///
    /// # Errors
    /// Those of [`LayoutError`] that are of content.
    pub fn parse(digest: Digest, bytes: Vec<u8>) -> Result<Self, LayoutError> {
        if bytes.len() as u64 > MOST_MANIFEST_BYTES {
            return Err(LayoutError::ManifestTooLarge { digest, size: bytes.len() as u64 });
        }
        let actual = digest.of_same_kind(&bytes);
        if actual != digest {
            return Err(LayoutError::DigestMismatch { expected: digest, actual });
        }
        let content = Content::parse(&digest, &bytes)?;
        Ok(Self { digest, bytes, content })
    }

    /// Its media type: that which it states, or that of its shape.
    pub fn media_type(&self) -> String {
        let (stated, otherwise) = match &self.content {
            Content::Image(image) => {
                (image.media_type(), "application/vnd.oci.image.manifest.v1+json")
            }
            Content::Index(index) => {
                (index.media_type(), "application/vnd.oci.image.index.v1+json")
            }
        };
        stated.as_ref().map_or_else(|| otherwise.to_owned(), ToString::to_string)
    }

    /// What names it in another manifest.
    pub fn descriptor(&self) -> Descriptor {
        let media_type = self.media_type().as_str().into();
        Descriptor::new(media_type, self.bytes.len() as u64, self.digest.to_oci())
    }
}

impl Content {
    fn parse(digest: &Digest, bytes: &[u8]) -> Result<Self, LayoutError> {
        // What serde says may have all of a hostile value in it.
        let invalid = |problem: &str| LayoutError::InvalidManifest {
            digest: digest.clone(),
            problem: beginning(problem),
        };
        let unreadable = |error: serde_json::Error| invalid(&error.to_string());
        let value: Value = serde_json::from_slice(bytes).map_err(unreadable)?;
        if value.get("schemaVersion").and_then(Value::as_u64) != Some(2) {
            return Err(invalid("its schemaVersion is not 2"));
        }
        match (value.get("layers"), value.get("manifests")) {
            (Some(Value::Array(layers)), None) if layers.len() > MOST_LAYERS => {
                Err(LayoutError::TooManyLayers { digest: digest.clone(), layers: layers.len() })
            }
            (Some(_), None) => serde_json::from_value(value)
                .map(|image| Self::Image(Box::new(image)))
                .map_err(unreadable),
            (None, Some(_)) => serde_json::from_value(value)
                .map(|index| Self::Index(Box::new(index)))
                .map_err(unreadable),
            // Both: a client that sees layers and one that sees an index would run different code.
            (Some(_), Some(_)) => Err(invalid("it has both layers and manifests")),
            (None, None) => Err(invalid("it has neither layers nor manifests")),
        }
    }

    /// What has to be there for it to be whole; an index needs nothing, for each has its own choice
    /// of what it names.
    pub fn needs(&self) -> Vec<&Descriptor> {
        match self {
            Self::Image(image) => std::iter::once(image.config()).chain(image.layers()).collect(),
            Self::Index(_) => Vec::new(),
        }
    }

    /// All that it names.
    pub fn names(&self) -> Vec<&Descriptor> {
        match self {
            Self::Image(_) => self.needs(),
            Self::Index(index) => index.manifests().iter().collect(),
        }
    }
}

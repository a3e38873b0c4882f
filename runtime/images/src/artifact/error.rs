//! Why an image is none that can be run here.

use oci_spec::image::Digest;

use crate::shown::beginning;

/// An image that is broken, or not for WebAssembly.
#[derive(Debug, thiserror::Error)]
pub enum ArtifactError {
    /// More than any real one.
    #[error("the {what} has {bytes} bytes; the most is {most}")]
    TooLarge {
        /// `manifest`, `config` or `Spin application`.
        what: &'static str,
        /// Its size.
        bytes: u64,
        /// The limit, in bytes.
        most: u64,
    },
    /// Not JSON, or not with the fields that it must have.
    #[error("the {what} cannot be read: {message}")]
    Json {
        /// `manifest`, `config` or `Spin application`.
        what: &'static str,
        /// What is wrong with it, and where.
        message: String,
    },
    /// Docker's first format, or one of the future.
    #[error("the manifest has schema version {version}; known here is 2: push the image again")]
    SchemaVersion {
        /// `schemaVersion`.
        version: u32,
    },
    /// The manifest is an index, or no image at all.
    #[error("the manifest is of type {media_type}, which is no image")]
    NotAnImage {
        /// Its media type, quoted.
        media_type: String,
    },
    /// An index has nothing for this runtime.
    #[error(
        "none of the {manifests} manifests in the index is for WebAssembly{}",
        platforms(found)
    )]
    NoManifest {
        /// How many there are.
        manifests: usize,
        /// Some of their platforms.
        found: Vec<String>,
    },
    /// More layers than any real image.
    #[error("the manifest has {layers} layers; the most is {most}")]
    TooManyLayers {
        /// How many it has.
        layers: usize,
        /// The limit.
        most: usize,
    },
    /// Some other kind of artifact.
    #[error(
        "the config is of type {media_type}, which is neither a container's, nor one of \
         WebAssembly, nor Spin's"
    )]
    UnknownConfig {
        /// Its media type, or the manifest's `artifactType`, quoted.
        media_type: String,
    },
    /// A layer that cannot be part of such an image.
    #[error("layer {number} is of type {media_type}, which {layout} does not have")]
    UnknownLayer {
        /// Counted from 1.
        number: usize,
        /// Its media type, quoted.
        media_type: String,
        /// The kind of image.
        layout: super::Layout,
    },
    /// Nothing in it to run.
    #[error("the image has no layer of WebAssembly (`application/wasm`)")]
    NoProgram,
    /// More than one program, and no word which to run.
    #[error("the image has {count} layers of WebAssembly; known here are images with one")]
    SeveralPrograms {
        /// How many.
        count: usize,
    },
    /// An ordinary container image.
    #[error(
        "it is a container image for {platform} {}, and runs machine code; wasmpod runs \
         WebAssembly: build it for the platform wasi/wasm, or with an entrypoint that is a .wasm file",
        entrypoint_clause(entrypoint.as_deref())
    )]
    MachineCode {
        /// `linux/amd64`
        platform: String,
        /// What it would start, quoted.
        entrypoint: Option<String>,
    },
    /// The config does not say of each layer what it unpacks to.
    #[error("the config has {diff_ids} `rootfs.diff_ids`, and the manifest {layers} layers")]
    DiffIds {
        /// Of the config.
        diff_ids: usize,
        /// Of the manifest.
        layers: usize,
    },
    /// A Spin application that is more than one HTTP component.
    #[error("the Spin application {reason}; known here are applications of one HTTP component")]
    Spin {
        /// What it has or wants.
        reason: String,
    },
    /// A file or program of a Spin application is in no layer.
    #[error(
        "the Spin application refers to {} for {what}, which the manifest does not have",
        beginning(digest.as_ref())
    )]
    SpinLayer {
        /// The path of the file, or the component's name, quoted.
        what: String,
        /// The missing blob.
        digest: Digest,
    },
}

fn platforms(found: &[String]) -> String {
    if found.is_empty() { String::new() } else { format!(": they are for {}", found.join(", ")) }
}

fn entrypoint_clause(entrypoint: Option<&str>) -> String {
    match entrypoint {
        Some(entrypoint) => format!("that starts {entrypoint}"),
        None => "that starts nothing by itself".to_owned(),
    }
}

//! What a media type means here.

use oci_spec::image::MediaType;

/// A module or component as a layer of its own, by CNCF's layout.
pub(crate) const WASM: &str = "application/wasm";
/// The config of CNCF's layout.
pub(crate) const CNCF_CONFIG: &str = "application/vnd.wasm.config.v0+json";
/// Marks a blob of Spin that is empty and was pushed with two bytes: some registries refuse empty ones.
pub(super) const SPIN_EMPTY: &str = "com.fermyon.spin.application.layer.isEmpty";

/// How the bytes of a tar archive are packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packing {
    /// As they are.
    None,
    /// gzip, of one or more members.
    Gzip,
    /// Zstandard, of one or more frames.
    Zstd,
}

/// A manifest's media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ManifestKind {
    Image,
    Index,
    /// Docker's from before 2016, which nobody should have to read.
    Schema1,
}

/// A config's media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConfigKind {
    Container,
    Wasm,
    Spin,
    /// `{}`: the manifest's `artifactType` says what it is.
    Empty,
}

/// A layer's media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LayerKind {
    Archive(Packing),
    Wasm,
    SpinApplication,
    SpinFile,
    SpinArchive,
}

pub(super) fn manifest_kind(media_type: &MediaType) -> Option<ManifestKind> {
    Some(match media_type.as_ref() {
        "application/vnd.oci.image.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v2+json" => ManifestKind::Image,
        "application/vnd.oci.image.index.v1+json"
        | "application/vnd.docker.distribution.manifest.list.v2+json" => ManifestKind::Index,
        "application/vnd.docker.distribution.manifest.v1+json"
        | "application/vnd.docker.distribution.manifest.v1+prettyjws" => ManifestKind::Schema1,
        _ => return None,
    })
}

pub(super) fn config_kind(media_type: &MediaType) -> Option<ConfigKind> {
    Some(match media_type.as_ref() {
        "application/vnd.oci.image.config.v1+json"
        | "application/vnd.docker.container.image.v1+json" => ConfigKind::Container,
        // wasm-to-oci, then Solo's and Istio's, then wasmCloud's before it took CNCF's layout.
        CNCF_CONFIG
        | "application/vnd.wasm.config.v1+json"
        | "application/vnd.module.wasm.config.v1+json"
        | "application/vnd.wasmcloud.actor.archive.config" => ConfigKind::Wasm,
        "application/vnd.fermyon.spin.application.v1+config" => ConfigKind::Spin,
        // The second is what `oras push` writes when it is told no type.
        "application/vnd.oci.empty.v1+json" | "application/vnd.unknown.config.v1+json" => {
            ConfigKind::Empty
        }
        _ => return None,
    })
}

pub(super) fn layer_kind(media_type: &MediaType) -> Option<LayerKind> {
    Some(match media_type.as_ref() {
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar"
        | "application/vnd.docker.image.rootfs.diff.tar"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar" => {
            LayerKind::Archive(Packing::None)
        }
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip"
        | "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip" => {
            LayerKind::Archive(Packing::Gzip)
        }
        "application/vnd.oci.image.layer.v1.tar+zstd"
        | "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd"
        | "application/vnd.docker.image.rootfs.diff.tar.zstd" => LayerKind::Archive(Packing::Zstd),
        // CNCF, wasm-to-oci and Spin, older wasmCloud and Istio, runwasi.
        WASM
        | "application/vnd.wasm.content.layer.v1+wasm"
        | "application/vnd.module.wasm.content.layer.v1+wasm"
        | "application/vnd.bytecodealliance.wasm.component.layer.v0+wasm" => LayerKind::Wasm,
        "application/vnd.fermyon.spin.application.v1+config" => LayerKind::SpinApplication,
        "application/vnd.wasm.content.layer.v1+data" => LayerKind::SpinFile,
        "application/vnd.wasm.content.bundle.v1.tar+gzip" => LayerKind::SpinArchive,
        _ => return None,
    })
}

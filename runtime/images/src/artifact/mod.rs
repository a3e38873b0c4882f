//! What an image holds and how it runs: the bytes of its manifest in, an [`Image`] out.
//!
//! Pure: nothing is fetched, opened or unpacked here. The world stores WebAssembly in four ways, and
//! the manifest tells which one it is:
//!
//! | layout | told by | the program is |
//! |---|---|---|
//! | [`Artifact`](Layout::Artifact) | a config of WebAssembly, or a layer of it and no platform | the only such layer |
//! | [`Container`](Layout::Container) | a container's config with platform `wasi/wasm` or its like | a file of the root, or the only layer of WebAssembly |
//! | [`Compat`](Layout::Compat) | a Linux container's config that starts a `.wasm` | a file of the root |
//! | [`Spin`](Layout::Spin) | a locked application, as config or as a layer | the only component's layer |
//!
//! A client asks in this order: [`choose`] in an index, [`Manifest::decode`], fetch the
//! [`document`](Manifest::document), [`Manifest::image`], fetch the [`blobs`](Image::blobs).
//!
//! | file | subject |
//! |---|---|
//! | `media` | what a media type means here |
//! | `platform` | which platforms are WebAssembly |
//! | `choose` | the manifest to take of an index |
//! | `manifest` | bounds, and which of the layouts it is |
//! | `cncf`, `container`, `spin` | one layout each |
//! | `command` | ENTRYPOINT and CMD against `command` and `args` |
//!
//! Rule: the OCI image specification 1.1, the layout of CNCF's TAG Runtime for Wasm artifacts, the
//! shims of runwasi, and `spin registry push`.

mod choose;
mod cncf;
mod command;
mod container;
mod error;
mod image;
mod manifest;
mod media;
mod platform;
mod spin;
#[cfg(test)]
mod tests;

pub use crate::layout::{MOST_LAYERS, MOST_MANIFEST_BYTES};
pub use choose::choose;
pub(crate) use cncf::TITLE;
pub use command::{Command, NoCommand, places};
pub use error::ArtifactError;
pub use image::{Content, ExposedPort, Image, Layer, Layout, Program, Protocol};
pub use manifest::{MOST_DOCUMENT_BYTES, Manifest};
pub use media::Packing;
pub(crate) use media::{CNCF_CONFIG, WASM};

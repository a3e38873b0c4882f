//! An artifact of WebAssembly: one layer is the program, and there is nothing else.
//!
//! The config tells what is known from the program itself, so nothing depends on it: wasm-to-oci
//! leaves it empty.
//!
//! Rule: CNCF's "Wasm OCI Artifact layout".

use std::collections::BTreeMap;

use oci_spec::image::{Descriptor, ImageManifest};

use super::command::Command;
use super::error::ArtifactError;
use super::image::{Image, Layout, Program};
use super::manifest::{bare, only_program, unknown_layer};
use super::media::{LayerKind, layer_kind};
use crate::shown::{Notes, shown};

/// The name of a file, by the tools that push one.
pub(crate) const TITLE: &str = "org.opencontainers.image.title";

pub(super) fn image(manifest: &ImageManifest) -> Result<Image, ArtifactError> {
    let mut programs: Vec<&Descriptor> = Vec::new();
    let mut notes = Notes::default();
    for (index, layer) in manifest.layers().iter().enumerate() {
        match layer_kind(layer.media_type()) {
            Some(LayerKind::Wasm) => programs.push(layer),
            // wasmCloud signs its claims in such a layer; other tools add a policy or a readme.
            None => notes.add(|| {
                let media_type = shown(layer.media_type().as_ref());
                format!("layer {} of type {media_type} is ignored", index + 1)
            }),
            Some(
                LayerKind::Archive(_)
                | LayerKind::SpinApplication
                | LayerKind::SpinFile
                | LayerKind::SpinArchive,
            ) => return Err(unknown_layer(layer, index, Layout::Artifact)),
        }
    }
    let program = only_program(&programs)?;
    Ok(Image {
        layout: Layout::Artifact,
        command: command(program),
        program: Program::Blob(bare(program)),
        env: Vec::new(),
        working_dir: None,
        exposed_ports: Vec::new(),
        labels: annotations(manifest),
        layers: Vec::new(),
        notes: notes.finish(),
    })
}

/// A program without a command is told its file's name, as if a shell had started it.
pub(super) fn command(program: &Descriptor) -> Command {
    let title = program.annotations().as_ref().and_then(|annotations| annotations.get(TITLE));
    match title.and_then(|title| title.rsplit('/').next()).filter(|name| !name.is_empty()) {
        Some(name) => Command { entrypoint: vec![name.to_owned()], cmd: Vec::new() },
        None => unnamed(),
    }
}

/// The command of a program whose file's name nobody knows.
pub(super) fn unnamed() -> Command {
    Command { entrypoint: vec!["main.wasm".to_owned()], cmd: Vec::new() }
}

pub(super) fn annotations(manifest: &ImageManifest) -> BTreeMap<String, String> {
    manifest.annotations().clone().unwrap_or_default().into_iter().collect()
}

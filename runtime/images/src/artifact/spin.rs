//! A Spin application, as far as it is one HTTP component with its files.
//!
//! The locked application tells the component, the trigger and the files; small files are in it,
//! others are layers of their own or, where there are too many of them, one archive.
//!
//! Rule: `spin registry push` (crate `spin-oci`) and `spin.lock` of version 1 (`spin-locked-app`).

use std::collections::{BTreeMap, HashMap};
use std::path::{Component as Part, Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use oci_spec::image::{Descriptor, Digest, ImageManifest};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::cncf;
use super::error::ArtifactError;
use super::image::{Content, Image, Layer, Layout, Program};
use super::manifest::{MOST_DOCUMENT_BYTES, bare, bounded, json, unknown_layer};
use super::media::{LayerKind, Packing, SPIN_EMPTY, layer_kind};
use crate::shown::{Notes, shown};

/// What Spin gives a component and nobody else does: keys of its metadata.
const STORES: [(&str, &str); 3] = [
    ("key_value_stores", "key-value stores"),
    ("sqlite_databases", "SQLite databases"),
    ("databases", "SQLite databases"),
];

/// So many names are told in a refusal.
const NAMED: usize = 8;

#[derive(Deserialize)]
struct Application {
    #[serde(default)]
    triggers: Vec<Trigger>,
    #[serde(default)]
    components: Vec<Component>,
    #[serde(default)]
    host_requirements: Map<String, Value>,
}

#[derive(Deserialize)]
struct Trigger {
    trigger_type: String,
    #[serde(default)]
    trigger_config: Value,
}

#[derive(Deserialize)]
struct Component {
    id: String,
    source: Source,
    #[serde(default)]
    env: BTreeMap<String, String>,
    #[serde(default)]
    files: Vec<File>,
    #[serde(default)]
    config: Map<String, Value>,
    #[serde(default)]
    metadata: Map<String, Value>,
    #[serde(default)]
    dependencies: BTreeMap<String, IgnoredAny>,
    #[serde(default)]
    host_requirements: Map<String, Value>,
}

#[derive(Deserialize)]
struct Source {
    digest: Option<Digest>,
}

#[derive(Deserialize)]
struct File {
    path: String,
    inline: Option<String>,
    digest: Option<Digest>,
}

pub(super) fn image(manifest: &ImageManifest, locked: &[u8]) -> Result<Image, ArtifactError> {
    bounded("Spin application", locked, MOST_DOCUMENT_BYTES)?;
    let application: Application = json("Spin application", locked)?;
    check_layers(manifest)?;
    let mut notes = Notes::default();
    check_triggers(&application.triggers, &mut notes)?;
    check_requirements(&application.host_requirements)?;
    let component = only_component(application.components)?;
    check_requirements(&component.host_requirements)?;
    if !component.dependencies.is_empty() {
        let names: Vec<&str> = component.dependencies.keys().map(String::as_str).collect();
        return Err(refused(format!("composes its component with {}", quoted(&names))));
    }
    note_missing(&component, &mut notes);
    let program = program(manifest, &component)?;
    Ok(Image {
        layout: Layout::Spin,
        command: cncf::command(program),
        layers: files(manifest, &component.files)?,
        program: Program::Blob(bare(program)),
        env: component.env.into_iter().collect(),
        working_dir: None,
        exposed_ports: Vec::new(),
        labels: cncf::annotations(manifest),
        notes: notes.finish(),
    })
}

fn refused(reason: String) -> ArtifactError {
    ArtifactError::Spin { reason }
}

fn quoted(names: &[&str]) -> String {
    names.iter().take(NAMED).map(shown).collect::<Vec<_>>().join(", ")
}

fn check_layers(manifest: &ImageManifest) -> Result<(), ArtifactError> {
    for (index, layer) in manifest.layers().iter().enumerate() {
        match layer_kind(layer.media_type()) {
            Some(
                LayerKind::Wasm
                | LayerKind::SpinApplication
                | LayerKind::SpinFile
                | LayerKind::SpinArchive,
            ) => {}
            Some(LayerKind::Archive(_)) | None => {
                return Err(unknown_layer(layer, index, Layout::Spin));
            }
        }
    }
    Ok(())
}

fn check_triggers(triggers: &[Trigger], notes: &mut Notes) -> Result<(), ArtifactError> {
    for trigger in triggers {
        if trigger.trigger_type != "http" {
            return Err(refused(format!("has a trigger of type {}", shown(&trigger.trigger_type))));
        }
        let config = &trigger.trigger_config;
        let executor = config.pointer("/executor/type").and_then(Value::as_str);
        if let Some(executor) = executor.filter(|executor| !matches!(*executor, "http" | "spin")) {
            return Err(refused(format!(
                "has an HTTP trigger with the executor {}",
                shown(executor)
            )));
        }
        let route = config.get("route").and_then(Value::as_str);
        if let Some(route) = route.filter(|route| *route != "/...") {
            notes.add(|| {
                let route = shown(route);
                format!("route {route} of the Spin application is ignored: its component gets all requests")
            });
        }
    }
    if triggers.is_empty() {
        return Err(refused("has no trigger".to_owned()));
    }
    Ok(())
}

fn check_requirements(requirements: &Map<String, Value>) -> Result<(), ArtifactError> {
    let required = requirements.iter().find(|(_, value)| value.as_str() != Some("optional"));
    match required {
        Some((name, _)) => Err(refused(format!("requires {} of its host", shown(name)))),
        None => Ok(()),
    }
}

fn only_component(components: Vec<Component>) -> Result<Component, ArtifactError> {
    match <[Component; 1]>::try_from(components) {
        Ok([component]) => Ok(component),
        Err(components) if components.is_empty() => Err(refused("has no component".to_owned())),
        Err(components) => {
            let names: Vec<&str> =
                components.iter().map(|component| component.id.as_str()).collect();
            let count = components.len();
            Err(refused(format!("has {count} components ({})", quoted(&names))))
        }
    }
}

/// What of Spin's own interfaces the component may call in vain.
fn note_missing(component: &Component, notes: &mut Notes) {
    let id = shown(&component.id);
    let mut uses = |what: &str| {
        notes.add(|| {
            format!("component {id} of the Spin application uses {what}, which are not provided")
        });
    };
    if !component.config.is_empty() {
        uses("variables of Spin");
    }
    for (key, what) in STORES {
        let stores = component.metadata.get(key).and_then(Value::as_array);
        if stores.is_some_and(|stores| !stores.is_empty()) {
            uses(what);
        }
    }
}

/// The layers of that kind, by their digests.
fn layers(manifest: &ImageManifest, kind: LayerKind) -> HashMap<&Digest, &Descriptor> {
    let all = manifest.layers().iter();
    let of_kind = all.filter(|layer| layer_kind(layer.media_type()) == Some(kind));
    of_kind.map(|layer| (layer.digest(), layer)).collect()
}

fn missing_layer(what: &str, digest: &Digest) -> ArtifactError {
    ArtifactError::SpinLayer { what: shown(what), digest: digest.clone() }
}

fn program<'manifest>(
    manifest: &'manifest ImageManifest,
    component: &Component,
) -> Result<&'manifest Descriptor, ArtifactError> {
    let id = &component.id;
    let Some(digest) = &component.source.digest else {
        return Err(refused(format!("does not say which layer component {} is", shown(id))));
    };
    let programs = layers(manifest, LayerKind::Wasm);
    programs.get(digest).copied().ok_or_else(|| missing_layer(id, digest))
}

fn files(manifest: &ImageManifest, files: &[File]) -> Result<Vec<Layer>, ArtifactError> {
    let archives: Vec<Layer> = manifest
        .layers()
        .iter()
        .filter(|layer| layer_kind(layer.media_type()) == Some(LayerKind::SpinArchive))
        .map(|blob| Layer::Archive { blob: bare(blob), packing: Packing::Gzip, diff_id: None })
        .collect();
    let in_archives = !archives.is_empty();
    let blobs = layers(manifest, LayerKind::SpinFile);
    let mut layers = archives;
    for file in files {
        let content = match (&file.inline, &file.digest) {
            (Some(inline), _) => {
                let bytes = BASE64.decode(inline).map_err(|_| {
                    refused(format!("has a file {} that is not in base64", shown(&file.path)))
                })?;
                Content::Bytes(bytes)
            }
            (None, Some(digest)) => {
                match blobs.get(digest) {
                    Some(blob) => content(blob),
                    // The digest is that of the file, which is in the archive with the others.
                    None if in_archives => continue,
                    None => return Err(missing_layer(&file.path, digest)),
                }
            }
            (None, None) => {
                return Err(refused(format!("has a file {} without content", shown(&file.path))));
            }
        };
        let path = place(&file.path).ok_or_else(|| {
            refused(format!("has a file {}, which is no path within its root", shown(&file.path)))
        })?;
        layers.push(Layer::File { path, content });
    }
    Ok(layers)
}

fn content(blob: &Descriptor) -> Content {
    let annotations = blob.annotations().as_ref();
    let empty = annotations.and_then(|annotations| annotations.get(SPIN_EMPTY));
    if empty.is_some_and(|word| word == "true") {
        return Content::Bytes(Vec::new());
    }
    Content::Blob(bare(blob))
}

fn place(path: &str) -> Option<PathBuf> {
    let mut place = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Part::Normal(name) => place.push(name),
            Part::RootDir | Part::CurDir => {}
            Part::ParentDir | Part::Prefix(_) => return None,
        }
    }
    (!place.as_os_str().is_empty()).then_some(place)
}

//! A container image: for WebAssembly, or for Linux with a `.wasm` that it starts.
//!
//! Rule: the image configuration of OCI; for Linux images, what runwasi and crun take for
//! WebAssembly: an entrypoint that ends in `.wasm`, or the annotation of the variant.

use std::collections::{BTreeMap, HashMap};

use oci_spec::image::{Descriptor, Digest, ImageManifest};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::cncf;
use super::command::Command;
use super::error::ArtifactError;
use super::image::{ExposedPort, Image, Layer, Layout, Program, Protocol};
use super::manifest::{
    MOST_DOCUMENT_BYTES, bare, bounded, has_wasm, json, only_program, unknown_layer,
};
use super::media::{LayerKind, layer_kind};
use super::platform::Platform;
use crate::shown::{Notes, shown};

/// Says that the Linux image is one of WebAssembly: `compat`, or `compat-smart` of crun.
const VARIANT: &str = "module.wasm.image/variant";
/// crun's word for who runs it.
const HANDLER: &str = "run.oci.handler";

/// The parts of a config that matter. Builders write `null` as well as nothing.
#[derive(Deserialize)]
struct Configuration {
    #[serde(flatten)]
    platform: Platform,
    config: Option<Config>,
    rootfs: Option<RootFs>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    user: Option<String>,
    exposed_ports: Option<BTreeMap<String, IgnoredAny>>,
    env: Option<Vec<String>>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    working_dir: Option<String>,
    labels: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<Digest>>,
}

pub(super) fn image(manifest: &ImageManifest, config: &[u8]) -> Result<Image, ArtifactError> {
    bounded("config", config, MOST_DOCUMENT_BYTES)?;
    let Configuration { platform, config, rootfs } = json("config", config)?;
    let config = config.unwrap_or_default();
    let mut command = Command {
        entrypoint: config.entrypoint.unwrap_or_default(),
        cmd: config.cmd.unwrap_or_default(),
    };
    let layout = layout(manifest, &platform, &command)?;
    let diff_ids = rootfs.and_then(|rootfs| rootfs.diff_ids).unwrap_or_default();
    let (program, layers) = layers(manifest, &diff_ids, layout)?;
    if let (Program::Blob(_), None) = (&program, command.first()) {
        command = cncf::unnamed();
    }
    let mut notes = Notes::default();
    if let Some(user) = config.user.filter(|user| !matches!(user.as_str(), "" | "0" | "root")) {
        notes.add(|| {
            format!("USER {} of the image is ignored: WebAssembly knows no users", shown(&user))
        });
    }
    Ok(Image {
        layout,
        program,
        command,
        env: variables(config.env.unwrap_or_default(), &mut notes),
        working_dir: config.working_dir.filter(|folder| !folder.is_empty()),
        exposed_ports: ports(config.exposed_ports.unwrap_or_default(), &mut notes),
        labels: config.labels.unwrap_or_default(),
        layers,
        notes: notes.finish(),
    })
}

fn layout(
    manifest: &ImageManifest,
    platform: &Platform,
    command: &Command,
) -> Result<Layout, ArtifactError> {
    if platform.is_wasm() || has_wasm(manifest) {
        return Ok(Layout::Container);
    }
    let starts_wasm = command.first().is_some_and(is_wasm_file);
    // `FROM scratch` of some builders leaves the platform out.
    let may_be_compat = platform.is_linux() || platform.is_unknown();
    if may_be_compat && (starts_wasm || is_marked(manifest)) {
        return Ok(Layout::Compat);
    }
    Err(ArtifactError::MachineCode {
        platform: platform.to_string(),
        entrypoint: command.first().map(shown),
    })
}

/// runwasi writes the function to call behind a `#`.
fn is_wasm_file(name: &str) -> bool {
    let file = name.split('#').next().unwrap_or_default();
    file.ends_with(".wasm")
}

fn is_marked(manifest: &ImageManifest) -> bool {
    let Some(annotations) = manifest.annotations() else { return false };
    let says = |key: &str, words: &[&str]| {
        annotations.get(key).is_some_and(|word| words.contains(&word.as_str()))
    };
    says(VARIANT, &["compat", "compat-smart"]) || says(HANDLER, &["wasm"])
}

/// The program and the root. In runwasi's own format the program is a layer, and counts among the
/// `diff_ids` by the digest of itself.
fn layers(
    manifest: &ImageManifest,
    diff_ids: &[Digest],
    layout: Layout,
) -> Result<(Program, Vec<Layer>), ArtifactError> {
    let mut programs: Vec<&Descriptor> = Vec::new();
    let mut archives = Vec::new();
    for (index, layer) in manifest.layers().iter().enumerate() {
        match layer_kind(layer.media_type()) {
            Some(LayerKind::Archive(packing)) => archives.push((index, layer, packing)),
            Some(LayerKind::Wasm) => programs.push(layer),
            Some(LayerKind::SpinApplication | LayerKind::SpinFile | LayerKind::SpinArchive)
            | None => return Err(unknown_layer(layer, index, layout)),
        }
    }
    let layers = manifest.layers().len();
    let of_archives_alone = diff_ids.len() == archives.len();
    if diff_ids.len() != layers && !of_archives_alone {
        return Err(ArtifactError::DiffIds { diff_ids: diff_ids.len(), layers });
    }
    let program = match programs.as_slice() {
        [] => Program::InRoot,
        programs => Program::Blob(bare(only_program(programs)?)),
    };
    let archives = archives.into_iter().enumerate().map(|(place, (index, blob, packing))| {
        let place = if of_archives_alone { place } else { index };
        Layer::Archive { blob: bare(blob), packing, diff_id: diff_ids.get(place).cloned() }
    });
    Ok((program, archives.collect()))
}

/// The last of a name counts, as in a shell.
fn variables(lines: Vec<String>, notes: &mut Notes) -> Vec<(String, String)> {
    let mut variables: Vec<(String, String)> = Vec::new();
    // A config has room for a million of them.
    let mut places: HashMap<String, usize> = HashMap::new();
    for line in lines {
        let Some((name, value)) = line.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            notes.add(|| {
                format!("ENV {} of the image is ignored: it is not NAME=VALUE", shown(&line))
            });
            continue;
        };
        match places.get(name) {
            Some(place) => value.clone_into(&mut variables[*place].1),
            None => {
                places.insert(name.to_owned(), variables.len());
                variables.push((name.to_owned(), value.to_owned()));
            }
        }
    }
    variables
}

fn ports(keys: BTreeMap<String, IgnoredAny>, notes: &mut Notes) -> Vec<ExposedPort> {
    let mut ports: Vec<ExposedPort> = Vec::new();
    for key in keys.into_keys() {
        match port(&key) {
            Some(port) => ports.push(port),
            None => notes
                .add(|| format!("EXPOSE {} of the image is ignored: it is no port", shown(&key))),
        }
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn port(key: &str) -> Option<ExposedPort> {
    let (port, protocol) = key.split_once('/').unwrap_or((key, "tcp"));
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return None,
    };
    let port = port.parse().ok().filter(|port| *port > 0)?;
    Some(ExposedPort { port, protocol })
}

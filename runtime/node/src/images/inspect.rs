//! What an image, or a file of WebAssembly, holds.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use wasmpod::guest::{missing_interfaces, missing_modules};
use wasmpod::image::{Compiler, Contents, Description, Item};
use wasmpod_images::artifact::{ExposedPort, Protocol};
use wasmpod_images::digest::{Algorithm, Digest, Hasher};
use wasmpod_images::layout::{Content, Layout};

use super::error::Problem;
use super::find::find_in;
use super::list::ListedImage;
use super::machine::Images;

/// What there is to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Inspected {
    /// Of an image.
    Image(Box<InspectedImage>),
    /// Of a file.
    File(InspectedFile),
}

/// An image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedImage {
    /// What is told in a list, too.
    #[serde(flatten)]
    pub listed: ListedImage,
    /// The way in which it is stored.
    pub layout: String,
    /// ENTRYPOINT
    pub entrypoint: Vec<String>,
    /// CMD
    pub cmd: Vec<String>,
    /// Variables.
    pub env: Vec<String>,
    /// The folder to start in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub working_dir: Option<String>,
    /// `80/tcp`
    pub exposed_ports: Vec<String>,
    /// What its author wrote on it.
    pub labels: BTreeMap<String, String>,
    /// Its layers as its manifest has them, the lowest first.
    pub layers: Vec<InspectedLayer>,
    /// What of it will not be as its author meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// What it runs.
    pub program: InspectedProgram,
}

/// A file of WebAssembly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedFile {
    /// Where it is.
    pub file: PathBuf,
    /// Of all of it.
    pub digest: Digest,
    /// How large it is.
    pub size_bytes: u64,
    /// What it is.
    pub program: InspectedProgram,
}

/// A layer, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedLayer {
    /// Its blob.
    pub digest: String,
    /// What the manifest calls it.
    pub media_type: String,
    /// How large it is.
    pub size_bytes: u64,
}

/// What a program says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InspectedProgram {
    /// How it is run: `command-0.2`, `http-0.3`, `reactor-component`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Why it cannot be run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// What it wants.
    pub imports: Vec<Item>,
    /// What of that nobody provides here: it does not start, or ends where it calls that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing_imports: Vec<String>,
    /// What it offers.
    pub exports: Vec<Item>,
    /// What a component is made for, as WIT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub world: Option<String>,
}

impl Images {
    /// What the image `text` holds. Its root is unpacked if its program is a file in there.
    ///
    /// # Errors
    /// There is no such image, or it cannot be read. What is wrong with its program is a part of the answer.
    pub fn inspect(&self, text: &str, compiler: &Compiler) -> Result<InspectedImage, Problem> {
        let layout = self.look()?;
        let image = find_in(layout.as_ref(), text)?;
        let layout = layout.ok_or_else(|| Problem::NotFound(text.to_owned()))?;
        let in_use = layout.in_use()?;
        // It stays while it is read.
        let pin = layout.pin("inspect")?;
        pin.keep(&image.digest)?;
        let contents = Contents::of(&layout, &layout.manifest(&image.digest)?, text)?;
        let program = match contents.program(text) {
            Ok(file) => program(file.path(), compiler),
            Err(error) => Err(wasmpod::error::chain(&error)),
        };
        let mut listed = ListedImage::of(&layout, &image, &in_use);
        for other in layout.images()? {
            if other.digest == image.digest && other.name != image.name {
                listed.add(&other);
            }
        }
        listed.names.sort_unstable();
        let held = contents.image();
        Ok(InspectedImage {
            listed,
            layout: held.layout.to_string(),
            entrypoint: held.command.entrypoint.clone(),
            cmd: held.command.cmd.clone(),
            env: held.env.iter().map(|(name, value)| format!("{name}={value}")).collect(),
            working_dir: held.working_dir.clone(),
            exposed_ports: held.exposed_ports.iter().map(port).collect(),
            labels: held.labels.clone(),
            layers: layers(&layout, &image.digest)?,
            notes: held.notes.clone(),
            program: program.unwrap_or_else(InspectedProgram::broken),
        })
    }

    /// What a file holds.
    ///
    /// # Errors
    /// It cannot be read, or it is no WebAssembly.
    pub fn inspect_file(path: &Path, compiler: &Compiler) -> Result<InspectedFile, Problem> {
        let failed = |source| Problem::File { path: path.to_owned(), source };
        let described = compiler.describe(path);
        let file = std::fs::File::open(path).map_err(failed)?;
        let described =
            described.map_err(|source| Problem::Describe { path: path.to_owned(), source })?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let size_bytes = hasher.update_from(file).map_err(failed)?;
        Ok(InspectedFile {
            file: path.to_owned(),
            digest: hasher.finish(),
            size_bytes,
            program: described.into(),
        })
    }
}

fn program(path: &Path, compiler: &Compiler) -> Result<InspectedProgram, String> {
    compiler.describe(path).map(Into::into).map_err(|error| error.to_string())
}

fn layers(layout: &Layout, manifest: &Digest) -> Result<Vec<InspectedLayer>, Problem> {
    let Content::Image(image) = layout.manifest(manifest)?.content else { return Ok(Vec::new()) };
    let layers = image.layers().iter().map(|layer| InspectedLayer {
        digest: layer.digest().to_string(),
        media_type: layer.media_type().to_string(),
        size_bytes: layer.size(),
    });
    Ok(layers.collect())
}

fn port(exposed: &ExposedPort) -> String {
    match exposed.protocol {
        Protocol::Tcp => format!("{}/tcp", exposed.port),
        Protocol::Udp => format!("{}/udp", exposed.port),
    }
}

fn missing(imports: &[Item], is_component: bool) -> Vec<String> {
    let names = imports.iter().map(|import| import.name.as_str());
    let missing = if is_component {
        // A type that is imported asks nobody for anything.
        let asked = imports.iter().filter(|import| import.kind != "type");
        missing_interfaces(asked.map(|import| import.name.as_str()))
    } else {
        // The first dot ends the module's name; WASI's have none.
        missing_modules(names.map(|name| name.split('.').next().unwrap_or_default()))
    };
    let mut missing: Vec<String> = missing.into_iter().map(str::to_owned).collect();
    missing.dedup();
    missing
}

impl InspectedProgram {
    fn broken(problem: String) -> Self {
        Self { problem: Some(problem), ..Self::default() }
    }
}

impl From<Description> for InspectedProgram {
    fn from(described: Description) -> Self {
        let world = described.world();
        let (kind, problem) = match &described.kind {
            Ok(kind) => (Some(kind.clone()), None),
            Err(problem) => (None, Some(problem.clone())),
        };
        let missing_imports = missing(&described.imports, described.is_component);
        let Description { imports, exports, .. } = described;
        Self { kind, problem, imports, missing_imports, exports, world }
    }
}

//! What is to be packed, and the first checks on it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use oci_spec::image::Descriptor;

use super::error::PackError;
use super::{Blobs, artifact, container};
use crate::artifact::ExposedPort;

/// The layout to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// CNCF's layout: one program, which tells itself what it is.
    #[default]
    Artifact,
    /// A container image of the platform `wasi/wasm`.
    Container,
}

/// An image to be made.
#[derive(Clone, Debug)]
pub struct Pack {
    pub(super) module: PathBuf,
    pub(super) form: Form,
    pub(super) files: Vec<(PathBuf, PathBuf)>,
    pub(super) arguments: Vec<String>,
    pub(super) env: Vec<(String, String)>,
    pub(super) working_dir: Option<String>,
    pub(super) exposed_ports: Vec<ExposedPort>,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) created: u64,
}

/// A program to be packed.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) bytes: Vec<u8>,
}

impl Pack {
    /// An image that runs `module`, a module or component of WebAssembly.
    pub fn new(module: impl Into<PathBuf>) -> Self {
        Self {
            module: module.into(),
            form: Form::default(),
            files: Vec::new(),
            arguments: Vec::new(),
            env: Vec::new(),
            working_dir: None,
            exposed_ports: Vec::new(),
            labels: BTreeMap::new(),
            created: 0,
        }
    }

    /// The layout to make.
    #[must_use]
    pub fn form(self, form: Form) -> Self {
        Self { form, ..self }
    }

    /// A file, or a folder with all that is in it, at a path in the image. A container image alone
    /// has files.
    #[must_use]
    pub fn file(mut self, from: impl Into<PathBuf>, to: impl Into<PathBuf>) -> Self {
        self.files.push((from.into(), to.into()));
        self
    }

    /// An argument that the program always gets.
    #[must_use]
    pub fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// A variable of the environment.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// The folder to start in.
    #[must_use]
    pub fn working_dir(self, folder: impl Into<String>) -> Self {
        Self { working_dir: Some(folder.into()), ..self }
    }

    /// A port that the program listens on.
    #[must_use]
    pub fn expose(mut self, port: ExposedPort) -> Self {
        self.exposed_ports.push(port);
        self
    }

    /// A label of a container image, an annotation of an artifact.
    #[must_use]
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(name.into(), value.into());
        self
    }

    /// When it was made, in seconds since 1970; 0 unless it is said.
    #[must_use]
    pub fn created(self, seconds: u64) -> Self {
        Self { created: seconds, ..self }
    }

    /// When it was made, as the variable `SOURCE_DATE_EPOCH` has it.
    ///
    /// # Errors
    /// [`PackError::Invalid`] if `text` is no number.
    pub fn source_date_epoch(self, text: &str) -> Result<Self, PackError> {
        let invalid = |_| PackError::Invalid { what: "SOURCE_DATE_EPOCH", text: text.to_owned() };
        Ok(self.created(text.parse().map_err(invalid)?))
    }

    /// Makes the image; answers the manifest's descriptor.
    ///
    /// # Errors
    /// [`PackError`]
    pub fn write(&self, blobs: &mut dyn Blobs) -> Result<Descriptor, PackError> {
        for (name, _) in &self.env {
            if name.is_empty() || name.contains(['=', '\0']) {
                let text = name.clone();
                return Err(PackError::Invalid { what: "name of a variable", text });
            }
        }
        if let Some(exposed) = self.exposed_ports.iter().find(|exposed| exposed.port == 0) {
            let text = exposed.port.to_string();
            return Err(PackError::Invalid { what: "port", text });
        }
        let module = Module::read(&self.module)?;
        match self.form {
            Form::Artifact => artifact::write(self, &module, blobs),
            Form::Container => container::write(self, module, blobs),
        }
    }
}

impl Module {
    fn read(path: &Path) -> Result<Self, PackError> {
        let bytes =
            fs::read(path).map_err(|source| PackError::Read { path: path.to_owned(), source })?;
        if !bytes.starts_with(b"\0asm") {
            return Err(PackError::NotWasm { path: path.to_owned() });
        }
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, bytes })
    }

    /// Rule: the second half of the version tells a component (layer 1) from a module (layer 0).
    pub(super) fn is_component(&self) -> bool {
        self.bytes.get(4..8).is_some_and(|version| version[2..] == [1, 0])
    }
}

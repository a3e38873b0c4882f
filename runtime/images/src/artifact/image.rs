//! What an image holds, whichever way it was stored.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::path::PathBuf;

use oci_spec::image::{Descriptor, Digest};

use super::command::Command;
use super::media::Packing;

/// The way in which an image is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// An artifact of WebAssembly: CNCF's layout, and what was before it.
    Artifact,
    /// A container image for WebAssembly.
    Container,
    /// A Linux container image that starts a `.wasm` file.
    Compat,
    /// A Spin application.
    Spin,
}

impl fmt::Display for Layout {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Artifact => "a WebAssembly artifact",
            Self::Container => "a container image for WebAssembly",
            Self::Compat => "a Linux container image",
            Self::Spin => "a Spin application",
        })
    }
}

/// An image that can be run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// How it was stored.
    pub layout: Layout,
    /// Where its code is.
    pub program: Program,
    /// What is started unless the container says otherwise.
    pub command: Command,
    /// Variables, in the image's order, names once each.
    pub env: Vec<(String, String)>,
    /// The folder to start in, from the root; none means the root.
    pub working_dir: Option<String>,
    /// Ports that it says it listens on.
    pub exposed_ports: Vec<ExposedPort>,
    /// What its author wrote on it.
    pub labels: BTreeMap<String, String>,
    /// What its root is made of, the lowest first; nothing for a program without files.
    pub layers: Vec<Layer>,
    /// What of it will not be as its author meant, for the user.
    pub notes: Vec<String>,
}

impl Image {
    /// The blobs to have before it can run, each once: the program and the layers.
    #[must_use]
    pub fn blobs(&self) -> Vec<&Descriptor> {
        let program = match &self.program {
            Program::Blob(blob) => Some(&**blob),
            Program::InRoot => None,
        };
        let mut known = HashSet::new();
        let blobs = program.into_iter().chain(self.layers.iter().filter_map(Layer::blob));
        blobs.filter(|blob| known.insert(blob.digest())).collect()
    }
}

/// Where the code of an image is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A blob of its own: whatever the command is, this runs.
    Blob(Box<Descriptor>),
    /// The file of the root that the command's first word means ([`places`](super::places)).
    InRoot,
}

/// A part of the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A tar archive, laid over what is below.
    Archive {
        /// The archive as it was pushed.
        blob: Box<Descriptor>,
        /// How it is packed.
        packing: Packing,
        /// The digest of the archive itself, where the image tells it.
        diff_id: Option<Digest>,
    },
    /// One file.
    File {
        /// Its path in the root, without a `/` in front.
        path: PathBuf,
        /// What is in it.
        content: Content,
    },
}

impl Layer {
    /// What to fetch for it.
    #[must_use]
    pub fn blob(&self) -> Option<&Descriptor> {
        match self {
            Self::Archive { blob, .. } | Self::File { content: Content::Blob(blob), .. } => {
                Some(blob)
            }
            Self::File { content: Content::Bytes(_), .. } => None,
        }
    }
}

/// What is in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// A blob, as it is.
    Blob(Box<Descriptor>),
    /// These bytes.
    Bytes(Vec<u8>),
}

/// EXPOSE
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExposedPort {
    /// Never 0.
    pub port: u16,
    /// TCP unless it was said.
    pub protocol: Protocol,
}

/// How a port is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Protocol {
    /// Streams.
    Tcp,
    /// Datagrams.
    Udp,
}

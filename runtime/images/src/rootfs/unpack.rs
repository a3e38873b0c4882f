//! The layers of an image into a folder.

use std::cell::RefCell;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use oci_spec::image::Descriptor;
use serde::{Deserialize, Serialize};

use super::archive::{Archive, Entry, Kind, Modified};
use super::error::{LayerError, RootfsError};
use super::limits::{Budget, Limits};
use super::stream::Stream;
use super::tree::Tree;
use crate::artifact::{Content, Layer};
use crate::digest::Digest;
use crate::shown::beginning;

/// What was unpacked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unpacked {
    /// Bytes of the layers' archives and files.
    pub bytes: u64,
    /// Files, folders, links and whiteouts.
    pub entries: u64,
    /// What was left out, for the user.
    pub notes: Vec<String>,
}

/// Unpacks `layers`, the lowest first, into the empty folder `into`; `open` gives the bytes of a
/// blob, whose digest it has verified. Blocks. What an error leaves in the folder is for the caller to remove.
///
/// Links are written so that they lead to where they lead when the image is the root of a process;
/// by way of others they may still lead out of the folder, so whoever follows them resolves them
/// below it. Hard links of the image are hard links here, within the folder: one file of many names,
/// of which the limits count the bytes once. Whoever copies the folder keeps them, or bounds what
/// each of them adds.
///
/// # Errors
/// [`RootfsError::Layer`] for a layer that is broken, hostile or too large, or whose content is not
/// that of the image's config; [`RootfsError::Host`] for a folder that cannot be had.
pub fn unpack<Blob: Read>(
    layers: &[Layer],
    open: impl FnMut(&Descriptor) -> io::Result<Blob>,
    into: &Path,
    limits: Limits,
) -> Result<Unpacked, RootfsError> {
    let host = |deed| move |source| RootfsError::Host { deed, path: into.to_owned(), source };
    let root = Dir::open_ambient_dir(into, ambient_authority()).map_err(host("open"))?;
    let budget = Rc::new(RefCell::new(Budget::new(limits)));
    let tree = Tree::new(root, Rc::clone(&budget)).map_err(host("look at"))?;
    let mut unpacking = Unpacking { tree, budget: Rc::clone(&budget), open };
    for (number, layer) in (1..).zip(layers) {
        unpacking.layer(layer).map_err(|source| RootfsError::Layer { number, source })?;
    }
    let notes = unpacking.tree.finish().map_err(host("finish"))?;
    let budget = budget.borrow();
    Ok(Unpacked { bytes: budget.bytes(), entries: budget.entries(), notes })
}

struct Unpacking<Open> {
    tree: Tree,
    budget: Rc<RefCell<Budget>>,
    open: Open,
}

impl<Blob: Read, Open: FnMut(&Descriptor) -> io::Result<Blob>> Unpacking<Open> {
    fn layer(&mut self, layer: &Layer) -> Result<(), LayerError> {
        self.tree.begin_layer();
        match layer {
            Layer::Archive { blob, packing, diff_id } => {
                let expected = diff_id.as_ref().map(known).transpose()?;
                let blob = (self.open)(blob).map_err(LayerError::Missing)?;
                let budget = Rc::clone(&self.budget);
                let stream = Stream::new(blob, *packing, expected.as_ref(), budget);
                self.archive(stream, expected)
            }
            Layer::File { path, content: Content::Blob(blob) } => {
                let mut content = (self.open)(blob).map_err(LayerError::Missing)?;
                self.file(path, &mut content)
            }
            Layer::File { path, content: Content::Bytes(bytes) } => {
                self.file(path, &mut bytes.as_slice())
            }
        }
    }

    fn archive(&mut self, stream: Stream<'_>, expected: Option<Digest>) -> Result<(), LayerError> {
        let mut archive = Archive::new(stream);
        while let Some(entry) = archive.next().map_err(LayerError::reading)? {
            self.tree.add(&entry, &mut archive)?;
        }
        let found = archive.into_inner().finish().map_err(LayerError::reading)?;
        match (expected, found) {
            (Some(expected), Some(found)) if expected != found => {
                Err(LayerError::DiffId { expected, found })
            }
            _ => Ok(()),
        }
    }

    fn file(&mut self, path: &Path, content: &mut dyn Read) -> Result<(), LayerError> {
        let entry = Entry {
            path: path.as_os_str().as_bytes().to_vec(),
            kind: Kind::File,
            size: 0,
            mode: 0o644,
            modified: Modified::default(),
        };
        let budget = Rc::clone(&self.budget);
        let mut content = Stream::new(content, crate::artifact::Packing::None, None, budget);
        self.tree.add(&entry, &mut content)
    }
}

fn known(digest: &oci_spec::image::Digest) -> Result<Digest, LayerError> {
    let text = digest.to_string();
    text.parse().map_err(|_| LayerError::UnknownDigest { digest: beginning(&text) })
}

//! Out of a layout.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{self, Read, Write};

use oci_spec::image::{Descriptor, ImageIndexBuilder, MediaType};
use tar::{Builder, Header};

use super::error::ArchiveError;
use super::{CONTAINERD_NAME, NAME};
use crate::digest::{Digest, Hasher};
use crate::layout::{Content, Layout, LayoutError};
use crate::reference::Reference;

const MARKER: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// Writes these images as an OCI archive. The same images give the same bytes. What is found to be
/// damaged on the way is an error, and what was written until then no archive.
///
/// # Errors
/// [`ArchiveError::NotFound`], [`ArchiveError::Write`], [`ArchiveError::Layout`]
pub fn save(
    layout: &Layout,
    references: &[Reference],
    output: impl Write,
) -> Result<(), ArchiveError> {
    // Nothing of them may go while they are written.
    let pin = layout.pin("save")?;
    let mut entries = Vec::new();
    let mut blobs = BTreeMap::new();
    for reference in references {
        let reference = reference.clone().with_default_tag();
        let found = pin.take(&reference)?;
        let (_, manifest) = found.ok_or_else(|| ArchiveError::NotFound(reference.clone()))?;
        if matches!(manifest.content, Content::Index(_)) {
            return Err(ArchiveError::Index(reference));
        }
        for descriptor in manifest.content.needs() {
            blobs.insert(Digest::of(descriptor).map_err(LayoutError::from)?, descriptor.clone());
        }
        let mut entry = manifest.descriptor();
        blobs.insert(manifest.digest, entry.clone());
        let name = reference.to_string();
        let names = [CONTAINERD_NAME, NAME].map(|key| (key.to_owned(), name.clone()));
        entry.set_annotations(Some(HashMap::from(names)));
        entries.push(entry);
    }
    let mut archive = Builder::new(output);
    put(&mut archive, "oci-layout", MARKER)?;
    put(&mut archive, "index.json", &index(entries)?)?;
    for (digest, descriptor) in blobs {
        put_blob(&mut archive, layout, &digest, &descriptor)?;
    }
    archive.into_inner().and_then(|mut output| output.flush()).map_err(ArchiveError::Write)
}

fn index(entries: Vec<Descriptor>) -> Result<Vec<u8>, ArchiveError> {
    let index = ImageIndexBuilder::default()
        .schema_version(2_u32)
        .media_type(MediaType::ImageIndex)
        .manifests(entries)
        .build()
        .map_err(|error| ArchiveError::Write(io::Error::other(error)))?;
    // By way of a value, whose keys are sorted: annotations are in no order of their own.
    let index = serde_json::to_value(&index).and_then(|value| serde_json::to_vec(&value));
    index.map_err(|error| ArchiveError::Write(error.into()))
}

fn put(archive: &mut Builder<impl Write>, name: &str, bytes: &[u8]) -> Result<(), ArchiveError> {
    append(archive, name, bytes.len() as u64, bytes)
}

fn put_blob(
    archive: &mut Builder<impl Write>,
    layout: &Layout,
    digest: &Digest,
    descriptor: &Descriptor,
) -> Result<(), ArchiveError> {
    let file = layout.blob(descriptor)?;
    let mut hashed = Hashed { file, hasher: Hasher::new(digest.algorithm()) };
    let name = format!("blobs/{}/{}", digest.algorithm().as_str(), digest.hex());
    append(archive, &name, descriptor.size(), &mut hashed)?;
    let actual = hashed.hasher.finish();
    if actual == *digest {
        Ok(())
    } else {
        Err(LayoutError::DigestMismatch { expected: digest.clone(), actual }.into())
    }
}

fn append(
    archive: &mut Builder<impl Write>,
    name: &str,
    size: u64,
    content: impl Read,
) -> Result<(), ArchiveError> {
    let mut header = Header::new_ustar();
    header.set_size(size);
    header.set_mode(0o644);
    archive.append_data(&mut header, name, content).map_err(ArchiveError::Write)
}

struct Hashed {
    file: File,
    hasher: Hasher,
}

impl Read for Hashed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.hasher.update(&buffer[..read]);
        Ok(read)
    }
}

//! Into a layout.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use oci_spec::image::{Descriptor, ImageIndex};

use super::error::ArchiveError;
use super::{CONTAINERD_NAME, NAME, docker};
use crate::artifact;
use crate::digest::Digest;
use crate::layout::{Content, LayoutError, MOST_MANIFEST_BYTES, Pin};
use crate::reference::Reference;
use crate::rootfs::archive::{Archive, Kind};
use crate::shown::{beginning, shown};

/// The most bytes of an archive, unpacked: as much as one image may have that is pulled.
pub const MOST_ARCHIVE_BYTES: u64 = 8 << 30;

/// The most files in it, and the most images.
const MOST_FILES: u64 = 100_000;
const MOST_IMAGES: usize = 1000;

/// An index may name another one, but nobody needs more.
const MOST_INDEXES: usize = 3;

const CHUNK_BYTES: usize = 256 << 10;

/// An image that came out of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// What the layout calls it now. Without a name, only the pin keeps it.
    pub name: Option<Reference>,
    /// Its manifest.
    pub digest: Digest,
}

/// Takes all images of an archive into the layout, or none: blobs of one that fails go with the next
/// collection.
///
/// Of a name that is only a tag, as skopeo may write it, becomes `localhost/TAG`, as podman has it. Of
/// an index the image is taken that a pull would take.
///
/// # Errors
/// Those of [`ArchiveError`] but of what is written.
pub fn load(pin: &Pin, input: impl Read) -> Result<Vec<Loaded>, ArchiveError> {
    let mut input = BufReader::with_capacity(CHUNK_BYTES, input);
    let is_gzip = input.fill_buf().map_err(ArchiveError::Read)?.starts_with(&[0x1f, 0x8b]);
    // Whatever headers say: no further than this, and what is cut off there breaks off.
    let most = MOST_ARCHIVE_BYTES + MOST_FILES * 1024;
    let contents = if is_gzip {
        Contents::read(pin, MultiGzDecoder::new(input).take(most))
    } else {
        Contents::read(pin, input.take(most))
    }?;
    let mut loaded = Vec::new();
    for (name, digest) in contents.images(pin)? {
        let digest = check(pin, digest, name.as_ref())?;
        loaded.push(Loaded { name, digest });
    }
    // Only now: one that is wrong must not leave the others half loaded.
    for image in &loaded {
        if let Some(name) = &image.name {
            pin.layout().name(name, &image.digest, None)?;
        }
    }
    Ok(loaded)
}

/// What an archive says of itself; its blobs are in the layout.
#[derive(Default)]
struct Contents {
    index: Option<ImageIndex>,
    docker: Option<Vec<docker::Image>>,
    /// Of the files that are named as docker's.
    sizes: BTreeMap<Digest, u64>,
}

impl Contents {
    fn read(pin: &Pin, input: impl Read) -> Result<Self, ArchiveError> {
        let mut archive = Archive::new(input);
        let mut contents = Self::default();
        let (mut files, mut bytes) = (0_u64, 0_u64);
        while let Some(entry) = archive.next().map_err(ArchiveError::Read)? {
            files += 1;
            bytes = bytes.saturating_add(entry.size);
            if files > MOST_FILES {
                return Err(ArchiveError::TooLarge { what: "files", most: MOST_FILES });
            }
            if bytes > MOST_ARCHIVE_BYTES {
                return Err(ArchiveError::TooLarge { what: "bytes", most: MOST_ARCHIVE_BYTES });
            }
            // Of links there are only those for docker before 1.10.
            if entry.kind != Kind::File {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path);
            contents.file(pin, name.trim_start_matches("./"), entry.size, &mut archive)?;
        }
        Ok(contents)
    }

    fn file(
        &mut self,
        pin: &Pin,
        name: &str,
        size: u64,
        content: &mut impl Read,
    ) -> Result<(), ArchiveError> {
        match name {
            "index.json" => {
                let index = serde_json::from_slice(&small(name, size, content)?);
                self.index = Some(index.map_err(|error| ArchiveError::Invalid {
                    file: name.to_owned(),
                    problem: format!("cannot be read: {}", beginning(&error.to_string())),
                })?);
            }
            docker::MANIFEST => self.docker = Some(docker::parse(&small(name, size, content)?)?),
            _ => {
                if let Some(digest) = blob_name(name) {
                    take(pin, &digest, size, content)?;
                } else if let Some(digest) = docker::digest(name) {
                    take(pin, &digest, size, content)?;
                    self.sizes.insert(digest, size);
                }
            }
        }
        Ok(())
    }

    /// Its images by name, whatever they are. An OCI archive that docker wrote is both.
    fn images(&self, pin: &Pin) -> Result<Vec<(Option<Reference>, Digest)>, ArchiveError> {
        let mut images = Vec::new();
        if let Some(index) = &self.index {
            bounded(index.manifests().len())?;
            for entry in index.manifests() {
                let digest = Digest::of(entry).map_err(LayoutError::from)?;
                images.push((name(entry)?, digest));
            }
        } else if let Some(of_docker) = &self.docker {
            let names = of_docker.iter().map(|image| image.repo_tags.as_ref().map_or(1, Vec::len));
            bounded(names.sum())?;
            for image in of_docker {
                let digest = docker::manifest(pin, image, &self.sizes)?;
                let names = image.repo_tags.iter().flatten();
                let names = names.map(|name| parse(docker::MANIFEST, name).map(Some));
                let mut names = names.collect::<Result<Vec<_>, _>>()?;
                if names.is_empty() {
                    names.push(None);
                }
                images.extend(names.into_iter().map(|name| (name, digest.clone())));
            }
        } else {
            return Err(ArchiveError::NotImages);
        }
        Ok(images)
    }
}

fn bounded(images: usize) -> Result<(), ArchiveError> {
    let most = MOST_IMAGES;
    if images <= most {
        return Ok(());
    }
    Err(ArchiveError::TooLarge { what: "images", most: most as u64 })
}

/// `blobs/<algorithm>/<hex>`
fn blob_name(name: &str) -> Option<Digest> {
    name.strip_prefix("blobs/")?.replacen('/', ":", 1).parse().ok()
}

/// What is read into memory.
fn small(name: &str, size: u64, content: &mut impl Read) -> Result<Vec<u8>, ArchiveError> {
    if size > MOST_MANIFEST_BYTES {
        let problem = format!("has {size} bytes, more than {MOST_MANIFEST_BYTES}");
        return Err(ArchiveError::Invalid { file: name.to_owned(), problem });
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(ArchiveError::Read)?;
    Ok(bytes)
}

/// A blob, unless it is there.
fn take(
    pin: &Pin,
    digest: &Digest,
    size: u64,
    content: &mut impl Read,
) -> Result<(), ArchiveError> {
    let Some(mut ingest) = pin.ingest_waiting(digest, size)? else { return Ok(()) };
    // What an earlier process had of it comes again.
    ingest.restart()?;
    let mut chunk = vec![0; CHUNK_BYTES];
    loop {
        let written = match content.read(&mut chunk) {
            Ok(0) => return Ok(ingest.commit()?),
            Ok(length) => ingest.write(&chunk[..length]).map_err(ArchiveError::from),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(ArchiveError::Read(error)),
        };
        if let Err(error) = written {
            // A pull would take it for the beginning of what it should be.
            ingest.discard();
            return Err(error);
        }
    }
}

fn name(entry: &Descriptor) -> Result<Option<Reference>, ArchiveError> {
    let annotations = entry.annotations().as_ref();
    let get = |key: &str| annotations.and_then(|annotations| annotations.get(key));
    let Some(name) = get(CONTAINERD_NAME).or_else(|| get(NAME)) else { return Ok(None) };
    let is_tag = !name.contains(['/', ':', '@']);
    let name = if is_tag { format!("localhost/{}", name.to_lowercase()) } else { name.clone() };
    parse("index.json", &name).map(Some)
}

fn parse(file: &str, name: &str) -> Result<Reference, ArchiveError> {
    let parsed = name.parse().map(Reference::with_default_tag);
    parsed.map_err(|error| ArchiveError::Invalid {
        file: file.to_owned(),
        problem: format!("calls an image {}: {}", shown(name), beginning(&error.to_string())),
    })
}

/// The digest of the image that is meant, once it is known to be whole and for WebAssembly.
fn check(pin: &Pin, mut digest: Digest, name: Option<&Reference>) -> Result<Digest, ArchiveError> {
    let layout = pin.layout();
    let called = name.map_or_else(|| digest.to_string(), ToString::to_string);
    let refused = |source| ArchiveError::Refused { name: called.clone(), source };
    let of_archive = |error| match error {
        LayoutError::Missing(digest) => ArchiveError::Missing(digest),
        error => error.into(),
    };
    for _ in 0..=MOST_INDEXES {
        pin.keep(&digest)?;
        let manifest = layout.manifest(&digest).map_err(of_archive)?;
        if let Content::Index(index) = &manifest.content {
            let chosen = artifact::choose(index).map_err(refused)?;
            digest = Digest::of(chosen).map_err(LayoutError::from)?;
            continue;
        }
        for descriptor in manifest.content.needs() {
            layout.blob(descriptor).map_err(of_archive)?;
        }
        let decoded = artifact::Manifest::decode(&manifest.bytes).map_err(refused)?;
        let document = decoded.document();
        let mut bytes = Vec::new();
        // What is longer is refused for that, one byte being enough to see it.
        let file = layout.blob(document)?.take(artifact::MOST_DOCUMENT_BYTES + 1);
        { file }.read_to_end(&mut bytes).map_err(|source| {
            let path = Digest::of(document).map(|digest| layout.blob_path(&digest));
            LayoutError::Io { path: path.unwrap_or_default(), source }
        })?;
        decoded.image(&bytes).map_err(refused)?;
        return Ok(digest);
    }
    let problem = format!("leads through more than {MOST_INDEXES} indexes");
    Err(ArchiveError::Invalid { file: "index.json".to_owned(), problem })
}

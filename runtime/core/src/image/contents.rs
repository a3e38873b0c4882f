//! What an image of the layout holds: what its manifest says, its root, its program.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use wasmpod_images::artifact::{self, Program};
use wasmpod_images::digest::Digest;
use wasmpod_images::layout::{Layout, LayoutError, Manifest};
use wasmpod_images::rootfs::{Limits, Root, Trees, open_program};

use super::error::ImageError;
use super::stored::WantedImage;

/// An image of the layout, as its manifest describes it.
#[derive(Debug)]
pub struct Contents {
    layout: Layout,
    digest: Digest,
    image: artifact::Image,
}

/// The file of an image's program. While this is held, nobody removes the root that it may be in; against
/// the removal of the image itself it takes a pin.
#[derive(Debug)]
pub struct ProgramFile {
    path: PathBuf,
    _root: Option<Root>,
}

impl Contents {
    /// Reads what `manifest` says. `name` is for the message.
    ///
    /// # Errors
    /// [`ImageError::Inspect`]
    pub fn of(layout: &Layout, manifest: &Manifest, name: &str) -> Result<Self, ImageError> {
        let image = described(layout, manifest).map_err(|problem| problem.of(name))?;
        Ok(Self { layout: layout.clone(), digest: manifest.digest.clone(), image })
    }

    /// What it says.
    pub fn image(&self) -> &artifact::Image {
        &self.image
    }

    /// The program that starts where nobody says otherwise. Unpacks the image, if need be. Blocks.
    ///
    /// # Errors
    /// [`ImageError::Inspect`]
    pub fn program(&self, name: &str) -> Result<ProgramFile, ImageError> {
        self.find_program().map_err(|problem| problem.of(name))
    }

    fn find_program(&self) -> Result<ProgramFile, Problem> {
        let root = match &self.image.program {
            Program::Blob(_) => None,
            Program::InRoot => self.root()?,
        };
        let path = self.file(root.as_ref(), &Start::default())?;
        Ok(ProgramFile { path, _root: root })
    }

    /// Its files, unpacked if need be, and the one of them, or the blob, that a container starts that wants
    /// the image so. Blocks.
    ///
    /// # Errors
    /// [`ImageError::Inspect`]
    pub(super) fn unpack(
        &self,
        wanted: &WantedImage,
        name: &str,
    ) -> Result<(Option<Root>, PathBuf), ImageError> {
        let start = Start {
            command: &wanted.command,
            args: &wanted.args,
            working_dir: wanted.working_dir.as_deref(),
            path: wanted.path.as_deref(),
        };
        let unpacked = self.root().and_then(|root| {
            let file = self.file(root.as_ref(), &start)?;
            Ok((root, file))
        });
        unpacked.map_err(|problem| problem.of(name))
    }

    /// What it says, when nothing more of it is to be read.
    pub(super) fn into_image(self) -> artifact::Image {
        self.image
    }

    /// The root; none of a program without files.
    fn root(&self) -> Result<Option<Root>, Problem> {
        if self.image.layers.is_empty() {
            return Ok(None);
        }
        let trees = Trees::open(&self.layout.folder().join("trees"))?;
        // It happens once for all containers: time enough to hash again what may have lain for long.
        let open = |blob: &_| {
            let verified = Digest::of(blob).map_err(LayoutError::from);
            let verified = verified.and_then(|digest| self.layout.verify(&digest));
            verified.and_then(|_| self.layout.blob(blob)).map_err(std::io::Error::other)
        };
        Ok(Some(trees.unpack(&self.digest, &self.image.layers, open, Limits::default())?))
    }

    fn file(&self, root: Option<&Root>, start: &Start<'_>) -> Result<PathBuf, Problem> {
        match &self.image.program {
            Program::Blob(blob) => Ok(self.layout.blob_path(&Digest::of(blob)?)),
            Program::InRoot => in_root(&self.image, root, start),
        }
    }
}

impl ProgramFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// What the manifest says.
fn described(layout: &Layout, manifest: &Manifest) -> Result<artifact::Image, Problem> {
    let manifest = artifact::Manifest::decode(&manifest.bytes)?;
    let mut document = Vec::new();
    layout.blob(manifest.document())?.read_to_end(&mut document)?;
    let digest = Digest::of(manifest.document())?;
    if digest.of_same_kind(&document) != digest {
        return Err(format!("{digest} is damaged: remove the image and pull it again").into());
    }
    Ok(manifest.image(&document)?)
}

/// What a container says of its start; what it does not say, the image does.
#[derive(Default)]
struct Start<'container> {
    command: &'container [String],
    args: &'container [String],
    working_dir: Option<&'container str>,
    path: Option<&'container str>,
}

/// The file that a container starts.
fn in_root(
    image: &artifact::Image,
    root: Option<&Root>,
    start: &Start<'_>,
) -> Result<PathBuf, Problem> {
    let root = root.ok_or("it has no files")?.path();
    let argv = image.command.argv(start.command, start.args)?;
    let of_image = image.env.iter().find(|(name, _)| name == "PATH");
    let path = start.path.or(of_image.map(|(_, path)| path.as_str()));
    let working_dir = start.working_dir.or(image.working_dir.as_deref()).unwrap_or("/");
    let (_file, found) = open_program(root, &argv[0], working_dir, path)?;
    // It was opened without a step outside; the way there may have links, which are not gone again.
    let place = root.join(found.strip_prefix("/").unwrap_or(&found));
    let (place, root) = (place.canonicalize()?, root.canonicalize()?);
    if place.starts_with(&root) { Ok(place) } else { Err("its program is outside of it".into()) }
}

/// Whatever is wrong with an image that is here.
struct Problem(Box<dyn std::error::Error + Send + Sync>);

impl Problem {
    fn of(self, name: &str) -> ImageError {
        ImageError::Inspect { image: name.to_owned(), message: crate::error::chain(&*self.0) }
    }
}

impl<E: Into<Box<dyn std::error::Error + Send + Sync>>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

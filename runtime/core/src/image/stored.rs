//! Images of registries: those that this machine has, and how the others come.
//!
//! ```text
//! <folder>/index.json, blobs/  the OCI layout that all processes of a user share
//! <folder>/trees/              roots of container images, unpacked once
//! ```

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmpod_images::artifact::{Command, Program};
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::{FetchError, FetchErrorKind, Fetched, PullSecret, Request};
use wasmpod_images::layout::{Collection, Image, Layout, LayoutError, Pin, Thresholds};
use wasmpod_images::policy::{Policy, Rule};
use wasmpod_images::reference::{PullPolicy, Reference};
use wasmpod_images::rootfs::{Root, Trees};

use super::contents::{Problem, described, in_root, unpacked};
use super::error::ImageError;
use super::fetcher::Fetcher;
use crate::executor::Blocking;

/// Where the images of a machine are, and who brings more.
#[derive(Clone, Debug)]
pub struct ImageStore {
    pub(crate) folder: PathBuf,
    pub(crate) fetcher: Fetcher,
    /// Which registries stand for which, and how they are spoken to.
    pub(crate) registries: Option<PathBuf>,
    /// Which images need whose signature.
    pub(crate) policy: Option<PathBuf>,
}

/// An image that can be run, in files of this machine.
#[derive(Debug)]
pub(crate) struct LocalImage {
    /// The program.
    pub(crate) file: PathBuf,
    /// What the program is called where the image says nothing.
    pub(crate) file_name: String,
    /// `status.containerStatuses[].imageID`; none for a file, whose digest says it.
    pub(crate) id: Option<String>,
    /// Its manifest.
    digest: Option<Digest>,
    /// What it starts.
    pub(crate) command: Command,
    /// Its variables.
    pub(crate) env: Vec<(String, String)>,
    /// The folder it starts in.
    pub(crate) working_dir: Option<String>,
    /// Its files.
    pub(crate) root: Option<Root>,
    /// What of it will not be as its author meant.
    pub(crate) notes: Vec<String>,
}

/// What a container wants.
#[derive(Clone, Debug)]
pub(crate) struct WantedImage {
    pub(crate) reference: Reference,
    pub(crate) policy: PullPolicy,
    pub(crate) secrets: Vec<PullSecret>,
    /// `command` of the container: its first word may be the program.
    pub(crate) command: Vec<String>,
    pub(crate) args: Vec<String>,
}

/// Keeps the images of one Pod from being removed.
#[derive(Default)]
pub(crate) struct Pins {
    pin: Mutex<Option<Arc<Pin>>>,
    /// Images that a registry's signature was seen of, by name and digest: so that a restart asks nobody.
    verified: Mutex<HashSet<(Reference, Digest)>>,
}

impl LocalImage {
    /// A file of this machine as it is.
    pub(crate) fn of_file(file: PathBuf) -> Self {
        let file_name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Self {
            file,
            file_name,
            id: None,
            digest: None,
            command: Command::default(),
            env: Vec::new(),
            working_dir: None,
            root: None,
            notes: Vec::new(),
        }
    }

    /// ENTRYPOINT and CMD, for a container that has neither.
    pub(crate) fn entrypoint(&self) -> (&[String], &[String]) {
        match self.command.entrypoint.as_slice() {
            [] if self.command.cmd.is_empty() => (std::slice::from_ref(&self.file_name), &[]),
            entrypoint => (entrypoint, &self.command.cmd),
        }
    }
}

impl ImageStore {
    /// The image that `wanted` names, fetched if it has to be; `pulling` is called before that. Beside it
    /// what was fetched.
    ///
    /// # Errors
    /// [`ImageError`]
    ///
    /// # Cancel safety
    /// Dropping it ends the fetching child.
    pub(crate) async fn get(
        &self,
        wanted: WantedImage,
        pins: &Arc<Pins>,
        user: &str,
        blocking: Blocking,
        pulling: &(dyn Fn() + Sync),
    ) -> Result<(LocalImage, Option<Fetched>), ImageError> {
        if wanted.policy != PullPolicy::Always
            && let Some(image) = self.here(&wanted, pins, user, blocking).await?
            && self.may_run(&wanted.reference, &image, pins)?
        {
            return Ok((image, None));
        }
        if wanted.policy == PullPolicy::Never {
            return Err(ImageError::NeverPull { image: wanted.reference.familiar() });
        }
        pulling();
        let request = Request::Pull {
            layout: self.folder.clone(),
            reference: wanted.reference.to_string(),
            secrets: wanted.secrets.clone(),
            config: self.registries.clone(),
            policy: self.policy.clone(),
        };
        let fetched = self.fetcher.fetch(&request, |_| {}).await.map_err(ImageError::Fetch)?;
        let image = self.here(&wanted, pins, user, blocking).await?;
        let image =
            image.ok_or_else(|| ImageError::Removed { image: wanted.reference.familiar() })?;
        if let Some(digest) = &image.digest {
            pins.verified().insert((wanted.reference.clone(), digest.clone()));
        }
        self.collect_behind(blocking);
        Ok((image, Some(fetched)))
    }

    /// Whether an image that is here may run without its registry being asked who has signed it.
    fn may_run(
        &self,
        reference: &Reference,
        image: &LocalImage,
        pins: &Pins,
    ) -> Result<bool, ImageError> {
        let Some(path) = &self.policy else { return Ok(true) };
        let refused =
            |message| ImageError::Fetch(FetchError::new(FetchErrorKind::Refused, message));
        let policy = Policy::read(path).map_err(|error| refused(crate::error::chain(&error)))?;
        let is_known = image
            .digest
            .as_ref()
            .is_some_and(|digest| pins.verified().contains(&(reference.clone(), digest.clone())));
        Ok(is_known || matches!(policy.rule(reference), Rule::Accept))
    }

    /// The file of the program of an image that is here whole and needs no files but this one. For a start
    /// that hopes for it: where it has to look further it gives nothing.
    pub(crate) fn program_here(&self, reference: &Reference) -> Option<PathBuf> {
        // Where nothing was ever fetched, no folders are made.
        let layout = self.folder.join("index.json").exists().then(|| Layout::open(&self.folder))?;
        let layout = layout.ok()?;
        let image = layout.resolve(reference).ok()??;
        match described(&layout, &image.digest).ok()?.program {
            Program::Blob(blob) => Digest::of(&blob).ok().map(|digest| layout.blob_path(&digest)),
            Program::InRoot => None,
        }
    }

    async fn here(
        &self,
        wanted: &WantedImage,
        pins: &Arc<Pins>,
        user: &str,
        blocking: Blocking,
    ) -> Result<Option<LocalImage>, ImageError> {
        let (folder, wanted, pins, user) =
            (self.folder.clone(), wanted.clone(), Arc::clone(pins), user.to_owned());
        let name = wanted.reference.familiar();
        let looking = blocking.spawn(move || look(&folder, &wanted, &pins, &user));
        match looking.await {
            Ok(found) => found,
            Err(error) => Err(ImageError::Inspect { image: name, message: error.to_string() }),
        }
    }

    /// Makes room on a disk that fills up, as a kubelet does, while the container starts.
    fn collect_behind(&self, blocking: Blocking) {
        let folder = self.folder.clone();
        // Nobody waits for it, and a failure shows at the next pull.
        drop(blocking.spawn(move || {
            if let Err(error) = collect(&folder) {
                tracing::warn!("images are not collected: {}", crate::error::chain(&error));
            }
        }));
    }
}

/// Removes what the thresholds of a kubelet want removed, and roots of images that are gone.
fn collect(folder: &Path) -> Result<(), LayoutError> {
    let layout = Layout::open(folder)?;
    let gone = layout.collect(&Collection::Thresholds(Thresholds::default()))?.images;
    if gone.is_empty() {
        return Ok(());
    }
    let kept = layout.images()?.into_iter().map(|image| image.digest).collect();
    if let Ok(trees) = Trees::open(&folder.join("trees")) {
        // One that a container has stays until the next time.
        let _ = trees.retain(&kept);
    }
    Ok(())
}

fn look(
    folder: &Path,
    wanted: &WantedImage,
    pins: &Pins,
    user: &str,
) -> Result<Option<LocalImage>, ImageError> {
    let name = || wanted.reference.familiar();
    let stored = |problem| ImageError::Store { image: name(), problem };
    let layout = Layout::open(folder).map_err(stored)?;
    let pin = pins.of(&layout, user).map_err(stored)?;
    let Some(image) = pin.take(&wanted.reference).map_err(stored)? else { return Ok(None) };
    local(&layout, &image, wanted).map(Some)
}

fn local(layout: &Layout, image: &Image, wanted: &WantedImage) -> Result<LocalImage, ImageError> {
    let name = wanted.reference.familiar();
    let failed = |problem: Problem| ImageError::Inspect {
        image: name.clone(),
        message: crate::error::chain(&*problem.0),
    };
    let found = described(layout, &image.digest).map_err(&failed)?;
    let root = match found.layers.as_slice() {
        [] => None,
        layers => Some(unpacked(layout, &image.digest, layers).map_err(&failed)?),
    };
    let file = match &found.program {
        Program::Blob(blob) => {
            layout.blob_path(&Digest::of(blob).map_err(|error| failed(error.into()))?)
        }
        Program::InRoot => {
            in_root(&found, root.as_ref(), &wanted.command, &wanted.args).map_err(&failed)?
        }
    };
    let last = wanted.reference.repository().rsplit('/').next().unwrap_or_default();
    let mut notes = found.notes;
    notes.extend(root.iter().flat_map(|root| root.unpacked().notes.iter().cloned()));
    Ok(LocalImage {
        file,
        file_name: format!("{last}.wasm"),
        id: Some(format!("{}@{}", wanted.reference.name(), image.registry_digest)),
        digest: Some(image.digest.clone()),
        command: found.command,
        env: found.env,
        working_dir: found.working_dir,
        root,
        notes,
    })
}

impl Pins {
    fn verified(&self) -> MutexGuard<'_, HashSet<(Reference, Digest)>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, layout: &Layout, user: &str) -> Result<Arc<Pin>, LayoutError> {
        let mut pin = self.pin.lock().unwrap_or_else(PoisonError::into_inner);
        match &*pin {
            Some(pin) => Ok(Arc::clone(pin)),
            None => Ok(Arc::clone(pin.insert(Arc::new(layout.pin(user)?)))),
        }
    }
}

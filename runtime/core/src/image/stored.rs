//! Images of registries: those that this machine has, and how the others come.
//!
//! ```text
//! <folder>/index.json, blobs/  the OCI layout that all processes of a user share
//! <folder>/trees/              roots of container images, unpacked once
//! ```

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmpod_images::artifact::{Command, Program};
use wasmpod_images::digest::Digest;
use wasmpod_images::fetch::{FetchError, FetchErrorKind, Fetched, PullSecret, Request};
use wasmpod_images::layout::{Collection, Image, Layout, LayoutError, Manifest, Pin, Thresholds};
use wasmpod_images::policy::{Policy, Rule};
use wasmpod_images::reference::{PullPolicy, Reference};
use wasmpod_images::rootfs::{Root, Trees};

use super::contents::Contents;
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
    /// What its digest must be, in hexadecimal, where the image says it.
    pub(crate) digest: Option<String>,
    /// `status.containerStatuses[].imageID`; none for a file, whose digest says it.
    pub(crate) id: Option<String>,
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
    /// `command` of the container, expanded: its first word may be the program.
    pub(crate) command: Vec<String>,
    pub(crate) args: Vec<String>,
    /// The folder that the container starts in, if it says so.
    pub(crate) working_dir: Option<String>,
    /// The container's own `PATH`.
    pub(crate) path: Option<String>,
}

/// Keeps the images of one Pod from being removed.
#[derive(Default)]
pub(crate) struct Pins {
    pin: Mutex<Option<Arc<Pin>>>,
    /// Those that it has, by the name that it knows them by. A name may go, or be another's, while its image
    /// stays for this Pod.
    taken: Mutex<HashMap<Reference, Image>>,
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
            digest: None,
            id: None,
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
        let wanted = Arc::new(wanted);
        if wanted.policy != PullPolicy::Always
            && let Some(image) = self.here(&wanted, pins, user, blocking).await?
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
        let fetched = match self.fetcher.fetch(&request, |_| {}).await {
            Ok(fetched) => fetched,
            Err(error) => {
                // What does not fit may fit the next time.
                self.collect_behind(blocking);
                return Err(ImageError::Fetch(error));
            }
        };
        // The child has seen its signature, if it needs one.
        pins.verified().insert((wanted.reference.clone(), fetched.manifest.clone()));
        let image = self.here(&wanted, pins, user, blocking).await;
        // Only now: until it was kept, it could be what goes.
        self.collect_behind(blocking);
        let image =
            image?.ok_or_else(|| ImageError::Removed { image: wanted.reference.familiar() })?;
        Ok((image, Some(fetched)))
    }

    /// The file of the program of an image that is here whole and needs no files but this one. For a start
    /// that hopes for it: where it has to look further it gives nothing.
    pub(crate) fn program_here(&self, reference: &Reference) -> Option<PathBuf> {
        // Where nothing was ever fetched, no folders are made.
        let layout = self.folder.join("index.json").exists().then(|| Layout::open(&self.folder))?;
        let layout = layout.ok()?;
        let manifest = layout.find(reference).ok()??.manifest.ok()?;
        let contents = Contents::of(&layout, &manifest, &reference.familiar()).ok()?;
        match contents.image().program {
            Program::Blob(_) => Some(contents.program("").ok()?.path().to_owned()),
            Program::InRoot => None,
        }
    }

    async fn here(
        &self,
        wanted: &Arc<WantedImage>,
        pins: &Arc<Pins>,
        user: &str,
        blocking: Blocking,
    ) -> Result<Option<LocalImage>, ImageError> {
        let (store, user) = (self.clone(), user.to_owned());
        let (wanted, pins) = (Arc::clone(wanted), Arc::clone(pins));
        let name = wanted.reference.familiar();
        let looking = blocking.spawn(move || store.look(&wanted, &pins, &user));
        match looking.await {
            Ok(found) => found,
            Err(error) => Err(ImageError::Inspect { image: name, message: error.to_string() }),
        }
    }

    /// The image, if it is here and may run. Blocks.
    fn look(
        &self,
        wanted: &WantedImage,
        pins: &Pins,
        user: &str,
    ) -> Result<Option<LocalImage>, ImageError> {
        let stored = |problem| ImageError::Store { image: wanted.reference.familiar(), problem };
        let layout = Layout::open(&self.folder).map_err(stored)?;
        let pin = pins.of(&layout, user).map_err(stored)?;
        let (image, manifest) = match pin.take(&wanted.reference).map_err(stored)? {
            Some(found) => found,
            None => {
                let known = pins.taken().get(&wanted.reference).cloned();
                let Some(image) = known else { return Ok(None) };
                let manifest = layout.manifest(&image.digest).map_err(stored)?;
                (image, manifest)
            }
        };
        // Before anything of it is unpacked.
        if !self.may_run(&wanted.reference, &image.digest, pins)? {
            return match wanted.policy {
                // Nobody may ask whether it is signed.
                PullPolicy::Never => Err(refused(format!(
                    "the image policy does not let image {:?} run unless its registry is asked who has \
                     signed it, and its pull policy is Never",
                    wanted.reference.familiar()
                ))),
                PullPolicy::Always | PullPolicy::IfNotPresent => Ok(None),
            };
        }
        let local = local(&layout, &image, &manifest, wanted)?;
        pins.taken().insert(wanted.reference.clone(), image);
        Ok(Some(local))
    }

    /// Whether an image that is here may run without its registry being asked who has signed it.
    fn may_run(
        &self,
        reference: &Reference,
        digest: &Digest,
        pins: &Pins,
    ) -> Result<bool, ImageError> {
        let Some(path) = &self.policy else { return Ok(true) };
        if pins.verified().contains(&(reference.clone(), digest.clone())) {
            return Ok(true);
        }
        let policy = Policy::read(path).map_err(|error| refused(crate::error::chain(&error)))?;
        Ok(matches!(policy.rule(reference), Rule::Accept))
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

/// The image policy's word against an image.
fn refused(message: String) -> ImageError {
    ImageError::Fetch(FetchError::new(FetchErrorKind::Refused, message))
}

/// Removes what the thresholds of a kubelet want removed, and roots of images that are gone.
fn collect(folder: &Path) -> Result<(), LayoutError> {
    let layout = Layout::open(folder)?;
    layout.collect(&Collection::Thresholds(Thresholds::default()))?;
    let kept = layout.images()?.into_iter().map(|image| image.digest).collect();
    if let Ok(trees) = Trees::open(&folder.join("trees")) {
        // Also of an image whose name another has now. One that a container has stays until the next time.
        let _ = trees.retain(&kept);
        let _ = trees.sweep();
    }
    Ok(())
}

fn local(
    layout: &Layout,
    image: &Image,
    manifest: &Manifest,
    wanted: &WantedImage,
) -> Result<LocalImage, ImageError> {
    let name = wanted.reference.familiar();
    let contents = Contents::of(layout, manifest, &name)?;
    let (root, file) = contents.unpack(wanted, &name)?;
    let found = contents.into_image();
    let digest = match &found.program {
        Program::Blob(blob) => Digest::of(blob).ok().map(|digest| digest.hex().to_owned()),
        Program::InRoot => None,
    };
    let last = wanted.reference.repository().rsplit('/').next().unwrap_or_default();
    let mut notes = found.notes;
    notes.extend(root.iter().flat_map(|root| root.unpacked().notes.iter().cloned()));
    Ok(LocalImage {
        file,
        file_name: format!("{last}.wasm"),
        digest,
        id: Some(format!("{}@{}", wanted.reference.name(), image.registry_digest)),
        command: found.command,
        env: found.env,
        working_dir: found.working_dir,
        root,
        notes,
    })
}

impl Pins {
    /// The Pod uses none of them any more.
    pub(crate) fn release(&self) {
        *self.pin() = None;
    }

    fn taken(&self) -> MutexGuard<'_, HashMap<Reference, Image>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn verified(&self) -> MutexGuard<'_, HashSet<(Reference, Digest)>> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn of(&self, layout: &Layout, user: &str) -> Result<Arc<Pin>, LayoutError> {
        let mut pin = self.pin();
        match &*pin {
            Some(pin) => Ok(Arc::clone(pin)),
            None => Ok(Arc::clone(pin.insert(Arc::new(layout.pin(user)?)))),
        }
    }

    fn pin(&self) -> MutexGuard<'_, Option<Arc<Pin>>> {
        self.pin.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! What one run of a container sees as its files: a root of its own, and the mounts.
//!
//! The root is new at each start, as the writable layer of a container is; the run before is
//! removed then. Volumes stay.
//!
//! Differences from a kernel's mounts, all from the rule that a guest is given directories and
//! every path is resolved below one of them: a symbolic link does not lead from one mount into
//! another, and a folder descriptor of an outer mount shows the mount point of an inner one as an
//! empty folder.
//!
//! With `readOnlyRootFilesystem` the root refuses writes, all but `/dev`, which container runtimes
//! leave writable too, and the folder of the termination message. A runtime leaves only the file
//! of the message writable, but what a guest can be given is a directory.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use cap_fs_ext::OpenOptionsExt as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use k8s_openapi::api::core::v1::{Container, VolumeMount};

use super::error::MountError;
use super::etc::EtcFiles;
use super::folder::PodFolder;
use super::image::lay;
use super::mount::Mount;
use super::place::{Manner, Surroundings, place};
use super::root::{fill_root, make_root};
use super::subpath::{self, Target};
use super::termination::TerminationMessage;
use super::volume::{Kind, Volumes};
use crate::manifest::expand::try_expand;

/// What a container's file system is made of.
#[derive(Clone, Copy)]
pub struct ContainerFilesystemOptions<'pod> {
    /// The Pod's folder.
    pub folder: &'pod PodFolder,
    /// The Pod's volumes, all of them set up.
    pub volumes: &'pod Volumes,
    /// The container.
    pub container: &'pod Container,
    /// Which start of the container this is, counted from 0.
    pub attempt: u32,
    /// The files about the Pod's names.
    pub etc: &'pod EtcFiles,
    /// The root of the image, if it has files.
    pub image: Option<&'pod Path>,
    /// The folder that the container starts in, which is made if it is missing.
    pub working_dir: Option<&'pod str>,
    /// The container's environment, for `subPathExpr`.
    pub environment: &'pod [(String, String)],
}

/// The files of one run of a container.
#[derive(Debug)]
pub struct ContainerFilesystem {
    mounts: Vec<Mount>,
    termination_message: TerminationMessage,
    notes: Vec<String>,
    image_bytes: u64,
}

impl ContainerFilesystem {
    /// Makes the root and prepares the mounts.
    ///
    /// # Errors
    /// [`MountError::Config`] for a mount that cannot be as it is written, [`MountError::Create`]
    /// where the host's file system refuses.
    pub fn prepare(options: ContainerFilesystemOptions<'_>) -> Result<Self, MountError> {
        let container = options.container;
        let create = |error: String| MountError::create(&container.name, error);
        let root = make_root(options.folder, container, options.attempt).map_err(create)?;
        let image_bytes = options.image.map_or(Ok(0), |image| lay(image, &root)).map_err(create)?;
        fill_root(&root, options.etc).map_err(create)?;
        let mut layout = Layout::new(container, root);
        for mount in container.volume_mounts.iter().flatten() {
            layout.add(mount, options.volumes, options.environment)?;
        }
        layout.make_mount_points()?;
        layout.place_files()?;
        if let Some(folder) = options.working_dir {
            layout.make_folder(&clean(folder))?;
        }
        let termination_message = layout.termination_message(container)?;
        if is_root_read_only(container) {
            layout.keep_writable("/dev");
            layout.keep_writable(folder_of(&termination_message_path(container)));
        }
        let Layout { folders, notes, .. } = layout;
        let mounts = folders.into_iter().map(|folder| folder.mount).collect();
        Ok(ContainerFilesystem { mounts, termination_message, notes, image_bytes })
    }

    /// The directories for the guest: the root first, then by path.
    #[must_use]
    pub fn mounts(&self) -> &[Mount] {
        &self.mounts
    }

    /// Where the container leaves its last words.
    #[must_use]
    pub fn termination_message(&self) -> &TerminationMessage {
        &self.termination_message
    }

    /// Bytes in the root that are the image's and nobody has written.
    #[must_use]
    pub fn image_bytes(&self) -> u64 {
        self.image_bytes
    }

    /// What the user should be told once.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}

/// The mounts of a container while they are put together.
struct Layout<'pod> {
    container: &'pod Container,
    /// The root and the mounts that are directories.
    folders: Vec<Folder>,
    /// The mounts that are files.
    files: Vec<FileMount>,
    notes: Vec<String>,
}

struct Folder {
    mount: Mount,
    surroundings: Surroundings,
}

struct FileMount {
    guest_path: String,
    volume: String,
    file: fs::File,
    manner: Manner,
}

impl<'pod> Layout<'pod> {
    fn new(container: &'pod Container, root: PathBuf) -> Self {
        let mount = Mount::at("/", root, is_root_read_only(container));
        let folders = vec![Folder { mount, surroundings: Surroundings::Ours }];
        Layout { container, folders, files: Vec::new(), notes: Vec::new() }
    }

    fn add(
        &mut self,
        mount: &VolumeMount,
        volumes: &Volumes,
        environment: &[(String, String)],
    ) -> Result<(), MountError> {
        let name = &self.container.name;
        let volume = volumes.get(&mount.name).ok_or_else(|| {
            MountError::Config(format!(
                "cannot find volume {:?} to mount into container {name:?}",
                mount.name
            ))
        })?;
        let guest_path = clean(&mount.mount_path);
        if guest_path == "/" || guest_path.contains('\0') {
            return Err(MountError::Config(format!(
                "volumeMount {:?} of container {name:?}: {:?} cannot be a mount path",
                mount.name, mount.mount_path
            )));
        }
        let sub_path = sub_path(mount, environment)?;
        let target = open_target(&volume.path, sub_path.as_deref()).map_err(|error| {
            let path = volume.path.display();
            MountError::Config(match sub_path {
                Some(_) => format!(
                    "failed to prepare subPath for volumeMount {:?} of container {name:?}: {error}",
                    mount.name
                ),
                None => format!(
                    "failed to mount {path} for volumeMount {:?} of container {name:?}: {error}",
                    mount.name
                ),
            })
        })?;
        let volume_is_secret = matches!(volume.kind, Kind::Projected { secret: true });
        let read_only = mount.read_only == Some(true) || volume.kind.is_read_only();
        match target {
            Target::Folder(folder) => {
                let surroundings = match volume.kind {
                    _ if read_only => Surroundings::ReadOnly,
                    Kind::EmptyDir => Surroundings::Ours,
                    _ => Surroundings::Lasting,
                };
                let mount = match sub_path {
                    Some(_) => Mount::held(guest_path, folder.into(), read_only),
                    None => Mount::at(guest_path, volume.path.clone(), read_only),
                };
                // Of two mounts at one place the later covers the earlier.
                self.folders.retain(|other| other.mount.guest_path != mount.guest_path);
                self.folders.push(Folder { mount, surroundings });
            }
            Target::File(file) => {
                let manner = match volume.kind {
                    Kind::Projected { .. } => Manner::Copy,
                    _ if read_only => Manner::Snapshot,
                    _ => Manner::Share,
                };
                let volume = mount.name.clone();
                if volume_is_secret {
                    // A guest is given directories: the file has to be in its root, which is on disk.
                    self.notes.push(format!(
                        "container {name:?} has a copy of a Secret's file at {guest_path}, on disk \
                         while it runs: mount the whole volume {volume:?} to keep it in memory"
                    ));
                }
                self.files.push(FileMount { guest_path, volume, file, manner });
            }
        }
        Ok(())
    }

    /// Shows each mount as a folder in the one around it, outer ones first.
    fn make_mount_points(&mut self) -> Result<(), MountError> {
        self.folders.sort_by(|a, b| a.mount.guest_path.cmp(&b.mount.guest_path));
        for position in 1..self.folders.len() {
            let guest_path = self.folders[position].mount.guest_path.clone();
            let (around, below) = self.around(&guest_path, Some(position));
            make_folder_in(around, &below).map_err(|error| self.create(&guest_path, error))?;
        }
        Ok(())
    }

    fn make_folder(&self, guest_path: &str) -> Result<(), MountError> {
        let (around, below) = self.around(guest_path, None);
        make_folder_in(around, &below).map_err(|error| self.create(guest_path, error))
    }

    fn place_files(&mut self) -> Result<(), MountError> {
        for FileMount { guest_path, volume, file, manner } in std::mem::take(&mut self.files) {
            let (around, below) = self.around(&guest_path, None);
            let folder = Dir::open_ambient_dir(around.mount.host_path(), ambient_authority())
                .map_err(|error| self.create(&guest_path, error))?;
            let is_snapshot = place(file, manner, &folder, &below, around.surroundings)
                .map_err(|error| self.create(&guest_path, error))?;
            if is_snapshot {
                self.notes.push(format!(
                    "container {:?} has a copy of the file of volume {volume:?} at {guest_path}: \
                     later changes on the host are not seen before it restarts",
                    self.container.name
                ));
            }
        }
        Ok(())
    }

    fn termination_message(&self, container: &Container) -> Result<TerminationMessage, MountError> {
        let path = termination_message_path(container);
        let (around, below) = self.around(&path, None);
        if around.mount.guest_path == "/"
            && let Err(error) = make_message(&around.mount.host_path(), &below)
        {
            // A directory there, say of a mount: then there is no message, as in Kubernetes.
            tracing::debug!("no termination message at {path}: {error}");
        }
        let falls_back_to_logs =
            container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError");
        Ok(TerminationMessage::new(around.mount.clone(), below, falls_back_to_logs))
    }

    /// Leaves a folder of a read-only root writable: it becomes a mount of its own.
    ///
    /// Not the root as a whole, which was asked to be read-only, and not what a volume covers.
    fn keep_writable(&mut self, guest_path: &str) {
        let (around, below) = self.around(guest_path, None);
        if around.mount.guest_path != "/" || below.as_os_str().is_empty() {
            return;
        }
        // Opened below the root: a link of the image may lead anywhere.
        let root = Dir::open_ambient_dir(around.mount.host_path(), ambient_authority());
        let Ok(folder) = root.and_then(|root| root.open_dir(&below)) else { return };
        let mount = Mount::held(guest_path, folder.into_std_file().into(), false);
        self.folders.push(Folder { mount, surroundings: Surroundings::Ours });
        self.folders.sort_by(|a, b| a.mount.guest_path.cmp(&b.mount.guest_path));
    }

    /// The innermost mount that holds `guest_path`, and the path below it. A mount is not around
    /// itself: `except` is passed over.
    fn around(&self, guest_path: &str, except: Option<usize>) -> (&Folder, PathBuf) {
        self.folders
            .iter()
            .enumerate()
            .filter(|(position, _)| Some(*position) != except)
            .filter_map(|(_, folder)| {
                let below = Path::new(guest_path).strip_prefix(&folder.mount.guest_path).ok()?;
                Some((folder, below.to_owned()))
            })
            .max_by_key(|(folder, _)| folder.mount.guest_path.len())
            .expect("the root holds every path")
    }

    fn create(&self, guest_path: &str, error: impl std::fmt::Display) -> MountError {
        MountError::create(&self.container.name, format!("{guest_path}: {error}"))
    }
}

/// Makes the file of the termination message at `below` in `root`, where an image may have put links.
fn make_message(root: &Path, below: &Path) -> io::Result<()> {
    let root = Dir::open_ambient_dir(root, ambient_authority())?;
    let mut options = cap_std::fs::OpenOptions::new();
    options.append(true).create(true).mode(0o666);
    match (root.open_with(below, &options), below.parent()) {
        (Err(error), Some(parent)) if error.kind() == io::ErrorKind::NotFound => {
            root.create_dir_all(parent)?;
            root.open_with(below, &options).map(drop)
        }
        (made, _) => made.map(drop),
    }
}

fn is_root_read_only(container: &Container) -> bool {
    let context = container.security_context.as_ref();
    context.and_then(|context| context.read_only_root_filesystem) == Some(true)
}

fn termination_message_path(container: &Container) -> String {
    let path = container.termination_message_path.as_deref();
    clean(path.filter(|path| !path.is_empty()).unwrap_or("/dev/termination-log"))
}

/// The folder of a cleaned path.
fn folder_of(path: &str) -> &str {
    match path.rsplit_once('/') {
        Some((folder, _)) if !folder.is_empty() => folder,
        _ => "/",
    }
}

fn make_folder_in(around: &Folder, below: &Path) -> io::Result<()> {
    // The mount works without; only a listing of the folder around it does not show it.
    if below.as_os_str().is_empty() || around.surroundings == Surroundings::ReadOnly {
        return Ok(());
    }
    let folder = Dir::open_ambient_dir(around.mount.host_path(), ambient_authority())?;
    folder.create_dir_all(below)
}

fn sub_path(
    mount: &VolumeMount,
    environment: &[(String, String)],
) -> Result<Option<PathBuf>, MountError> {
    let expression = mount.sub_path_expr.as_deref().filter(|text| !text.is_empty());
    let text = match (expression, mount.sub_path.as_deref()) {
        (Some(expression), _) => {
            let value = |name: &str| {
                // The last one of a name wins, as in an environment.
                let found = environment.iter().rev().find(|(key, _)| key == name);
                found.map(|(_, value)| value.as_str())
            };
            try_expand(expression, value).map_err(|error| MountError::Config(error.to_string()))?
        }
        (None, Some(text)) => text.to_owned(),
        (None, None) => return Ok(None),
    };
    if text.is_empty() {
        return Ok(None);
    }
    subpath::normalise(&text).map(Some).map_err(MountError::Config)
}

fn open_target(volume: &Path, sub_path: Option<&Path>) -> io::Result<Target> {
    if let Some(sub_path) = sub_path {
        return subpath::open(volume, sub_path);
    }
    let kind = fs::metadata(volume)?.file_type();
    if kind.is_dir() || kind.is_file() {
        let file = fs::File::open(volume)?;
        return Ok(if kind.is_dir() { Target::Folder(file) } else { Target::File(file) });
    }
    Err(io::Error::new(
        io::ErrorKind::Unsupported,
        "a WebAssembly guest can open only directories and regular files",
    ))
}

/// A path of a guest, absolute and without `.`, `..` and doubled slashes.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

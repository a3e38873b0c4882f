//! All volumes of a Pod: set up before its containers start, refreshed and measured while they run.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Pod, Volume};

use super::claim::ClaimStore;
use super::empty_dir::{self, Medium};
use super::payload::{self, Payload};
use super::sources::VolumeSources;
use super::{atomic, host_path};
use crate::manifest::environment::FileError;
use crate::manifest::quantity::Quantity;
use crate::sandbox::filesystem::error::{MountError, VolumeError};
use crate::sandbox::filesystem::folder::PodFolder;
use crate::sandbox::filesystem::subpath::{self, Target, open_below};
use crate::sandbox::filesystem::tree::{Usage, usage};

/// The most bytes of a file that environment variables are read from.
const MAX_ENVIRONMENT_FILE: u64 = 1024 * 1024;

/// The volumes of a Pod that are set up, by name.
#[derive(Debug, Default)]
pub struct Volumes {
    mounted: BTreeMap<String, Mounted>,
    notes: Vec<String>,
}

/// A volume that is set up.
#[derive(Debug, Clone)]
pub(crate) struct Mounted {
    /// Its folder on the host; for a hostPath perhaps a file.
    pub(crate) path: PathBuf,
    pub(crate) kind: Kind,
}

/// What matters of a volume's source once it is set up.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    EmptyDir,
    HostPath,
    /// Content that the Pod is given: never written by guests.
    Projected {
        /// Whether Secrets are in it.
        secret: bool,
    },
    Claim {
        read_only: bool,
    },
}

impl Kind {
    /// Whether guests may not write, whatever the mount says.
    pub(crate) fn is_read_only(self) -> bool {
        matches!(self, Kind::Projected { .. } | Kind::Claim { read_only: true })
    }
}

/// What [`Volumes::refresh`] did with one volume.
#[derive(Debug)]
pub struct Refreshed {
    /// The volume.
    pub volume: String,
    /// Whether its content changed.
    pub changed: Result<bool, MountError>,
}

impl Volumes {
    /// Sets up the volumes of `pod` that are not yet: call it again to try again what failed.
    ///
    /// Each error is one for a `FailedMount` event; the containers wait until there is none.
    #[must_use]
    pub fn set_up(
        &mut self,
        folder: &PodFolder,
        pod: &Pod,
        sources: &dyn VolumeSources,
        claims: &ClaimStore,
        now: Timestamp,
    ) -> Vec<MountError> {
        let context = Context { folder, namespace: namespace(pod), sources, claims, now };
        let mut errors = Vec::new();
        for volume in declared(pod) {
            if self.mounted.contains_key(&volume.name) {
                continue;
            }
            match context.set_up(volume) {
                Ok((mounted, note)) => {
                    self.mounted.insert(volume.name.clone(), mounted);
                    self.notes.extend(note);
                }
                Err(cause) => {
                    errors.push(MountError::SetUp { volume: volume.name.clone(), cause });
                }
            }
        }
        errors
    }

    /// Brings configMap, secret, downwardAPI and projected volumes up to date. What has not
    /// changed is left alone; what fails keeps its old content.
    #[must_use]
    pub fn refresh(
        &self,
        pod: &Pod,
        sources: &dyn VolumeSources,
        now: Timestamp,
    ) -> Vec<Refreshed> {
        let mut refreshed = Vec::new();
        for volume in declared(pod) {
            let Some(mounted) = self.mounted.get(&volume.name) else { continue };
            let Some(payload) = projected_payload(volume, namespace(pod), sources) else {
                continue;
            };
            let changed = payload
                .and_then(|payload| atomic::write(&mounted.path, &payload, now))
                .map_err(|cause| MountError::SetUp { volume: volume.name.clone(), cause });
            refreshed.push(Refreshed { volume: volume.name.clone(), changed });
        }
        refreshed
    }

    /// What the user should be told once: where a wish could not be met in full.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What an emptyDir takes on its file system.
    ///
    /// # Errors
    /// There is no such volume, or it cannot be read.
    pub fn usage(&self, volume: &str) -> io::Result<Usage> {
        match self.mounted.get(volume) {
            Some(mounted) => usage(&mounted.path),
            None => Err(io::Error::new(io::ErrorKind::NotFound, format!("no volume {volume:?}"))),
        }
    }

    /// A file of a volume, for environment variables from files.
    ///
    /// # Errors
    /// [`FileError`]; a path that leads out of the volume is unreadable.
    pub fn read_file(&self, volume: &str, path: &str) -> Result<Vec<u8>, FileError> {
        let mounted = self.mounted.get(volume).ok_or(FileError::NotFound)?;
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => FileError::NotFound,
            _ => FileError::Unreadable(error.to_string()),
        };
        let relative = subpath::normalise(path).map_err(FileError::Unreadable)?;
        let folder =
            Dir::open_ambient_dir(&mounted.path, ambient_authority()).map_err(unreadable)?;
        let Target::File(file) = open_below(&folder, &relative).map_err(unreadable)? else {
            return Err(FileError::Unreadable("is a directory".to_owned()));
        };
        let mut bytes = Vec::new();
        file.take(MAX_ENVIRONMENT_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_ENVIRONMENT_FILE) {
            return Err(FileError::Unreadable("is larger than 1 MiB".to_owned()));
        }
        Ok(bytes)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Mounted> {
        self.mounted.get(name)
    }
}

struct Context<'pod> {
    folder: &'pod PodFolder,
    namespace: &'pod str,
    sources: &'pod dyn VolumeSources,
    claims: &'pod ClaimStore,
    now: Timestamp,
}

impl Context<'_> {
    fn set_up(&self, volume: &Volume) -> Result<(Mounted, Option<String>), VolumeError> {
        if !is_one_name(&volume.name) {
            return Err(VolumeError::Invalid(format!("{:?} is not a volume's name", volume.name)));
        }
        if let Some(payload) = projected_payload(volume, self.namespace, self.sources) {
            let payload = payload?;
            let medium = secrecy(volume);
            let (path, found) = self.projected(&volume.name, medium, &payload)?;
            let note = (found != medium).then(|| {
                format!(
                    "the Secrets of volume {:?} lie on disk while the Pod runs: neither \
                     XDG_RUNTIME_DIR nor /dev/shm offers a private place in memory",
                    volume.name
                )
            });
            let kind = Kind::Projected { secret: medium == Medium::Memory };
            return Ok((Mounted { path, kind }, note));
        }
        if let Some(source) = &volume.host_path {
            let path = host_path::set_up(source)?;
            return Ok((Mounted { path, kind: Kind::HostPath }, None));
        }
        if let Some(source) = &volume.persistent_volume_claim {
            let claim = self.sources.persistent_volume_claim(self.namespace, &source.claim_name);
            let path = self.claims.set_up(self.namespace, &source.claim_name, claim)?;
            let read_only = source.read_only == Some(true);
            return Ok((Mounted { path, kind: Kind::Claim { read_only } }, None));
        }
        if let Some(what) = foreign(volume) {
            return Err(VolumeError::Unsupported {
                what,
                reason: "there is no driver for it here",
            });
        }
        // A volume without a source is an emptyDir.
        let source = volume.empty_dir.clone().unwrap_or_default();
        let limit = source.size_limit.as_ref().map_or(Ok(Quantity::ZERO), |limit| limit.0.parse());
        limit.map_err(|error| VolumeError::Invalid(format!("emptyDir.sizeLimit: {error}")))?;
        let (path, note) = empty_dir::set_up(&volume.name, &source, self.folder)?;
        Ok((Mounted { path, kind: Kind::EmptyDir }, note))
    }

    fn projected(
        &self,
        name: &str,
        medium: Medium,
        payload: &Payload,
    ) -> Result<(PathBuf, Medium), VolumeError> {
        let made = empty_dir::make_folder(name, medium, self.folder);
        let (path, found) = made.map_err(VolumeError::io(self.folder.path()))?;
        atomic::write(&path, payload, self.now)?;
        Ok((path, found))
    }
}

fn projected_payload(
    volume: &Volume,
    namespace: &str,
    sources: &dyn VolumeSources,
) -> Option<Result<Payload, VolumeError>> {
    if let Some(source) = &volume.config_map {
        return Some(payload::of_config_map(source, namespace, sources));
    }
    if let Some(source) = &volume.secret {
        return Some(payload::of_secret(source, namespace, sources));
    }
    if let Some(source) = &volume.downward_api {
        return Some(payload::of_downward_api(source, sources));
    }
    let source = volume.projected.as_ref()?;
    Some(payload::of_projected(source, namespace, sources))
}

/// Secrets stay off the disk where the host has a place in memory, as a kubelet keeps them.
fn secrecy(volume: &Volume) -> Medium {
    let projects_secret = volume.projected.as_ref().is_some_and(|projected| {
        projected.sources.iter().flatten().any(|source| source.secret.is_some())
    });
    if volume.secret.is_some() || projects_secret { Medium::Memory } else { Medium::Disk }
}

/// The source of a volume that would need a driver. The manifest refuses these before; whoever
/// builds a Pod in code may not have asked it.
fn foreign(volume: &Volume) -> Option<&'static str> {
    let sources = [
        (volume.aws_elastic_block_store.is_some(), "awsElasticBlockStore"),
        (volume.azure_disk.is_some(), "azureDisk"),
        (volume.azure_file.is_some(), "azureFile"),
        (volume.cephfs.is_some(), "cephfs"),
        (volume.cinder.is_some(), "cinder"),
        (volume.csi.is_some(), "csi"),
        (volume.ephemeral.is_some(), "ephemeral"),
        (volume.fc.is_some(), "fc"),
        (volume.flex_volume.is_some(), "flexVolume"),
        (volume.flocker.is_some(), "flocker"),
        (volume.gce_persistent_disk.is_some(), "gcePersistentDisk"),
        (volume.git_repo.is_some(), "gitRepo"),
        (volume.glusterfs.is_some(), "glusterfs"),
        (volume.image.is_some(), "image"),
        (volume.iscsi.is_some(), "iscsi"),
        (volume.nfs.is_some(), "nfs"),
        (volume.photon_persistent_disk.is_some(), "photonPersistentDisk"),
        (volume.portworx_volume.is_some(), "portworxVolume"),
        (volume.quobyte.is_some(), "quobyte"),
        (volume.rbd.is_some(), "rbd"),
        (volume.scale_io.is_some(), "scaleIO"),
        (volume.storageos.is_some(), "storageos"),
        (volume.vsphere_volume.is_some(), "vsphereVolume"),
    ];
    sources.into_iter().find_map(|(is_set, name)| is_set.then_some(name))
}

fn declared(pod: &Pod) -> &[Volume] {
    pod.spec.as_ref().and_then(|spec| spec.volumes.as_deref()).unwrap_or_default()
}

fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("default")
}

fn is_one_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..")
        && !name.contains(['/', '\0'])
        && Path::new(name).file_name().is_some()
}

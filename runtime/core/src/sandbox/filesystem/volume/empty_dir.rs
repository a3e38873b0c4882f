//! emptyDir: a folder that lives as long as the Pod, on disk or in memory, with a limit.
//!
//! The limit is not enforced while the guest writes; as in Kubernetes it is looked at now and
//! then, and a Pod over it is evicted.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::EmptyDirVolumeSource;

use crate::sandbox::filesystem::error::VolumeError;
use crate::sandbox::filesystem::folder::PodFolder;

/// Where a volume of the Pod's own is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Medium {
    Disk,
    Memory,
}

/// Sets the volume up; answers with its folder and what the user should know.
pub(crate) fn set_up(
    name: &str,
    source: &EmptyDirVolumeSource,
    folder: &PodFolder,
) -> Result<(PathBuf, Option<String>), VolumeError> {
    let medium = match source.medium.as_deref() {
        None | Some("") => Medium::Disk,
        Some("Memory") => Medium::Memory,
        Some(medium) if medium.starts_with("HugePages") => {
            return Err(VolumeError::Unsupported {
                what: "emptyDir.medium: HugePages",
                reason: "a WebAssembly guest cannot map files",
            });
        }
        Some(medium) => {
            return Err(VolumeError::Invalid(format!(
                "unknown storage medium {medium:?}: use \"\" or \"Memory\""
            )));
        }
    };
    let (path, found) =
        make_folder(name, medium, folder).map_err(VolumeError::io(folder.path()))?;
    let mode = source.mode.map_or(0o777, |mode| mode.cast_unsigned() & 0o7777);
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(VolumeError::io(&path))?;
    let note = (found != medium).then(|| {
        format!(
            "volume {name:?} with medium Memory lies on disk: neither XDG_RUNTIME_DIR nor /dev/shm \
             offers a private place in memory"
        )
    });
    Ok((path, note))
}

/// A new folder for the volume `name`, in memory if asked for and possible.
///
/// `volumes/<name>` of the Pod's folder always leads there.
pub(crate) fn make_folder(
    name: &str,
    medium: Medium,
    folder: &PodFolder,
) -> io::Result<(PathBuf, Medium)> {
    let path = folder.volume(name);
    let parent = path.parent().expect("it was joined to its folder");
    match fs::DirBuilder::new().mode(0o700).create(parent) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    if medium == Medium::Memory
        && let Some(memory) = folder.memory()?
    {
        let target = memory.join(name);
        create(&target)?;
        match symlink(&target, &path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        return Ok((target, Medium::Memory));
    }
    create(&path)?;
    Ok((path, Medium::Disk))
}

/// A second attempt after a failure finds the folder of the first.
fn create(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        created => created,
    }
}

//! The root of one run of a container, before anything is mounted there.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::Container;

use super::etc::EtcFiles;
use super::folder::PodFolder;
use super::spare::ROOT_FOLDERS;
use super::tree::remove_tree;

/// The root of a new run of `container`; the runs before are removed.
///
/// # Errors
/// The path that could not be made or removed, and why.
pub(super) fn make_root(
    folder: &PodFolder,
    container: &Container,
    attempt: u32,
) -> Result<PathBuf, String> {
    let name = container.name.as_str();
    if name.is_empty() || name.contains(['/', '.', '\0']) {
        return Err("its name cannot name a folder".to_owned());
    }
    let root = folder.root(name, attempt);
    if attempt > 0 {
        remove_runs(folder.path(), name)?;
    }
    if fs::symlink_metadata(&root).is_ok() {
        remove_tree(&root).map_err(|error| error.to_string())?;
    }
    if folder.take_root(&root).map_err(at(&root))? {
        return Ok(root);
    }
    DirBuilder::new().mode(0o755).create(&root).map_err(at(&root))?;
    for name in ROOT_FOLDERS {
        let path = root.join(name);
        DirBuilder::new().mode(0o755).create(&path).map_err(at(&path))?;
    }
    Ok(root)
}

/// Removes what earlier runs of a container left.
fn remove_runs(pod: &Path, container: &str) -> Result<(), String> {
    for entry in fs::read_dir(pod).map_err(at(pod))? {
        let entry = entry.map_err(at(pod))?;
        let name = entry.file_name();
        let run = name.to_str().and_then(|name| name.strip_prefix(container)?.strip_prefix('.'));
        if run.is_some_and(|run| run.parse::<u32>().is_ok())
            && let Err(error) = remove_tree(&entry.path())
        {
            tracing::warn!("the files of an earlier run are left: {error}");
        }
    }
    Ok(())
}

/// Writes the files about the Pod's names into a root. No path in it is a link: what an image has there is not
/// laid over a root.
///
/// # Errors
/// The path that could not be written, and why.
pub(super) fn fill_root(root: &Path, etc: &EtcFiles) -> Result<(), String> {
    for (name, text) in [
        ("etc/hostname", &etc.hostname),
        ("etc/hosts", &etc.hosts),
        ("etc/resolv.conf", &etc.resolv_conf),
    ] {
        let path = root.join(name);
        overwrite(&path, text.as_bytes()).map_err(at(&path))?;
    }
    Ok(())
}

/// Writes over what a spare root has there, and cuts off the rest.
fn overwrite(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(false).mode(0o644).open(path)?;
    file.write_all(text)?;
    let length = text.len() as u64;
    // To cut a file to the length that it has is a transaction of the file system all the same.
    if file.metadata()?.len() == length { Ok(()) } else { file.set_len(length) }
}

/// An error with its place in front.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> String {
    move |error| format!("{}: {error}", path.display())
}

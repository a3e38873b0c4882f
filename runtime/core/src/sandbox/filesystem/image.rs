//! The files of an image in the root of a container.
//!
//! Copied, as every container changes its own. Where the file system shares blocks between files a copy
//! costs none. Files that are one file in the image are one in the copy: each of a million links would be
//! as large as the file. What the sandbox itself provides stays: a folder is never replaced by something else, and
//! the files about the Pod's names are not the image's. So whatever an image holds, the paths that are
//! gone below a root without looking for links lead to where they should.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};

use super::root::at;

/// Of `st_blocks`, in bytes.
const BLOCK: u64 = 512;

/// Below `/etc` these are the Pod's.
const OF_POD: [&str; 3] = ["hostname", "hosts", "resolv.conf"];

/// At the root these are the sandbox's, with all that is in them.
const OF_SANDBOX: [&str; 3] = ["dev", "proc", "sys"];

/// Lays a copy of the files of `image` over `root`, a new root of a container. Gives the bytes of the blocks
/// that they take.
///
/// # Errors
/// The path that could not be copied, and why.
pub(super) fn lay(image: &Path, root: &Path) -> Result<u64, String> {
    let mut blocks = 0_u64;
    let mut folders = vec![PathBuf::new()];
    let mut stamps = Vec::new();
    let mut linked = HashMap::new();
    while let Some(below) = folders.pop() {
        let from = image.join(&below);
        for entry in fs::read_dir(&from).map_err(at(&from))? {
            let name = entry.map_err(at(&from))?.file_name();
            if is_provided(&below, &name) {
                continue;
            }
            let below = below.join(name);
            let (from, to) = (image.join(&below), root.join(&below));
            let found = fs::symlink_metadata(&from).map_err(at(&from))?;
            let is_linked = found.is_file() && found.nlink() > 1;
            let file = is_linked.then(|| (found.dev(), found.ino()));
            let first = file.and_then(|file| linked.get(&file)).map(PathBuf::as_path);
            let is_copied = copy(&from, &found, first, &to).map_err(at(&to))?;
            if is_copied && first.is_none() {
                blocks = blocks.saturating_add(found.blocks());
                linked.extend(file.map(|file| (file, to.clone())));
            }
            if found.is_dir() {
                stamps.push((to, found));
                folders.push(below);
            }
        }
    }
    // When nothing is put into them any more, and inner ones first, as a folder that nobody may search
    // hides what is in it.
    for (folder, found) in stamps.iter().rev() {
        stamp(folder, found).map_err(at(folder))?;
    }
    Ok(blocks.saturating_mul(BLOCK))
}

fn is_provided(folder: &Path, name: &OsStr) -> bool {
    let is_one_of = |names: &[&str]| names.iter().any(|own| name == *own);
    if folder.as_os_str().is_empty() {
        is_one_of(&OF_SANDBOX)
    } else {
        folder == Path::new("etc") && is_one_of(&OF_POD)
    }
}

/// One file, link or folder; the latter without what is in it. `first` is a copy of the same file. Answers
/// whether it is there now.
fn copy(from: &Path, found: &Metadata, first: Option<&Path>, to: &Path) -> io::Result<bool> {
    let there = fs::symlink_metadata(to).ok();
    if found.is_dir() {
        match there {
            Some(there) if there.is_dir() => {}
            _ => fs::create_dir(to)?,
        }
        return Ok(true);
    }
    match there {
        // The sandbox's own, which an image has a link or a file for.
        Some(there) if there.is_dir() => return Ok(false),
        Some(_) => fs::remove_file(to)?,
        None => {}
    }
    if found.is_symlink() {
        symlink(fs::read_link(from)?, to)?;
    } else if let Some(first) = first {
        fs::hard_link(first, to)?;
    } else if found.is_file() {
        fs::copy(from, to)?;
        stamp(to, found)?;
    }
    // A store has nothing else.
    Ok(true)
}

/// Mode and time of the last change.
fn stamp(path: &Path, found: &Metadata) -> io::Result<()> {
    fs::set_permissions(path, found.permissions())?;
    let modified = Timespec { tv_sec: found.mtime(), tv_nsec: found.mtime_nsec() as _ };
    let times = Timestamps { last_access: modified, last_modification: modified };
    Ok(utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn an_image_is_laid_over_a_root_and_leaves_what_is_the_pods() {
        let folder = tempfile::tempdir().unwrap();
        let (image, root) = (folder.path().join("image"), folder.path().join("root"));
        for path in ["image/app/data", "image/etc", "image/dev", "root/etc", "root/dev", "root/tmp"]
        {
            fs::create_dir_all(folder.path().join(path)).unwrap();
        }
        fs::write(image.join("app/run.wasm"), "run").unwrap();
        fs::set_permissions(image.join("app/run.wasm"), fs::Permissions::from_mode(0o755)).unwrap();
        symlink("run.wasm", image.join("app/link")).unwrap();
        symlink("/etc/passwd", image.join("etc/hosts")).unwrap();
        fs::hard_link(image.join("app/run.wasm"), image.join("app/data/same.wasm")).unwrap();
        fs::write(image.join("etc/issue"), "image").unwrap();
        fs::write(image.join("dev/null"), "no device").unwrap();
        // In the place of a folder of the sandbox.
        symlink("/", image.join("tmp")).unwrap();
        let of_files: u64 =
            ["app", "app/data", "app/link", "app/run.wasm", "dev", "etc", "etc/issue"]
                .iter()
                .map(|path| fs::symlink_metadata(image.join(path)).unwrap().blocks() * BLOCK)
                .sum();
        assert!(lay(&image, &root).unwrap() <= of_files, "a file counts twice");
        let inode = |path: &str| fs::metadata(root.join(path)).unwrap().ino();
        assert_eq!(inode("app/run.wasm"), inode("app/data/same.wasm"));
        assert_eq!(fs::read_to_string(root.join("app/link")).unwrap(), "run");
        assert_eq!(fs::metadata(root.join("app/run.wasm")).unwrap().mode() & 0o777, 0o755);
        assert_eq!(fs::read_to_string(root.join("etc/issue")).unwrap(), "image");
        for absent in ["etc/hosts", "dev/null"] {
            assert!(fs::symlink_metadata(root.join(absent)).is_err(), "{absent}");
        }
        assert!(fs::symlink_metadata(root.join("tmp")).unwrap().is_dir());
        // A container has changed its copy: the image has not.
        fs::write(root.join("app/run.wasm"), "changed").unwrap();
        assert_eq!(fs::read_to_string(image.join("app/run.wasm")).unwrap(), "run");
    }
}

//! Files of a container, found from the host as its guest finds them: in the innermost mount around
//! their path, and never out of it.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::Dir;
use rustix::io::Errno;

use super::container::clean;
use super::mount::Mount;
use super::subpath::{Target, open_below};

/// Opens the plain file at `path`, an absolute path of a guest with these mounts; none if there is
/// nothing, or no plain file. Blocks, but never for the other end of a FIFO.
///
/// # Errors
/// It is there, and leads out of its mount or cannot be opened.
pub fn open_guest_file(mounts: &[Mount], path: &str) -> io::Result<Option<File>> {
    let Some((folder, below)) = open_around(mounts, path)? else { return Ok(None) };
    match open_below(&folder, &below) {
        Ok(Target::File(file)) => Ok(Some(file)),
        Ok(Target::Folder(_)) => Ok(None),
        Err(error) if is_absence(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The names in the folder at `path`; none if it cannot be read. At most `most` are looked at.
/// Blocks.
pub fn guest_files(mounts: &[Mount], path: &str, most: usize) -> Vec<String> {
    let list = || {
        let (folder, below) = open_around(mounts, path).ok()??;
        folder.read_dir(below).ok()
    };
    let entries = list().into_iter().flatten().take(most).flatten();
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

/// The innermost mount around `path`, opened, and the way from there.
fn open_around(mounts: &[Mount], path: &str) -> io::Result<Option<(Dir, PathBuf)>> {
    let path = clean(path);
    let below = |mount: &Mount| {
        let below = Path::new(&path).strip_prefix(&mount.guest_path).ok()?;
        // An empty path names nothing.
        Some(if below.as_os_str().is_empty() { PathBuf::from(".") } else { below.to_owned() })
    };
    let around = mounts
        .iter()
        .filter_map(|mount| Some((mount, below(mount)?)))
        .max_by_key(|(mount, _)| mount.guest_path.len());
    let Some((mount, below)) = around else { return Ok(None) };
    let folder = Dir::open_ambient_dir(mount.host_path(), ambient_authority())?;
    Ok(Some((folder, below)))
}

fn is_absence(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound, Unsupported};
    // A FIFO is unsupported, a NUL byte in a path is invalid, and so is a name that is too long.
    let kinds = matches!(
        error.kind(),
        NotFound | NotADirectory | Unsupported | InvalidInput | InvalidFilename
    );
    // That of a socket, which has no kind.
    kinds || error.raw_os_error() == Some(Errno::NXIO.raw_os_error())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Read as _;
    use std::os::unix::fs::symlink;

    use super::*;

    fn text(mounts: &[Mount], path: &str) -> Option<String> {
        let mut text = String::new();
        open_guest_file(mounts, path).unwrap()?.read_to_string(&mut text).unwrap();
        Some(text)
    }

    #[test]
    fn the_innermost_mount_has_the_file() {
        let host = tempfile::tempdir().unwrap();
        for folder in ["root/data", "volume"] {
            fs::create_dir_all(host.path().join(folder)).unwrap();
        }
        fs::write(host.path().join("root/file"), "of the root").unwrap();
        fs::write(host.path().join("root/data/hidden"), "covered").unwrap();
        fs::write(host.path().join("volume/file"), "of the volume").unwrap();
        let mounts = [
            Mount::at("/", host.path().join("root"), false),
            Mount::at("/data", host.path().join("volume"), true),
        ];
        assert_eq!(text(&mounts, "/file").as_deref(), Some("of the root"));
        assert_eq!(text(&mounts, "/data/../file").as_deref(), Some("of the root"));
        assert_eq!(text(&mounts, "/data//file").as_deref(), Some("of the volume"));
        for absent in ["/data", "/", "/data/hidden", "/datafile", "/file/below", "/a\0b", "/no"] {
            assert_eq!(text(&mounts, absent), None, "{absent:?}");
        }
        assert_eq!(guest_files(&mounts, "/data", 10), ["file"]);
        assert!(guest_files(&mounts, "/nowhere", 10).is_empty());
        assert_eq!(guest_files(&mounts, "/", 1).len(), 1);
    }

    #[test]
    fn no_link_leads_out_of_a_mount() {
        let host = tempfile::tempdir().unwrap();
        let root = host.path().join("root");
        fs::create_dir(&root).unwrap();
        fs::write(host.path().join("secret"), "secret").unwrap();
        fs::write(root.join("real"), "real").unwrap();
        symlink("real", root.join("inside")).unwrap();
        symlink("../secret", root.join("relative")).unwrap();
        symlink(host.path().join("secret"), root.join("absolute")).unwrap();
        let mounts = [Mount::at("/", root, false)];
        assert_eq!(text(&mounts, "/inside").as_deref(), Some("real"));
        assert_eq!(text(&mounts, "/../secret"), None);
        for link in ["/relative", "/absolute"] {
            assert!(open_guest_file(&mounts, link).is_err(), "{link}");
        }
    }
}

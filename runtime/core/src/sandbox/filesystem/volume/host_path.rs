//! hostPath: a file or folder of the host, as its type asks.
//!
//! Rule: the kubelet's hostPath plugin, whose sentences these are. Type `""` checks nothing; a
//! container runtime then makes a folder where there is none, and so does this.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use k8s_openapi::api::core::v1::HostPathVolumeSource;

use crate::sandbox::filesystem::error::VolumeError;
use crate::sandbox::filesystem::subpath::make_folders;

pub(crate) fn set_up(source: &HostPathVolumeSource) -> Result<PathBuf, VolumeError> {
    checked(source).map_err(|error| match error {
        // A kubelet is root and meets this seldom; its manifests are written without the thought.
        VolumeError::Io { path, source }
            if source.kind() == io::ErrorKind::PermissionDenied
                && !rustix::process::geteuid().is_root() =>
        {
            let user = rustix::process::geteuid().as_raw();
            let text = format!(
                "{source}; this process runs as user {user}: make the path yourself, let that \
                 user have it, or run as root"
            );
            VolumeError::Io { path, source: io::Error::new(source.kind(), text) }
        }
        error => error,
    })
}

fn checked(source: &HostPathVolumeSource) -> Result<PathBuf, VolumeError> {
    let path = Path::new(&source.path);
    let invalid =
        |why: &str| VolumeError::Invalid(format!("invalid HostPath `{}`: {why}", source.path));
    if path.components().any(|component| component == Component::ParentDir) {
        return Err(invalid("must not contain '..'"));
    }
    if !path.is_absolute() {
        return Err(invalid("must be an absolute path"));
    }
    if source.path.contains('\0') {
        return Err(invalid("must not contain a NUL byte"));
    }
    let found = match fs::metadata(path) {
        Ok(metadata) => Some(metadata.file_type()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(VolumeError::Io { path: path.to_owned(), source: error }),
    };
    let wrong = |what: &str| {
        VolumeError::Invalid(format!("hostPath type check failed: {} is not {what}", source.path))
    };
    let is = |kind: fn(&fs::FileType) -> bool, what: &str| {
        if found.as_ref().is_some_and(kind) { Ok(()) } else { Err(wrong(what)) }
    };
    match source.type_.as_deref().unwrap_or_default() {
        "" | "DirectoryOrCreate" if found.is_none() => {
            make_folders(path, 0o755).map_err(VolumeError::io(path))?;
        }
        "" => {}
        "Directory" | "DirectoryOrCreate" => is(fs::FileType::is_dir, "a directory")?,
        "FileOrCreate" if found.is_none() => {
            OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o644)
                .open(path)
                .map_err(VolumeError::io(path))?;
        }
        "File" | "FileOrCreate" => is(fs::FileType::is_file, "a file")?,
        "Socket" => is(FileTypeExt::is_socket, "a socket file")?,
        "CharDevice" => is(FileTypeExt::is_char_device, "a character device")?,
        "BlockDevice" => is(FileTypeExt::is_block_device, "a block device")?,
        other => {
            return Err(VolumeError::Invalid(format!("{other} is an invalid volume type")));
        }
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    fn check(path: &Path, kind: &str) -> Result<PathBuf, String> {
        let source = HostPathVolumeSource {
            path: path.to_str().unwrap().to_owned(),
            type_: Some(kind.to_owned()),
        };
        set_up(&source).map_err(|error| error.to_string())
    }

    #[test]
    fn each_type_is_checked_in_the_kubelets_words() {
        let host = tempfile::tempdir().unwrap();
        let folder = host.path().join("folder");
        let file = host.path().join("file");
        let socket = host.path().join("socket");
        fs::create_dir(&folder).unwrap();
        fs::write(&file, "x").unwrap();
        let _listener = UnixListener::bind(&socket).unwrap();
        let null = Path::new("/dev/null");

        for (path, kinds) in [
            (folder.as_path(), &["", "Directory", "DirectoryOrCreate"][..]),
            (&file, &["", "File", "FileOrCreate"]),
            (&socket, &["", "Socket"]),
            (null, &["", "CharDevice"]),
        ] {
            for kind in [
                "",
                "Directory",
                "DirectoryOrCreate",
                "File",
                "FileOrCreate",
                "Socket",
                "CharDevice",
                "BlockDevice",
            ] {
                let checked = check(path, kind);
                assert_eq!(checked.is_ok(), kinds.contains(&kind), "{path:?} {kind:?} {checked:?}");
            }
        }
        let errors = ["Directory", "File", "Socket", "BlockDevice", "Disk"]
            .map(|kind| check(null, if kind == "CharDevice" { "File" } else { kind }).unwrap_err())
            .join("\n");
        insta::assert_snapshot!(errors, @r"
        hostPath type check failed: /dev/null is not a directory
        hostPath type check failed: /dev/null is not a file
        hostPath type check failed: /dev/null is not a socket file
        hostPath type check failed: /dev/null is not a block device
        Disk is an invalid volume type
        ");
    }

    #[test]
    fn what_may_be_created_is() {
        let host = tempfile::tempdir().unwrap();
        for (name, kind) in [("a/b", "DirectoryOrCreate"), ("c/d", "")] {
            assert!(check(&host.path().join(name), kind).unwrap().is_dir());
        }
        assert!(check(&host.path().join("file"), "FileOrCreate").unwrap().is_file());
        let missing = host.path().join("no/file");
        let error = check(&missing, "FileOrCreate").unwrap_err();
        assert_eq!(error, format!("{}: No such file or directory (os error 2)", missing.display()));
        for kind in ["Directory", "File", "Socket", "CharDevice", "BlockDevice"] {
            assert!(check(&host.path().join("none"), kind).is_err());
            assert!(!host.path().join("none").exists());
        }
    }

    #[test]
    fn the_path_is_absolute_and_straight() {
        insta::assert_snapshot!(
            ["data", "/a/../b", ""].map(|path| check(Path::new(path), "").unwrap_err()).join("\n"),
            @r"
        invalid HostPath `data`: must be an absolute path
        invalid HostPath `/a/../b`: must not contain '..'
        invalid HostPath ``: must be an absolute path
        "
        );
    }
}

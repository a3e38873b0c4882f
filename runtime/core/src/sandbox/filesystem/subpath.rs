//! A mount's `subPath`, made safe: it names something inside its volume, whatever it says.
//!
//! Two guards: the text holds no `..` and does not start at the root (the kubelet's rule), and what
//! it leads to is opened below the volume, where no symbolic link of a guest leads out.
//!
//! Rule: `makeMounts` of the kubelet and its safe handling of sub paths.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Component, Path, PathBuf};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilderExt as _, OpenOptions, OpenOptionsExt};

/// The text of a `subPath` as a relative path of plain names; empty for the volume itself.
///
/// # Errors
/// The kubelet's sentence.
pub(crate) fn normalise(sub_path: &str) -> Result<PathBuf, String> {
    if sub_path.starts_with('/') {
        return Err(format!("error SubPath `{sub_path}` must not be an absolute path"));
    }
    if sub_path.contains('\0') {
        return Err(format!(
            "unable to provision SubPath `{}`: must not contain a NUL byte",
            sub_path.escape_debug()
        ));
    }
    let mut normal = PathBuf::new();
    for component in Path::new(sub_path).components() {
        match component {
            Component::Normal(name) => normal.push(name),
            Component::CurDir => {}
            Component::ParentDir => {
                return Err(format!(
                    "unable to provision SubPath `{sub_path}`: must not contain '..'"
                ));
            }
            Component::RootDir | Component::Prefix(_) => {
                return Err(format!("error SubPath `{sub_path}` must not be an absolute path"));
            }
        }
    }
    Ok(normal)
}

/// What a sub path leads to.
#[derive(Debug)]
pub(crate) enum Target {
    Folder(File),
    File(File),
}

/// Opens `sub_path`, which is normalised, inside `volume`; makes folders where there is nothing.
///
/// # Errors
/// It leads out of the volume, or cannot be opened or made.
pub(crate) fn open(volume: &Path, sub_path: &Path) -> io::Result<Target> {
    let volume = Dir::open_ambient_dir(volume, ambient_authority())?;
    if sub_path.as_os_str().is_empty() {
        return Ok(Target::Folder(volume.into_std_file()));
    }
    match open_below(&volume, sub_path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            // As the kubelet: missing folders get the mode of the volume.
            let mode = volume.try_clone()?.into_std_file().metadata()?.mode() & 0o777;
            let mut builder = cap_std::fs::DirBuilder::new();
            builder.recursive(true).mode(mode);
            volume.create_dir_with(sub_path, &builder)?;
            open_below(&volume, sub_path)
        }
        opened => opened,
    }
}

/// Opens an existing file or folder below `folder`, without ever waiting for a FIFO's other end.
pub(crate) fn open_below(folder: &Dir, path: &Path) -> io::Result<Target> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(NON_BLOCKING);
    let file = folder.open_with(path, &options)?.into_std();
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Ok(Target::Folder(file));
    }
    if kind.is_file() {
        return Ok(Target::File(file));
    }
    Err(io::Error::new(io::ErrorKind::Unsupported, "neither a directory nor a regular file"))
}

const NON_BLOCKING: i32 = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();

/// Makes `folder` and what is missing above it.
pub(crate) fn make_folders(folder: &Path, mode: u32) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(mode).create(folder)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_names_below_the_volume_are_paths() {
        for (text, path) in [
            ("", ""),
            (".", ""),
            ("a", "a"),
            ("a/b/", "a/b"),
            ("./a//./b", "a/b"),
            ("..a/b..", "..a/b.."),
            ("a...b", "a...b"),
        ] {
            assert_eq!(normalise(text), Ok(PathBuf::from(path)), "{text:?}");
        }
        insta::assert_snapshot!(
            ["/etc", "..", "a/../../b", "a/..", "//", "a\0b"]
                .map(|text| normalise(text).unwrap_err())
                .join("\n"),
            @r"
        error SubPath `/etc` must not be an absolute path
        unable to provision SubPath `..`: must not contain '..'
        unable to provision SubPath `a/../../b`: must not contain '..'
        unable to provision SubPath `a/..`: must not contain '..'
        error SubPath `//` must not be an absolute path
        unable to provision SubPath `a\0b`: must not contain a NUL byte
        "
        );
    }

    #[test]
    fn missing_folders_are_made_and_files_are_found() {
        let volume = tempfile::tempdir().unwrap();
        assert!(matches!(open(volume.path(), Path::new("a/b")).unwrap(), Target::Folder(_)));
        assert!(volume.path().join("a/b").is_dir());
        fs::write(volume.path().join("a/file"), "x").unwrap();
        assert!(matches!(open(volume.path(), Path::new("a/file")).unwrap(), Target::File(_)));
        assert!(open(volume.path(), Path::new("a/file/below")).is_err());
    }

    #[test]
    fn a_symbolic_link_leads_nowhere_outside() {
        let outer = tempfile::tempdir().unwrap();
        fs::create_dir_all(outer.path().join("secret/inner")).unwrap();
        let volume = outer.path().join("volume");
        fs::create_dir_all(volume.join("real")).unwrap();
        symlink("real", volume.join("inside")).unwrap();
        symlink("../secret", volume.join("relative")).unwrap();
        symlink(outer.path().join("secret"), volume.join("absolute")).unwrap();
        symlink("loop", volume.join("loop")).unwrap();
        assert!(open(&volume, Path::new("inside")).is_ok());
        for link in ["relative", "absolute", "loop", "relative/inner", "absolute/new"] {
            let error = open(&volume, Path::new(link)).unwrap_err();
            assert!(!error.to_string().is_empty(), "{link}");
        }
        assert_eq!(fs::read_dir(outer.path().join("secret")).unwrap().count(), 1);
    }

    #[test]
    fn a_fifo_is_refused_at_once() {
        let volume = tempfile::tempdir().unwrap();
        let fifo = volume.path().join("fifo");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &fifo,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let error = open(volume.path(), Path::new("fifo")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }

    proptest! {
        #[test]
        fn a_normal_path_never_leaves_the_volume(
            text in proptest::collection::vec(
                prop_oneof![
                    Just("..".to_owned()), Just(".".to_owned()), Just(String::new()),
                    Just("/".to_owned()), "[a-z.]{1,4}", any::<String>(),
                ],
                0..6,
            ).prop_map(|parts| parts.join("/")),
        ) {
            if let Ok(path) = normalise(&text) {
                prop_assert!(path.is_relative());
                prop_assert!(path.components().all(|part| matches!(part, Component::Normal(_))));
                prop_assert!(!text.split('/').any(|part| part == ".."));
                // Normal is normal: once more changes nothing.
                prop_assert_eq!(normalise(path.to_str().unwrap()), Ok(path.clone()));
            } else {
                prop_assert!(
                    text.starts_with('/') || text.contains('\0')
                        || text.split('/').any(|part| part == "..")
                );
            }
        }
    }
}

//! Writes the files of a projected volume so that a reader sees all of the old or all of the new.
//!
//! ```text
//! <volume>/..2026_11_23_16_03_00.0        the files
//! <volume>/..data -> ..2026_11_23_16_03_00.0
//! <volume>/settings.yaml -> ..data/settings.yaml
//! ```
//! An update writes a new folder beside the old and renames a link over `..data`; that rename is
//! the moment of change. Content that is the same is left alone, so that nobody who watches is
//! woken. A reader that wants several files of one version opens `..data` once.
//!
//! Rule: the kubelet's atomic writer.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt, symlink};
use std::path::{Component, Path};

use jiff::Timestamp;

use super::payload::{Payload, ProjectedFile};
use crate::sandbox::filesystem::error::VolumeError;
use crate::sandbox::filesystem::tree::remove_tree;

const DATA: &str = "..data";
const NEW_DATA: &str = "..data_tmp";
const MAX_PATH: usize = 4096;

/// Makes `volume`, which exists, hold the files of `payload` and nothing else of ours. Answers
/// whether anything had to change.
///
/// # Errors
/// A path that would leave the volume, or the host's file system. The volume is as it was then.
pub(crate) fn write(volume: &Path, payload: &Payload, now: Timestamp) -> Result<bool, VolumeError> {
    let payload = checked(payload)?;
    let data = volume.join(DATA);
    let old = match fs::read_link(&data) {
        Ok(link) => link.file_name().map(|name| volume.join(name)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(VolumeError::Io { path: data, source: error }),
    };
    if let Some(old) = &old
        && holds(old, &payload).map_err(VolumeError::io(old))?
    {
        return Ok(false);
    }
    let name = new_name(volume, now);
    let folder = volume.join(&name);
    let written = write_files(&folder, &payload).and_then(|()| swap(volume, &name));
    if let Err(error) = written {
        if let Err(left) = remove_tree(&folder) {
            tracing::warn!("an unfinished update was left behind: {left}");
        }
        return Err(error);
    }
    let names: BTreeSet<&str> = payload.keys().map(|path| top(path)).collect();
    link_names(volume, &names).map_err(VolumeError::io(volume))?;
    remove_old(volume, &names, &name).map_err(VolumeError::io(volume))?;
    Ok(true)
}

/// The payload with clean paths.
fn checked(payload: &Payload) -> Result<Payload, VolumeError> {
    let mut clean = Payload::new();
    for (path, file) in payload {
        let invalid = |why: &str| VolumeError::Invalid(format!("invalid path {path:?}: {why}"));
        if path.len() > MAX_PATH {
            return Err(invalid("must be less than or equal to 4096 characters"));
        }
        if path.contains('\0') {
            return Err(invalid("must not contain a NUL byte"));
        }
        let mut parts = Vec::new();
        for component in Path::new(path).components() {
            match component {
                Component::Normal(part) => {
                    parts.push(part.to_str().expect("a part of a str is a str"));
                }
                Component::CurDir => {}
                Component::ParentDir => return Err(invalid("must not contain '..'")),
                Component::RootDir | Component::Prefix(_) => {
                    return Err(invalid("must not be an absolute path"));
                }
            }
        }
        match parts.first() {
            None => return Err(invalid("must not be empty")),
            Some(first) if first.starts_with("..") => {
                return Err(invalid("must not start with '..'"));
            }
            Some(_) => {}
        }
        clean.insert(parts.join("/"), file.clone());
    }
    // `a` cannot be a file and the folder of `a/b`; sorted, such two are not always neighbours.
    for path in clean.keys() {
        for (position, _) in path.match_indices('/') {
            let above = &path[..position];
            if clean.contains_key(above) {
                return Err(VolumeError::Invalid(format!(
                    "invalid path {path:?}: {above:?} is a file of this volume too"
                )));
            }
        }
    }
    Ok(clean)
}

/// The first name of a path: what the volume itself shows.
fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// Whether `folder` holds just these files, with these bytes and modes.
fn holds(folder: &Path, payload: &Payload) -> io::Result<bool> {
    let mut found = 0;
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((path, prefix)) = folders.pop() {
        for entry in fs::read_dir(&path)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().into_string() else { return Ok(false) };
            let name = format!("{prefix}{name}");
            if entry.file_type()?.is_dir() {
                folders.push((entry.path(), format!("{name}/")));
                continue;
            }
            let Some(file) = payload.get(&name) else { return Ok(false) };
            let metadata = entry.metadata()?;
            let length = u64::try_from(file.bytes.len()).expect("a length fits 64 bits");
            if !metadata.is_file()
                || metadata.len() != length
                || metadata.mode() & 0o777 != host_mode(file)
                || fs::read(entry.path())? != file.bytes
            {
                return Ok(false);
            }
            found += 1;
        }
    }
    Ok(found == payload.len())
}

/// A name for the new folder: the time, and a number where two writes share a second.
fn new_name(volume: &Path, now: Timestamp) -> String {
    let time = now.strftime("..%Y_%m_%d_%H_%M_%S").to_string();
    (0_u64..)
        .map(|number| format!("{time}.{number}"))
        .find(|name| fs::symlink_metadata(volume.join(name)).is_err())
        .expect("some number is free")
}

fn write_files(folder: &Path, payload: &Payload) -> Result<(), VolumeError> {
    let make_folder = |folder: &Path| {
        fs::create_dir_all(folder)
            .and_then(|()| fs::set_permissions(folder, Permissions::from_mode(0o755)))
            .map_err(VolumeError::io(folder))
    };
    make_folder(folder)?;
    for (path, file) in payload {
        let path = folder.join(path);
        let parent = path.parent().expect("it was joined to its folder");
        if parent != folder {
            make_folder(parent)?;
        }
        write_file(&path, file).map_err(VolumeError::io(&path))?;
    }
    Ok(())
}

fn write_file(path: &Path, file: &ProjectedFile) -> io::Result<()> {
    let mut created = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    created.write_all(&file.bytes)?;
    // After writing, and not by the umask of whoever started us.
    created.set_permissions(Permissions::from_mode(host_mode(file)))
}

/// The mode as asked, and readable for us: the guest reads as this process does, while in a
/// cluster it would often be root, whom no mode keeps from reading.
fn host_mode(file: &ProjectedFile) -> u32 {
    file.mode | 0o400
}

fn swap(volume: &Path, name: &str) -> Result<(), VolumeError> {
    let new_data = volume.join(NEW_DATA);
    match fs::remove_file(&new_data) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(VolumeError::Io { path: new_data, source: error });
        }
        _ => {}
    }
    symlink(name, &new_data).map_err(VolumeError::io(&new_data))?;
    fs::rename(&new_data, volume.join(DATA)).map_err(VolumeError::io(&new_data))
}

fn link_names(volume: &Path, names: &BTreeSet<&str>) -> io::Result<()> {
    for name in names {
        match symlink(Path::new(DATA).join(name), volume.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// Removes names that are gone from the content, and every folder but `current`: of the version
/// before, and of writes that a crash cut off.
fn remove_old(volume: &Path, names: &BTreeSet<&str>, current: &str) -> io::Result<()> {
    for entry in fs::read_dir(volume)? {
        let entry = entry?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if name.starts_with("..") {
            if name != current && name != DATA {
                remove_tree(&entry.path())?;
            }
        } else if !names.contains(name) && is_ours(&entry.path(), name) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

fn is_ours(path: &Path, name: &str) -> bool {
    fs::read_link(path).is_ok_and(|link| link == Path::new(DATA).join(name))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    use cap_std::ambient_authority;
    use cap_std::fs::Dir;

    use super::*;

    const NOON: &str = "2026-11-23T12:00:00Z";

    fn payload(files: &[(&str, &str)]) -> Payload {
        let file = |text: &&str| ProjectedFile { bytes: text.as_bytes().to_vec(), mode: 0o644 };
        files.iter().map(|(path, text)| ((*path).to_owned(), file(text))).collect()
    }

    fn put(volume: &Path, files: &[(&str, &str)]) -> Result<bool, VolumeError> {
        write(volume, &payload(files), NOON.parse().unwrap())
    }

    fn listing(volume: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(volume)
            .unwrap()
            .map(|entry| {
                let entry = entry.unwrap();
                let name = entry.file_name().into_string().unwrap();
                match fs::read_link(entry.path()) {
                    Ok(link) => format!("{name} -> {}", link.display()),
                    Err(_) => name,
                }
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn content_lies_behind_one_link() {
        let volume = tempfile::tempdir().unwrap();
        assert!(put(volume.path(), &[("a", "1"), ("deep/b", "2")]).unwrap());
        assert_eq!(
            listing(volume.path()),
            [
                "..2026_11_23_12_00_00.0",
                "..data -> ..2026_11_23_12_00_00.0",
                "a -> ..data/a",
                "deep -> ..data/deep",
            ]
        );
        assert_eq!(fs::read_to_string(volume.path().join("deep/b")).unwrap(), "2");
    }

    #[test]
    fn an_update_swaps_and_cleans_up() {
        let volume = tempfile::tempdir().unwrap();
        put(volume.path(), &[("a", "1"), ("gone", "x"), ("turns", "file")]).unwrap();
        // Not ours, so not touched.
        fs::write(volume.path().join("other"), "x").unwrap();
        fs::create_dir(volume.path().join("..2020_01_01_00_00_00.7")).unwrap();

        assert!(put(volume.path(), &[("a", "2"), ("turns/into", "folder")]).unwrap());
        assert_eq!(
            listing(volume.path()),
            [
                "..2026_11_23_12_00_00.1",
                "..data -> ..2026_11_23_12_00_00.1",
                "a -> ..data/a",
                "other",
                "turns -> ..data/turns",
            ]
        );
        assert_eq!(fs::read_to_string(volume.path().join("turns/into")).unwrap(), "folder");
        assert!(put(volume.path(), &[]).unwrap());
        assert_eq!(listing(volume.path()).len(), 3);
    }

    #[test]
    fn the_same_content_changes_nothing() {
        let volume = tempfile::tempdir().unwrap();
        let files = [("a", "1"), ("deep/b", "2")];
        assert!(put(volume.path(), &files).unwrap());
        let before = listing(volume.path());
        assert!(!put(volume.path(), &files).unwrap());
        assert_eq!(listing(volume.path()), before);

        let mut other_mode = payload(&files);
        other_mode.get_mut("a").unwrap().mode = 0o600;
        assert!(write(volume.path(), &other_mode, NOON.parse().unwrap()).unwrap());
        assert!(put(volume.path(), &files[..1]).unwrap());
    }

    #[test]
    fn modes_are_as_asked() {
        let volume = tempfile::tempdir().unwrap();
        let mut files = payload(&[("a", "1"), ("b", "2")]);
        files.get_mut("a").unwrap().mode = 0o777;
        files.get_mut("b").unwrap().mode = 0o040;
        write(volume.path(), &files, NOON.parse().unwrap()).unwrap();
        let mode = |name| fs::metadata(volume.path().join(name)).unwrap().mode() & 0o777;
        assert_eq!((mode("a"), mode("b")), (0o777, 0o440));
    }

    #[test]
    fn no_path_leaves_the_volume() {
        let volume = tempfile::tempdir().unwrap();
        let long = "x".repeat(5000);
        let errors: Vec<String> =
            ["", ".", "/etc/x", "../x", "a/../../x", "..data", "..x/y", &long, "a\0"]
                .iter()
                .map(|path| put(volume.path(), &[(path, "x")]).unwrap_err().to_string())
                .map(|error| error.replace(&long, "<long>"))
                .collect();
        insta::assert_snapshot!(errors.join("\n"), @r#"
        invalid path "": must not be empty
        invalid path ".": must not be empty
        invalid path "/etc/x": must not be an absolute path
        invalid path "../x": must not contain '..'
        invalid path "a/../../x": must not contain '..'
        invalid path "..data": must not start with '..'
        invalid path "..x/y": must not start with '..'
        invalid path "<long>": must be less than or equal to 4096 characters
        invalid path "a\0": must not contain a NUL byte
        "#);
        let clash = put(volume.path(), &[("a", "1"), ("a-b", "2"), ("a/b", "3")]).unwrap_err();
        assert_eq!(clash.to_string(), r#"invalid path "a/b": "a" is a file of this volume too"#);
        assert_eq!(listing(volume.path()), [] as [String; 0]);
    }

    #[test]
    fn readers_see_one_version_or_the_other() {
        let volume = tempfile::tempdir().unwrap();
        let texts = ["old", "new and longer"];
        put(volume.path(), &[("a", texts[0]), ("b", texts[0])]).unwrap();
        let (done, pairs) = (AtomicBool::new(false), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Relaxed) {
                    let data = volume.path().join(DATA);
                    // The version that was opened may be removed while it is read.
                    let Ok(data) = Dir::open_ambient_dir(&data, ambient_authority()) else {
                        continue;
                    };
                    let (Ok(a), Ok(b)) = (data.read_to_string("a"), data.read_to_string("b"))
                    else {
                        continue;
                    };
                    assert_eq!(a, b);
                    assert!(texts.contains(&a.as_str()), "{a:?}");
                    pairs.fetch_add(1, Ordering::Relaxed);
                }
            });
            let mut round = 0;
            while round < 300 || (pairs.load(Ordering::Relaxed) < 100 && round < 100_000) {
                let text = texts[round % 2];
                assert_eq!(put(volume.path(), &[("a", text), ("b", text)]).unwrap(), round > 0);
                round += 1;
            }
            done.store(true, Ordering::Relaxed);
        });
        assert!(pairs.into_inner() >= 100);
    }
}

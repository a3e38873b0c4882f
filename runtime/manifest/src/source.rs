//! Where manifests come from: files, folders and standard input. The only module here that does
//! I/O; the rest works on bytes.
//!
//! Folders are read as `kubectl -f FOLDER --recursive` reads them: files ending in `.yaml`, `.yml`
//! and `.json`, in the order of their names, without an `images.yaml`. A file named by itself may
//! end in anything.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::images;
use crate::problem::{Problem, ProblemKind};

/// The most that one source may hold. No object of a cluster is larger than the 1.5 MiB of etcd;
/// the longest bundles of manifests (all custom resources of a large project) take 6 MiB.
pub const MAX_SOURCE_BYTES: u64 = 16 << 20;

/// The name of standard input in messages.
pub const STDIN: &str = "<stdin>";

/// A named piece of text with manifests in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// The path as given, or [`STDIN`].
    pub name: String,
    /// The raw bytes; [`load`](crate::load()) finds out their encoding.
    pub bytes: Vec<u8>,
}

/// Reads what `-f` names: a file, a folder with all below it, or `-` for `stdin`.
///
/// # Errors
/// One problem for each path that cannot be read and each folder without manifests.
pub fn read(paths: &[PathBuf], stdin: &mut dyn Read) -> Result<Vec<Source>, Vec<Problem>> {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            match read_bounded(stdin) {
                Ok(bytes) => sources.push(Source { name: STDIN.to_owned(), bytes }),
                Err(error) => problems.push(unreadable(STDIN, &error)),
            }
        } else if path.is_dir() {
            read_folder(path, &mut sources, &mut problems);
        } else {
            read_file(path, &mut sources, &mut problems);
        }
    }
    if problems.is_empty() { Ok(sources) } else { Err(problems) }
}

fn read_folder(folder: &Path, sources: &mut Vec<Source>, problems: &mut Vec<Problem>) {
    let mut files = Vec::new();
    if let Err(error) = list(folder, 0, &mut files) {
        problems.push(unreadable(&folder.to_string_lossy(), &error));
        return;
    }
    if files.is_empty() {
        problems.push(about_file(
            &folder.to_string_lossy(),
            "no manifests here: no file below this folder ends in .yaml, .yml or .json".to_owned(),
        ));
    }
    for file in &files {
        read_file(file, sources, problems);
    }
}

/// Deeper than any folder of manifests; a bound against loops of links.
const MAX_FOLDERS: usize = 64;

fn list(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> io::Result<()> {
    if depth > MAX_FOLDERS {
        return Err(io::Error::other("folders are nested too deeply"));
    }
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        // As kubectl: a linked file is read, a linked folder is not entered.
        if entry.file_type()?.is_dir() {
            list(&path, depth + 1, files)?;
        } else if is_manifest(&path) && !path.is_dir() {
            files.push(path);
        }
    }
    Ok(())
}

fn is_manifest(path: &Path) -> bool {
    if path.file_name().is_some_and(|name| name == images::FILE_NAME) {
        return false;
    }
    path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    })
}

fn read_file(path: &Path, sources: &mut Vec<Source>, problems: &mut Vec<Problem>) {
    let name = path.to_string_lossy().into_owned();
    match fs::File::open(path).and_then(|mut file| read_bounded(&mut file)) {
        Ok(bytes) => sources.push(Source { name, bytes }),
        Err(error) => problems.push(unreadable(&name, &error)),
    }
}

fn read_bounded(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    // A page, as most are smaller: from nothing it would be read in pieces of 32 bytes.
    let mut bytes = Vec::with_capacity(4 << 10);
    from.take(MAX_SOURCE_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_SOURCE_BYTES {
        return Err(io::Error::other(format!(
            "larger than {} MiB: not a manifest",
            MAX_SOURCE_BYTES >> 20
        )));
    }
    Ok(bytes)
}

fn unreadable(name: &str, error: &io::Error) -> Problem {
    let cause = match error.kind() {
        io::ErrorKind::NotFound => "no such file or folder".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    about_file(name, format!("cannot be read: {cause}"))
}

fn about_file(name: &str, message: String) -> Problem {
    Problem {
        source: name.to_owned(),
        line: 0,
        column: 0,
        path: String::new(),
        kind: ProblemKind::Read,
        message,
        hint: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(sources: &[Source], below: &Path) -> Vec<String> {
        let below = format!("{}/", below.display());
        sources.iter().map(|source| source.name.replace(&below, "")).collect()
    }

    fn read_from(paths: &[PathBuf], stdin: &str) -> Result<Vec<Source>, Vec<Problem>> {
        read(paths, &mut stdin.as_bytes())
    }

    #[test]
    fn a_folder_is_read_with_all_below_it_in_the_order_of_names() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        for file in ["b.yml", "a.yaml", "c.JSON", "images.yaml", "notes.txt", "sub/d.yaml"] {
            fs::write(folder.path().join(file), "x").unwrap();
        }
        let sources = read_from(&[folder.path().to_owned()], "").unwrap();
        assert_eq!(names(&sources, folder.path()), ["a.yaml", "b.yml", "c.JSON", "sub/d.yaml"]);
    }

    #[test]
    fn a_file_named_by_itself_may_end_in_anything_and_a_dash_is_standard_input() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pod.txt");
        fs::write(&file, "a").unwrap();
        let sources = read_from(&[file, PathBuf::from("-")], "b").unwrap();
        assert_eq!(sources[0].bytes, b"a");
        assert_eq!((sources[1].name.as_str(), sources[1].bytes.as_slice()), ("<stdin>", &b"b"[..]));
    }

    #[test]
    fn every_path_that_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("readme.md"), "x").unwrap();
        let missing = folder.path().join("missing.yaml");
        let problems = read_from(&[missing, folder.path().to_owned()], "").unwrap_err();
        let told: Vec<String> = problems
            .iter()
            .map(|problem| {
                problem.to_string().replace(&format!("{}", folder.path().display()), "DIR")
            })
            .collect();
        assert_eq!(
            told,
            [
                "DIR/missing.yaml: cannot be read: no such file or folder",
                "DIR: no manifests here: no file below this folder ends in .yaml, .yml or .json",
            ]
        );
    }

    #[test]
    fn what_is_too_large_is_not_read_whole() {
        let mut endless = io::repeat(b'x');
        let problems = read(&[PathBuf::from("-")], &mut endless).unwrap_err();
        assert!(problems[0].message.contains("larger than"), "{}", problems[0]);
    }
}

//! A damaged file is kept for whoever can still read it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// Copies the file and its write-ahead log, once for each state that it is found in.
pub(super) fn keep_copy(path: &Path, now: Timestamp) -> io::Result<PathBuf> {
    if let Some(copy) = newest_copy(path)? {
        return Ok(copy);
    }
    let copy = beside(path, &format!(".corrupt-{}", now.strftime("%Y%m%dT%H%M%SZ")));
    // Under another name first: half a copy must not pass for a whole one.
    let unfinished = beside(&copy, ".part");
    fs::copy(path, &unfinished)?;
    match fs::copy(beside(path, "-wal"), beside(&copy, "-wal")) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(&unfinished, &copy)?;
    Ok(copy)
}

/// A copy that is not older than the file holds the same.
fn newest_copy(path: &Path) -> io::Result<Option<PathBuf>> {
    let changed = fs::metadata(path)?.modified()?;
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(None);
    };
    let start = format!("{}.corrupt-", name.to_string_lossy());
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_copy =
            name.starts_with(&start) && !name.ends_with(".part") && !name.ends_with("-wal");
        if is_copy && entry.metadata()?.modified()? >= changed {
            return Ok(Some(entry.path()));
        }
    }
    Ok(None)
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

//! When a log file is put aside for a new one, and which old ones stay.
//!
//! Rule: the kubelet's container log manager. A file over `containerLogMaxSize` is renamed to
//! `0.log.20060102-150405`; with the current one at most `containerLogMaxFiles` exist, the oldest
//! go first. The kubelet looks every ten seconds; here the writer looks before each write, so a
//! file exceeds its size by nothing. Old files are not compressed.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// How large a log file may get and how many a run of a container may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// Bytes in one file.
    pub max_size: u64,
    /// Files of one run, the current one included. Below 2 counts as 2, as in the kubelet.
    pub max_files: usize,
}

impl Default for Rotation {
    fn default() -> Self {
        Rotation { max_size: 10 * 1024 * 1024, max_files: 5 }
    }
}

/// The rotated files of `current`, oldest first. A missing folder has none.
///
/// # Errors
/// The folder cannot be read.
pub(crate) fn rotated_files(current: &Path) -> io::Result<Vec<PathBuf>> {
    let (Some(folder), Some(name)) = (current.parent(), current.file_name()) else {
        return Ok(Vec::new());
    };
    let mut prefix = name.to_owned();
    prefix.push(".");
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut files = Vec::new();
    for entry in entries {
        let name = entry?.file_name();
        let suffix = name.as_encoded_bytes().strip_prefix(prefix.as_encoded_bytes());
        if suffix.is_some_and(is_stamp) {
            files.push(folder.join(name));
        }
    }
    // The stamps have one length, so that names sort as times.
    files.sort();
    Ok(files)
}

/// Renames `current` to a name with the time in it and removes what is too many.
///
/// `last` is the stamp of the rotation before: two within one second get two stamps all the same,
/// since the second would replace the first file.
///
/// # Errors
/// `current` could not be renamed. A file too many that cannot be removed is left for next time.
pub(crate) fn rotate(
    current: &Path,
    rotation: Rotation,
    now: Timestamp,
    last: Option<Timestamp>,
) -> io::Result<Timestamp> {
    let mut stamp = now;
    if let Some(last) = last
        && stamp.as_second() <= last.as_second()
    {
        stamp = Timestamp::from_second(last.as_second().saturating_add(1)).unwrap_or(stamp);
    }
    fs::rename(current, with_stamp(current, stamp))?;
    let rotated = rotated_files(current)?;
    let keep = rotation.max_files.max(2) - 1;
    for old in &rotated[..rotated.len().saturating_sub(keep)] {
        if let Err(error) = fs::remove_file(old) {
            tracing::warn!("cannot remove the old log {}: {error}", old.display());
        }
    }
    Ok(stamp)
}

fn with_stamp(current: &Path, time: Timestamp) -> PathBuf {
    let mut name: OsString = current.as_os_str().to_owned();
    name.push(format!(".{}", time.to_zoned(TimeZone::UTC).strftime("%Y%m%d-%H%M%S")));
    name.into()
}

/// `20060102-150405`
fn is_stamp(text: &[u8]) -> bool {
    text.len() == 15
        && text.iter().enumerate().all(|(position, byte)| match position {
            8 => *byte == b'-',
            _ => byte.is_ascii_digit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn keeps_the_newest_and_never_replaces_one() {
        let folder = tempfile::tempdir().unwrap();
        let current = folder.path().join("0.log");
        let now: Timestamp = "2006-01-02T15:04:05.9Z".parse().unwrap();
        let rotation = Rotation { max_size: 1, max_files: 4 };
        let mut last = None;
        for content in ["a", "b", "c", "d", "e"] {
            fs::write(&current, content).unwrap();
            last = Some(rotate(&current, rotation, now, last).unwrap());
        }
        fs::write(&current, "f").unwrap();
        assert_eq!(
            names(folder.path()),
            ["0.log", "0.log.20060102-150407", "0.log.20060102-150408", "0.log.20060102-150409"]
        );
        let contents: Vec<String> = rotated_files(&current)
            .unwrap()
            .iter()
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        assert_eq!(contents, ["c", "d", "e"]);
    }

    #[test]
    fn other_files_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["0.log", "0.log.20060102-150405.gz", "0.log.tmp", "1.log.20060102-150405"] {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        assert_eq!(rotated_files(&folder.path().join("0.log")).unwrap(), [] as [PathBuf; 0]);
        let elsewhere = folder.path().join("none/0.log");
        assert_eq!(rotated_files(&elsewhere).unwrap(), [] as [PathBuf; 0]);
    }
}

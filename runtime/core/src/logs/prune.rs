//! Which logs of ended Pods go: those of the last few stay to be read, all earlier ones are
//! removed, so that a machine that runs a Pod a minute does not fill its disk with their logs.
//!
//! A kubelet removes a Pod's logs when the Pod is deleted; a Pod that was run in the foreground is
//! never deleted by anybody.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::sandbox::filesystem::remove_tree;

/// Logs of so many ended Pods stay.
const KEPT: usize = 64;

/// So many more may gather before any is removed: most Pods then end without a look at each folder.
const SLACK: usize = 16;

/// Removes the oldest log folders of ended Pods below `logs` (the root of
/// [`LogPath::of_pod`](super::LogPath::of_pod)), if there are too many. `is_alive` tells by its uid
/// whether a Pod's process is still there.
///
/// Any number of processes may do so at once.
///
/// # Errors
/// `logs` cannot be read (a missing folder is an empty one), or the first folder that could not be
/// removed; the others are gone.
pub(crate) fn forget_ended_pods(logs: &Path, is_alive: impl Fn(&str) -> bool) -> io::Result<()> {
    let folder = logs.join("pods");
    if are_few(&folder) {
        return Ok(());
    }
    let names = match fs::read_dir(&folder) {
        Ok(entries) => {
            entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<_>>>()?
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if names.len() <= KEPT + SLACK {
        return Ok(());
    }
    let ended = names.into_iter().filter(|name| uid_of(name).is_some_and(|uid| !is_alive(uid)));
    let ended = ended.filter_map(|name| {
        // Gone already: somebody else removes too.
        let changed = last_change(&folder.join(&name)).ok()?;
        Some((changed, name))
    });
    let mut outcome = Ok(());
    for name in all_but_the_latest(KEPT, ended.collect()) {
        outcome = outcome.and(remove_tree(&folder.join(name)));
    }
    outcome
}

/// The folders of the logs of Pods below `logs`, each with the uid of its Pod.
///
/// # Errors
/// `logs` cannot be read; a missing folder is an empty one.
pub fn pod_folders(logs: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(logs.join("pods")) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry?;
        found.extend(uid_of(&entry.file_name()).map(|uid| (uid.to_owned(), entry.path())));
    }
    Ok(found)
}

/// Whether the folder itself tells that there are not too many in it: where the file system counts
/// them, each is a link to it beside its own two. Others always say one or two.
fn are_few(folder: &Path) -> bool {
    let most = 2 + (KEPT + SLACK) as u64;
    fs::symlink_metadata(folder).is_ok_and(|folder| (3..=most).contains(&folder.nlink()))
}

/// `<namespace>_<pod>_<uid>`, none of which holds a `_`; what is named otherwise is not ours.
fn uid_of(name: &OsStr) -> Option<&str> {
    let mut parts = name.to_str()?.split('_');
    let (_namespace, _pod, uid) = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(uid)
}

/// When the last line was written below a folder: a Pod that ran for long began before others that
/// ended long ago.
fn last_change(path: &Path) -> io::Result<SystemTime> {
    let about = fs::symlink_metadata(path)?;
    let mut latest = about.modified()?;
    if about.is_dir() {
        for entry in fs::read_dir(path)? {
            latest = latest.max(last_change(&entry?.path())?);
        }
    }
    Ok(latest)
}

fn all_but_the_latest(
    kept: usize,
    mut folders: Vec<(SystemTime, OsString)>,
) -> impl Iterator<Item = OsString> {
    folders.sort_by(|one, other| other.cmp(one));
    folders.into_iter().skip(kept).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn make(logs: &Path, count: usize) {
        for number in 0..count {
            let folder = logs.join(format!("pods/default_web_{number}"));
            fs::create_dir_all(folder.join("app")).unwrap();
            fs::write(folder.join("app/0.log"), "").unwrap();
            for path in ["app/0.log", "app", ""] {
                set_changed(&folder.join(path), number as u64);
            }
        }
    }

    fn set_changed(path: &Path, seconds: u64) {
        let changed = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        fs::File::open(path).unwrap().set_modified(changed).unwrap();
    }

    fn left(logs: &Path) -> Vec<usize> {
        let entries = fs::read_dir(logs.join("pods")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        let mut left: Vec<usize> =
            names.map(|name| uid_of(&name).unwrap().parse().unwrap()).collect();
        left.sort_unstable();
        left
    }

    #[test]
    fn the_latest_logs_of_ended_pods_stay() {
        let logs = tempfile::tempdir().unwrap();
        make(logs.path(), KEPT + SLACK + 1);
        forget_ended_pods(logs.path(), |_| false).unwrap();
        assert_eq!(left(logs.path()), (SLACK + 1..KEPT + SLACK + 1).collect::<Vec<_>>());
    }

    #[test]
    fn the_end_counts_and_not_the_beginning() {
        let logs = tempfile::tempdir().unwrap();
        make(logs.path(), KEPT + SLACK + 1);
        set_changed(&logs.path().join("pods/default_web_0/app/0.log"), 1_000_000);
        forget_ended_pods(logs.path(), |_| false).unwrap();
        assert_eq!(left(logs.path())[..2], [0, SLACK + 2]);
    }

    #[test]
    fn the_logs_of_a_pod_that_lives_stay() {
        let logs = tempfile::tempdir().unwrap();
        make(logs.path(), KEPT + SLACK + 1);
        forget_ended_pods(logs.path(), |uid| uid == "3").unwrap();
        assert_eq!(left(logs.path())[..2], [3, SLACK + 1]);
    }

    #[test]
    fn a_few_more_are_not_worth_the_work() {
        let logs = tempfile::tempdir().unwrap();
        forget_ended_pods(logs.path(), |_| false).unwrap();
        make(logs.path(), KEPT + SLACK);
        forget_ended_pods(logs.path(), |_| false).unwrap();
        assert_eq!(left(logs.path()).len(), KEPT + SLACK);
    }
}

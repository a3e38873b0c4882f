//! Where the log of a container lies: the kubelet's layout below a folder of ours.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::sandbox::filesystem::remove_tree;

/// The log folder of one Pod, `<root>/pods/<namespace>_<pod>_<uid>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPath {
    folder: PathBuf,
}

impl LogPath {
    /// The log folder of a Pod below `root` (`/var/log` for a kubelet).
    ///
    /// Names that came through validation hold no `/`; one that does is defused, so that no name
    /// leads out of `root`.
    #[must_use]
    pub fn of_pod(root: &Path, namespace: &str, name: &str, uid: &str) -> Self {
        let folder = one_component(&format!("{namespace}_{name}_{uid}"));
        LogPath { folder: root.join("pods").join(folder) }
    }

    /// The folder with one folder a container.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file of one run; `restart` is the container's restart count at its start.
    #[must_use]
    pub fn of_run(&self, container: &str, restart: u32) -> PathBuf {
        self.folder.join(one_component(container)).join(format!("{restart}.log"))
    }

    /// The folder of all runs of a container.
    #[must_use]
    pub fn of_container(&self, container: &str) -> PathBuf {
        self.folder.join(one_component(container))
    }

    /// Removes the logs of a container's runs but the last one before `restart`: of the dead runs a
    /// kubelet keeps one (`maximum-dead-containers-per-container`), for `logs --previous`.
    ///
    /// # Errors
    /// The container's folder cannot be read, or the first file that could not be removed; the
    /// others are gone.
    pub fn forget_runs_before(&self, container: &str, restart: u32) -> io::Result<()> {
        let folder = self.folder.join(one_component(container));
        let mut outcome = Ok(());
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            // `3.log`, or `3.log.20261123-120000` after a rotation.
            let run = name.to_str().and_then(|name| name.split_once(".log"));
            let run = run.and_then(|(run, _)| run.parse::<u32>().ok());
            if run.is_some_and(|run| run.saturating_add(1) < restart) {
                outcome = outcome.and(fs::remove_file(entry.path()));
            }
        }
        outcome
    }

    /// Removes the logs of the Pod, as its deletion does in Kubernetes. Safe to call twice.
    ///
    /// # Errors
    /// The first file that could not be removed; the others are gone.
    pub fn remove(&self) -> io::Result<()> {
        remove_tree(&self.folder)
    }
}

fn one_component(name: &str) -> String {
    match name {
        "" | "." | ".." => "_".to_owned(),
        _ => name.replace(['/', '\0'], "_"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_kubelets_layout() {
        let pod = LogPath::of_pod(Path::new("/var/log"), "default", "web", "1234");
        assert_eq!(pod.of_run("app", 2), Path::new("/var/log/pods/default_web_1234/app/2.log"));
    }

    #[test]
    fn of_the_dead_runs_the_last_one_stays() {
        let root = tempfile::tempdir().unwrap();
        let pod = LogPath::of_pod(root.path(), "default", "web", "1");
        let folder = pod.folder().join("app");
        fs::create_dir_all(&folder).unwrap();
        for name in ["8.log", "9.log", "9.log.20261123-120000", "10.log", "10.log.20261123-120000"]
        {
            fs::write(folder.join(name), "").unwrap();
        }
        fs::write(folder.join("notes.txt"), "").unwrap();
        pod.forget_runs_before("app", 11).unwrap();
        let mut left: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, ["10.log", "10.log.20261123-120000", "notes.txt"]);
    }

    #[test]
    fn no_name_leads_out() {
        let pod = LogPath::of_pod(Path::new("/var/log"), "../..", "../x", "/etc");
        assert_eq!(pod.folder(), Path::new("/var/log/pods/.._.._.._x__etc"));
        assert_eq!(pod.of_run("..", 0), pod.folder().join("_/0.log"));
    }
}

//! The file by which a guest learns that it should end: one that has no signals and listens on
//! nothing may still look for it.

use std::io;
use std::path::Path;

use cap_std::ambient_authority;
use cap_std::fs::Dir;

use super::mount::Mount;

/// Where it appears, below the root.
const FOLDER: &str = "run/wasmpod";
const FILE: &str = "run/wasmpod/stop";

/// The stop file of one run. It appears in the run's own root, which no other run sees; where a
/// volume covers its place there is none.
#[derive(Clone, Debug)]
pub struct StopFile {
    root: Mount,
    signal: String,
}

impl StopFile {
    /// Of a run with these mounts that is stopped by `signal`, which is what the file says.
    pub fn new(mounts: &[Mount], signal: &str) -> Option<Self> {
        let is_covered = |mount: &&Mount| {
            mount.guest_path != "/" && Path::new("/").join(FILE).starts_with(&mount.guest_path)
        };
        if mounts.iter().any(|mount| is_covered(&mount)) {
            return None;
        }
        let root = mounts.iter().find(|mount| mount.guest_path == "/")?;
        Some(Self { root: root.clone(), signal: signal.to_owned() })
    }

    /// Makes it appear, whole: whoever sees it can read it.
    ///
    /// # Errors
    /// What the guest has made of its root leaves no place for it, or the disk does not.
    pub fn appear(&self) -> io::Result<()> {
        // What the guest has left there may be links; none of them leads out of the root.
        let root = Dir::open_ambient_dir(self.root.host_path(), ambient_authority())?;
        root.create_dir_all(FOLDER)?;
        let new = format!("{FOLDER}/.stop");
        root.write(&new, format!("{}\n", self.signal))?;
        root.rename(&new, &root, FILE)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    fn mount(host: &Path, guest_path: &str) -> Mount {
        Mount::at(guest_path, host.to_owned(), false)
    }

    #[test]
    fn it_says_the_signal_in_the_runs_own_root() {
        let root = tempfile::tempdir().unwrap();
        let mounts = [mount(root.path(), "/"), mount(Path::new("/nowhere"), "/data")];
        let text = || fs::read_to_string(root.path().join(FILE)).unwrap();
        for signal in ["SIGTERM", "SIGQUIT"] {
            StopFile::new(&mounts, signal).unwrap().appear().unwrap();
            assert_eq!(text(), format!("{signal}\n"));
        }
    }

    #[test]
    fn links_of_a_guest_lead_it_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let (root, outside) = (folder.path().join("root"), folder.path().join("outside"));
        fs::create_dir_all(outside.join("wasmpod")).unwrap();
        fs::create_dir(&root).unwrap();
        symlink(&outside, root.join("run")).unwrap();
        let file = StopFile::new(&[mount(&root, "/")], "SIGTERM").unwrap();
        assert!(file.appear().is_err());
        assert_eq!(fs::read_dir(outside.join("wasmpod")).unwrap().count(), 0);
    }

    #[test]
    fn a_volume_in_its_place_is_left_alone() {
        let root = Path::new("/nowhere");
        for place in ["/run", "/run/wasmpod"] {
            let mounts = [mount(root, "/"), mount(root, place)];
            assert!(StopFile::new(&mounts, "SIGTERM").is_none(), "{place}");
        }
        let beside = [mount(root, "/"), mount(root, "/runs")];
        assert!(StopFile::new(&beside, "SIGTERM").is_some());
    }
}

//! A folder that is gone: open, empty for ever, and nothing can be made in it.
//!
//! It stands in where a guest is to have a directory that is none of the host's.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{Mode, OFlags};
use rustix::rand::GetRandomFlags;

/// Where one may be made: in memory first, where that takes no time.
const PLACES: [&str; 3] = ["/dev/shm", "/tmp", "/var/tmp"];

/// A path that opens it; none on a host where no folder can be made.
pub(crate) fn gone_folder() -> Option<&'static Path> {
    static GONE: OnceLock<Option<(PathBuf, OwnedFd)>> = OnceLock::new();
    let gone = GONE.get_or_init(|| {
        let temporary = std::env::temp_dir();
        let mut places = PLACES.iter().map(Path::new).chain([temporary.as_path()]);
        let folder = places.find_map(make)?;
        Some((PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())), folder))
    });
    gone.as_ref().map(|(path, _folder)| path.as_path())
}

fn make(place: &Path) -> Option<OwnedFd> {
    let mut random = [0; 8];
    rustix::rand::getrandom(&mut random, GetRandomFlags::empty()).ok()?;
    let path = place.join(format!(".wasmpod-{:016x}", u64::from_ne_bytes(random)));
    rustix::fs::mkdir(&path, Mode::RWXU).ok()?;
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let folder = rustix::fs::open(&path, flags, Mode::empty());
    // Whoever dies in between leaves an empty folder.
    rustix::fs::rmdir(&path).ok()?;
    folder.ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn nothing_is_there_and_nothing_can_be_made() {
        let folder = gone_folder().unwrap();
        assert_eq!(fs::read_dir(folder).unwrap().count(), 0);
        assert!(fs::write(folder.join("file"), "").is_err());
        assert!(fs::create_dir(folder.join("folder")).is_err());
        assert_eq!(gone_folder(), Some(folder));
    }
}

//! How the process of Services is told that there is something to follow: a connection, which it answers
//! when it has followed.
//!
//! The socket is bound before the process is started, by whoever starts it: from then on it can be told.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::time::Duration;

use wasmpod::pod::Folders;

/// A process takes milliseconds to follow, unless its machine has other things to do.
const PATIENCE: Duration = Duration::from_secs(10);

/// What it answers.
pub(super) const FOLLOWED: u8 = b'.';

const NAME: &str = "services.sock";

/// Where it is.
pub(super) fn path(folders: &Folders) -> PathBuf {
    folders.processes().join(NAME)
}

/// Makes the socket anew; the caller holds the lock of the process.
///
/// # Errors
/// The folder cannot be written.
pub(super) fn bind(folders: &Folders) -> io::Result<UnixListener> {
    match std::fs::remove_file(path(folders)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    at(folders, UnixListener::bind)
}

/// Tells the process, and waits until it has followed.
///
/// # Errors
/// It is gone, or ends, or takes too long.
pub(crate) fn tell(folders: &Folders) -> io::Result<()> {
    let mut stream = at(folders, UnixStream::connect)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut answer = [0];
    stream.read_exact(&mut answer)
}

/// The path of a socket must be short, that of a state folder needs not: it is opened first.
fn at<Socket>(
    folders: &Folders,
    open: impl FnOnce(PathBuf) -> io::Result<Socket>,
) -> io::Result<Socket> {
    let folder = File::open(folders.processes())?;
    open(format!("/proc/self/fd/{}/{NAME}", folder.as_raw_fd()).into())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_long_way_to_it_is_no_matter() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().join("a".repeat(100)).join("b".repeat(100));
        let folders = Folders::find(Some(&root)).unwrap();
        std::fs::create_dir_all(folders.processes()).unwrap();
        assert!(tell(&folders).is_err(), "nobody is there");
        drop(bind(&folders).unwrap());
        assert!(tell(&folders).is_err(), "nobody is there any more");
        let listener = bind(&folders).unwrap();
        std::thread::scope(|scope| {
            let told = scope.spawn(|| tell(&folders));
            listener.accept().unwrap().0.write_all(&[FOLLOWED]).unwrap();
            assert!(told.join().unwrap().is_ok());
            let told = scope.spawn(|| tell(&folders));
            drop(listener.accept().unwrap());
            assert!(told.join().unwrap().is_err(), "it has ended");
        });
    }
}

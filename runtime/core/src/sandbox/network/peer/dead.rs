//! The sockets of Pods whose processes were killed.
//!
//! The folder may be shared by Pods of several state folders, so a socket tells by itself whether somebody
//! listens.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, socket_with};

/// What the kernel knows of unix sockets, those of this network namespace.
const BOUND: &str = "/proc/net/unix";

/// Removes the sockets in `folder` that nobody has bound any more.
pub(crate) fn remove_dead_sockets(folder: &Path) {
    // First the files: what is bound later is not among them.
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files: Vec<_> = entries.map(|entry| entry.path()).collect();
    let bound = fs::read_to_string(BOUND).unwrap_or_default();
    for file in files {
        let is_bound = || bound.lines().any(|line| line.split(' ').next_back() == file.to_str());
        if is_socket(&file) && !is_bound() && nobody_listens(&file) {
            // One that stays is in nobody's way: no other Pod has its name.
            let _ = fs::remove_file(&file);
        }
    }
}

fn is_socket(file: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt as _;
    fs::symlink_metadata(file).is_ok_and(|metadata| metadata.file_type().is_socket())
}

/// Asked only where the kernel's list does not have it: somebody in another namespace may.
fn nobody_listens(file: &Path) -> bool {
    let refuses = |kind| connect(kind, file).is_err_and(|error| error == Errno::CONNREFUSED);
    refuses(SocketType::STREAM) && refuses(SocketType::DGRAM)
}

/// Without waiting: somebody who listens may have a full queue, and stand still.
fn connect(kind: SocketType, file: &Path) -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, kind, flags, None)?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(file)?)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::os::unix::net::{UnixDatagram, UnixListener};

    use super::*;

    #[test]
    fn only_sockets_that_nobody_has_bound_go() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let _stream = UnixListener::bind(path("a.sock")).unwrap();
        let _datagrams = UnixDatagram::bind(path("a.sock.udp")).unwrap();
        drop(UnixListener::bind(path("dead.sock")).unwrap());
        drop(UnixDatagram::bind(path("dead.sock.udp")).unwrap());
        fs::write(path("busy"), "").unwrap();
        remove_dead_sockets(folder.path());
        let left = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let mut left: Vec<_> = left.collect();
        left.sort_unstable();
        assert_eq!(left, ["a.sock", "a.sock.udp", "busy"]);
    }

    #[test]
    fn one_whose_queue_is_full_is_alive_and_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("full.sock");
        let _listener = UnixListener::bind(&path).unwrap();
        let mut connections = Vec::new();
        while let Ok(connection) = connect(SocketType::STREAM, &path) {
            connections.push(connection);
        }
        assert!(!nobody_listens(&path));
    }
}

//! Where things are on this machine.
//!
//! ```text
//! <root>/pods/       a folder for each running Pod, and its lock
//! <root>/logs/pods/  the logs of containers
//! <root>/volumes/    the data of PersistentVolumeClaims
//! <root>/addresses/  a lock for each Pod address in use
//! <root>/network/    the Pods and Services that others can reach, a file for each
//! <root>/node/       the Pods that live and what they ask for, a file for each
//! <root>/objects/    Pods and other objects as an API server keeps them
//! <root>/processes/  a lock for each Pod that has a process of its own, and what that process says
//! <sockets>/         a socket for each Pod that others can reach, and one to speak to its process
//! <sockets>/busy     what the Pods that compute tell each other
//! <cache>/           compiled code
//! ```
//!
//! Rule: the XDG base directories; for root, the folders of the file system hierarchy standard.

use std::io;
use std::path::{Path, PathBuf};

use crate::sandbox::filesystem;

/// The longest path that a unix socket may have is 107 bytes; a name in the folder takes 41.
const LONGEST_SOCKET_FOLDER: usize = 107 - 42;

/// The folders of one user on one machine. None of them needs to exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    root: PathBuf,
    cache: PathBuf,
    sockets: PathBuf,
}

impl Folders {
    /// The folders of this user, or those below `root`; compiled code is shared by all roots.
    ///
    /// # Errors
    /// Neither the XDG variables nor HOME say where the user's files are, or `root` cannot be
    /// made absolute.
    pub fn find(root: Option<&Path>) -> io::Result<Self> {
        let variable = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let user = rustix::process::geteuid().as_raw();
        let home = |folder: &str| {
            variable("HOME").map(|home| home.join(folder)).ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    "HOME is not set; name a folder with --root",
                )
            })
        };
        let root = match root {
            Some(root) => std::path::absolute(root)?,
            None if user == 0 => PathBuf::from("/var/lib/wasmpod"),
            None => match variable("XDG_STATE_HOME") {
                Some(state) => state.join("wasmpod"),
                None => home(".local/state/wasmpod")?,
            },
        };
        let cache = match (variable("XDG_CACHE_HOME"), home(".cache/wasmpod")) {
            (Some(cache), _) => cache.join("wasmpod"),
            (None, _) if user == 0 => PathBuf::from("/var/cache/wasmpod"),
            (None, Ok(cache)) => cache,
            (None, Err(_)) => root.join("cache"),
        };
        let sockets = match variable("XDG_RUNTIME_DIR") {
            Some(runtime) => runtime.join("wasmpod"),
            None if user == 0 => PathBuf::from("/run/wasmpod"),
            None => root.join("run"),
        };
        let sockets = if sockets.as_os_str().len() > LONGEST_SOCKET_FOLDER {
            PathBuf::from(format!("/tmp/wasmpod-{user}"))
        } else {
            sockets
        };
        Ok(Self { root, cache, sockets })
    }

    /// All of them below `root`, the cache too.
    #[cfg(test)]
    pub(super) fn below(root: &Path) -> Self {
        let root = root.to_owned();
        Self { cache: root.join("cache"), sockets: root.join("run"), root }
    }

    /// Above all but sockets and compiled code.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Sockets of Pods.
    pub fn sockets(&self) -> &Path {
        &self.sockets
    }

    /// How many Pods run that have their state here.
    ///
    /// # Errors
    /// The folder of Pods cannot be read.
    pub fn count_running(&self) -> io::Result<usize> {
        Ok(filesystem::live(&self.pods())?.len())
    }

    /// Whether the Pod `uid` has a folder: its process lives, or is dead and nobody has cleared up.
    pub fn has_owner(&self, uid: &str) -> bool {
        filesystem::has_owner(&self.pods(), uid)
    }

    /// Folders of Pods, each with a lock beside it.
    pub fn pods(&self) -> PathBuf {
        self.root.join("pods")
    }

    /// The logs of containers, as a kubelet has them below `/var/log`.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// The data of PersistentVolumeClaims.
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// Images of registries: an OCI layout.
    pub fn images(&self) -> PathBuf {
        self.root.join("images")
    }

    /// The locks of Pod addresses.
    pub fn addresses(&self) -> PathBuf {
        self.root.join("addresses")
    }

    /// The Pods and Services that others can reach.
    pub fn network(&self) -> PathBuf {
        self.root.join("network")
    }

    /// The Pods that live, and what they ask for.
    pub fn node(&self) -> PathBuf {
        self.root.join("node")
    }

    /// Pods and other objects as an API server keeps them.
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// What belongs to the processes of Pods that are kept as objects.
    pub fn processes(&self) -> PathBuf {
        self.root.join("processes")
    }

    /// The lock that the process of the Pod `uid` holds as long as it lives. The file is there as long as
    /// the Pod is kept as an object.
    pub fn process_lock(&self, uid: &str) -> PathBuf {
        self.processes().join(format!("{uid}.lock"))
    }

    /// Compiled code.
    pub fn cache(&self) -> PathBuf {
        self.cache.join("code")
    }

    /// The file in which Pods that compute tell each other how much.
    pub fn busy_pods(&self) -> PathBuf {
        self.sockets.join("busy")
    }

    /// The socket on which the Pod `uid` takes connections of other Pods.
    pub fn socket(&self, uid: &str) -> PathBuf {
        self.sockets.join(format!("{uid}.sock"))
    }

    /// The socket on which the process of the Pod `uid` answers questions and takes orders.
    pub fn control_socket(&self, uid: &str) -> PathBuf {
        self.sockets.join(format!("{uid}.api"))
    }
}

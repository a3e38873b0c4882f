//! Why a Pod has no cgroup.

use std::io;
use std::path::PathBuf;

use super::plan::Obstacle;

/// A Pod cannot have a cgroup.
#[derive(Debug, thiserror::Error)]
pub enum CgroupError {
    /// The machine has none, or none that is ours to use.
    #[error("no cgroups are mounted here")]
    None,
    /// There are some, and nothing of them is for us.
    #[error(transparent)]
    NoPlace(#[from] Obstacle),
    /// One of their files or folders refuses.
    #[error("{}", path.display())]
    Refused {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

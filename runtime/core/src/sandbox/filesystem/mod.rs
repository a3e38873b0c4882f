//! The root file system of a container and the volumes mounted into it.
//!
//! A guest sees pre-opened directories: `/`, a scratch layer of its own that is new at every start
//! of the container, and one more for each volume mount. Its libc finds the longest one that fits
//! a path; the host keeps every path below the directory it starts from, whatever `..` or symbolic
//! links it holds.
//!
//! - [`PodFolder`]: the Pod's folder on the host, its lock, its removal, and [`sweep`] for the
//!   folders of Pods that died.
//! - [`Volumes`]: the volumes of a Pod, set up, refreshed, measured.
//! - [`ContainerFilesystem`]: root, mounts and termination message of one run of a container.
//! - [`open_guest_file`]: a file as the container's guest would find it.
//! - [`Tree`], [`pack`], [`unpack`]: its files as an archive, for clients.
//! - [`StopFile`]: how a guest may learn that it should end.
//! - [`etc`]: the texts of `/etc/hosts`, `/etc/hostname` and `/etc/resolv.conf`.
//!
//! All of it blocks on the host's file system; callers choose the thread.

mod allowance;
mod archive;
mod container;
mod error;
pub mod etc;
mod folder;
mod gone;
mod image;
mod lookup;
mod memory;
mod mount;
mod place;
mod root;
mod spare;
mod stop_file;
mod subpath;
mod termination;
mod traffic;
mod tree;
mod volume;

pub use archive::{Copied, CopyError, FileKind, FileStat, Tree, pack, unpack};
pub use container::{ContainerFilesystem, ContainerFilesystemOptions};
pub use error::{MountError, VolumeError};
pub(crate) use folder::has_owner;
pub use folder::{FolderError, PodFolder, Swept, dead, live, sweep};
pub(crate) use gone::gone_folder;
pub use lookup::{guest_files, open_guest_file};
pub use mount::Mount;
pub use spare::{SPARE, clear_spare};
pub use stop_file::StopFile;
pub use termination::{MAX_TERMINATION_MESSAGE, TerminationMessage};
pub use traffic::FileTraffic;
pub use tree::{Usage, remove_tree, usage};
pub use volume::{ClaimStore, PodSources, Refreshed, VolumeSources, Volumes};

#[cfg(test)]
mod test_guest;
#[cfg(test)]
mod tests;

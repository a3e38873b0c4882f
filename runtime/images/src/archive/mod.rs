//! Images as one file, to be carried about: out of a layout, and into one.
//!
//! What is written is an OCI archive, a tar of an image layout: skopeo, podman, docker and containerd
//! read it. What is read is that, or what `podman save` and `skopeo` write for docker
//! (`docker-archive`), packed with gzip or not.
//!
//! An archive may come from anybody: it is read once from its beginning to its end, nothing of it is
//! taken for a path, every blob is hashed, and there is a bound on all that it makes us hold or store.
//! Names are given last, when all of it is known to be right.
//!
//! Rule: "Image Layout" of the OCI image specification; for names, the annotations that containerd and
//! podman set.

mod docker;
mod error;
mod load;
mod save;
#[cfg(test)]
mod tests;

pub use error::ArchiveError;
pub use load::{Loaded, MOST_ARCHIVE_BYTES, load};
pub use save::save;

/// A full reference, by containerd: docker reads it, too.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// A reference or a tag, by the specification.
const NAME: &str = "org.opencontainers.image.ref.name";

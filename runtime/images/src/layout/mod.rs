//! An OCI image layout on disk that many processes share and that a `kill -9` leaves whole.
//!
//! ```text
//! oci-layout                what makes it readable for skopeo, buildah and others
//! index.json                the names; changed under `lock`, by rename of index.json.new
//! blobs/sha256/<hex>        content; enters only by rename, once its size and digest are right
//! ingest/sha256-<hex>       content on its way; locked by the one who writes it
//! pins/<user>-<pid>-…       what a process uses, a digest a line; locked as long as it lives
//! lock                      exclusive: names change, blobs are removed; shared: a pin is written
//! ```
//!
//! Every lock is a `flock`, which ends with its process. A partial file whose lock is free is gone
//! on with by the next process that wants the same blob, after its bytes were hashed again; one that
//! nobody asks for goes by age. A pin is written *before* one looks whether a blob is there: a
//! collection that runs at that moment either sees the pin or has removed the blob already, so what
//! [`Pin::ingest`] calls present stays. A lock file per user, and not a list of uids, because nobody
//! has to notice that a Pod's process was killed.
//!
//! The time of an image's last use is the modification time of its manifest's blob: noting it takes
//! no lock and no write of the index, and access times cannot be relied upon (`noatime`).
//!
//! Rule: OCI image specification, `image-layout.md`.

mod collect;
mod error;
mod folder;
mod index;
mod ingest;
mod limits;
mod manifest;
mod pin;
mod store;
#[cfg(test)]
mod tests;
mod threshold;

pub use collect::{Collected, Collection};
pub use error::LayoutError;
pub use index::{Found, Image};
pub use ingest::{Begin, Ingest};
pub use limits::{MOST_LAYERS, MOST_MANIFEST_BYTES};
pub use manifest::{Content, Manifest};
pub use pin::Pin;
pub use store::Layout;
pub use threshold::{Candidate, Decision, Disk, Thresholds, images_to_remove};

//! The layers of an image, unpacked into a folder that is to be the root of a container.
//!
//! The layers come from anybody. Nothing is written outside the folder, nothing in it has setuid,
//! setgid or sticky bits, devices are left out with a note, and there is a bound on bytes, entries,
//! depth and on how much comes out of how little. Content that is not what the image's config says
//! is an error, and an error leaves nothing behind.
//!
//! [`Trees`] keeps a root for each image, shared by all processes of a user.
//!
//! | file | subject |
//! |---|---|
//! | `stream` | a layer's bytes: decompressed, counted, hashed |
//! | `archive` | the entries of a tar archive |
//! | `name` | what a name in it means (pure) |
//! | `tree` | entries into a folder |
//! | `whiteout` | what marks hide in it |
//! | `write` | files, links and folders with what they have |
//! | `unpack` | all layers of an image |
//! | `trees` | roots by digest, among processes |
//! | `program` | the file of a root that is to run |
//! | `limits`, `error` | how much is too much, and what can go wrong |
//!
//! All of it blocks. Rule: "Image Layer Filesystem Changeset" of the OCI image specification, with
//! the tolerance of containerd.

pub(crate) mod archive;
mod error;
mod limits;
mod name;
mod program;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod trees;
mod unpack;
mod whiteout;
mod write;

pub use error::{EntryError, LayerError, RootfsError};
pub use limits::{Excess, Limits};
pub use program::{ProgramError, open_program};
pub use trees::{Removal, Root, Trees};
pub use unpack::{Unpacked, unpack};

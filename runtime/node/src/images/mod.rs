//! The images of this machine, as somebody who types commands sees them.
//!
//! What an image is called here is a name (`kuard:blue`), a name with a digest, or the beginning of its
//! ID, which is the digest of its manifest: unlike the digest of a config, two images never share it.
//!
//! | file | subject |
//! |---|---|
//! | `machine` | where they are |
//! | `list` | what there is |
//! | `find` | which one is meant |
//! | `transfer` | from and to registries |
//! | `name` | giving names, and taking them away |
//! | `prune` | removing what nobody uses |
//! | `inspect` | what one holds |
//! | `make` | out of files and archives, and into them |
//!
//! All of it blocks, but for fetching.

mod error;
mod find;
mod inspect;
mod list;
mod machine;
mod make;
mod name;
mod prune;
#[cfg(test)]
mod tests;
mod transfer;

pub use error::Problem;
pub use inspect::{Inspected, InspectedFile, InspectedImage, InspectedLayer, InspectedProgram};
pub use list::{ListedImage, short_id};
pub use machine::Images;
pub use name::{Force, Removed};
pub use prune::{ImagesUsage, Prune, Pruned};
pub use transfer::Registries;
pub use wasmpod_images::artifact::{ExposedPort, Protocol};
pub use wasmpod_images::fetch::{FetchError, FetchErrorKind, Progress};
pub use wasmpod_images::pack::{Form, Pack};
pub use wasmpod_images::reference::{InvalidReference, Reference};

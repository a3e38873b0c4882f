//! The volumes of a Pod, by source.
//!
//! [`Volumes`] sets them up and knows where each one lies; a file a kind of source holds its rule.
//! Sources that project content (configMap, secret, downwardAPI, projected) become a `Payload` of
//! files, which `atomic` writes and swaps as a whole.

mod atomic;
mod claim;
mod empty_dir;
mod host_path;
mod payload;
mod set;
mod sources;

pub use claim::ClaimStore;
pub(crate) use set::Kind;
pub use set::{Refreshed, Volumes};
pub use sources::{PodSources, VolumeSources};

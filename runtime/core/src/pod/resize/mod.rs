//! Other resources for a Pod that runs: asked for, allocated, made true.
//!
//! A [`Resizer`] takes a patch of the Pod and checks it by the rules of the API; [`resized`] is what
//! lives beside the Pod and carries out what [`Resizing`](crate::lifecycle::Resizing) decides. Nothing
//! of it is there before somebody wants something.
//!
//! | file | subject | pure |
//! |---|---|---|
//! | `patch` | a patch of a Pod, applied | yes |
//! | `rules` | what may change | yes |
//! | `resizer` | who wants other resources | |
//! | `admission` | whether there is room for them | |
//! | `keep` | how they come true | |

mod admission;
mod keep;
mod patch;
mod resizer;
mod rules;

pub(super) use keep::resized;
pub use patch::{PatchError, PatchKind};
pub use resizer::{ResizeError, Resized, Resizer};

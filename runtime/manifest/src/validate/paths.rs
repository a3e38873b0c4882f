//! Paths of files, which may not lead out of where they are put.

use crate::field::{Errors, Place};

/// A relative path without `..`.
pub(super) fn local_descending(path: &str, at: &Place<'_>, errors: &mut Errors) {
    if path.starts_with('/') {
        errors.invalid(at, path, "must be a relative path");
    }
    no_backsteps(path, at, errors);
}

/// A relative path without `..` that does not begin with two dots either: those names are the
/// kubelet's own, for swapping a whole volume at once.
pub(super) fn local_non_reserved(path: &str, at: &Place<'_>, errors: &mut Errors) {
    local_descending(path, at, errors);
    if path.starts_with("..") && !path.starts_with("../") && path != ".." {
        errors.invalid(at, path, "must not start with '..'");
    }
}

/// A path without `..` among its parts.
pub(super) fn no_backsteps(path: &str, at: &Place<'_>, errors: &mut Errors) {
    if path.split('/').any(|part| part == "..") {
        errors.invalid(at, path, "must not contain '..'");
    }
}

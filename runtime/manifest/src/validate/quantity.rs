//! Quantities in a manifest: text that must be one.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity as Written;

use crate::field::{Errors, Place};
use crate::quantity::{Quantity, QuantityError};

/// The quantity that is written there; a text that is none is noted, with a guess at what was
/// meant.
pub(super) fn parsed(written: &Written, at: &Place<'_>, errors: &mut Errors) -> Option<Quantity> {
    match written.0.parse() {
        Ok(quantity) => Some(quantity),
        Err(error) => {
            let error: QuantityError = error;
            errors.invalid(at, written.0.as_str(), error.to_string());
            if let Some(meant) = QuantityError::suggestion(&written.0) {
                errors.hint(format!("did you mean \"{meant}\"?"));
            }
            None
        }
    }
}

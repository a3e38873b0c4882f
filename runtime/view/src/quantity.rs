//! Quantities as the API machinery prints and reckons them.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use wasmpod_manifest::quantity::Quantity as Amount;

/// In canonical form (`0.1` as `100m`); what is no quantity stays as it is.
pub(crate) fn canonical(quantity: &Quantity) -> String {
    match quantity.0.parse::<Amount>() {
        Ok(amount) => amount.to_string(),
        Err(_) => quantity.0.clone(),
    }
}

/// As a number; what is no quantity counts for nothing.
pub(crate) fn amount(quantity: &Quantity) -> Amount {
    quantity.0.parse().unwrap_or(Amount::ZERO)
}

//! What the API server fills in before anybody reads a manifest.
//!
//! Pure, and safe to repeat: a field that is set stays as it is. Quantities in resource lists
//! come out in canonical form and rounded up to thousandths; a text that is no quantity is left
//! for validation to refuse. Rule: `pkg/apis/core/v1/defaults.go` of Kubernetes.

mod container;
mod objects;
mod pod;
mod resources;
mod service;
mod service_update;
#[cfg(test)]
mod tests;
mod volume;

pub use container::pull_policy;
pub use objects::{config_map, persistent_volume_claim, secret};
pub use pod::apply;
pub use service::service;
pub use service_update::service_update;

/// Sets a text that is absent or empty: to Kubernetes the two are one.
fn set_text(text: &mut Option<String>, default: &str) {
    if text.as_deref().unwrap_or_default().is_empty() {
        *text = Some(default.to_owned());
    }
}

/// Sets a number that is absent or 0, where Kubernetes cannot tell the two apart.
fn set_number(number: &mut Option<i32>, default: i32) {
    if number.unwrap_or(0) == 0 {
        *number = Some(default);
    }
}

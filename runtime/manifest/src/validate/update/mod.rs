//! What of an object may become another once it is there.
//!
//! Each function takes the new state and the old one, both with their defaults, and returns every
//! change that is not allowed. That the new state is valid by itself is checked elsewhere. Rule:
//! the `Validate…Update` of `pkg/apis/core/validation`. Where Kubernetes prints a diff of its own
//! structs behind the message, the hint names the fields.

mod difference;
mod metadata;
mod objects;
mod persistent_volume_claim;
mod pod;
#[cfg(test)]
mod tests;

pub use objects::{config_map_update, event, secret_update, service_update};
pub use persistent_volume_claim::persistent_volume_claim_update;
pub use pod::pod_update;

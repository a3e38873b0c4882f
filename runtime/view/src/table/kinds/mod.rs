//! The columns of each kind, and how its cells come about.

pub(super) mod config_map;
pub(super) mod event;
pub(super) mod namespace;
pub(super) mod node;
pub(super) mod persistent_volume_claim;
pub(super) mod pod;
pub(super) mod secret;
pub(super) mod service;

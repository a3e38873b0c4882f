//! All about one object, as `kubectl describe` tells it.
//!
//! [`describe`] knows Pods, ConfigMaps, Secrets, PersistentVolumeClaims, Services, Nodes and
//! Namespaces; of any other object it shows all fields. What is told of other objects too (events,
//! a service's endpoints, the Pods on a node) comes in with the [`Surroundings`].
//!
//! Rule: `pkg/describe` of kubectl 1.33.

mod claim;
mod config_map;
mod container;
mod dispatch;
mod environment;
mod events;
mod label;
mod metadata;
mod namespace;
mod node;
mod node_resources;
mod other;
mod pod;
mod pod_resources;
mod probe;
mod qos;
mod scheduling;
mod secret;
mod service;
mod sheet;
mod surroundings;
mod volumes;

pub use dispatch::{DescribeError, describe};
pub use surroundings::Surroundings;

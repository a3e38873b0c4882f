//! Text in, valid Pods out. Pure: nothing here waits, runs or opens a socket.
//!
//! [`load`] reads manifests as `kubectl` reads them, refuses what the API server would refuse
//! (and what this runtime cannot keep its word on), and says where every error is.

pub mod annotation;
mod containers;
mod decode;
pub mod defaults;
pub mod downward;
pub mod environment;
pub mod expand;
pub mod field;
pub mod images;
mod kinds;
mod load;
mod manifest;
mod node;
mod parse;
mod problem;
pub mod quantity;
mod report;
mod resources;
mod schema;
pub mod services;
pub mod source;
mod strict;
pub mod support;
pub mod sysctl;
mod template;
pub mod validate;

pub use containers::containers;
pub use load::{load, load_as_written, read_value};
pub use manifest::{Manifest, Origin, PodManifest, WorkloadKind, WrittenService};
pub use node::Position;
pub use problem::{LoadErrors, Note, Problem, ProblemKind};
pub use source::Source;

/// The Kubernetes whose API this is: its fields, defaults and rules.
pub const KUBERNETES_VERSION: &str = "1.37";

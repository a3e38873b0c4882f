//! A container's environment variables and arguments.
//!
//! Decides values only; nothing here reads a file or starts a container. Order, as in
//! Kubernetes: `envFrom` entries one after the other, then `env`, the later one winning; a
//! `value` sees what stands before it, `command` and `args` see the end result. Rule:
//! `makeEnvironmentVariables` of the kubelet.

mod env_file;
mod error;
mod hostname;
mod objects;
mod resolve;

pub use error::ConfigError;
pub use hostname::hostname;
pub use objects::{FileError, Objects};
pub use resolve::{Environment, resolve};

#[cfg(test)]
mod tests;

//! A container's environment variables and arguments.
//!
//! Decides values only; nothing here reads a file or starts a container. Order, as in
//! Kubernetes: what is told of Services, `envFrom` entries one after the other, then `env`, the
//! later one winning; a `value` sees what stands before it, `command` and `args` see the end
//! result. Rule: `makeEnvironmentVariables` of the kubelet.

mod env_file;
mod error;
mod hostname;
mod objects;
mod resolve;
mod services;

pub use error::ConfigError;
pub use hostname::hostname;
pub use objects::{FileError, Objects};
pub use resolve::{Environment, resolve};
pub use services::{ServiceAddress, service_variables};

#[cfg(test)]
mod tests;

//! Pulls images of WebAssembly from registries into a layout, and pushes them there.
//!
//! ```text
//! Options ─ config: mirrors, CAs, plain HTTP ─▶ endpoints, tried in order
//!         ─ keyring: who we are ──────────────▶ credentials, tried in order
//!         ─ limits
//!
//! pull: HEAD tag ─▶ GET manifest ─▶ choose of an index ─▶ config: for WebAssembly? ─▶ layers ─▶ name
//! ```
//!
//! Built on `reqwest` and not on `oci-client`: that reads manifests, error texts and the answers of
//! token servers into memory whole, however long they are, lets the client below follow redirects,
//! and cannot take the connection's speed into account; each of them is what a hostile registry
//! would use. What is left of it then are types that `oci-spec` has as well.
//!
//! HTTP/1.1 only: a layer has a connection to itself, so a stalled one holds up no other.

mod body;
mod challenge;
mod child;
mod client;
mod config;
mod credentials;
mod endpoint;
mod error;
mod options;
mod pull;
mod push;
mod retry;
mod session;
mod token;

pub use child::fetch_child;
pub use config::{ConfigError, RegistryConfig};
pub use credentials::{Credential, CredentialError, Keyring};
pub use error::{Failure, PullError, PushError};
pub use options::{Limits, Options};
pub use pull::{Pulled, Sink, pull};
pub use push::{Pushed, push};

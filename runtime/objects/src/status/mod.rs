//! What goes wrong with a request, as the API server says it: reason, code, message and details.
//!
//! A client decides by the reason, a person reads the message, and both are those of
//! `k8s.io/apimachinery/pkg/api/errors`, so that they can be looked up as they stand.

mod build;
mod error;
mod reason;
#[cfg(test)]
mod tests;

pub use error::ApiError;
pub use reason::Reason;

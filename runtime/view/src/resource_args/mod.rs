//! The arguments that name objects: `pods`, `pod web db`, `pod/web configmap/x`, `po,cm`, `all`.
//!
//! Pure: what is meant, by the list of types that there are; whether the objects are there is
//! another question.
//!
//! Rule: the resource builder of cli-runtime, whose error texts these are.

mod error;
mod find;
mod parse;
mod types;

pub use error::ArgsError;
pub use find::find_type;
pub use parse::{ArgsOptions, Asked, Named, NoName, parse};
pub use types::{BUILT_IN, ResourceType};

#[cfg(test)]
mod tests;

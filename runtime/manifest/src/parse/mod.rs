//! Bytes to trees of values with places: text, YAML and JSON, read as `kubectl` reads them.

mod error;
mod json;
mod relax;
mod scalar;
mod stream;
mod text;
mod yaml;

#[cfg(test)]
mod relaxed_tests;
#[cfg(test)]
mod tests;

pub(crate) use error::SyntaxError;
pub(crate) use stream::{Document, documents};

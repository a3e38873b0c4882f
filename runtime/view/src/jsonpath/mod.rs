//! kubectl's JSONPath: `{range .items[*]}{.metadata.name}{"\n"}{end}`.
//!
//! A dialect of its own, older than RFC 9535: a template of text with paths in braces, ranges,
//! filters that compare, `\.` for a dot in a key. [`JsonPath`] is a parsed template;
//! [`relaxed`] completes a path that is given without braces, as `--sort-by` and others take it.
//!
//! Rule: `util/jsonpath` of client-go, whose error texts these are too. Where Go visits a map in
//! any order, keys are visited in theirs.

mod compare;
mod error;
mod evaluate;
mod node;
mod parse;
mod print;
mod relaxed;
mod scan;
mod template;
mod unquote;

pub use error::{EvaluateError, ParseError};
pub use relaxed::{RelaxedError, relaxed};
pub use template::JsonPath;

#[cfg(test)]
mod tests;

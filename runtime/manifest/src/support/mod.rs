//! The table as people read it: which field of a Pod and of a Service does what, and why some do
//! nothing.
//!
//! `wasmpod explain --support` prints [`text`], `wasmpod explain FIELD` what [`explain`] finds;
//! docs/manifest-support.md is [`markdown`], and a test keeps the file in step with the code.

mod documentation;
#[cfg(test)]
mod documentation_tests;
mod explain;
mod page;
mod render;
mod rows;

#[cfg(test)]
mod tests;

pub use explain::{Depth, Entry, Explanation, UnknownField, explain, kinds};
pub use render::{markdown, text};
pub use rows::{Row, Values, Verdict, rows};

//! Objects as `-o` asks for them: JSON, YAML, names, templates, columns of one's own.
//!
//! [`Format::parse`] reads the value of `-o`, [`Format::print`] prints. Tables are in
//! [`table`](crate::table).

mod format;
pub(crate) mod json;
mod list;
mod name;
mod print;
pub(crate) mod yaml;

pub use format::{Format, FormatError};
pub use list::{Shown, without_managed_fields};
pub use name::name;
pub use print::{PrintError, to_json, to_yaml};

#[cfg(test)]
mod tests;

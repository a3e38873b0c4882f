//! The table of objects, as `kubectl get` shows it and the API server sends it.
//!
//! A [`Table`] holds one kind of objects: the columns that the API server has for it, and a row for
//! each object. It becomes text ([`Table::to_text`], [`to_text`]) or a `meta.k8s.io/v1` Table
//! ([`Table::to_json`]).
//!
//! Rule: `pkg/printers/internalversion` of the API server for the cells, the table printer of
//! cli-runtime for the text.

mod build;
mod column;
mod json;
mod kinds;
mod text;

pub use build::table;
pub use column::{Column, ColumnType, Row, Table};
pub use json::IncludeObject;
pub use text::{Group, TextOptions, no_resources_found, to_text};

#[cfg(test)]
mod tests;

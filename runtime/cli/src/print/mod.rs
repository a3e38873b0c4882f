//! What the user sees: data on standard output, the rest on standard error.

pub(crate) mod events;
pub(crate) mod json;
pub(crate) mod logs;
pub(crate) mod out;
pub(crate) mod printer;
pub(crate) mod problem;
pub(crate) mod progress;
pub(crate) mod style;
pub(crate) mod table;
pub(crate) mod units;
pub(crate) mod warnings;
